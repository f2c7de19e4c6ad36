"""The head of every page: the question that it answers, a mark for made-up data, and its picker."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.state.navigation import QUESTIONS, PageName
from app.state.session import chosen_study
from app.widgets.messages import escaped
from smurf_core.data.dataset import Origin
from smurf_core.errors import InputError

_MARKS: dict[Origin, str] = {
    "simulated": "Simulated data: it was made by a program and says nothing about people.",
    "synthetic": "Synthetic data: it was made from formulas, so its true contributions are known.",
}
# Streamlit's own spaces put a page's figure below the fold of a small screen.
_SPACES = """<style>
.stMainBlockContainer {padding: 3.75rem 3rem 3rem;}
[data-testid="stSidebarHeader"] {height: 0.5rem; min-height: 0; margin-bottom: 0; padding-top: 0;}
[data-testid="stSidebarNav"] {padding-top: 0;}
[data-testid="stSidebarNavSeparator"] {margin-top: 0.25rem; padding-top: 0.25rem;}
[data-testid="stSidebarUserContent"] {padding-top: 0.5rem;}
[data-testid="stSidebarUserContent"] [data-testid="stVerticalBlock"] {gap: 0.5rem;}
[data-testid="stSidebarNavItems"] {gap: 0;}
[data-testid="stNavSectionHeader"] {padding-top: 0; padding-bottom: 0;}
[data-testid="stSidebarNavLink"] {padding-top: 0; padding-bottom: 0; margin: 0; min-height: 0;
    height: 1.625rem;}
[data-testid="stSidebarNavLink"] > * {align-self: center;}
[data-testid="stSidebarNavLink"] p {font-size: 0.875rem; line-height: 1.35;}
[data-testid="stSidebarNavItems"] li {margin: 0;}
</style>"""


def tight_spaces() -> None:
    """Leave less space around pages and in the sidebar; the entry point calls it in every run."""
    st.html(_SPACES)


def page_head(page: PageName) -> DeltaGenerator:
    """Show a page's question and, if its data was made by a program, the word for that.

    Returns
    -------
    DeltaGenerator
        The place to the right of the title, for the picker of samples.
    """
    # So wide that the longest question has its mark beside it at 1280 pixels.
    left, right = st.columns([5, 3], vertical_alignment="center")
    with left, st.container(horizontal=True, vertical_alignment="center"):
        st.title(QUESTIONS[page], anchor=False, width="content")
        study = None
        with suppress(InputError):  # Parts of the page that need it show why.
            study = chosen_study()
        origin = study.origin if study else None
        if origin in _MARKS:
            icon = ":material/science:"
            st.badge(origin.capitalize(), icon=icon, color="orange", help=_MARKS[origin])
    return right


def answer(sentence: str) -> None:
    """A page's answer in one sentence of the library, above its figure."""
    st.markdown(f"##### {escaped(sentence)}")
