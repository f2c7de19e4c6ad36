"""Turns columns of text into numbers block by block: the text of a large table is never whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from smurf_core.data.readers.missing_words import filled
from smurf_core.data.readers.number_forms import has_certain_point

Columns = dict[str, pa.ChunkedArray]

_LEADING_ZERO = r"^[+-]?0\d"
_WHOLE = r"^[+-]?\d+$"
# One digit before the point and not three after it: no point between thousands.
_CERTAIN = re.compile(r"-?0?\.\d+|-?\d\.(\d\d?|\d{4,})")
_LARGEST = 1e15  # whole numbers from which one may be a name that no float holds


class _Numbers:
    """One column of numbers, filled block by block into memory for the most rows it can have.

    Every cell is a plain number or a word for "no value". What the text alone shows is noted: a
    decimal point that is certain, and whether all numbers are written as whole ones.
    """

    __slots__ = ("has_point", "is_whole", "values")

    def __init__(self, values: npt.NDArray[np.float64]) -> None:
        self.values = values
        self.is_whole, self.has_point = True, False

    def take(self, cells: pa.Array, start: int) -> bool:
        """Add a block of cells from row `start` on; False if they are not all numbers."""
        texts = cells
        try:
            numbers = pc.cast(cells, pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            texts = filled(cells)
            try:
                numbers = pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False)
            except pa.ArrowInvalid:
                return False
        self.values[start : start + len(numbers)] = numbers
        if self.is_whole and not self._stays_whole(numbers, texts):
            return False
        if not (self.is_whole or self.has_point):
            first = texts[0].as_py()
            is_plain = first is not None and _CERTAIN.fullmatch(first) is not None
            self.has_point = is_plain or has_certain_point(texts)
        return True

    def _stays_whole(self, numbers: npt.NDArray[np.float64], texts: pa.Array) -> bool:
        """False if the text must be looked at as a whole: there are zeros in front, or names."""
        held = numbers[np.isfinite(numbers)]
        if (held != np.rint(held)).any():
            self.is_whole = False
            return True
        texts = filled(texts)
        if not pc.all(pc.match_substring_regex(texts, _WHOLE), min_count=0).as_py():
            self.is_whole = False
            return True
        has_zeros = pc.any(pc.match_substring_regex(texts, _LEADING_ZERO)).as_py()
        return not has_zeros and bool((np.abs(held) < _LARGEST).all())

    def column(self, rows: int) -> pa.ChunkedArray | None:
        """The numbers, as float64 with NaN or int64 with nulls; None if their text is needed."""
        values = self.values[:rows]
        if not (self.is_whole or self.has_point):
            return None
        if not self.is_whole:
            return pa.chunked_array([pa.array(values)])
        gaps = np.isnan(values)
        if gaps.all():
            return None
        whole = np.where(gaps, 0, values).astype(np.int64)
        return pa.chunked_array([pa.array(whole, mask=gaps if gaps.any() else None)])


def columns_of(
    blocks: Iterable[pa.RecordBatch],
    names: Sequence[str],
    again: Callable[[Sequence[str]], pa.Table],
    *,
    as_text: Collection[str],
    rows: int,
    report: Callable[[int], None],
) -> Columns:
    """The columns of a table of text, those of numbers as numbers.

    Parameters
    ----------
    blocks
        The rows, some at a time; every cell is text.
    names
        The columns in their order.
    again
        Reads the text of some columns, of which a later block showed that it is needed.
    as_text
        Columns whose text is needed anyway.
    rows
        The most rows that there can be.
    report
        Called with the number of rows so far, before each block; raises an error for too many.

    Returns
    -------
    dict
        Column → its cells: text; float64, NaN where there is no number; or int64 with nulls.
        Numbers are those that `text_column` makes of the text.
    """
    texts: dict[str, list[pa.Array]] = {name: [] for name in names if name in as_text}
    some = [name for name in names if name not in as_text]
    # One piece of memory goes back to the system as one; of unused rows, no page is taken.
    numbers = dict(zip(some, map(_Numbers, np.empty((len(some), rows))), strict=True))
    unfit: list[str] = []
    count = 0
    for block in blocks:
        report(count + block.num_rows)
        for name, cells in zip(names, block.columns, strict=True):
            if name in texts:
                texts[name].append(cells)
            elif name in numbers and not numbers[name].take(cells, count):
                del numbers[name]
                if count:
                    unfit.append(name)
                else:
                    texts[name] = [cells]
        count += block.num_rows
    found = {name: pa.chunked_array(parts, pa.string()) for name, parts in texts.items()}
    for name in list(numbers):
        column = numbers.pop(name).column(count)
        if column is None:
            unfit.append(name)
        else:
            found[name] = column
    if unfit:
        found |= dict(zip(unfit, again(unfit).columns, strict=True))
    return {name: found[name] for name in names}


def doubtful(columns: Columns) -> list[str]:
    """Columns of points that are whole, or without a number: their text must be looked at again.

    They are left when rows are taken off at the end, such as a line of means.
    """
    return [name for name, cells in columns.items()
            if pa.types.is_floating(cells.type) and _are_whole(cells.to_numpy())]  # fmt: skip


def _are_whole(values: npt.NDArray[np.float64]) -> bool:
    held = values[np.isfinite(values)]
    return bool((held == np.rint(held)).all())


def as_texts(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells as text; empty where a number is missing."""
    if pa.types.is_string(cells.type):
        return cells
    if pa.types.is_floating(cells.type):
        cells = pc.if_else(pc.is_nan(cells), None, cells)
    return pc.cast(cells, pa.string()).fill_null("")
