"""Stepping through samples in order."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.widgets.messages import escaped


def walk(title: str, at: int, count: int, go: Callable[[int], None]) -> None:
    """The open sample's title, and buttons (and arrow keys) to the ones before and after it.

    Parameters
    ----------
    title
        What names the open sample.
    at, count
        Its place, from 0, and how many there are.
    go
        Called with the place to open.
    """
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"#### {escaped(title)}", width="content")
        st.button(
            "Previous", key="previous", shortcut="Left", disabled=at == 0, on_click=go,
            args=(max(at - 1, 0),),
        )  # fmt: skip
        st.button(
            "Next", key="next", shortcut="Right", disabled=at == count - 1, on_click=go,
            args=(min(at + 1, count - 1),),
        )  # fmt: skip
        st.markdown(f"{at + 1:,} of {count:,}", width="content")
