"""Callbacks of buttons and figures: their errors are sentences above the page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from smurf_core.errors import InputError

P = ParamSpec("P")
_ERROR = "callback_error"


def callback(act: Callable[P, object]) -> Callable[P, None]:
    """The same action; an error that the user can fix is kept for `callback_error`.

    Streamlit runs callbacks before the page, where nothing else catches errors.
    """

    @wraps(act)
    def call(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            act(*arguments, **named)
        except InputError as error:
            st.session_state[_ERROR] = str(error)

    return call


def callback_error() -> str | None:
    """The error of the last callback, once."""
    found: str | None = st.session_state.pop(_ERROR, None)
    return found
