"""The head of every page: its title has a mark for made-up data, and a picker; then the answer."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.state.session import chosen_study
from app.widgets.messages import escaped
from app.widgets.page_title import places
from smurf_core.data.dataset import Origin
from smurf_core.errors import InputError

_MARKS: dict[Origin, str] = {
    "simulated": "Simulated data: it was made by a program and says nothing about people.",
    "synthetic": "Synthetic data: it was made from formulas, so its true contributions are known.",
}


def page_head() -> DeltaGenerator:
    """Show beside the page's title, if its data was made by a program, the word for that.

    Returns
    -------
    DeltaGenerator
        The place to the right of the title, for the picker of samples.
    """
    beside, corner = places()
    study = None
    with suppress(InputError):  # Parts of the page that need it show why.
        study = chosen_study()
    origin = study.origin if study else None
    if origin in _MARKS:
        icon = ":material/science:"
        beside.badge(origin.capitalize(), icon=icon, color="orange", help=_MARKS[origin])
    return corner


def answer(sentence: str) -> None:
    """A page's answer in one sentence of the library, above its figure."""
    st.markdown(f"##### {escaped(sentence)}")
