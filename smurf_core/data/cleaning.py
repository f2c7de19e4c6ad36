"""Cleaning of feature columns for training; every change is reported."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smurf_core.data.dataset import Features
from smurf_core.data.problems import Problem, Severity, listing
from smurf_core.errors import InputError

_MISSING_CODES = np.array(
    [-9, -99, 99, -999, 999, -9999, 9999, -99999, 99999, -255, 255], dtype=np.float64
)


@dataclass(frozen=True)
class CleanFeatures:
    """Features without gaps, except for absent modalities, and a list of the changes."""

    features: Features
    problems: tuple[Problem, ...]


def clean_features(
    values: npt.NDArray[np.floating], names: tuple[str, ...], *, modality: str, file: str
) -> CleanFeatures:
    """Fill or drop columns [n, d] to get a modality's features, and report the changes.

    Infinite values (or values too large for float32) count as missing. Columns that are empty or
    constant are left out. A sample without any value lacks the modality and stays NaN; single gaps
    are filled with the column's median. Codes for missing values are reported but not changed,
    because they may be values.
    """
    where = f"Modality {modality!r}"
    problems: list[Problem] = []

    def note(severity: Severity, message: str, remedy: str) -> None:
        problems.append(Problem(severity, f"{where}: {message}", file=file, remedy=remedy))

    most = np.finfo(np.float32).max
    too_large = (values > most) | (values < -most)  # including infinite ones
    if too_large.any():
        some = listing(np.array(names)[too_large.any(axis=0)])
        note("warning", f"{too_large.sum()} infinite values ({some}).", "Taken as missing.")
        values = np.where(too_large, np.nan, values)
    small = values.astype(np.float32)
    missing: npt.NDArray[np.bool_] = np.asarray(np.isnan(small))
    is_empty = missing.all(axis=0)
    low = np.fmin.reduce(small, axis=0, initial=np.inf)  # Gaps (NaN) do not count.
    high = np.fmax.reduce(small, axis=0, initial=-np.inf)
    is_constant = ~is_empty & (low == high)
    for what, marked in (("without any value", is_empty), ("with only one value", is_constant)):
        if marked.any():
            some = listing(np.array(names)[marked])
            note("warning", f"{marked.sum()} columns {what} ({some}).", "Left out.")
    kept = ~is_empty & ~is_constant
    if not kept.any():
        raise InputError(
            f"{file}: modality {modality!r} has no column that varies between samples; choose "
            "other columns for it, or leave it out."
        )
    if not kept.all():
        small, missing = small[:, kept], missing[:, kept]
    kept_names = tuple(np.array(names)[kept].tolist())
    problems += _missing_codes(small, kept_names, where, file)
    absent = np.asarray(missing.all(axis=1))
    if absent.any():
        share = f"{absent.sum()} of {len(absent)} samples have no value at all."
        note("note", share, "The modality is absent for them.")
    gaps = missing & ~absent[:, None]
    if gaps.any():
        _fill(small, gaps, absent)
        some = listing(np.array(kept_names)[gaps.any(axis=0)])
        count = int(gaps.any(axis=0).sum())
        message = f"{gaps.sum()} missing values in {count} columns ({some})."
        note("note", message, "Filled with the column's median.")
    return CleanFeatures(Features(small, kept_names), tuple(problems))


def _fill(
    values: npt.NDArray[np.float32], gaps: npt.NDArray[np.bool_], absent: npt.NDArray[np.bool_]
) -> None:
    """Fill gaps with their column's median, in place; rows of an absent modality stay NaN."""
    for column in np.flatnonzero(gaps.any(axis=0)):
        values[gaps[:, column], column] = np.nanmedian(values[~absent, column])


def missing_codes(values: npt.NDArray[np.floating], *, fewest: int = 2) -> dict[int, float]:
    """Columns of values [n, d] with a usual code for "missing" that cannot be one of the values.

    It lies far from all others, or is negative where they are not. `fewest` is the number of cells
    with a code from which a column is suspected.
    """
    is_code = np.isin(values, _MISSING_CODES)
    found: dict[int, float] = {}
    for column in np.flatnonzero(is_code.sum(axis=0) >= fewest):
        others = values[~is_code[:, column] & ~np.isnan(values[:, column]), column]
        codes = values[is_code[:, column], column]
        if len(others) < 3:
            continue
        reach = 5 * (others.max() - others.min())
        is_far = codes.min() > others.max() + reach or codes.max() < others.min() - reach
        if is_far or (codes.max() < 0 <= others.min()):
            found[int(column)] = float(codes[0])
    return found


def _missing_codes(
    values: npt.NDArray[np.float32], names: tuple[str, ...], where: str, file: str
) -> list[Problem]:
    """Columns in which a usual code for "missing" lies far from all other values."""
    suspects = [f"{names[column]}: {code:g}" for column, code in missing_codes(values).items()]
    if not suspects:
        return []
    message = (
        f"{where}: {len(suspects)} columns may contain codes for missing ({listing(suspects)})."
    )
    remedy = "They were read as numbers; clear these cells if they are codes."
    return [Problem("warning", message, file=file, remedy=remedy)]
