"""Statistics for samples that come from persons: tests, intervals and agreement.

There is one file per subject. Every function takes arrays and returns numbers; nothing here depends
on data sets, models or contributions. Samples of one person are similar, so most functions take
`persons`, the person of each sample.
"""
