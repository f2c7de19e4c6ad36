"""Folds from a column of the study: numbers of test folds, or an official split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.dataset import Folds
from smurf_core.data.folds import make_folds
from smurf_core.data.importing.fold_columns import ROLE_SEPARATOR, roles_in_folds
from smurf_core.data.problems import Problem, listing
from smurf_core.data.splits import split_of_cell
from smurf_core.data.texts import as_text
from smurf_core.errors import InputError

# File and row (from 1) of each sample, for messages.
Places = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class ReadFolds:
    """Folds, and the problems found."""

    folds: Folds
    problems: tuple[Problem, ...]


def read_folds(
    cells: pd.Series[Any],
    *,
    is_split: bool,
    persons: npt.NDArray[np.str_] | None,
    where: Places,
    column: str,
) -> ReadFolds:
    """Folds from a column of test fold numbers, or of train, validation and test."""
    if is_split:
        return _from_split(as_text(cells), persons, where, column)
    missing = np.flatnonzero(cells.isna())
    if len(missing):
        file, row = where[int(missing[0])]
        raise InputError(
            f"{file}, column {column!r}, row {row}: the fold is missing for {len(missing)} samples."
        )
    if as_text(cells).str.contains(ROLE_SEPARATOR, regex=False).all():
        return ReadFolds(_from_roles(as_text(cells), persons, where, column), ())
    return _from_numbers(cells, persons, where, column)


def _from_numbers(
    cells: pd.Series[Any], persons: npt.NDArray[np.str_] | None, where: Places, column: str
) -> ReadFolds:
    """Cross-validation folds from the number of the fold that tests each sample."""
    file = where[0][0]
    texts = as_text(cells)
    names = sorted(texts.unique(), key=lambda name: (len(name), name))
    if len(names) < 3:
        raise InputError(
            f"{file}, column {column!r}: {len(names)} different folds; cross-validation needs at "
            "least 3 (test, validation, training)."
        )
    if len(names) > max(len(texts) / 2, 3):
        raise InputError(
            f"{file}, column {column!r}: {len(names)} different folds for {len(texts)} samples; "
            "choose another column."
        )
    problems = _persons_in_two_folds(texts.to_numpy(), persons, where, column)
    if names != [str(number) for number in range(1, len(names) + 1)]:
        message = f"folds are called {listing(names, 6)}."
        remedy = "They are numbered from 1 in this order."
        problems.append(Problem("note", message, file, column, remedy=remedy))
    codes = pd.Categorical(texts, categories=names).codes.astype(np.int64)
    return ReadFolds(Folds.from_test_folds(codes, len(names)), tuple(problems))


def _from_roles(
    texts: pd.Series[str], persons: npt.NDArray[np.str_] | None, where: Places, column: str
) -> Folds:
    """Folds from cells with the role of a sample in each fold, such as `train|test|train`."""
    roles = roles_in_folds(texts.to_numpy().astype(np.str_))
    for fold, own in enumerate(roles):
        absent = [role for role in ("train", "test") if role not in own]
        if absent:
            raise InputError(
                f"{where[0][0]}, column {column!r}: fold {fold + 1} has no {absent[0]} samples."
            )
        if "validation" not in own:  # the next fold's test samples, as in cross-validation
            following = roles[(fold + 1) % len(roles)] == "test"
            train = np.flatnonzero(own == "train")
            held_out = following[train]
            if held_out.all():  # as with two folds: nothing would be left to train on
                held_out = _fifth(None if persons is None else persons[train], len(train))
            own[train[held_out]] = "validation"
    return Folds(training=roles == "train", validation=roles == "validation", test=roles == "test")


def _persons_in_two_folds(
    folds: npt.NDArray[Any], persons: npt.NDArray[np.str_] | None, where: Places, column: str
) -> list[Problem]:
    """The first person whose samples are in different folds, with the rows that show it."""
    if persons is None:
        return []
    table = pd.DataFrame({"person": persons, "fold": folds})
    several = table.groupby("person", sort=False)["fold"].nunique()
    split = several.index[several > 1].tolist()
    if not split:
        return []
    rows = np.flatnonzero(persons == split[0])
    other = int(rows[folds[rows] != folds[rows[0]]][0])
    (file, first), (_, second) = where[int(rows[0])], where[other]
    message = (
        f"person {split[0]!r} is in fold {str(folds[rows[0]])!r} (row {first}) and fold "
        f"{str(folds[other])!r} (row {second}); {len(split)} persons are in more than one."
    )
    remedy = "Leave the column out, and person-independent folds will be made."
    return [Problem("warning", message, file, column, second, remedy)]


def _from_split(
    texts: pd.Series[str], persons: npt.NDArray[np.str_] | None, where: Places, column: str
) -> ReadFolds:
    """One fold from an official split; without validation samples, a fifth of training is used."""
    plain = texts.map(split_of_cell, na_action="ignore")
    unknown = np.flatnonzero(plain == "")
    file = where[0][0]
    if len(unknown):
        file, row = where[int(unknown[0])]
        raise InputError(
            f"{file}, column {column!r}, row {row}: {texts.iloc[unknown[0]]!r} names no split; "
            "use train, validation and test."
        )
    problems = _words_of_splits(texts, plain, file, column)
    split = plain.fillna("").to_numpy().astype("U10")
    for role in ("train", "test"):
        if role not in split:
            raise InputError(f"{file}, column {column!r}: there are no {role} samples.")
    if "validation" in split:
        return ReadFolds(Folds.from_split(split), tuple(problems))
    train = np.flatnonzero(split == "train")
    held_out = _fifth(None if persons is None else persons[train], len(train))
    split[train[held_out]] = "validation"
    message = "the split has no validation samples."
    remedy = f"{held_out.sum()} of {len(train)} training samples became validation samples."
    problem = Problem("warning", message, file, column, remedy=remedy)
    return ReadFolds(Folds.from_split(split), (*problems, problem))


def _words_of_splits(
    texts: pd.Series[str], plain: pd.Series[str], file: str, column: str
) -> list[Problem]:
    """Cells without a split, and several words that are the same split, such as Test1 and Test2."""
    problems: list[Problem] = []
    missing = int(texts.isna().sum())
    if missing:
        message = f"{missing} of {len(texts)} samples have no split."
        remedy = "They are neither trained on nor tested."
        problems.append(Problem("warning", message, file, column, remedy=remedy))
    for role, words in texts.groupby(plain).unique().items():
        different = dict.fromkeys(word.strip().casefold() for word in words)
        if len(different) > 1:
            message = f"{listing(words, 6)} are all {role} samples."
            problems.append(Problem("note", message, file, column))
    return problems


def _fifth(persons: npt.NDArray[np.str_] | None, n: int) -> npt.NDArray[np.bool_]:
    """True for each sample that is held out, [n]; whole persons if there are at least three."""
    units = n if persons is None else len(np.unique(persons))
    if units < 3:
        persons, units = None, n
    target = np.zeros(n, dtype=np.float32)
    folds = make_folds(target, "regression", persons=persons, count=min(5, units))
    return np.asarray(folds.test[0])
