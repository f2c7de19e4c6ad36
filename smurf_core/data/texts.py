"""Cells as text: the form in which ids, persons, folds and splits are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

LARGEST_EXACT = 2**53  # whole numbers up to here are exact as floats


def as_text(values: pd.Series[Any]) -> pd.Series[str]:
    """Cells as text: whole numbers without a decimal point; missing cells stay missing."""
    if pd.api.types.is_float_dtype(values):
        held = values.dropna()
        if ((held == held.round()) & (held.abs() <= LARGEST_EXACT)).all():
            values = values.astype("Int64")
    texts = values.astype("str")
    return texts.where(values.notna()) if values.hasnans else texts


def common_start(texts: Sequence[str]) -> str:
    """The start that all texts have."""
    first, last = min(texts), max(texts)
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), None)
    return first[:length]
