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
    r"(unnamed:?[_ ]?\d+([_.]level_\d+)?|level_0|__index_level_\d+__|index|"
    r"row\.?_?names?|row_?(id|no|nr|num|number)?|"
    r"\.\.\.1|column_1|#|no|nr)",
    re.IGNORECASE,
)
_FEWEST_PERMUTED = 10  # rows from which a permutation is no chance
_SHORT = ("x", "v1", "n", "x1")  # usual names too, if the numbers rise


def row_counters(frame: pd.DataFrame, parts: Sequence[int] = ()) -> tuple[str, ...]:
    """Columns of whole numbers that count the rows: in their order, or as a saved row index.

    These are 0, 1, 2… or 1, 2, 3… in the order of the rows, also within each of several files of
    `parts` rows; numbers that only rise or do not repeat in a column with a name for row numbers;
    numbers that do not repeat in a first column called `X` or `V1`; and one column that is a
    permutation of the row numbers, such as a row index after shuffling.
    """
    counters: list[str] = []
    permuted: list[str] = []
    n = len(frame)
    if n < 3:
        return ()
    row = np.arange(n)
    within = np.concatenate([np.arange(size) for size in parts]) if sum(parts) == n else row
    for column in _that_may_count(frame):
        values = _whole_numbers(frame[column])
        if values is None:
            continue
        if _is_counting(values, row, within) or _is_saved_index(
            values, column, is_first=column == frame.columns[0]
        ):
            counters.append(column)
        elif n >= _FEWEST_PERMUTED and _is_permutation(values):
            permuted.append(column)
    # Ranks of several measures are permutations of the row numbers, but no counters.
    return tuple(counters + permuted if len(permuted) == 1 else counters)


def _that_may_count(frame: pd.DataFrame) -> list[str]:
    """All columns but those of points whose last cell is no whole number."""
    cells = zip(frame.columns.to_list(), frame.dtypes.to_list(), frame.iloc[-1], strict=True)
    return [c for c, kind, last in cells if kind != np.float64 or float(last).is_integer()]


def _is_counting(
    values: npt.NDArray[np.int64], row: npt.NDArray[np.int64], within: npt.NDArray[np.int64]
) -> bool:
    """True if numbers count rows from 0 or 1, in the whole table or in each of its files."""
    first = values[0]
    if first not in (0, 1) or values[-1] not in (row[-1] + first, within[-1] + first):
        return False
    return np.array_equal(values, row + first) or np.array_equal(values, within + first)


def _is_saved_index(values: npt.NDArray[np.int64], column: str, *, is_first: bool) -> bool:
    if has_counter_name(column) or (is_first and _is_short(column)):
        return len(np.unique(values)) == len(values)
    return _is_short(column) and bool((np.diff(values) > 0).all())


def _is_short(column: str) -> bool:
    return column.strip().lower() in _SHORT


def is_row_index(column: str) -> bool:
    """True if a column that counts rows is called like a row index, and not like an id."""
    return has_counter_name(column) or _is_short(column)


def _is_permutation(values: npt.NDArray[np.int64]) -> bool:
    """True if each number from 0 or 1 on is there once."""
    n, low = len(values), values.min()
    is_likely = low in (0, 1) and values.max() - low == n - 1
    return bool(is_likely) and len(np.unique(values)) == n


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
