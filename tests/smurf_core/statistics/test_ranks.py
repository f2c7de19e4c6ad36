"""Rank tests against pairs counted one by one, the textbook formula, and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from smurf_core.statistics.ranks import rank_slope, rank_sum


def test_the_rank_sum_is_the_textbook_formula(random):
    some, others = random.normal(size=25) + 0.5, random.normal(size=40)
    # Wins over all pairs are the Mann-Whitney U; its mean and variance under the null are known.
    wins = (some[:, None] > others[None]).sum()
    z = (wins - 25 * 40 / 2) / np.sqrt(25 * 40 * 66 / 12)
    found = rank_sum(some, others)
    assert found.statistic == pytest.approx(z)
    assert found.p == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_the_effect_size_is_how_much_more_often_one_wins(random):
    some, others = random.integers(0, 6, size=30) * 1.0, random.integers(0, 5, size=20) * 1.0
    expected = np.sign(some[:, None] - others[None]).mean()
    assert rank_sum(some, others).effect_size == pytest.approx(expected)


def test_an_empty_group_has_no_test():
    found = rank_sum(np.array([]), np.ones(3))
    assert np.isnan([found.statistic, found.p, found.effect_size]).all()


def test_the_slope_of_ranks_is_that_of_least_squares_with_robust_errors(random):
    who = np.repeat(np.arange(40), 5)
    level = random.integers(0, 3, size=200)
    values = level + random.normal(size=200) + random.normal(size=40)[who]
    ranks = [1 + (values < v).sum() for v in values]  # There are no ties.
    model = sm.OLS(ranks, sm.add_constant(level.astype(float)))
    alone = rank_slope(level, values, np.arange(200))
    assert alone.statistic == pytest.approx(model.fit(cov_type="HC2").tvalues[1])
    # statsmodels has CR1, which is close to CR2 with 40 persons.
    clustered = model.fit(cov_type="cluster", cov_kwds={"groups": who})
    assert rank_slope(level, values, who).statistic == pytest.approx(clustered.tvalues[1], rel=0.05)


def test_two_levels_may_be_true_and_false(random):
    level, values, who = random.random(60) < 0.5, random.normal(size=60), np.arange(60) // 4
    assert rank_slope(level, values, who) == rank_slope(level.astype(int), values, who)
