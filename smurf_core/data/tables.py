"""All tables of several files: those of an official split one below the other, ids as text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import BadCell, Table
from smurf_core.data.readers.registry import read, study_reader
from smurf_core.data.sources import SourceFile
from smurf_core.data.splits import SPLITS, split_of_name
from smurf_core.errors import InputError

SPLIT_COLUMN = "split"


def read_tables(sources: Sequence[SourceFile], *, rows: int | None = None) -> tuple[Table, ...]:
    """The tables of all files or their first rows; `x_train` and `x_test` become one `x`."""
    names = [source.name for source in sources]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"Several files are called {listing(repeated)}: rename them.")
    for source in sources:
        if len(sources) > 1 and study_reader(source) is not None:
            raise InputError(
                f"{source.name} is a whole study: give it alone, without {len(sources) - 1} more."
            )
    tables = [table for source in sources for table in read(source, rows=rows)]
    return _stack_splits(tables)


def _stack_splits(tables: list[Table]) -> tuple[Table, ...]:
    groups: dict[str, list[tuple[str, Table]]] = defaultdict(list)
    for table in tables:
        stem, dot, suffix = table.name.rpartition(".")
        split = split_of_name(stem if dot else suffix)
        groups[f"{split.group}{dot}{suffix if dot else ''}"].append((split.split, table))
    stacked: list[Table] = []
    for name, members in groups.items():
        splits = [split for split, _ in members]
        if len(members) > 1 and "" not in splits and len(set(splits)) == len(splits):
            stacked.append(_stack(name, dict(sorted(members, key=lambda m: SPLITS.index(m[0])))))
        else:
            stacked += [table for _, table in members]
    return tuple(stacked)


def _stack(name: str, tables: dict[str, Table]) -> Table:
    """Tables of one split each, below each other, with a column that names the split."""
    first, *others = tables.values()
    for table in others:
        different = set(first.frame.columns) ^ set(table.frame.columns)
        if different:
            raise InputError(
                f"{first.name} and {table.name} have different columns "
                f"({listing(sorted(different))}): the same columns are needed in every split."
            )
        for column in first.frame.columns:
            if is_number(first.frame[column]) != is_number(table.frame[column]):
                raise InputError(
                    f"{first.name} and {table.name}: column {column!r} holds numbers in one and "
                    "text in the other."
                )
    frames = [
        table.frame if SPLIT_COLUMN in table.frame else table.frame.assign(**{SPLIT_COLUMN: split})
        for split, table in tables.items()
    ]
    return Table(
        name=name,
        frame=pd.concat(frames, ignore_index=True)[list(frames[0].columns)],
        bad_cells={c: bad for table in tables.values() for c, bad in table.bad_cells.items()},
        problems=tuple(problem for table in tables.values() for problem in table.problems),
        options=first.options,
        parts=tuple((table.name, len(table.frame)) for table in tables.values()),
    )


def sample_ids(table: Table, column: str) -> pd.Index[str]:
    """The ids in a column, as text; refuses missing and repeated ones."""
    values = as_text(table.frame[column])
    missing = np.flatnonzero(values.isna())
    if len(missing):
        file, row = table.where(int(missing[0]))
        raise InputError(
            f"{file}, column {column!r}, row {row}: the sample id is missing"
            f"{_and_more(len(missing))}."
        )
    index = pd.Index(values, dtype="str")
    if index.has_duplicates:
        again = int(np.flatnonzero(index.duplicated())[0])
        before = int(np.flatnonzero(index == index[again])[0])
        (file, row), (_, first) = table.where(again), table.where(before)
        raise InputError(
            f"{file}, column {column!r}, rows {first} and {row}: sample id {index[again]!r} is "
            f"there twice{_and_more(int(index.duplicated().sum()))}; every sample needs an id of "
            "its own."
        )
    return index


def _and_more(count: int) -> str:
    return f" (and {count - 1} more)" if count > 1 else ""


def is_number(values: pd.Series[Any]) -> bool:
    """Whether a column holds numbers; what holds nothing at all counts as numbers."""
    return bool(pd.api.types.is_numeric_dtype(values))


def as_text(values: pd.Series[Any]) -> pd.Series[str]:
    """Cells as text: whole numbers without a decimal point, missing ones missing."""
    if pd.api.types.is_float_dtype(values):
        held = values.dropna()
        if (held == held.round()).all():
            values = values.astype("Int64")
    return values.astype("str").where(values.notna())


def bad_cell_problem(column: str, bad: BadCell) -> Problem:
    """What is said of a column of numbers in which a cell holds something else."""
    message = f"{bad.text!r} where a number is needed{_and_more(bad.count)}."
    return Problem("error", message, bad.file, column, bad.row, "Mend it, or leave the cell empty.")
