"""Finds columns and files of folds and official splits, judged by their cells."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.column_names import FOLD_NAMES, SPLIT_NAMES, name_words, plain_name
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.tables import FILE_COLUMNS, is_number, stacked
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import PREVIEW_ROWS, Table
from smurf_core.data.splits import SPLIT_WORDS, split_of_cell
from smurf_core.data.texts import as_text

ROLE_SEPARATOR = "|"  # between the roles of a sample in the folds of `fold_*`
# Names that mean nothing else: a column that cannot be used is an error and not left out.
_CERTAIN = ("testfold", "split")
_FEWEST_FOLDS = 3
_MARKS = "split"  # the column made of `is_train`, `is_test`
_MARK_WORDS = ("is", "in", "mask", "flag", "set", "split")
_MOST_WORDS = 8  # different cells of a column of an official split
_NUMBERED = re.compile(r"^(?P<start>(?:.*[_\-. ])?(?:fold|cv|split)[_\-. ]?)(?P<number>\d+)$", re.I)
_FOLD_FILE = re.compile(r"[_\-. ]?(?:cv)?fold[_\-. ]?(\d+)[_\-. ]?", re.IGNORECASE)


def guess_fold(tables: Sequence[Table], mapping: StudyMapping) -> str:
    """A column that numbers the folds which test the samples."""
    named = [
        (FOLD_NAMES.index(plain_name(c)), c)
        for t, c in _open_columns(tables, mapping)
        if plain_name(c) in FOLD_NAMES and not _why_no_fold(t, c)
    ]
    combined = [c for _, c in _open_columns(tables, mapping) if c.endswith("*")]
    return min(named)[1] if named else next(iter(combined), "")


def guess_split(tables: Sequence[Table], mapping: StudyMapping) -> str:
    """A column whose cells are words for training, validation and test samples."""
    columns = [(t, c) for t, c in _open_columns(tables, mapping) if c != mapping.fold]
    named = [(t, c) for t, c in columns if plain_name(c) in SPLIT_NAMES]
    for table, column in [*named, *columns]:
        if column not in table.numbers and not _why_no_split(table, column):
            return column
    return ""


def fold_problems_of_columns(tables: Sequence[Table], mapping: StudyMapping) -> list[Problem]:
    """Columns that look like folds or splits and are not used, with the reason."""
    found: dict[str, Problem] = {}
    if mapping.fold and mapping.split:
        message = f"folds are those in {mapping.fold!r}, so this split is not used."
        remedy = "Leave the folds out to use it."
        found[mapping.split] = Problem("note", message, column=mapping.split, remedy=remedy)
    for table, column in _open_columns(tables, mapping):
        if column in (mapping.fold, mapping.split):
            continue
        plain = plain_name(column)
        is_text = column not in table.numbers
        is_fold = plain in FOLD_NAMES or _NUMBERED.match(column) is not None
        is_split = plain in SPLIT_NAMES and (is_text or plain not in ("mode", "set"))
        if not is_fold and not is_split:
            continue
        if not 2 <= table.frame[column].nunique() <= _MOST_WORDS:
            continue
        what, why = ("a split", _why_no_split) if is_split else ("folds", _why_no_fold)
        used = mapping.fold or mapping.split
        if not used and {"fold", "split"} & mapping.switched_off:
            continue
        reason = why(table, column) or (f"folds are those in {used!r}" if used else "")
        if is_fold and not is_split and _NUMBERED.match(column) and plain != "fold":
            reason = reason or "its cells say neither train and test nor 0 and 1"
        if reason:
            message = f"it looks like {what} and is not used: {reason}."
            found.setdefault(column, Problem("note" if used else "warning", message, table.name,
                                             column, remedy=_remedy(is_split)))  # fmt: skip
    return list(found.values())


def _remedy(is_split: bool) -> str:
    if is_split:
        return "Write train, validation and test in its cells if it is a split."
    return "Number the fold that tests each sample if it contains folds."


def _open_columns(tables: Sequence[Table], mapping: StudyMapping) -> list[tuple[Table, str]]:
    # Files of one fold each may number their samples from 1: then the fold is a part of the id.
    roles = {
        c for r, c in mapping.role_columns.items()
        if r not in ("fold", "split") and not (r.startswith("id") and c in FILE_COLUMNS)
    }  # fmt: skip
    return [(t, str(c)) for t in tables for c in t.columns if c not in roles]


def _why_no_fold(table: Table, column: str) -> str:
    """Why a column does not number folds; empty if it does."""
    if plain_name(column) in _CERTAIN:
        return ""
    cells = (table.texts[column] if column in table.texts else table.frame[column]).dropna()
    levels = cells.nunique()
    if len(table.frame) == PREVIEW_ROWS and levels < _FEWEST_FOLDS:
        return ""  # The rows of a preview may all be of one fold.
    if is_number(cells) and (cells.to_numpy(dtype=np.float64) % 1 != 0).any():
        return "its cells are no whole numbers"
    if levels < _FEWEST_FOLDS:
        return f"it has {levels} different values, and cross-validation needs at least 3 folds"
    if levels > max(len(cells) / 2, _FEWEST_FOLDS):
        return f"it has {levels} different values in {len(cells)} rows"
    return ""


def _why_no_split(table: Table, column: str) -> str:
    """Why a column is not an official split; empty if it is one."""
    cells = table.frame[column].dropna()
    if is_number(cells) or not len(cells):
        shown = listing(as_text(cells).drop_duplicates().sort_values(), 4)
        return f"its cells are {shown}" if len(cells) else "it is empty"
    if plain_name(column) in _CERTAIN:
        return ""
    words = pd.unique(cells.astype("str"))
    if len(words) > _MOST_WORDS:
        return f"it has {len(words)} different cells"
    splits = [split_of_cell(word) for word in words]
    is_named = plain_name(column) in SPLIT_NAMES
    # A misspelt word among words for splits is an error that names the row.
    if not any(splits) or (not all(splits) and not is_named) or splits.count("") > len(splits) / 2:
        return f"its cells are {listing(words, 4)}"
    if {"train", "test"} <= set(splits):
        return ""
    if len(table.frame) == PREVIEW_ROWS and is_named:
        return ""
    return f"its cells are {listing(words, 4)}, and train and test are needed"


def with_fold_columns(tables: Sequence[Table]) -> list[Table]:
    """Tables in which columns such as `fold_0` … `fold_4` are one column, called `fold_*`.

    Their cells are words for splits (the role of the sample in each fold), or mark with 1 the fold
    that tests a sample, or with 0 the only fold that does not train on it.
    """
    return [_with_fold_column(_with_split_column(table)) for table in tables]


def _with_split_column(table: Table) -> Table:
    """A table in which columns such as `is_test`, or `train` and `test`, are one, `split`.

    Each marks the samples of one split with 1 or True.
    """
    found: dict[str, str] = {}
    certain = False
    for column in table.columns:
        words = [word for word in name_words(column) if word not in _MARK_WORDS]
        split = SPLIT_WORDS.get("".join(words), "")
        if split and split not in found and _is_mark(table, column):
            found[split] = column
            certain |= len(words) < len(name_words(column))
    is_there = _MARKS in table.columns
    if is_there or not {"train", "test"} & set(found) or (len(found) < 2 and not certain):
        return table
    marks = pd.DataFrame({split: _as_marks(table, column) for split, column in found.items()})
    total = marks.sum(axis=1)
    if (total > 1).any() or (len(found) > 1 and not (total == 1).all()):
        return table
    rest = {"test": "train", "train": "test"}.get(next(iter(found)), "") if len(found) == 1 else ""
    cells = marks.idxmax(axis=1).where(total == 1, rest)
    columns = list(found.values())
    frame = table.frame.drop(columns=columns).assign(**{_MARKS: cells.to_numpy()})
    message = f"{listing(columns)} mark the samples of a split."
    remedy = "They are read as its words."
    if rest:
        remedy = f"All other samples were taken as {rest} samples."
    note = Problem("note", message, table.name, remedy=remedy)
    return replace(table, frame=frame, problems=(*table.problems, note))


def _is_mark(table: Table, column: str) -> bool:
    marks = _as_marks(table, column)
    return bool(marks.notna().all()) and marks.nunique() == 2


def _as_marks(table: Table, column: str) -> pd.Series[Any]:
    """1 and 0 for cells of 1 and 0 or of True and False, missing for all others."""
    words = table.frame[column].astype("str").str.lower()
    return words.map({"1": 1, "0": 0, "1.0": 1, "0.0": 0, "true": 1, "false": 0})


def _with_fold_column(table: Table) -> Table:
    groups: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for column in table.columns:
        match = _NUMBERED.match(str(column))
        if match:
            groups[match["start"]].append((int(match["number"]), column))
    for start, numbered in groups.items():
        numbered.sort()
        numbers = [number for number, _ in numbered]
        columns = [column for _, column in numbered]
        if len(columns) < 2 or np.ptp(numbers) != len(numbers) - 1:
            continue
        cells = _combined(table.frame[columns], numbers)
        if cells is not None:
            frame = table.frame.drop(columns=columns).assign(**{f"{start}*": cells.to_numpy()})
            message = f"{listing(columns, 6)} are {len(columns)} folds."
            note = Problem("note", message, table.name, remedy=f"They are read as {start + '*'!r}.")
            return replace(table, frame=frame, problems=(*table.problems, note))
    return table


def _combined(cells: pd.DataFrame, numbers: Sequence[int]) -> pd.Series[Any] | None:
    """One cell per row: the number of the test fold, or the roles in all folds."""
    head = cells.iloc[:PREVIEW_ROWS]
    if all(is_number(head[column]) for column in head):
        marks = head.to_numpy(dtype=np.float64, na_value=np.nan)
        if not np.isin(marks, (0, 1)).all():
            return None
        for mark in (1, 0):
            if len(numbers) == 2 and (marks.sum(axis=1) == 1).all():
                # Each half tests what the other is trained on, so 0 and 1 mean the same.
                words = cells.eq(1).replace({True: "test", False: "train"})
                return pd.Series(list(map(ROLE_SEPARATOR.join, words.to_numpy())))
            if ((marks == mark).sum(axis=1) == 1).all():
                chosen = cells.to_numpy(dtype=np.float64, na_value=np.nan) == mark
                number = np.asarray(numbers)[chosen.argmax(axis=1)].astype(np.float64)
                number[chosen.sum(axis=1) != 1] = np.nan
                return pd.Series(number).astype("Int64")
        return None
    roles = [cells[column].astype("str").map(split_of_cell) for column in cells]
    shown = pd.concat([role.iloc[:PREVIEW_ROWS] for role in roles])
    if not {"train", "test"} <= set(shown) or (shown == "").mean() > 0.5:
        return None
    table = pd.concat(roles, axis=1)
    return pd.Series([ROLE_SEPARATOR.join(row) for row in table.itertuples(index=False)])


def with_stacked_folds(tables: Sequence[Table]) -> list[Table]:
    """Tables in which files of one fold each, such as `audio_fold1.csv`, are one `audio.csv`."""
    groups: dict[str, dict[str, Table]] = defaultdict(dict)
    for table in tables:
        stem, dot, suffix = table.name.rpartition(".")
        match = _FOLD_FILE.search(stem if dot else suffix)
        if match:
            whole = stem if dot else suffix
            rest = f"{whole[: match.start()]}_{whole[match.end() :]}".strip("_") or "table"
            groups[f"{rest}{dot}{suffix if dot else ''}"].setdefault(match[1], table)
    result = list(tables)
    for name, members in groups.items():
        columns = {tuple(table.frame.columns) for table in members.values()}
        if len(members) < _FEWEST_FOLDS or len(columns) > 1:
            continue
        ordered = dict(sorted(members.items(), key=lambda item: int(item[0])))
        own = list(members.values())
        place = next(i for i, table in enumerate(result) if table is own[0])
        result[place] = stacked(name, ordered, column="fold")
        result = [t for t in result if all(t is not member for member in own)]
    return result


def roles_in_folds(cells: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """The role of each sample in each fold, [f, n], from the cells of `fold_*`."""
    return np.array([cell.split(ROLE_SEPARATOR) for cell in cells]).T.astype("U10")
