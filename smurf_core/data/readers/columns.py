"""Converts cells of text to columns of numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from smurf_core.data.column_names import (
    FOLD_NAMES,
    ID_NAMES,
    PERSON_NAMES,
    SPLIT_NAMES,
    plain_name,
)
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import BadCell, Table
from smurf_core.data.readers.missing_words import (
    MISSING,
    MISSING_TEXT,
    filled,
    filled_texts,
    has_word,
    missing_words,
)
from smurf_core.data.readers.number_forms import number_forms, number_like_texts
from smurf_core.data.readers.scales import scale_columns
from smurf_core.data.sources import SourceFile
from smurf_core.data.texts import LARGEST_EXACT
from smurf_core.errors import InputError

_LEADING_ZERO = r"^[+-]?0\d"
_INTEGER = r"^[+-]?\d{1,18}$"
_WHOLE = r"^[+-]?\d+$"
# Numbers that may be names, such as `1.10` beside `1.1`: short, without a sign and an exponent.
_DOTTED = r"^\d{1,9}(\.\d{1,6})?$"
_LOSSY = r"(\.\d*0$)|^0\d"
_WITH_E = r"^\d{1,6}([eE]\d{1,3})?$"
_INITIALS = r"^[A-Za-z]{2}$"
# Of a wide table, texts are kept for columns with names of ids and for its first and last columns.
_NARROW, _ENDS = 64, 8
_LARGE = 32_000_000  # cells of a table whose columns are not copied to one array


_NAMES = frozenset({*ID_NAMES, *PERSON_NAMES, *FOLD_NAMES, *SPLIT_NAMES})


@dataclass(frozen=True)
class Column:
    """One column as read, and the problems found."""

    values: pd.Series[Any] | npt.NDArray[np.float64]
    bad: tuple[int, str, int] | None = None  # row from 1, text, how many such cells

    # The cells as they were written, if `values` lose something that distinguishes names.
    texts: pd.Series[Any] | None = None

    @property
    def is_number(self) -> bool:
        """True if the column contains numbers, or nothing."""
        return isinstance(self.values, np.ndarray) or pd.api.types.is_numeric_dtype(self.values)

    @property
    def has_points(self) -> bool:
        """True if some numbers are not whole."""
        return isinstance(self.values, np.ndarray) or pd.api.types.is_float_dtype(self.values)


def text_table(
    name: str,
    columns: Mapping[str, pa.ChunkedArray],
    source: SourceFile,
    *,
    delimiter: str = ",",
    problems: tuple[Problem, ...] = (),
    options: Mapping[str, str] | None = None,
) -> Table:
    """Make a table from columns of text, and convert columns of numbers.

    The decimal sign and the sign between thousands are decided by all cells of all columns. Columns
    of numbers (`streamed`) are taken as they are.
    """
    ready = {c for c, cells in columns.items() if not pa.types.is_string(cells.type)}
    read = {
        column: _ready_column(cells) if column in ready
        else text_column(cells, may_be_names=may_be_names(position, len(columns), column))
        for position, (column, cells) in enumerate(columns.items())
    }  # fmt: skip
    texts = {c: own for c, own in read.items() if c not in ready}
    odd = {c: filled(columns[c]) for c, own in texts.items() if own.bad or not own.is_number}
    plain = {c: columns[c] for c, own in texts.items() if c not in odd and own.has_points}
    has_point = any(read[c].has_points for c in ready)
    forms = number_forms(odd, plain, source, delimiter=delimiter, has_point=has_point)
    again = {
        c: text_column(
            cells.fill_null(""), may_be_names=may_be_names(list(columns).index(c), len(columns), c)
        )
        for c, cells in forms.rewritten.items()
    }
    again = {c: _with_texts(own, columns[c]) for c, own in again.items()}
    # A column that is text all the same keeps its cells as they were written.
    read |= {c: parsed for c, parsed in again.items() if parsed.is_number}
    read |= {c: Column(_texts(pc.utf8_trim_whitespace(columns[c]))) for c in forms.undecided}
    still = {c: columns[c] for c in odd if read[c].bad or not read[c].is_number}
    still = {c: cells for c, cells in still.items() if c not in forms.undecided}
    scales, notes = scale_columns(still, source, missing=MISSING)
    read |= {column: Column(values) for column, values in scales.items()}
    problems += notes
    commas = [c for c in forms.commas if read[c].is_number]
    if commas:
        message = f"{len(commas)} columns ({listing(commas)}) have decimal commas."
        remedy = "They were read as decimal points."
        problems += (Problem("note", message, file=source.name, remedy=remedy),)
    left = {c: odd[c] for c in odd if c not in forms.undecided and not read[c].is_number}
    problems += (
        *forms.problems,
        *number_like_texts(left, source),
        *_words_for_missing(read, columns, source),
    )
    return Table(
        name=name,
        frame=_frame({column: own.values for column, own in read.items()}),
        bad_cells={
            column: BadCell(source.name, *parsed.bad)
            for column, parsed in read.items()
            if parsed.bad is not None
        },
        problems=problems,
        undecided=forms.undecided,
        options={**(options or {}), **({"decimal": ","} if commas else {})},
        texts=kept_texts(read),
    )


def _frame(columns: Mapping[str, pd.Series[Any] | npt.NDArray[np.float64]]) -> pd.DataFrame:
    """The columns as a table: points in few arrays, which pandas goes through fastest.

    In a large table, each column keeps its own memory: one array would hold all of them twice.
    """
    rows = max(map(len, columns.values()))
    if rows * len(columns) > _LARGE or len(columns) <= _NARROW:
        return pd.DataFrame(columns, copy=False)
    pieces = []
    for is_plain, run in groupby(columns, lambda name: isinstance(columns[name], np.ndarray)):
        names = list(run)
        some = [columns[name] for name in names]
        pieces.append(
            pd.DataFrame(np.stack(some).T, columns=names, copy=False)
            if is_plain
            else pd.DataFrame(dict(zip(names, some, strict=True)))
        )
    return pd.concat(pieces, axis=1)


def _ready_column(cells: pa.ChunkedArray) -> Column:
    """A column of numbers that was made block by block."""
    if pa.types.is_floating(cells.type):
        return Column(cells.chunk(0).to_numpy() if cells.num_chunks == 1 else cells.to_numpy())
    return Column(_nullable(cells) if cells.null_count else pd.Series(cells.to_numpy()))


def with_written_numbers(table: Table, source: SourceFile) -> Table:
    """A table of a format with types, whose columns of text may be numbers as people write them."""
    odd = [c for c in table.frame.columns
           if c not in table.numbers or (c in table.bad_cells and c in table.texts)]  # fmt: skip
    if not odd or table.undecided:
        return table
    cells = {
        c: pa.chunked_array([pa.array(table.text(c).astype(object).where(table.text(c).notna(), "")
                                      .to_list(), pa.string())])
        for c in odd
    }  # fmt: skip
    read = text_table(table.name, cells, source)
    found = [
        c for c in odd
        if c in read.numbers and c not in read.bad_cells and read.frame[c].notna().any()
    ]  # fmt: skip
    if not found and not read.undecided:
        return table
    texts = {c: own for c, own in table.texts.items() if c not in found}
    kept = {*found, *read.undecided}
    notes = tuple(p for p in read.problems if any(c in p.message for c in kept))
    return replace(
        table,
        frame=table.frame.assign(**{c: read.frame[c] for c in found}),
        bad_cells={c: bad for c, bad in table.bad_cells.items() if c not in found},
        undecided=read.undecided,
        texts=texts | {c: own for c, own in read.texts.items() if c in found},
        problems=(*table.problems, *notes),
    )


def _with_texts(column: Column, cells: pa.ChunkedArray) -> Column:
    """A column whose texts, if it needs them, are its cells as they are in the file."""
    if column.texts is None:
        return column
    return replace(column, texts=_as_written(filled(pc.utf8_trim_whitespace(cells))))


def kept_texts(columns: Mapping[str, Column]) -> dict[str, pd.Series[Any]]:
    """Original texts of the columns that have them, for `Table.texts`."""
    return {name: column.texts for name, column in columns.items() if column.texts is not None}


def may_be_names(position: int, width: int, column: str) -> bool:
    """True if the texts of a column of numbers are worth keeping: not for thousands of features."""
    is_at_end = min(position, width - 1 - position) < _ENDS
    return width <= _NARROW or is_at_end or plain_name(column) in _NAMES


def text_column(cells: pa.ChunkedArray, *, may_be_names: bool = True) -> Column:
    """Numbers if at least half of the non-empty cells are numbers, otherwise text.

    Whole numbers with leading zeros are names ("007") and stay text, and so do those beyond 2^53,
    which no float holds exactly. If the column may contain names, its texts are kept where numbers
    lose something.
    """
    plain = None if may_be_names else _plain_numbers(cells)
    if plain is not None:
        return Column(plain)
    trimmed = pc.utf8_trim_whitespace(cells)
    numbers = filled(trimmed)
    held = len(numbers) - numbers.null_count
    if held == 0:
        return _column_without_numbers(trimmed)
    if _starts_whole(numbers) and (_are_names(numbers) or _are_large(numbers)):
        return _text_column(trimmed)
    try:
        values = _numbers(numbers)
        is_lossy = may_be_names and _loses_digits(numbers, values)
        return Column(values, texts=_as_written(numbers) if is_lossy else None)
    except pa.ArrowInvalid:
        return _mixed_column(trimmed, numbers, held)


def _plain_numbers(cells: pa.ChunkedArray) -> npt.NDArray[np.float64] | None:
    """Numbers of a column that begins with one with a point and has neither gaps nor words.

    Every other column takes the slower way. A column of features takes this one.
    """
    if cells.null_count or not len(cells) or "." not in (cells[0].as_py() or ""):
        return None
    try:
        values = np.asarray(pc.cast(cells, pa.float64()).to_numpy())
    except pa.ArrowInvalid:
        return None
    return values if np.isfinite(values).all() else None


def _starts_whole(filled: pa.ChunkedArray) -> bool:
    """True if the first non-empty cell is a whole number; if it is not, the column is not.

    This check avoids two passes over the cells of most columns of features.
    """
    first = pc.index(filled.is_valid(), pa.scalar(True)).as_py()
    return re.fullmatch(r"[+-]?\d+", filled[first].as_py(), re.ASCII) is not None


def _are_names(filled: pa.ChunkedArray) -> bool:
    """True if all cells are whole numbers and some have leading zeros."""
    has_leading_zero = pc.any(pc.match_substring_regex(filled, _LEADING_ZERO)).as_py()
    are_whole = has_leading_zero and pc.all(pc.match_substring_regex(filled, r"^[+-]?\d+$"))
    return bool(are_whole and are_whole.as_py())


def _column_without_numbers(trimmed: pa.ChunkedArray) -> Column:
    """A column with only words for "no value": text if the word may be a name."""
    texts = _texts(trimmed)
    if texts.notna().any():
        return _text_column(trimmed)
    return Column(np.full(len(texts), np.nan))


def _text_column(trimmed: pa.ChunkedArray) -> Column:
    """A column of text. `NA` among names of two letters may be a name, and stays in its texts."""
    texts = _texts(trimmed)
    is_na = pc.equal(trimmed, "NA")
    if not pc.any(is_na).as_py():
        return Column(texts)
    names = texts.dropna()
    if not len(names) or names.str.fullmatch(_INITIALS).mean() <= 0.5:
        return Column(texts)
    return Column(texts, texts=texts.mask(pd.Series(is_na.to_numpy()), "NA"))


def _are_large(filled: pa.ChunkedArray) -> bool:
    """True if all cells are whole numbers and some are beyond 2^53."""
    longest = pc.max(pc.utf8_length(filled)).as_py()
    if longest < len(str(LARGEST_EXACT)):
        return False
    if not pc.all(pc.match_substring_regex(filled, _WHOLE)).as_py():
        return False
    long = pc.drop_null(pc.filter(filled, pc.greater_equal(pc.utf8_length(filled), 16)))
    return any(abs(int(cell)) > LARGEST_EXACT for cell in long.to_pylist())


def _loses_digits(filled: pa.ChunkedArray, numbers: pd.Series[Any]) -> bool:
    """True if the numbers may be names and one is written with zeros that a number lacks."""
    if not pd.api.types.is_float_dtype(numbers):
        return False
    if (numbers.dropna() % 1 == 0).all():  # `1e2` is also `10e1` as a number, but not as a name.
        return bool(pc.all(pc.match_substring_regex(filled, _WITH_E)).as_py())
    first = pc.index(filled.is_valid(), pa.scalar(True)).as_py()
    if re.fullmatch(_DOTTED[1:-1], filled[first].as_py(), re.ASCII) is None:
        return False
    return bool(
        pc.all(pc.match_substring_regex(filled, _DOTTED)).as_py()
        and pc.any(pc.match_substring_regex(filled, _LOSSY)).as_py()
    )


def _as_written(filled: pa.ChunkedArray) -> pd.Series[Any]:
    texts: pd.Series[Any] = filled.to_pandas()
    return texts.astype("str")


def _mixed_column(trimmed: pa.ChunkedArray, filled: pa.ChunkedArray, held: int) -> Column:
    cells = filled.to_pandas()
    numbers = pd.to_numeric(cells, errors="coerce").astype(np.float64)
    bad = np.flatnonzero(numbers.isna() & cells.notna())
    if 2 * len(bad) > held:
        return _text_column(trimmed)
    first = int(bad[0])
    row = (first + 1, str(cells.iloc[first])[:40], len(bad))
    return Column(numbers, row, texts=_as_written(filled))


def _numbers(filled: pa.ChunkedArray) -> pd.Series[Any]:
    """Whole numbers as (nullable) int64, others as float64; raises `ArrowInvalid` for text."""
    if _starts_whole(filled) and pc.all(pc.match_substring_regex(filled, _INTEGER)).as_py():
        whole = pc.cast(filled, pa.int64())
        return whole.to_pandas() if not whole.null_count else _nullable(whole)
    values = pc.cast(filled, pa.float64()).to_numpy()
    return pd.Series(np.asarray(values, dtype=np.float64))


def _nullable(whole: pa.ChunkedArray) -> pd.Series[Any]:
    missing = whole.is_null().to_numpy()
    return pd.Series(pd.arrays.IntegerArray(whole.fill_null(0).to_numpy().copy(), missing))


def _texts(trimmed: pa.ChunkedArray) -> pd.Series[Any]:
    texts: pd.Series[Any] = filled_texts(trimmed).to_pandas()
    return texts.astype("str")


def _words_for_missing(
    read: Mapping[str, Column], columns: Mapping[str, pa.ChunkedArray], source: SourceFile
) -> tuple[Problem, ...]:
    """Notes of columns of text with cells such as NA, which may also be names."""
    problems = []
    texts = {c: pc.utf8_trim_whitespace(columns[c]) for c, own in read.items() if not own.is_number}
    marked = {c: cells for c, cells in texts.items() if has_word(cells, MISSING_TEXT[1:])}
    kept = [c for c, cells in marked.items() if "NA" not in missing_words(cells)]
    for names, remedy in (
        (kept, "It was read as a name, because all others are two letters too."),
        ([c for c in marked if c not in kept],
         "They were read as missing; if one is a name, write it in another way."),
    ):  # fmt: skip
        if names:
            words = pc.unique(marked[names[0]]).to_pylist()
            word = next(word for word in words if word in MISSING_TEXT[1:])
            message = f"{len(names)} columns of text ({listing(names)}) have cells {word!r}."
            problems.append(Problem("note", message, source.name, remedy=remedy))
    return tuple(problems)


def check_names(names: list[str], source: SourceFile, *, where: str = "") -> list[str]:
    """Column names without surrounding blanks; empty ones are numbered, repeated ones refused."""
    trimmed = [name.strip() for name in names]
    named = [name or f"column_{position}" for position, name in enumerate(trimmed, start=1)]
    seen: set[str] = set()
    repeated = [name for name in named if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    if repeated:
        raise InputError(
            f"{source.name}{where} has {len(set(repeated))} column name(s) more than once "
            f"({listing(dict.fromkeys(repeated))}): give every column its own name."
        )
    return named
