"""Asks for the decimal sign of files whose cells do not show it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import streamlit as st

from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.readers.decimal_sign import UndecidedSign

_SIGNS = {".": "Point: 1.5 is one and a half", ",": "Comma: 1,5 is one and a half"}


def with_asked_sign(known: StudyMapping, key: str) -> StudyMapping:
    """The mapping with the user's decimal sign, once the files of this upload needed one."""
    if f"asked_{key}" not in st.session_state:
        return known
    sign = st.radio(
        "Decimal sign", list(_SIGNS), index=None, format_func=_SIGNS.__getitem__, key=f"sign_{key}"
    )
    return replace(known, reading={**known.reading, "decimal": sign}) if sign else known


@contextmanager
def asking_for_sign(key: str) -> Iterator[None]:
    """Show the choice beside the error if a file leaves its decimal sign open."""
    try:
        yield
    except UndecidedSign:
        if f"asked_{key}" not in st.session_state:
            st.session_state[f"asked_{key}"] = True
            st.rerun()
        raise
