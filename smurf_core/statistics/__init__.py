"""Statistics for samples that come from persons: tests, intervals and agreement.

One file per subject. Every function takes arrays and returns numbers; nothing here knows data
sets, models or contributions. Samples of one person are alike, so most functions take `persons`,
the person of each sample.
"""
