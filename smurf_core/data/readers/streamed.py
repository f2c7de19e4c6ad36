"""Turns columns of text into numbers block by block: the text of a large table is never whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from smurf_core.data.readers.missing_words import filled
from smurf_core.data.readers.number_forms import certain_points

Columns = dict[str, pa.ChunkedArray]

_LEADING_ZERO = r"^[+-]?0\d"
_WHOLE = r"^[+-]?\d+$"
# No point between thousands: nothing or a zero before it, or not three digits after it.
_CERTAIN = re.compile(r"[+-]?(0?\.\d+|\d+\.(\d\d?|\d{4,}))")
_LARGEST = 1e15  # whole numbers from which one may be a name that no float holds
_AT_ONCE = 64  # columns of one call: it takes longer than the cells of one column

_Places = npt.NDArray[np.intp]


def _of(texts: pa.Array, which: _Places, columns: int) -> pa.Array:
    """The cells of some of these columns, which are one below the other."""
    rows = len(texts) // columns
    if len(which) == columns:
        return texts
    return pa.concat_arrays([texts[i * rows : (i + 1) * rows] for i in which])


def _by_column(cells: pa.BooleanArray, columns: int) -> npt.NDArray[np.bool_]:
    return np.asarray(cells.to_numpy(zero_copy_only=False)).reshape(columns, -1)


class _Numbers:
    """Columns of numbers, filled block by block into memory for the most rows they can have.

    Every cell is a plain number or a word for "no value". What the text alone shows is noted: a
    decimal point that is certain, and whether all numbers of a column are written as whole ones.
    """

    def __init__(self, fits: Sequence[bool], rows: int) -> None:
        self.fits: npt.NDArray[np.bool_] = np.array(fits)  # columns that are numbers so far
        # One piece of memory goes back to the system as one; of unused rows, no page is taken.
        self.values = np.empty((len(fits), rows))
        self.is_whole = np.ones(len(fits), dtype=bool)
        self.has_point = np.zeros(len(fits), dtype=bool)

    def take(self, columns: Sequence[pa.Array], start: int) -> list[int]:
        """Add a block of rows from `start` on; the columns that turn out not to be numbers."""
        before = np.flatnonzero(self.fits)
        for first in range(0, len(before), _AT_ONCE):
            some = before[first : first + _AT_ONCE]
            texts = pa.concat_arrays([columns[k] for k in some])
            if not self._took(some, texts, start):
                self._take_those_that_fit(some, filled(texts), start)
        return [k for k in before.tolist() if not self.fits[k]]

    def _take_those_that_fit(self, some: _Places, texts: pa.Array, start: int) -> None:
        """Halves without a word among them are taken together, and the other ones halved again."""
        if self._took(some, texts, start):
            return
        if len(some) == 1:
            self.fits[some] = False
            return
        half = len(some) // 2
        middle = half * (len(texts) // len(some))
        self._take_those_that_fit(some[:half], texts[:middle], start)
        self._take_those_that_fit(some[half:], texts[middle:], start)

    def _took(self, some: _Places, texts: pa.Array, start: int) -> bool:
        """Add cells of some columns, one below the other; False if they are not all numbers."""
        try:
            numbers = pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            return False
        values = numbers.reshape(len(some), -1)
        self.values[some, start : start + values.shape[1]] = values
        whole = np.flatnonzero(self.is_whole[some])
        self.is_whole[some[whole]] = _are_whole(values[whole])
        if len(whole := np.flatnonzero(self.is_whole[some])):
            self._look_at_whole(some[whole], filled(_of(texts, whole, len(some))), values[whole])
        unsure = np.flatnonzero(~(self.is_whole | self.has_point)[some])
        if len(unsure):
            self._look_for_points(some[unsure], _of(texts, unsure, len(some)))
        return True

    def _look_at_whole(
        self, some: _Places, texts: pa.Array, values: npt.NDArray[np.float64]
    ) -> None:
        """Whole numbers with zeros in front, or so large that they may be names, stay text."""
        is_whole = pc.match_substring_regex(texts, _WHOLE).fill_null(True)
        has_zeros = pc.match_substring_regex(texts, _LEADING_ZERO).fill_null(False)
        self.is_whole[some] = _by_column(is_whole, len(some)).all(axis=1)
        is_text = _by_column(has_zeros, len(some)).any(axis=1)
        is_text |= (np.abs(values) >= _LARGEST).any(axis=1)
        self.fits[some] = ~(self.is_whole[some] & is_text)

    def _look_for_points(self, some: _Places, texts: pa.Array) -> None:
        rows = len(texts) // len(some)
        firsts = [texts[i * rows].as_py() or "" for i in range(len(some))]
        self.has_point[some] = [_CERTAIN.fullmatch(first) is not None for first in firsts]
        unsure = np.flatnonzero(~self.has_point[some])
        if len(unsure):  # Of most columns, the first cell is enough.
            points = certain_points(_of(texts, unsure, len(some))).fill_null(False)
            self.has_point[some[unsure]] = _by_column(points, len(unsure)).any(axis=1)

    def column(self, k: int, rows: int) -> pa.ChunkedArray | None:
        """The numbers, as float64 with NaN or int64 with nulls; None if their text is needed."""
        values = self.values[k, :rows]
        if not (self.is_whole[k] or self.has_point[k]):
            return None
        if not self.is_whole[k]:
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
    texts: dict[int, list[pa.Array]] = {k: [] for k, name in enumerate(names) if name in as_text}
    numbers = _Numbers([k not in texts for k in range(len(names))], rows)
    unfit: list[str] = []
    count = 0
    for block in blocks:
        report(count + block.num_rows)
        if not block.num_rows:
            continue
        columns = block.columns
        for k, parts in texts.items():
            parts.append(columns[k])
        for k in numbers.take(columns, count):
            if count:
                unfit.append(names[k])
            else:
                texts[k] = [columns[k]]
        count += block.num_rows
    found = {names[k]: pa.chunked_array(parts, pa.string()) for k, parts in texts.items()}
    for k in np.flatnonzero(numbers.fits).tolist():
        column = numbers.column(k, count)
        if column is None:
            unfit.append(names[k])
        else:
            found[names[k]] = column
    if unfit:
        found |= dict(zip(unfit, again(unfit).columns, strict=True))
    return {name: found[name] for name in names}


def doubtful(columns: Columns) -> list[str]:
    """Columns of points that are whole, or without a number: their text must be looked at again.

    They are left when rows are taken off at the end, such as a line of means.
    """
    return [name for name, cells in columns.items()
            if pa.types.is_floating(cells.type) and _are_whole(cells.to_numpy())]  # fmt: skip


def _are_whole(values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """True if the numbers of the last axis are whole; a column without a number counts as whole."""
    is_whole = (values == np.rint(values)) | ~np.isfinite(values)
    return np.asarray(is_whole.all(axis=-1))


def as_texts(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells as text; empty where a number is missing."""
    if pa.types.is_string(cells.type):
        return cells
    if pa.types.is_floating(cells.type):
        cells = pc.if_else(pc.is_nan(cells), None, cells)
    return pc.cast(cells, pa.string()).fill_null("")
