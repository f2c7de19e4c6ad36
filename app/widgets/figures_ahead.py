"""While a model is trained, the browser loads what draws figures, which takes it seconds."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

# The page is not held up: the browser begins when it has nothing else to do.
_SCRIPT = """
export default function ({ data }) {
  const load = () => import(new URL(data, document.baseURI).href).catch(() => {});
  (window.requestIdleCallback ?? setTimeout)(load);
}
"""
_figures_ahead = st.components.v2.component("smurf_figures_ahead", js=_SCRIPT)
_SERVED = Path(st.__file__).parent / "static"


def load_figures_ahead() -> None:
    """Let the browser load Streamlit's own script for Plotly, which it asks for by this name."""
    for script in _SERVED.glob("static/js/PlotlyChart.*.js"):
        _figures_ahead(data=script.relative_to(_SERVED).as_posix(), key="figures_ahead")
