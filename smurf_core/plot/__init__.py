"""Figures: pure functions from results to Plotly and Altair figures; no Streamlit.

`shares`, `sample`, `redundancy`, `sharing` and `missing` take a run or its contributions;
the modules of this package contain the figures of the app, which take evaluation tables.
"""

from smurf_core.plot.notebook import missing, redundancy, sample, shares, sharing

__all__ = ["missing", "redundancy", "sample", "shares", "sharing"]
