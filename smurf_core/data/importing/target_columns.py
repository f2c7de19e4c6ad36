"""Finds the columns that may be the target, also if each class has a column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from smurf_core.data.column_names import TARGET_NAMES, name_words, plain_name
from smurf_core.data.importing.features import why_no_feature
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.modality_names import known_prefixes
from smurf_core.data.importing.ratings import USUAL_MODALITIES, rating_column, whole_ratings
from smurf_core.data.importing.tables import is_number
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import PREVIEW_ROWS, Table
from smurf_core.data.row_counters import has_counter_name

# Words beside the name of a target: `valence_mean`, `emotion label`, `gold sentiment`.
_QUALIFIERS = (
    "mean", "avg", "average", "median", "score", "scores", "rating", "ratings", "value", "values",
    "label", "labels", "class", "level", "final", "overall", "consensus", "gold", "true", "self",
    "z", "norm", "normalized", "majority", "annotation", "target", "continuous", "felt",
)  # fmt: skip
_CLASSES = "class"  # the column made of columns of classes without a common start
_MARKS = ("0", "1", "0.0", "1.0", "true", "false")
_FEWEST_CLASSES = 3  # columns without a common start that are taken as classes


def possible_targets(tables: Sequence[Table], mapping: StudyMapping) -> list[str]:
    """Columns that could be the target, most likely first.

    These are ratings of all modalities next to ratings of some, then columns with likely names. If
    there are none, these are columns that are the only ones left in their tables.
    """
    taken = set(mapping.role_columns.values())
    free = dict.fromkeys(
        column
        for table in tables
        for column in table.columns
        if column not in taken and not mapping.is_switched_off(column)
    )
    numbers = [c for table in tables for c in table.columns if c in table.numbers]
    prefixes = list(known_prefixes(column for column in numbers if column in free))
    found: dict[
        str, str
    ] = {}  # what is rated → column; a qualifier does not make a different target
    # Ratings may come in a separate table, before modalities are known.
    for modalities in (tuple(dict.fromkeys(prefixes)), USUAL_MODALITIES):
        if not found and len(modalities) > 1:
            for column in whole_ratings(free, modalities):
                rating = rating_column(column, modalities)
                found.setdefault(rating.stem if rating else column, column)
    named = _named(free)
    if found or named:
        return [*dict.fromkeys([*found.values(), *named])]
    if len(tables) < 2:
        return []
    left = [[c for c in _left(table, mapping) if c in free] for table in tables]
    alone = {own[0]: table for own, table in zip(left, tables, strict=True) if len(own) == 1}
    likely = [c for c, table in alone.items() if _may_be_learned(table.frame[c])]
    return likely or list(alone)[:1]


def _left(table: Table, mapping: StudyMapping) -> list[str]:
    """Columns without a role; numbers from 1 to n may be a target if they are not called a row."""
    return [
        column
        for column in table.columns
        if not why_no_feature(table, column, mapping)
        or (column in table.row_counters and not has_counter_name(column))
    ]


def _named(free: Sequence[str] | dict[str, None]) -> list[str]:
    """Columns called like a target; if there are none, with a word beside it."""
    named = [column for column in free if plain_name(column) in TARGET_NAMES]
    named.sort(key=lambda column: TARGET_NAMES.index(plain_name(column)))
    if len(named) > 1:  # If there is a more specific name, `y` is a feature.
        named = [column for column in named if plain_name(column) != "y"] or named
    return named or [column for column in free if _is_qualified(column)]


def _is_qualified(column: str) -> bool:
    words = name_words(column)
    others = [w for w in words if w not in TARGET_NAMES and w not in _QUALIFIERS]
    targets = [w for w in words if w in TARGET_NAMES and w not in ("y", *_QUALIFIERS)]
    return len(targets) == 1 and not others


def _may_be_learned(cells: pd.Series[Any]) -> bool:
    """True for numbers, and for words that repeat."""
    return is_number(cells) or cells.nunique() <= len(cells) / 2


def with_class_columns(tables: Sequence[Table]) -> list[Table]:
    """Tables in which columns that mark one class each with 1 are one column of classes.

    `emotion_angry`, `emotion_calm` … become `emotion`; columns without a common start become
    `class` if no column has the name of a target.
    """
    everything = {plain_name(str(column)) for table in tables for column in table.columns}
    has_target = bool((everything & set(TARGET_NAMES)) - {"y"})
    return [_with_classes(table, has_target=has_target) for table in tables]


def _with_classes(table: Table, *, has_target: bool) -> Table:
    marks = _marks(table)
    if len(marks) < 2:
        return table
    starts: dict[str, list[str]] = {}
    for column in marks:
        match = re.match(r"(.+?)[_\-.: ]+(?=.)", str(column))
        if match and plain_name(match[1]) in TARGET_NAMES:
            starts.setdefault(match[1], []).append(column)
    whole = [c for c in marks if c not in known_prefixes([c]).get(_start(c), [])]
    if not has_target and not starts and len(whole) >= _FEWEST_CLASSES:
        starts[_CLASSES] = whole
    for name, columns in starts.items():
        head = table.frame[columns].iloc[:PREVIEW_ROWS].apply(_as_marks).to_numpy(dtype=np.float64)
        if len(columns) < 2 or name in table.frame.columns or (head.sum(axis=1) != 1).any():
            continue
        if (head.sum(axis=0) > 0).sum() >= 2:
            return _combined(table, name, columns)
    return table


def _start(column: str) -> str:
    return next(iter(known_prefixes([column])), "")


def _marks(table: Table) -> list[str]:
    """Columns of 0 and 1, or of True and False, without gaps, judged by the first rows."""
    if not len(table.frame):
        return []
    # The first row rules out nearly all of thousands of features.
    may_mark = {c for c, cell in table.first_row.items() if str(cell).lower() in _MARKS}
    head = table.frame[[c for c in table.columns if c in may_mark]].iloc[:PREVIEW_ROWS]
    numbers = [c for c in head.columns if c in table.numbers]
    values = head[numbers].to_numpy(dtype=np.float64, na_value=np.nan)
    are_marks = ((values == 0) | (values == 1)).all(axis=0)
    found = {column for column, holds in zip(numbers, are_marks, strict=True) if holds}
    words = [c for c in head.columns if c not in table.numbers]
    found |= {c for c in words if _as_marks(head[c]).notna().all()}
    return [column for column in head.columns if column in found]


def _as_marks(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers as they are; the words True and False, in any case, as 1 and 0."""
    if is_number(cells):
        return cells
    return cells.astype("str").str.lower().map({"true": 1.0, "false": 0.0})


def _combined(table: Table, name: str, columns: list[str]) -> Table:
    marks = table.frame[columns].apply(_as_marks).to_numpy(dtype=np.float64, na_value=np.nan)
    classes = [c if name == _CLASSES else re.sub(r"^[_\-.: ]+", "", c[len(name) :])
               for c in columns]  # fmt: skip
    cells = pd.Series(np.asarray(classes, dtype=object)[(marks == 1).argmax(axis=1)])
    cells = cells.where((marks == 1).sum(axis=1) == 1).astype("str")
    place = list(table.frame.columns).index(columns[0])
    frame = table.frame.drop(columns=columns)
    frame.insert(place, name, cells.to_numpy())
    message = f"{len(columns)} columns ({listing(columns)}) each mark one class with 1."
    remedy = f"They are read as the classes of {name!r}."
    note = Problem("note", message, table.name, remedy=remedy)
    return replace(table, frame=frame, problems=(*table.problems, note))
