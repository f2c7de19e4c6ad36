"""Finds the columns that name the samples: candidates are judged by name and by value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from smurf_core.data.column_names import ID_NAMES, TRANSCRIPT_NAMES, plain_name
from smurf_core.data.importing.tables import is_number
from smurf_core.data.readers.interface import Table


def guess_id(tables: Sequence[Table]) -> str:
    """The first likely name that most tables have, and whose values do not repeat."""
    counts: dict[str, int] = defaultdict(int)
    for table in tables:
        for column in likely_ids(table):
            if table.text(column).is_unique:
                counts[column] += 1
    ranked = sorted(counts, key=lambda c: (-counts[c], ID_NAMES.index(plain_name(c))))
    return ranked[0] if ranked else ""


def likely_ids(table: Table) -> list[str]:
    """Columns with a usual name of ids and without sentences: an `utterance` may be its words."""
    named = [c for c in table.frame.columns if plain_name(c) in ID_NAMES]
    return [c for c in named if is_number(table.frame[c]) or not _holds_sentences(table, c)]


def _holds_sentences(table: Table, column: str) -> bool:
    is_spoken = plain_name(column) in TRANSCRIPT_NAMES
    cells = table.frame[column].dropna().astype("str")
    return is_spoken and bool(cells.str.strip().str.contains(" ").any())
