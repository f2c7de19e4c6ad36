"""The title of every page, drawn before what the page needs is loaded."""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

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


class Places(NamedTuple):
    """What the page itself fills."""

    beside_title: DeltaGenerator
    corner: DeltaGenerator


# Of the page that this thread draws.
_PLACES: ContextVar[Places] = ContextVar("places")


def page_title(question: str) -> None:
    """Draw a page's question; `places` are beside it. The entry point calls it in every run."""
    st.html(_SPACES)
    # So wide that the longest question has its mark beside it at 1280 pixels.
    left, corner = st.columns([5, 3], vertical_alignment="center")
    beside = left.container(horizontal=True, vertical_alignment="center")
    beside.title(question, anchor=False, width="content")
    _PLACES.set(Places(beside, corner))


def places() -> Places:
    """Return the places at the title of the page that is being drawn."""
    return _PLACES.get()
