"""Tabs below a page's answer: only the open one runs, and it is part of the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st


def tabs(key: str, parts: Mapping[str, Callable[[], None]]) -> None:
    """Show what belongs to the open tab.

    Parameters
    ----------
    key
        The tab's name in the address and in session state, where its title is kept.
    parts
        Title → what shows the tab.
    """
    opened = st.tabs(list(parts), key=key, bind="query-params")
    for place, show in zip(opened, parts.values(), strict=True):
        if place.open:
            with place:
                show()
