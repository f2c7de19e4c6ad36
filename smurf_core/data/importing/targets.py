"""Converts a target column to values or class codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.dataset import Task
from smurf_core.data.importing.mapping import TaskChoice
from smurf_core.data.importing.tables import bad_cell_problem, is_number
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import Table
from smurf_core.data.texts import as_text
from smurf_core.errors import InputError

MIN_SAMPLES = 10
_MAX_WHOLE_CLASSES = 10
_FEW = 5


@dataclass(frozen=True)
class Target:
    """Values of the samples that have a target."""

    task: Task
    values: npt.NDArray[np.float32] | npt.NDArray[np.int64]
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
    Class names are in alphabetical or numerical order, and codes count from 0 in that order.
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
    if asked == "regression" and not holds_numbers:
        raise InputError(
            f"{file}, column {column!r}: it contains text (such as {str(values.iloc[0])!r}), and "
            "regression needs numbers."
        )
    task: Task = "regression"
    if asked == "auto":
        is_whole = pd.api.types.is_integer_dtype(values)
        few = is_whole and values.nunique() <= _MAX_WHOLE_CLASSES
        task = "classification" if few or not holds_numbers else "regression"
        if holds_numbers:
            why = f"{values.nunique()} different whole numbers" if few else "numbers"
            message = f"taken as {task}, because it contains {why}."
            remedy = "Choose the other task if this is wrong."
            problems.append(Problem("note", message, file, column, remedy=remedy))
    else:
        task = asked
    if task == "regression":
        return _regression(file, column, values, problems)
    return _classification(file, column, values, problems)


def _regression(file: str, column: str, values: pd.Series[Any], problems: list[Problem]) -> Target:
    numbers = values.to_numpy(dtype=np.float32)
    if numbers.min() == numbers.max():
        raise InputError(
            f"{file}, column {column!r}: the target is {numbers[0]:g} for every sample; nothing "
            "can be learned from it."
        )
    return Target("regression", numbers, (), tuple(problems))


def _classification(
    file: str, column: str, values: pd.Series[Any], problems: list[Problem]
) -> Target:
    texts = as_text(values)
    ordered = (
        as_text(pd.Series(np.sort(values.unique())))
        if is_number(values)
        else sorted(texts.unique())
    )
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
    codes = pd.Categorical(texts, categories=names).codes.astype(np.int64)
    counts = np.bincount(codes, minlength=len(names))
    rare = [f"{name}: {count}" for name, count in zip(names, counts, strict=True) if count < _FEW]
    if rare:
        message = f"classes with fewer than {_FEW} samples ({listing(rare)})."
        remedy = "Some folds will lack them; merge these classes or leave them out."
        problems.append(Problem("warning", message, file, column, remedy=remedy))
    return Target("classification", codes, tuple(names), tuple(problems))
