"""Continuous traces: what raters do with a slider while a clip plays, ten times per second.

The page sends a trace in chunks (`chunks`), `collected` keeps them and gives one trace per rater
and clip. `lag` estimates how late each rater is, `course` has the mean and the agreement over time,
`simulate` makes traces with a known lag.
"""
