"""Converts a target column to values or class codes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.cleaning import missing_codes
from smurf_core.data.dataset import Task
from smurf_core.data.importing.mapping import TaskChoice
from smurf_core.data.importing.tables import bad_cell_problem, is_number
from smurf_core.data.ordered_words import ordered_words
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import Table
from smurf_core.data.texts import as_text
from smurf_core.errors import InputError
from smurf_core.precision import compact

MIN_SAMPLES = 10
_MAX_WHOLE_CLASSES = 10
_FEW = 5


@dataclass(frozen=True)
class Target:
    """Values of the samples that have a target."""

    task: Task
    # float64 where float32 is too coarse (`compact`).
    values: npt.NDArray[np.float32] | npt.NDArray[np.float64] | npt.NDArray[np.int64]
    class_names: tuple[str, ...]
    problems: tuple[Problem, ...]


def has_target(values: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    """True for each cell with a usable target, [n]: neither missing nor infinite."""
    if is_number(values):
        return np.asarray(np.isfinite(values.to_numpy(dtype=np.float64, na_value=np.nan)))
    return np.asarray(values.notna())


def encode_target(table: Table, column: str, values: pd.Series[Any], asked: TaskChoice) -> Target:
    """Encode the non-empty cells of a target column.

    If no task is given, text and at most ten different whole numbers are taken as classes.
    Class names are in the order of a rating scale, or in alphabetical or numerical order, and codes
    count from 0 in that order. For regression, words of a rating scale are numbered from 1.
    """
    file = table.name
    if column in table.bad_cells:
        raise InputError(str(bad_cell_problem(column, table.bad_cells[column])))
    if len(values) < MIN_SAMPLES:
        raise InputError(
            f"{file}, column {column!r}: {len(values)} samples have a target; at least "
            f"{MIN_SAMPLES} are needed."
        )
    holds_numbers = is_number(values)
    problems: list[Problem] = []
    words = None if holds_numbers else ordered_words(as_text(values).unique())
    if asked == "regression" and words is not None:
        places = {word: place for place, word in enumerate(words, start=1)}
        values = as_text(values).map(places).astype(np.float64)
        message = f"words were numbered in their order: {listing(words, 8)}."
        problems.append(Problem("note", message, file, column))
    elif asked == "regression" and not holds_numbers:
        raise InputError(
            f"{file}, column {column!r}: it contains text (such as {str(values.iloc[0])!r}), and "
            "regression needs numbers."
        )
    task: Task = "regression"
    if asked == "auto":
        few = _are_whole(values) and values.nunique() <= _MAX_WHOLE_CLASSES
        task = "classification" if few or not holds_numbers else "regression"
        if holds_numbers:
            why = f"{values.nunique()} different whole numbers" if few else "numbers"
            message = f"taken as {task}, because it contains {why}."
            remedy = "Choose the other task if this is wrong."
            problems.append(Problem("note", message, file, column, remedy=remedy))
        elif words is not None:
            message = f"taken as classes in this order: {listing(words, 8)}."
            remedy = "Choose regression to predict their place in it."
            problems.append(Problem("note", message, file, column, remedy=remedy))
    else:
        task = asked
    if task == "regression":
        return _regression(file, column, values, problems)
    return _classification(file, column, values, problems)


def _are_whole(values: pd.Series[Any]) -> bool:
    """True for whole numbers, also if they are written 1.0."""
    if not is_number(values):
        return False
    if pd.api.types.is_integer_dtype(values):
        return True
    numbers = values.to_numpy(dtype=np.float64)
    return bool((numbers == np.rint(numbers)).all())


def spellings(names: Sequence[str]) -> list[list[str]]:
    """Names that differ only in case, blanks or the form of their letters."""
    groups: dict[str, list[str]] = {}
    for name in names:
        plain = unicodedata.normalize("NFKC", name).casefold()
        groups.setdefault(re.sub(r"[\s_\-]+", "", plain), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _regression(file: str, column: str, values: pd.Series[Any], problems: list[Problem]) -> Target:
    numbers = compact(values.to_numpy(dtype=np.float64))
    if numbers.min() == numbers.max():
        raise InputError(
            f"{file}, column {column!r}: the target is {numbers[0]:g} for every sample; nothing "
            "can be learned from it."
        )
    problems += _code_problems(file, column, numbers)
    return Target("regression", numbers, (), tuple(problems))


def _code_problems(file: str, column: str, numbers: npt.NDArray[np.floating]) -> list[Problem]:
    """A warning of cells [n] that may be a code for "missing"; the target is not changed."""
    problems = []
    for code in missing_codes(numbers[:, None], fewest=1).values():
        message = f"{int((numbers == code).sum())} cells are {code:g}, which may mean missing."
        remedy = "They were read as values; clear these cells if it is a code."
        problems.append(Problem("warning", message, file, column, remedy=remedy))
    return problems


def _classification(
    file: str, column: str, values: pd.Series[Any], problems: list[Problem]
) -> Target:
    texts = as_text(values)
    ordered = (
        as_text(pd.Series(np.sort(values.unique())))
        if is_number(values)
        else ordered_words(texts.unique()) or sorted(texts.unique())
    )
    if is_number(values):
        problems += _code_problems(file, column, values.to_numpy(dtype=np.float64))
    names = [str(name) for name in ordered]
    if len(names) < 2:
        raise InputError(
            f"{file}, column {column!r}: every sample is of class {names[0]!r}; at least 2 classes "
            "are needed."
        )
    if len(names) > len(texts) / 2:
        raise InputError(
            f"{file}, column {column!r}: {len(names)} different values for {len(texts)} samples "
            "are not classes; choose another target."
        )
    for group in spellings(names):
        message = f"classes {', '.join(map(repr, group))} differ only in case or blanks."
        remedy = "They are different classes; write them in the same way if they are one."
        problems.append(Problem("warning", message, file, column, remedy=remedy))
    codes = pd.Categorical(texts, categories=names).codes.astype(np.int64)
    counts = np.bincount(codes, minlength=len(names))
    rare = [f"{name}: {count}" for name, count in zip(names, counts, strict=True) if count < _FEW]
    if rare:
        message = f"classes with fewer than {_FEW} samples ({listing(rare)})."
        remedy = "Some folds will lack them; merge these classes or leave them out."
        problems.append(Problem("warning", message, file, column, remedy=remedy))
    return Target("classification", codes, tuple(names), tuple(problems))
