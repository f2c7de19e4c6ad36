"""Figures: pure functions from results to Plotly and Altair figures; no Streamlit.

`shares`, `sample`, `redundancy` and `missing` take what a notebook has at hand; the modules of
this package hold the figures of the app, which take evaluation tables.
"""

from smurf_core.plot.notebook import missing, redundancy, sample, shares

__all__ = ["missing", "redundancy", "sample", "shares"]
