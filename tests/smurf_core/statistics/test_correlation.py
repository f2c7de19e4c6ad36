"""Every variant of r against scipy's and numpy's, on the samples themselves."""

import numpy as np
import pytest
from scipy import stats

from smurf_core.statistics.correlation import (
    correlation_ratio,
    moments,
    pearson_between,
    pearson_by_row,
    pearson_of_sums,
    pearson_r,
)


def test_r_is_scipys(random):
    x, y = random.normal(size=(2, 30))
    assert pearson_r(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, rel=1e-12)


def test_rows_are_correlated_one_by_one(random):
    rows, y = random.normal(size=(5, 40)).astype(np.float32), random.normal(size=40)
    expected = [stats.pearsonr(row.astype(float), y).statistic for row in rows]
    np.testing.assert_allclose(pearson_by_row(rows, y), expected, rtol=1e-6)


def test_rows_are_correlated_bit_for_bit_as_in_training(random):
    """The search chooses by this number: another rounding could choose another model.

    Below is how version 0.1 computed it.
    """
    rows, y = random.normal(size=(50, 97)).astype(np.float32), random.normal(size=97)
    rows[3] = 1.0
    rows[4] = np.nan
    y = y.astype(np.float32)
    p = rows - rows.mean(axis=1, keepdims=True, dtype=np.float64)
    t = y - y.mean(dtype=np.float64)
    scale = np.sqrt((p * p).sum(axis=1) * (t * t).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.where(scale > 0, (p @ t) / scale, np.nan)
    np.testing.assert_array_equal(pearson_by_row(rows, y), expected)


def test_columns_are_correlated_with_each_other(random):
    x, y = random.normal(size=(30, 3, 2)), random.normal(size=(30, 4, 2))
    found = pearson_between(x, y)
    assert found.shape == (3, 4, 2)
    for c in range(2):
        expected = np.corrcoef(x[:, :, c].T, y[:, :, c].T)[:3, 3:]
        np.testing.assert_allclose(found[:, :, c], expected, rtol=1e-10)


def test_whole_weights_are_samples_that_repeat(random):
    x, y = 100 + random.normal(size=(2, 25))
    weights = random.integers(0, 4, size=(6, 25))
    found = pearson_of_sums(weights @ moments(x - x.mean(), y - y.mean()))
    expected = [np.corrcoef(np.repeat(x, w), np.repeat(y, w))[0, 1] for w in weights]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_what_does_not_vary_has_no_correlation(random):
    x, flat = random.normal(size=20), np.full(20, 3.7)
    assert np.isnan(pearson_r(x, flat))
    assert np.isnan(pearson_r(np.zeros(3), np.zeros(3)))
    assert np.isnan(pearson_by_row(np.stack([flat, x]).astype(np.float32), x)[0])
    assert np.isnan(pearson_between(np.zeros((20, 1)), x[:, None]))
    # Sums of squares of a constant leave rounding, which is no variance.
    assert np.isnan(pearson_of_sums(moments(flat, x).sum(axis=0)))
    assert np.isnan(correlation_ratio(0.0, 0.0, 1.0))


def test_members_that_ran_away_are_not_numbers_and_no_warnings():
    rows = np.array([[np.inf, 1, 2], [np.nan, 1, 2], [1, 2, 3]], dtype=np.float32)
    found = pearson_by_row(rows, np.array([1.0, 2, 3], dtype=np.float32))
    assert np.isnan(found[:2]).all()
    assert found[2] == pytest.approx(1)
