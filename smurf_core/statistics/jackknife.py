"""Jackknife over persons, with folds as strata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smurf_core.statistics.paired import PairedSums


@dataclass(frozen=True)
class JackknifeError:
    """Standard error of a difference, and its degrees of freedom."""

    error: float
    degrees: int


def jackknife_error(folds: Sequence[PairedSums]) -> JackknifeError:
    """Standard error of the difference of two models' metric, mean over folds.

    Every person is left out once, from all folds; a fold with no other person drops out of the
    mean. Folds are strata: persons are compared with those of their first fold; persons who are
    alone in their fold are compared with each other.

    Parameters
    ----------
    folds : sequence of PairedSums
        One entry per fold.

    Returns
    -------
    JackknifeError
        error, in the metric's unit, and degrees: persons minus strata. NaN and 0 with fewer than
        three persons or without degrees of freedom.

    Notes
    -----
    Jones (1974), *Biometrika* 61: the stratified jackknife variance Σ_h (n_h − 1)/n_h Σ_i
    (θ_(hi) − θ_(h·))² over strata h with n_h persons.

    Examples
    --------
    >>> import numpy as np
    >>> errors = np.array([1.0, 2, 4, 5])
    >>> first = np.column_stack([np.ones(4), errors])
    >>> mean = lambda sums: sums[..., 1] / sums[..., 0]
    >>> fold = PairedSums.of(np.arange(4), first, np.column_stack([np.ones(4), 0 * errors]), mean)
    >>> found = jackknife_error([fold])  # of a mean: its usual standard error
    >>> bool(np.isclose(found.error, errors.std(ddof=1) / 2)), found.degrees
    (True, 3)
    """
    everyone = np.unique(np.concatenate([fold.persons for fold in folds]))
    without = np.stack([fold.without(everyone) for fold in folds])  # [folds, persons]
    left = np.isfinite(without)
    means = np.where(left, without, 0).sum(axis=0) / np.maximum(left.sum(axis=0), 1)
    stratum = np.stack([np.isin(everyone, fold.persons) for fold in folds]).argmax(axis=0)
    stratum[np.bincount(stratum)[stratum] == 1] = len(folds)
    strata, stratum, sizes = np.unique(stratum, return_inverse=True, return_counts=True)
    degrees = len(everyone) - len(strata)
    if len(everyone) < 3 or degrees < 1:
        return JackknifeError(float("nan"), 0)
    middle = np.bincount(stratum, weights=means) / sizes
    squares = np.bincount(stratum, weights=(means - middle[stratum]) ** 2)
    return JackknifeError(float(np.sqrt(((sizes - 1) / sizes) @ squares)), degrees)
