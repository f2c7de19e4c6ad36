"""Ranks: Wilcoxon's rank-sum test, and the same comparison for samples of persons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used

from smurf_core.statistics.persons import Persons
from smurf_core.statistics.slopes import ClusteredSlope, clustered_slope

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RankSum:
    """The normal statistic, its two-sided p, and the rank-biserial correlation."""

    statistic: float
    p: float
    effect_size: float


def rank_sum(some: Array, others: Array) -> RankSum:
    """Wilcoxon's rank-sum test of two groups of independent samples.

    Parameters
    ----------
    some, others : array [k], array [l]
        Values of the two groups; any common unit.

    Returns
    -------
    RankSum
        statistic (above zero where `some` are larger), p (two-sided, normal approximation) and
        effect_size (rank-biserial correlation, −1 to 1: how much more often a value of `some` is
        the larger than the smaller one). NaN where a group is empty.

    Notes
    -----
    Wilcoxon (1945), *Biometrics Bulletin* 1; effect size: Kerby (2014), *Comprehensive
    Psychology* 3.

    Examples
    --------
    >>> import numpy as np
    >>> found = rank_sum(np.array([3.0, 4, 5]), np.array([1.0, 2, 4]))
    >>> round(found.effect_size, 3), round(found.p, 3)
    (0.667, 0.19)
    """
    if not len(some) or not len(others):
        return RankSum(float("nan"), float("nan"), float("nan"))
    test = scipy.stats.ranksums(some, others)
    u = scipy.stats.mannwhitneyu(some, others).statistic
    return RankSum(
        statistic=float(test.statistic),
        p=float(test.pvalue),
        effect_size=float(2 * u / (len(some) * len(others)) - 1),
    )


def rank_slope(
    level: npt.NDArray[np.number | np.bool_], values: Array, persons: Persons
) -> ClusteredSlope:
    """Test whether ranks rise with the level; samples of a person may be similar.

    With two levels this is the rank-sum test by person, with more levels a test of trend: the
    slope of the values' ranks on the level, with `clustered_slope`.

    Parameters
    ----------
    level : array [n]
        0 and 1 for two groups, or the number of an ordered level.
    values : array [n]
        Values whose ranks are compared (ties share their mean rank).
    persons : array [n]
        The person of each sample.

    Returns
    -------
    ClusteredSlope
        statistic (t), degrees (of freedom), p (two-sided).

    Notes
    -----
    Conover and Iman (1981), *The American Statistician* 35: tests of ranks as if they were
    values; its variance after Bell and McCaffrey (2002), *Survey Methodology* 28.

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> level = random.integers(0, 2, size=60)
    >>> rank_slope(level, level + random.normal(size=60), np.repeat(np.arange(12), 5)).p < 0.01
    True
    """
    return clustered_slope(level.astype(np.float64), scipy.stats.rankdata(values), persons)
