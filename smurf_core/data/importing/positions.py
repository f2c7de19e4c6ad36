"""The positions of rows, for tables without ids whose rows are in the same order."""

from __future__ import annotations

import pandas as pd

from smurf_core.data.importing.tables import SPLIT_COLUMN
from smurf_core.data.readers.interface import Table
from smurf_core.errors import InputError


def check_sizes(table: Table, base: Table, expected: dict[str, int]) -> None:
    """Raise an error for a table with another number of rows than `base` has in a split."""
    sizes = split_sizes(table)
    wrong = [split for split, rows in sizes.items() if rows != expected.get(split)]
    if wrong:
        raise InputError(
            f"{table.name} has {sizes[wrong[0]]} rows where {base.name} has "
            f"{expected.get(wrong[0], 0)}: give both a column of sample ids."
        )


def numbered(table: Table) -> pd.Index[str]:
    """Row numbers as ids; within the split if the rows come from files of a split."""
    if SPLIT_COLUMN in table.frame.columns and table.parts:
        split = table.text(SPLIT_COLUMN)
        number = split.groupby(split).cumcount()
        return pd.Index([f"{s}_{k:05d}" for s, k in zip(split, number, strict=True)], dtype="str")
    return pd.Index([f"s{row:05d}" for row in range(1, len(table.frame) + 1)], dtype="str")


def split_sizes(table: Table) -> dict[str, int]:
    """The number of rows of each split, or of the whole table under an empty name."""
    if SPLIT_COLUMN in table.frame.columns and table.parts:
        counts = table.text(SPLIT_COLUMN).value_counts()
        return {str(split): int(count) for split, count in counts.items()}
    return {"": len(table.frame)}
