"""Figures: pure functions from results to Plotly and Altair figures; no Streamlit.

`shares`, `sample`, `redundancy`, `sharing` and `missing` take a run or its contributions;
the modules of this package contain the figures of the app, which take evaluation tables.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["missing", "redundancy", "sample", "shares", "sharing"]

if TYPE_CHECKING:
    from smurf_core.plot.notebook import missing, redundancy, sample, shares, sharing


def __getattr__(name: str) -> Any:
    """Load the figures of notebooks when one is used: the app's modules do without them."""
    if name not in __all__:
        raise AttributeError(f"module 'smurf_core.plot' has no attribute {name!r}")
    return getattr(import_module("smurf_core.plot.notebook"), name)
