"""Checks features for columns that give away the target or the person, or count the rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.dataset import Features
from smurf_core.data.importing.targets import Target
from smurf_core.data.problems import Problem, Severity, listing

_NEARLY = 0.98  # |r| with the target or the row number that is reported
_FEWEST = 20  # samples from which a correlation of this size is no chance
_FEWEST_REPEATS = 10  # samples beyond one per code: a code does not fit by chance
_CHUNK = 128  # columns that are compared at a time

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Checked:
    """Features without codes of the target or of persons, and what was found."""

    features: Features
    problems: tuple[Problem, ...]


def without_giveaways(
    features: Features,
    target: Target,
    persons: npt.NDArray[np.str_] | None,
    *,
    rows: npt.NDArray[np.intp],
    named: Iterable[str],
    modality: str,
    file: str,
    further: str = "",
) -> Checked:
    """Leave out columns that are codes of the target or the person; report suspicious ones.

    What never changes within a person says who the person is. A modality that has nothing else
    keeps it. `rows` are the samples' rows in the files [n]. Columns in `named` were chosen by a
    user one by one: they are only reported. `further` is the name of a further target: then only
    the target is looked at.
    """
    codes = _of_target(features, target)
    people = _of_persons(features, persons) if persons is not None else np.zeros_like(codes)
    chosen = np.isin(np.array(features.names, dtype=object), list(named))
    nearly, ordered = _correlated(features, target, rows)
    problems: list[Problem] = []

    def report(severity: Severity, marked: npt.NDArray[np.bool_], what: str, remedy: str) -> None:
        if marked.any():
            names = listing(np.array(features.names)[marked], 6)
            message = f"Modality {modality!r}: {names} {what}."
            problems.append(Problem(severity, message, file, remedy=remedy))

    fixed = _fixed_in_persons(features, persons) if persons is not None else np.zeros_like(codes)
    fixed &= ~people & ~codes & ~chosen
    left_out = (codes | people) & ~chosen
    has_more = bool((~left_out & ~fixed).any())
    if has_more:
        left_out |= fixed
    what = f"the target {further!r}" if further else "the target"
    is_target = f"gives away {what}: each of its values stands for one value of the target"
    out = "Left out of the features; name the column in the modality to use it all the same."
    report("warning", codes & ~chosen, is_target, out)
    report("warning", codes & chosen, is_target, "It was kept, because the modality names it.")
    report("note", people & ~codes & ~chosen, "numbers the persons", out)
    is_fixed = "is the same in all samples of a person"
    advice = "It was kept, because the modality has nothing else."
    report("note" if has_more else "warning", fixed, is_fixed, out if has_more else advice)
    advice = "Leave it out if it was derived from the target."
    report("warning", nearly & ~left_out, f"almost gives away {what} (|r| > {_NEARLY})", advice)
    advice = "Leave it out if it is a time, a counter or an id."
    ordered &= ~nearly & ~left_out & (not further)
    report("warning", ordered, "follows the order of the rows", advice)
    if left_out.any():
        kept = ~left_out
        names = tuple(name for name, is_kept in zip(features.names, kept, strict=True) if is_kept)
        features = Features(features.values[:, kept], names)
    return Checked(features, tuple(problems))


def target_codes(samples: pd.DataFrame, target: Target) -> frozenset[str]:
    """Numbers of the sample table whose values each stand for one value of the target."""
    numbers = [c for c in samples.columns if pd.api.types.is_numeric_dtype(samples[c])]
    if not numbers:
        return frozenset()
    values = np.stack(
        [samples[c].to_numpy(dtype=np.float32, na_value=np.nan) for c in numbers], axis=1
    )
    marked = _of_target(Features(values, tuple(map(str, numbers))), target)
    return frozenset(str(c) for c, is_code in zip(numbers, marked, strict=True) if is_code)


def _whole_columns(features: Features) -> npt.NDArray[np.intp]:
    """Columns of whole numbers that repeat; a look at the first rows rules out most others."""
    head = features.values[:50]
    with np.errstate(invalid="ignore"):
        likely = np.flatnonzero((np.isnan(head) | (head == np.rint(head))).all(axis=0))
    return np.array([c for c in likely if _codes(features.values[:, c]) is not None], dtype=np.intp)


def _codes(values: npt.NDArray[np.float32]) -> npt.NDArray[np.int64] | None:
    """Codes [n] of a column of few different whole numbers; −1 for a gap. None for others."""
    there = np.isfinite(values)
    held = values[there]
    if len(held) < _FEWEST_REPEATS or (held != np.rint(held)).any():
        return None
    levels, own = np.unique(held, return_inverse=True)
    if len(levels) < 2 or len(held) - len(levels) < _FEWEST_REPEATS:
        return None
    codes = np.full(len(values), -1, dtype=np.int64)
    codes[there] = own
    return codes


def _of_target(features: Features, target: Target) -> npt.NDArray[np.bool_]:
    """True for each column [d] whose values stand for classes, or are a copy of the target."""
    found = np.zeros(len(features.names), dtype=bool)
    if target.task == "regression":
        values = target.values.astype(np.float32)
        for start in range(0, len(found), _CHUNK):
            block = features.values[:, start : start + _CHUNK]
            with np.errstate(invalid="ignore"):
                same = np.isclose(block, values[:, None], rtol=1e-5, atol=1e-7)
            gaps = np.isnan(block)
            found[start : start + _CHUNK] = (same | gaps).all(axis=0) & ~gaps.all(axis=0)
        levels, classes = np.unique(values, return_inverse=True)
        if len(values) - len(levels) < len(values) / 2:  # measured rather than rated
            return found
    else:
        classes = target.values.astype(np.int64)
    count = len(np.unique(classes))
    for column in _whole_columns(features):
        codes = _codes(features.values[:, column])
        if codes is not None and _determines(codes, classes):
            # A mark of one class among several gives away that class only.
            found[column] |= len(np.unique(codes[codes >= 0])) >= count
    return found


def _of_persons(features: Features, persons: npt.NDArray[np.str_]) -> npt.NDArray[np.bool_]:
    """True for each column [d] that numbers the persons without gaps: a code, not an age."""
    found = np.zeros(len(features.names), dtype=bool)
    names, own = np.unique(persons, return_inverse=True)
    if len(persons) - len(names) < _FEWEST_REPEATS or len(names) < 3:
        return found
    for column in _whole_columns(features):
        values = features.values[:, column]
        codes = _codes(values)
        if codes is None or (codes < 0).any() or len(np.unique(codes)) != len(names):
            continue
        is_dense = values.max() - values.min() == len(names) - 1
        found[column] = is_dense and _determines(codes, own)
    return found


def _fixed_in_persons(features: Features, persons: npt.NDArray[np.str_]) -> npt.NDArray[np.bool_]:
    """True for each column [d] that differs between persons and never within one: an age."""
    found = np.zeros(len(features.names), dtype=bool)
    names, own = np.unique(persons, return_inverse=True)
    if len(persons) - len(names) < _FEWEST_REPEATS or len(names) < 3:
        return found
    first = np.full(len(names), -1, dtype=np.intp)
    first[own[::-1]] = np.arange(len(own))[::-1]  # the first sample of each person
    for start in range(0, len(found), _CHUNK):
        block = features.values[:, start : start + _CHUNK]
        expected = block[first][own]
        same = (block == expected) | (np.isnan(block) & np.isnan(expected))
        differs = (block != block[0]).any(axis=0) & ~np.isnan(block).all(axis=0)
        found[start : start + _CHUNK] = same.all(axis=0) & differs
    return found


def _determines(codes: npt.NDArray[np.int64], classes: npt.NDArray[np.int64]) -> bool:
    """True if samples of the same code are of the same class."""
    there = codes >= 0
    pairs = np.unique(np.stack([codes[there], classes[there]]), axis=1)
    return len(np.unique(pairs[0])) == pairs.shape[1] and len(np.unique(pairs[1])) > 1


def _correlated(
    features: Features, target: Target, rows: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """True for each column [d] that nearly equals a function of the target, and of the row."""
    n, d = features.values.shape
    nearly, ordered = np.zeros(d, dtype=bool), np.zeros(d, dtype=bool)
    if n < _FEWEST:
        return nearly, ordered
    place = _standardised(rows.astype(np.float64)[:, None])
    if target.task == "regression":
        shares = _standardised(target.values.astype(np.float64)[:, None])
    else:
        marks = np.eye(len(target.class_names))[target.values.astype(np.int64)]
        marks = marks[:, marks.any(axis=0)]
        # An orthonormal basis of the classes: the correlation ratio is the length in it.
        basis = np.linalg.qr(marks - marks.mean(axis=0))
        strong = np.abs(np.diag(basis.R)) > 1e-9
        shares = basis.Q[:, strong]
        if n < 3 * (len(target.class_names) + 1):
            shares = shares[:, :0]
    for start in range(0, d, _CHUNK):
        block = features.values[:, start : start + _CHUNK].astype(np.float64)
        gaps = ~np.isfinite(block)
        if gaps.any():
            block = np.where(gaps, np.nan, block)
            there = ~gaps.all(axis=0)
            means = np.zeros(block.shape[1])
            means[there] = np.nanmean(block[:, there], axis=0)
            block = np.where(gaps, means, block)
        standard = _standardised(block)
        lengths = np.linalg.norm(standard.T @ shares, axis=1)
        nearly[start : start + _CHUNK] = lengths > _NEARLY
        ordered[start : start + _CHUNK] = np.abs(standard.T @ place)[:, 0] > _NEARLY
    return nearly, ordered


def _standardised(values: _Floats) -> _Floats:
    """Columns with mean 0 and length 1; constant ones are 0."""
    centred = values - values.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    return np.asarray(centred / np.where(length > 1e-12, length, np.inf))
