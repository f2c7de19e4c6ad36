"""Compares the columns that joined tables share: a join under which they disagree is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.column_names import (
    FOLD_NAMES,
    ID_NAMES,
    PERSON_NAMES,
    SPLIT_NAMES,
    named_thing,
    plain_name,
)
from smurf_core.data.importing.evidence import SharedColumn
from smurf_core.data.importing.keys import Candidates, counts_rows
from smurf_core.data.importing.near_ids import plain_form
from smurf_core.data.importing.tables import is_number
from smurf_core.data.problems import Problem
from smurf_core.data.readers.interface import Table
from smurf_core.data.row_counters import is_row_index
from smurf_core.data.splits import split_of_cell

_STRICT = frozenset({*ID_NAMES, *PERSON_NAMES, *FOLD_NAMES, *SPLIT_NAMES})
# Places in an experiment, which may be those of different sessions in different files.
_PLACES = frozenset({"trial", "order", "position", "index", "row", "line", "run", "block",
                     "reihenfolge", "durchgang", "试次", "essai", "prova", "ensayo"})  # fmt: skip
_PROBED = 20  # values by which columns of numbers with the same name are first compared
_MOST_DECIMALS = 10


def shared_columns(
    tables: Sequence[Table],
    ids: Mapping[str, pd.Index[str]],
    *,
    candidates: Mapping[str, Candidates],
    keys: Mapping[str, Sequence[str]],
    roles: Iterable[str] = (),
) -> tuple[tuple[SharedColumn, ...], tuple[Problem, ...]]:
    """The columns that agree in all rows with the same id, and an error for each that does not.

    A column belongs to two tables if it has the same name in both, and is text, has a role, or has
    mostly the same values. Features of different modalities may have the same name (`mean`, `0`):
    their values differ. Columns that name the samples of two tables under two names are also
    compared. Counters of a file's own rows are not. Places in an experiment, such as `trial`, may
    differ, which is a warning.
    """
    agreeing: list[SharedColumn] = []
    problems: list[Problem] = []
    roles = set(roles)
    for first, second in combinations(tables, 2):
        rows = _Rows(ids[first.name], ids[second.name])
        is_counted = any(
            len(own) == 1 and counts_rows(table, own[0])
            for table in (first, second)
            for own in [tuple(keys.get(table.name, ()))]
        )
        for column, other in _pairs(first, second, keys, candidates, rows):
            is_strict = column in roles or plain_name(column) in _STRICT or column != other
            may_differ = column not in roles and not is_counted
            problem, compared = _compared(
                first, second, column, other, rows, is_strict=is_strict, may_differ=may_differ
            )
            if problem is not None:
                problems.append(problem)
            elif compared:
                agreeing.append(SharedColumn(column, first.name, second.name, compared))
    return tuple(agreeing), tuple(problems)


class _Rows:
    """The rows of two tables that have the same id."""

    def __init__(self, first: pd.Index[str], second: pd.Index[str]) -> None:
        place = second.get_indexer(first)
        self.first = np.flatnonzero(place >= 0)
        self.second = place[place >= 0]


def _pairs(
    first: Table,
    second: Table,
    keys: Mapping[str, Sequence[str]],
    candidates: Mapping[str, Candidates],
    rows: _Rows,
) -> list[tuple[str, str]]:
    """Columns of two tables that may be the same: by name, or both names of the samples."""
    own, other = set(keys.get(first.name, ())), set(keys.get(second.name, ()))
    both = [c for c in first.columns if c in second.frame.columns]
    found = [(c, c) for c in both if not (c in own and c in other)]
    found = [(c, c) for c, _ in found if not _are_own_counters(first, second, c)]
    if not len(rows.first):
        return []
    names = [
        [k for k in candidates[table.name].named
         if k.is_text and not k.is_counter and k.columns[0] not in taken]
        for table, taken in ((first, own), (second, other))
    ]  # fmt: skip
    found += [
        (a.columns[0], b.columns[0])
        for a in names[0]
        for b in names[1]
        if a.columns != b.columns and a.overlap(b) >= 0.5
    ]
    return found


def _are_own_counters(first: Table, second: Table, column: str) -> bool:
    """True if a column counts the rows of both tables, also if these were sorted since."""
    counts = [counts_rows(table, column) for table in (first, second)]
    if all(counts):
        return True
    if any(counts):
        # An `id` that counts the rows of one file may be the true id of the other, as 7 of `7.wav`.
        plain = [set(table.text(column).dropna().map(plain_form)) for table in (first, second)]
        return plain[0].isdisjoint(plain[1])
    counted = all(column in table.row_counters for table in (first, second))
    return counted and is_row_index(column)


def _compared(
    first: Table,
    second: Table,
    column: str,
    other: str,
    rows: _Rows,
    *,
    is_strict: bool,
    may_differ: bool,
) -> tuple[Problem | None, int]:
    """The error for a column that disagrees, or how many rows agree (0: not the same column)."""
    a, b = first.frame[column].iloc[rows.first], second.frame[other].iloc[rows.second]
    are_numbers = is_number(a) and is_number(b)
    if are_numbers:
        x, y = (cells.to_numpy(dtype=np.float64, na_value=np.nan) for cells in (a, b))
        held = np.isfinite(x) & np.isfinite(y)
        x, y = x[held], y[held]
        if not is_strict and not _are_same_numbers(x, y):
            return None, 0
        equal = _near_equal(x, y)
    else:
        s, t = (
            table.text(name).iloc[place].reset_index(drop=True)
            for table, name, place in (
                (first, column, rows.first), (second, other, rows.second))
        )  # fmt: skip
        held = (s.notna() & t.notna()).to_numpy()
        s, t = s[held].map(plain_form), t[held].map(plain_form)
        equal = (s == t).to_numpy()
        if not equal.all() and _mean_the_same(s, t, is_text=not (is_number(a) or is_number(b))):
            return None, int(held.sum())
        if not is_strict and not equal.all() and _common(s, t) < 0.5:
            return None, 0
    wrong = np.flatnonzero(~equal)
    if not len(wrong):
        return None, int(held.sum())
    place = np.flatnonzero(held)[wrong[0]]
    problem = _disagreement(first, second, column, other, rows, int(place), len(wrong))
    if are_numbers and may_differ and named_thing(column) in _PLACES:
        return replace(
            problem, severity="warning", remedy="It is a place in a sequence, which may differ "
            "between files; if it may not, the sample id is wrong: name another.",
        ), 0  # fmt: skip
    return problem, 0


def _mean_the_same(a: pd.Series[Any], b: pd.Series[Any], *, is_text: bool) -> bool:
    """True if cells are words for the same splits, or if codes stand for words one to one."""
    if is_text:
        words = {word: split_of_cell(str(word)) for word in pd.unique(pd.concat([a, b]))}
        return all(words.values()) and bool((a.map(words) == b.map(words)).all())
    pairs = pd.DataFrame({"a": a, "b": b}).drop_duplicates()
    repeats = len(a) - len(pairs)
    return pairs["a"].is_unique and pairs["b"].is_unique and repeats >= max(len(a) / 2, 10)


def _disagreement(
    first: Table, second: Table, column: str, other: str, rows: _Rows, place: int, count: int
) -> Problem:
    (file_a, row_a) = first.where(int(rows.first[place]))
    (file_b, row_b) = second.where(int(rows.second[place]))
    cell_a = first.text(column).iloc[rows.first[place]]
    cell_b = second.text(other).iloc[rows.second[place]]
    name = "" if other == column else f" in column {other!r}"
    message = (
        f"it is {str(cell_a)[:40]!r}, but {str(cell_b)[:40]!r} in {file_b}, row {row_b}{name}, "
        f"for the same sample ({count} of {len(rows.first)} rows disagree)."
    )
    remedy = "Name another sample id, or correct or rename the column in one of the files."
    return Problem("error", message, file_a, column, row_a, remedy)


def _common(a: pd.Series[Any], b: pd.Series[Any]) -> float:
    """The share of values that two columns have in common, counted as often as they occur."""
    counts = pd.concat([a.value_counts(), b.value_counts()], axis=1).fillna(0)
    return float(counts.min(axis=1).sum()) / max(len(a), 1)


def _are_same_numbers(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> bool:
    """True if two columns of numbers contain the same values, in whatever order.

    Different features may agree by chance if they take few values. Their counts must then be equal.
    """
    if len(x) < 2:
        return False
    decimals = min(_decimals(x), _decimals(y))
    x, y = np.round(x, decimals), np.round(y, decimals)
    probes = x[np.linspace(0, len(x) - 1, _PROBED).astype(int)]
    if np.equal.outer(probes, y).any(axis=1).mean() < 0.5:
        return False
    common = _common(pd.Series(x), pd.Series(y))
    repeats = len(np.unique(x)) < len(x) / 2
    return common >= (0.999 if repeats else 0.5)


def _decimals(values: npt.NDArray[np.float64]) -> int:
    """The number of decimals with which numbers were written."""
    some = values[:1000]
    for decimals in range(_MOST_DECIMALS):
        if np.allclose(some, np.round(some, decimals), rtol=1e-12, atol=1e-12):
            return decimals
    return _MOST_DECIMALS


def _near_equal(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """True where numbers are equal up to the precision with which either column was written."""
    if not len(x):
        return np.ones(0, dtype=bool)
    a, b = _decimals(x), _decimals(y)
    rounding = 0.0 if a == b < _MOST_DECIMALS else 0.5000001 * 10.0 ** -min(a, b)
    return np.asarray(np.abs(x - y) <= np.maximum(rounding, 1e-6 * np.abs(x)))
