"""Matches rows of tables to samples: by sample id, or by position if there are no ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from smurf_core.data.importing.keys import likely_ids
from smurf_core.data.importing.tables import SPLIT_COLUMN, sample_ids
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import Table
from smurf_core.data.texts import as_text
from smurf_core.errors import InputError

_LISTED = 1_000  # unmatched samples that are listed by id


@dataclass(frozen=True)
class TableJoin:
    """How a table's rows match those with the target, with the first unmatched ids."""

    table: str
    rows: int
    matched: int
    absent: int  # samples without a row in this table
    extra: int  # rows without a sample
    absent_ids: tuple[str, ...]
    extra_ids: tuple[str, ...]


@dataclass(frozen=True)
class RowIds:
    """The sample ids of each table's rows, by the table's name, and the problems found."""

    of_table: dict[str, pd.Index[str]]
    problems: tuple[Problem, ...]

    def joins(self, base: Table, tables: Sequence[Table]) -> tuple[TableJoin, ...]:
        """How the rows of each table match those of the table with the target."""
        expected = self.of_table[base.name]
        joins = []
        for table in tables:
            own = self.of_table[table.name]
            absent = expected.difference(own, sort=False)
            extra = own.difference(expected, sort=False)
            joins.append(
                TableJoin(
                    table=table.name,
                    rows=len(own),
                    matched=len(own) - len(extra),
                    absent=len(absent),
                    extra=len(extra),
                    absent_ids=tuple(absent[:_LISTED]),
                    extra_ids=tuple(extra[:_LISTED]),
                )
            )
        return tuple(joins)


def row_ids(tables: Sequence[Table], base: Table, column: str) -> RowIds:
    """Sample ids from a column of each table, or the numbers of the rows if there is none.

    `base` is the table with the target. Raises `InputError` if rows cannot be matched.
    """
    if not column:
        problem = _position_problem(tables, base)
        return RowIds({table.name: _numbered(table) for table in tables}, (problem,))
    found: dict[str, pd.Index[str]] = {}
    problems: list[Problem] = []
    for table in tables:
        own = column
        if column not in table.frame.columns:
            own = _other_id_column(table, tables, column)
            message = f"there is no column {column!r}."
            remedy = f"Samples were matched by {own!r}."
            problems.append(Problem("note", message, table.name, remedy=remedy))
        found[table.name] = sample_ids(table, own)
    return RowIds(found, tuple(problems))


def _other_id_column(table: Table, tables: Sequence[Table], column: str) -> str:
    """The column of sample ids in a table without the column `column`."""
    likely = likely_ids(table)
    if len(likely) != 1:
        likely = _columns_with_ids(table, tables, column)
    if not likely:
        raise InputError(f"{table.name}: there is no column {column!r} to match samples by.")
    return likely[0]


def _columns_with_ids(table: Table, tables: Sequence[Table], column: str) -> list[str]:
    """Columns whose cells are mostly ids of other tables, most likely first."""
    known = {
        cell
        for other in tables
        if column in other.frame.columns
        for cell in as_text(other.frame[column]).dropna()
    }
    shares = {
        candidate: float(as_text(cells).isin(known).mean())
        for candidate in table.frame.columns
        if not pd.api.types.is_float_dtype(cells := table.frame[candidate]) and cells.is_unique
    }
    found = [candidate for candidate, share in shares.items() if share > 0.5]
    return sorted(found, key=lambda candidate: -shares[candidate])


def _position_problem(tables: Sequence[Table], base: Table) -> Problem:
    """Check that tables without ids have equally many rows in each split; return a note."""
    if len(tables) == 1:
        message = "no column names the samples."
        return Problem("note", message, base.name, remedy="Rows were numbered.")
    expected = _split_sizes(base)
    for table in tables:
        sizes = _split_sizes(table)
        wrong = [split for split, rows in sizes.items() if rows != expected.get(split)]
        if wrong:
            raise InputError(
                f"{table.name} has {sizes[wrong[0]]} rows where {base.name} has "
                f"{expected.get(wrong[0], 0)}: give both a column of sample ids."
            )
    message = f"no column names the samples in {listing(table.name for table in tables)}."
    remedy = "Rows of different files were matched by their position."
    return Problem("warning", message, remedy=remedy)


def _numbered(table: Table) -> pd.Index[str]:
    """Row numbers as ids; within the split if the rows come from files of a split."""
    if SPLIT_COLUMN in table.frame.columns and table.parts:
        split = as_text(table.frame[SPLIT_COLUMN])
        number = split.groupby(split).cumcount()
        return pd.Index([f"{s}_{k:05d}" for s, k in zip(split, number, strict=True)], dtype="str")
    return pd.Index([f"s{row:05d}" for row in range(1, len(table.frame) + 1)], dtype="str")


def _split_sizes(table: Table) -> dict[str, int]:
    if SPLIT_COLUMN in table.frame.columns and table.parts:
        counts = as_text(table.frame[SPLIT_COLUMN]).value_counts()
        return {str(split): int(count) for split, count in counts.items()}
    return {"": len(table.frame)}
