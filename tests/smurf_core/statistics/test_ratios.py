"""Fieller's interval, compared with the t test that it inverts."""

import numpy as np
import pytest
from scipy import stats

from smurf_core.statistics.ratios import ratio_interval


def p_of(ratio: float, above: np.ndarray, below: np.ndarray, persons: np.ndarray) -> float:
    """Student's t test, over persons, of the ratio."""
    each = [(above - ratio * below)[persons == who].sum() for who in np.unique(persons)]
    return float(stats.ttest_1samp(each, 0).pvalue)


def test_the_ends_are_the_ratios_that_the_t_test_over_persons_just_rejects():
    random = np.random.default_rng(0)
    persons = random.integers(0, 12, size=90)
    below = random.gamma(2, size=90) + 0.3 * persons
    above = np.stack([0.4 * below + random.normal(size=90), random.normal(size=90)], axis=1)
    low, high = ratio_interval(above, below, persons)
    for k in range(2):
        for end in (low[k], high[k]):
            assert p_of(end, above[:, k], below, persons) == pytest.approx(0.05, abs=1e-9)
        assert low[k] < above[:, k].sum() / below.sum() < high[k]


def test_another_level_is_kept():
    random = np.random.default_rng(1)
    above, below, persons = random.normal(size=(30, 1)), random.gamma(2, size=30), np.arange(30)
    low, _ = ratio_interval(above, below, persons, level=0.8)
    assert p_of(low[0], above[:, 0], below, persons) == pytest.approx(0.2)


def test_there_are_no_ends_where_the_denominator_may_be_zero():
    random = np.random.default_rng(0)
    below = random.normal(size=50)  # mean zero
    assert stats.ttest_1samp(below, 0).pvalue > 0.05
    assert np.isnan(ratio_interval(random.normal(size=(50, 1)), below, None)).all()


def test_one_person_has_no_interval():
    assert np.isnan(ratio_interval(np.ones((5, 1)), np.ones(5), np.zeros(5))).all()


def test_samples_of_a_person_that_are_alike_count_once():
    random = np.random.default_rng(2)
    above, below = random.normal(size=(20, 1)), random.gamma(2, size=20)
    once = ratio_interval(above, below, None)
    four = ratio_interval(np.repeat(above, 4, 0), np.repeat(below, 4), np.repeat(np.arange(20), 4))
    np.testing.assert_allclose(once, four)


def test_the_interval_holds_the_true_ratio_in_95_percent():
    random = np.random.default_rng(3)
    missed = []
    for _ in range(1_000):
        effect = random.normal(size=25)[:, None] * np.ones(4)  # 25 persons, four samples each
        below = 3 + effect + random.normal(size=(25, 4))
        above = 0.5 * below + random.normal(size=(25, 4)) + random.normal(size=(25, 1))
        low, high = ratio_interval(
            above.reshape(-1, 1), below.reshape(-1), np.repeat(np.arange(25), 4)
        )
        missed.append(not low[0] <= 0.5 <= high[0])
    # The standard error of the rate is 0.007.
    assert 0.03 < np.mean(missed) < 0.07
