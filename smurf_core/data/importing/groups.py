"""Finds the column that names each sample's person, or what the sample is a part of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from smurf_core.data.column_names import (
    GROUP_NAMES,
    NUMBER_WORDS,
    PERSON_NAMES,
    RECORDING_NAMES,
    has_number_word,
    named_thing,
    plain_name,
)
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.tables import FILE_COLUMNS, is_number
from smurf_core.data.problems import Problem
from smurf_core.data.readers.interface import PREVIEW_ROWS, Table

Kind = Literal["person", "group", "recording"]
# Fewest different cells: folds need three groups, and a condition has few levels.
_FEWEST: dict[Kind, int] = {"person": 3, "group": 6, "recording": 3}
_FEWEST_SESSIONS = 5
_FEWEST_REPEATS = 2.0  # mean number of samples of a person


@dataclass(frozen=True)
class _Candidate:
    """A column that is called like a person or a group, and why it is none (empty: it is one)."""

    table: str
    column: str
    kind: Kind
    rank: int
    levels: int
    rows: int
    doubt: str


def guess_person(tables: Sequence[Table], mapping: StudyMapping) -> str:
    """The column of persons; without one, of groups or recordings that several samples share."""
    fit = [found for found in _candidates(tables, mapping) if not found.doubt]
    return fit[0].column if fit else ""


def person_problems(tables: Sequence[Table], mapping: StudyMapping) -> list[Problem]:
    """What is used as the person although its name says less, and what is not used."""
    if "person" in mapping.switched_off:
        return []
    found = _candidates(tables, mapping)
    used = next((c for c in found if c.column == mapping.person), None)
    problems: list[Problem] = []
    if used is not None and used.kind != "person":
        message = f"its {used.levels} values repeat in {used.rows} samples."
        remedy = "It is used as the person: samples with the same value are in the same fold."
        problems.append(Problem("note", message, used.table, used.column, remedy=remedy))
    thing = named_thing(mapping.person)
    unused = [c for c in found if c.kind != "recording" and named_thing(c.column) != thing]
    for candidate in {c.column: c for c in reversed(unused)}.values():
        if candidate.column in mapping.role_columns.values():
            continue
        what = "a person" if candidate.kind == "person" else "a group"
        why = candidate.doubt or f"persons are those in {mapping.person!r}"
        message = f"it looks like {what} and is not used: {why}."
        problems.append(
            Problem("note" if mapping.person else "warning", message, candidate.table,
                    candidate.column, remedy="Name it as the person if it is one.")
        )  # fmt: skip
    if not mapping.person:
        message = "No person was found: folds may share persons."
        remedy = "Name the column of persons if there are several samples of a person."
        problems.append(Problem("note", message, remedy=remedy))
    return problems


def _candidates(tables: Sequence[Table], mapping: StudyMapping) -> list[_Candidate]:
    """Columns that are called like persons, groups and recordings, most likely first."""
    has_folds = bool(mapping.fold or mapping.split)
    taken = set(mapping.role_columns.values()) - {mapping.person, *mapping.id_columns}
    # Samples that are numbered from 1 in each file: equal numbers have nothing in common.
    in_files = set(mapping.id_columns) if FILE_COLUMNS & set(mapping.id_columns) else set()
    found: list[_Candidate] = []
    for table in tables:
        for column in table.columns:
            kind = _kind(column)
            if kind is None or column in taken:
                continue
            if kind == "recording" and column in in_files:
                continue
            has_text = column in table.texts
            cells = (table.texts[column] if has_text else table.frame[column]).dropna()
            if not len(cells) or not _names(cells):
                continue
            if column in table.row_counters:
                continue
            found.append(_judged(table, column, kind, cells, has_folds=has_folds))
    order: tuple[Kind, ...] = ("person", "group", "recording")
    # A column that is the sample id does not repeat; of ids that repeat, the more general first.
    return sorted(found, key=lambda c: (order.index(c.kind), c.rank))


def _kind(column: str) -> Kind | None:
    thing = named_thing(column)
    if thing in PERSON_NAMES:
        return "person"
    if thing in GROUP_NAMES:
        return "group"
    if column[-1:].isdigit():
        return None  # `video_1` and `video_2` are features of a modality.
    is_recording = thing in (*RECORDING_NAMES, *NUMBER_WORDS) or plain_name(column) == "filename"
    return "recording" if is_recording else None


def _judged(
    table: Table, column: str, kind: Kind, cells: pd.Series[Any], *, has_folds: bool
) -> _Candidate:
    names = {"person": PERSON_NAMES, "group": GROUP_NAMES, "recording": RECORDING_NAMES}[kind]
    thing = named_thing(column)
    levels, rows = int(cells.nunique()), len(cells)
    fewest = 2 if kind == "person" and has_folds else _FEWEST[kind]
    if kind == "group" and thing == "session":
        fewest = _FEWEST_SESSIONS
    is_preview = len(table.frame) == PREVIEW_ROWS and kind == "person"
    doubt = ""
    empty = len(table.frame) - rows
    if 2 * empty > len(table.frame):
        doubt = f"it is empty in {empty} of {len(table.frame)} rows, as merged cells are"
    elif levels == rows:
        doubt = "it differs in every row"
    elif rows < _FEWEST_REPEATS * levels:
        doubt = f"it has {levels} values in {rows} rows, and most do not repeat"
    elif levels < fewest and not is_preview:
        doubt = f"it has {levels} different value{'s' if levels > 1 else ''}"
        doubt += ", as a condition has" if kind == "group" else ", too few for folds"
    # A bare `id` that repeats is the person; a name with a number word is more certain.
    rank = names.index(thing) if thing in names else len(names)
    rank -= 100 if kind == "recording" and plain_name(column) in NUMBER_WORDS else 0
    rank += 0 if has_number_word(column) or kind != "recording" else 50
    return _Candidate(table.name, column, kind, rank, levels, rows, doubt)


def _names(cells: pd.Series[Any]) -> bool:
    """True for text and whole numbers."""
    if not is_number(cells) or pd.api.types.is_integer_dtype(cells):
        return True
    numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    return bool((numbers == np.rint(numbers)).all())
