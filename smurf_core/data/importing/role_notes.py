"""What an import did not use although it looks useful: columns of numbers, persons, folds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from smurf_core.data.importing.features import why_no_feature
from smurf_core.data.importing.fold_columns import fold_problems_of_columns
from smurf_core.data.importing.groups import person_problems
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.raters import is_rater_column
from smurf_core.data.importing.tables import SPLIT_COLUMN
from smurf_core.data.importing.targets import spellings
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import Table

_LISTED = 8  # columns that are named in one note


def role_problems(
    tables: Sequence[Table],
    mapping: StudyMapping,
    featured: set[str],
    *,
    codes: frozenset[str] = frozenset(),
) -> list[Problem]:
    """Columns without a role that a user may miss.

    `featured` are columns of numbers in use; `codes` are columns that give away the target.
    """
    return [
        *person_problems(tables, mapping),
        *fold_problems_of_columns(tables, mapping),
        *_unused_numbers(tables, mapping, featured, codes),
        *_lost_cells(tables, mapping, featured),
    ]


def spelled_alike(persons: Sequence[str], file: str, column: str) -> list[Problem]:
    """A warning of persons whose names differ only in case, blanks or signs."""
    groups = spellings(persons)
    if not groups:
        return []
    examples = listing((" and ".join(map(repr, group)) for group in groups), 2)
    message = f"{len(groups)} persons are spelled in several ways ({examples})."
    remedy = "They count as different persons; write them in the same way if they are one."
    return [Problem("warning", message, file, column, remedy=remedy)]


def _unused_numbers(
    tables: Sequence[Table], mapping: StudyMapping, featured: set[str], codes: frozenset[str]
) -> list[Problem]:
    """Columns of numbers that no modality takes, by file, with the reason."""
    roles = set(mapping.role_columns.values())
    problems: list[Problem] = []
    for table in tables:
        unused: dict[str, list[str]] = defaultdict(list)
        for column in table.columns:
            if column not in table.numbers or column in roles or column in featured:
                continue
            if column == SPLIT_COLUMN or is_rater_column(column):
                continue
            reason = why_no_feature(table, column, mapping)
            if column in codes:
                reason = f"each value stands for one value of {mapping.target!r}"
            unused[reason].append(column)
        if not unused:
            continue
        named = [
            f"{listing(columns, _LISTED)} ({reason})" if reason else listing(columns, _LISTED)
            for reason, columns in unused.items()
        ]
        count = sum(len(columns) for columns in unused.values())
        what = "column of numbers is" if count == 1 else "columns of numbers are"
        message = f"{count} {what} not used as features: {'; '.join(named)}."
        remedy = "Name a column in a modality to use it."
        problems.append(Problem("note", message, table.name, remedy=remedy))
    return problems


def _lost_cells(
    tables: Sequence[Table], mapping: StudyMapping, featured: set[str]
) -> list[Problem]:
    """Columns without a role in which cells of text among numbers became empty."""
    roles = set(mapping.role_columns.values())
    problems: list[Problem] = []
    for table in tables:
        for column, bad in table.bad_cells.items():
            if column in roles or column in featured:
                continue
            cells = f"{bad.count} cells are" if bad.count > 1 else "one cell is"
            message = f"{bad.text!r} is no number; {cells} text in a column of numbers."
            remedy = "Correct them to use the column as numbers."
            if column not in table.texts:
                remedy = "They were left empty: correct them if you need the column."
            problems.append(Problem("warning", message, bad.file, column, bad.row, remedy))
    return problems
