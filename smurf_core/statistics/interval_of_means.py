"""Interval of a mean of group means, over persons."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used, after the first paint

from smurf_core.statistics.persons import Codes


def interval_of_means(
    values: npt.NDArray[np.float64], groups: Codes, persons: Codes, *, level: float = 0.95
) -> tuple[float, float]:
    """Interval of the mean over groups of each group's mean, with persons as clusters.

    Balanced accuracy is such a mean: of hits, by true class. Each sample moves it by
    (value − mean of its group) / (number of groups · samples of its group); these are summed
    within persons, and their spread over persons gives the standard error (linearisation).

    Parameters
    ----------
    values : array [n]
        Any unit.
    groups : array of int [n]
        The group of each sample.
    persons : array of int [n]
        The person of each sample, from 0.
    level : float
        Coverage, between 0 and 1.

    Returns
    -------
    (float, float)
        Lower and upper end, with persons − 1 degrees of freedom. NaN with fewer than two persons.

    Notes
    -----
    Binder (1983), *International Statistical Review* 51.

    Examples
    --------
    >>> import numpy as np
    >>> hits = np.tile([1.0, 0.0], 50)
    >>> low, high = interval_of_means(hits, np.zeros(100, int), np.arange(100))
    >>> round(low, 2), round(high, 2)
    (0.4, 0.6)
    """
    count = int(persons.max(initial=-1)) + 1
    if count < 2:
        return float("nan"), float("nan")
    _, where, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    means = np.bincount(where, weights=values) / sizes
    moves = (values - means[where]) / (len(sizes) * sizes[where])
    by_person = np.bincount(persons, weights=moves, minlength=count)
    error = np.sqrt(count / (count - 1) * (by_person**2).sum())
    half = float(scipy.special.stdtrit(count - 1, (1 + level) / 2)) * error
    return float(means.mean() - half), float(means.mean() + half)
