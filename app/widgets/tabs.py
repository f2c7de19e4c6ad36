"""Tabs below a page's answer: only the open one runs, and it is part of the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from app.state.address import in_address


def tabs(key: str, parts: Mapping[str, Callable[[], None]]) -> None:
    """Show what belongs to the open tab.

    Parameters
    ----------
    key
        The widget's key: where the open tab's title is kept in session state. In the address it is
        `tab`.
    parts
        Title → what shows the tab.
    """
    titles = list(parts)
    in_address("tab", key, titles, titles[0])
    # Not `bind`: a page with a bound widget cannot lead to another one.
    opened = st.tabs(titles, key=key, on_change="rerun")
    for place, show in zip(opened, parts.values(), strict=True):
        if place.open:
            with place:
                show()
