"""What a page shows as a part of its address, so that a reload or a copied link returns to it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st


def from_address(name: str, key: str, known: Sequence[str], default: str) -> None:
    """Set a widget to what the address says when it is shown first; `known` are its options.

    Called before the widget with this `key`. What is not known is taken for the default.
    """
    wanted = st.session_state.get(key, st.query_params.get(name))
    st.session_state[key] = wanted if wanted in known else default


def to_address(name: str, value: str, default: str) -> None:
    """Write a widget's value into the address; the default is not written."""
    if value != default:
        st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]
