import numpy as np
from statsmodels.stats.multitest import multipletests

from smurf_core.statistics.holm import holm


def test_holm_is_that_of_statsmodels(random):
    p = random.random(8)
    expected = multipletests(p, method="holm")[1]
    np.testing.assert_allclose(holm(p), expected)
    with_gap = holm(np.insert(p, 3, np.nan))
    assert np.isnan(with_gap[3])
    np.testing.assert_allclose(np.delete(with_gap, 3), expected)


def test_no_p_values_stay_none():
    assert np.isnan(holm(np.full(3, np.nan))).all()
    assert len(holm(np.array([]))) == 0
