"""Converts cells of text to columns of numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import BadCell, Table
from smurf_core.data.readers.scales import scale_columns
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

# Cells that mean "no value" in a column of numbers.
MISSING = (
    "", "NA", "N/A", "n/a", "na", "NaN", "nan", "-nan", "NAN", "#N/A", "#NA", "#NUM!", "#DIV/0!",
    "null", "NULL", "Null", "None", "none", "?", "-", ".", "<NA>",
)  # fmt: skip
# Fewer of these are certain: a class may be named "none", a word may be "?".
MISSING_TEXT = ("", "NA", "N/A", "NaN", "nan", "#N/A", "null", "NULL", "<NA>")
_LEADING_ZERO = r"^[+-]?0\d"
_DECIMAL_COMMA = r"^[+-]?\d*,\d+([eE][+-]?\d+)?$"
_INTEGER = r"^[+-]?\d{1,18}$"


@dataclass(frozen=True)
class Column:
    """One column as read, and the problems found."""

    values: pd.Series[Any]
    bad: tuple[int, str, int] | None = None  # row from 1, text, how many such cells
    had_decimal_commas: bool = False


def text_table(
    name: str,
    columns: Mapping[str, pa.ChunkedArray],
    source: SourceFile,
    *,
    may_have_decimal_commas: bool = False,
    problems: tuple[Problem, ...] = (),
    options: Mapping[str, str] | None = None,
) -> Table:
    """Make a table from columns of text, and convert columns of numbers."""
    read = {
        column: text_column(cells, may_have_decimal_commas=may_have_decimal_commas)
        for column, cells in columns.items()
    }
    odd = {c: columns[c] for c, own in read.items() if own.bad or not _is_number(own.values)}
    scales, notes = scale_columns(odd, source, missing=MISSING)
    read |= {column: Column(values) for column, values in scales.items()}
    problems += notes
    commas = [column for column, parsed in read.items() if parsed.had_decimal_commas]
    if commas:
        message = f"{len(commas)} columns ({listing(commas)}) have decimal commas."
        remedy = "They were read as decimal points."
        problems += (Problem("note", message, file=source.name, remedy=remedy),)
    return Table(
        name=name,
        frame=pd.DataFrame({column: parsed.values for column, parsed in read.items()}),
        bad_cells={
            column: BadCell(source.name, *parsed.bad)
            for column, parsed in read.items()
            if parsed.bad is not None
        },
        problems=problems,
        options={**(options or {}), **({"decimal": ","} if commas else {})},
    )


def _is_number(values: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values))


def text_column(cells: pa.ChunkedArray, *, may_have_decimal_commas: bool = False) -> Column:
    """Numbers if at least half of the non-empty cells are numbers, otherwise text.

    Whole numbers with leading zeros are names ("007") and stay text.
    """
    trimmed = pc.utf8_trim_whitespace(cells)
    filled = pc.if_else(pc.is_in(trimmed, value_set=pa.array(MISSING)), None, trimmed)
    held = len(filled) - filled.null_count
    if held == 0:
        return _column_without_numbers(trimmed)
    if _starts_whole(filled) and _are_names(filled):
        return Column(_texts(trimmed))
    had_commas = False
    if may_have_decimal_commas and pc.any(pc.match_substring_regex(filled, _DECIMAL_COMMA)).as_py():
        commas = pc.match_substring_regex(filled, _DECIMAL_COMMA)
        filled = pc.if_else(commas, pc.replace_substring(filled, ",", "."), filled)
        had_commas = True
    try:
        return Column(_numbers(filled), had_decimal_commas=had_commas)
    except pa.ArrowInvalid:
        return _mixed_column(trimmed, filled, held, had_commas)


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
    return Column(texts if texts.notna().any() else pd.Series(np.full(len(texts), np.nan)))


def _mixed_column(
    trimmed: pa.ChunkedArray, filled: pa.ChunkedArray, held: int, had_commas: bool
) -> Column:
    cells = filled.to_pandas()
    numbers = pd.to_numeric(cells, errors="coerce").astype(np.float64)
    bad = np.flatnonzero(numbers.isna() & cells.notna())
    if 2 * len(bad) > held:
        return Column(_texts(trimmed))
    first = int(bad[0])
    return Column(numbers, (first + 1, str(cells.iloc[first])[:40], len(bad)), had_commas)


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
    missing = pc.is_in(trimmed, value_set=pa.array(MISSING_TEXT))
    texts: pd.Series[Any] = pc.if_else(missing, None, trimmed).to_pandas()
    return texts.astype("str")


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
