import numpy as np
import pytest
from scipy import stats

from smurf_core.statistics.resampled_t import corrected_resampled_t_test


def test_it_is_the_formula_and_wider_than_the_paired_test():
    d = np.array([0.02, 0.05, 0.01, 0.04, 0.03])
    t = d.mean() / np.sqrt((1 / 5 + 0.25) * d.var(ddof=1))
    corrected = corrected_resampled_t_test(d, 0.25)
    assert (corrected.statistic, corrected.p) == pytest.approx((t, 2 * stats.t.sf(t, 4)))
    assert corrected.p > stats.ttest_1samp(d, 0).pvalue


def test_without_overlap_it_is_scipys_t_test(random):
    d = random.normal(size=7)
    found, plain = corrected_resampled_t_test(d, 0.0), stats.ttest_1samp(d, 0)
    assert (found.statistic, found.p) == pytest.approx((plain.statistic, plain.pvalue))


def test_one_fold_or_no_spread_has_no_p():
    assert np.isnan(corrected_resampled_t_test(np.zeros(5), 0.25).p)
    assert np.isnan(corrected_resampled_t_test(np.array([0.1]), 0.25).statistic)
