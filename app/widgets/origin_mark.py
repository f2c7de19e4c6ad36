"""The word *simulated* or *synthetic* above every page of a study that was not recorded."""

from __future__ import annotations

import streamlit as st

from app.state.session import chosen_study
from smurf_core.data.dataset import Origin

_MARKS: dict[Origin, str] = {
    "simulated": "Simulated data: it was made by a program and says nothing about people.",
    "synthetic": "Synthetic data: it was made from formulas, so its true contributions are known.",
}


def origin_mark() -> None:
    """Show above the page that its data was made by a program, if it was."""
    study = chosen_study()
    origin = study.origin if study else None
    if origin in _MARKS:
        icon = ":material/science:"
        st.badge(origin.capitalize(), icon=icon, color="orange", help=_MARKS[origin])
