"""Finds columns that number a table's rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

# Names that programs give to a column of row numbers: pandas, R, tidyverse, readers of ours.
_UNNAMED = re.compile(
    r"(unnamed:?[_ ]?\d+([_.]level_\d+)?|level_0|index|row\.?_?names?|row_?(id|no|nr|num|number)?|"
    r"\.\.\.1|column_1|#|no|nr)",
    re.IGNORECASE,
)
_SHORT = ("x", "v1", "n", "x1")  # usual names too, if the numbers rise


def row_counters(frame: pd.DataFrame, parts: Sequence[int] = ()) -> tuple[str, ...]:
    """Columns of whole numbers that count the rows: in their order, or as a saved row index.

    These are 0, 1, 2… or 1, 2, 3… in the order of the rows, also within each of several files of
    `parts` rows; numbers that only rise or do not repeat in a column with a name for row numbers;
    and one column that is a permutation of the row numbers, such as a row index after shuffling.
    """
    counters: list[str] = []
    permuted: list[str] = []
    n = len(frame)
    if n < 3:
        return ()
    row = np.arange(n)
    within = np.concatenate([np.arange(size) for size in parts]) if sum(parts) == n else row
    for column in frame.columns:
        values = _whole_numbers(frame[column])
        if values is None:
            continue
        first = values[0]
        is_counting = values[-1] - first == n - 1 and np.array_equal(values, row + first)
        if first in (0, 1) and (is_counting or np.array_equal(values, within + first)):
            counters.append(column)
        elif has_counter_name(column) and len(np.unique(values)) == n:
            counters.append(column)
        elif column.strip().lower() in _SHORT and (np.diff(values) > 0).all():
            counters.append(column)
        elif values.min() in (0, 1) and values.max() - values.min() == n - 1 and n >= 10:
            if len(np.unique(values)) == n:
                permuted.append(column)
    # Ranks of several measures are permutations of the row numbers, but no counters.
    return tuple([*counters, *(permuted if len(permuted) == 1 else [])])


def has_counter_name(column: str) -> bool:
    """True if programs give this name to a column of row numbers."""
    return _UNNAMED.fullmatch(column.strip()) is not None


def _whole_numbers(cells: pd.Series[Any]) -> npt.NDArray[np.int64] | None:
    """The cells of a column of whole numbers without gaps; None for every other column."""
    if not pd.api.types.is_integer_dtype(cells):
        if not pd.api.types.is_float_dtype(cells):
            return None
        if len(cells) and not float(cells.iloc[-1]).is_integer():
            return None
        numbers = cells.to_numpy(dtype=np.float64)
        if not np.isfinite(numbers).all() or (numbers != np.rint(numbers)).any():
            return None
        if np.abs(numbers).max(initial=0) > 2**53:
            return None
        return numbers.astype(np.int64)
    if cells.hasnans:
        return None
    return cells.to_numpy(dtype=np.int64)
