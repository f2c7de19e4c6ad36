"""Intraclass correlations against published numbers and fits of statsmodels."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from smurf_core.statistics.intraclass import intraclass

# Shrout and Fleiss (1979), table 2: six targets, four judges.
JUDGES = np.array(
    [[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]], dtype=float
)


def simulated(units, raters, seed=0, sds=(1.0, 0.4, 0.8)):
    random = np.random.default_rng(seed)
    a, b, c = sds
    return (
        random.normal(scale=a, size=units)
        + random.normal(scale=b, size=(raters, 1))
        + random.normal(scale=c, size=(raters, units))
    )


def components(ratings):
    """ICC(2,1) from sums of squares of three least-squares fits."""
    rater, unit = np.nonzero(np.isfinite(ratings))
    table = pd.DataFrame({"y": ratings[rater, unit], "rater": rater, "unit": unit})
    full = smf.ols("y ~ C(rater) + C(unit)", table).fit()
    units = smf.ols("y ~ C(rater)", table).fit().ssr - full.ssr
    raters = smf.ols("y ~ C(unit)", table).fit().ssr - full.ssr
    n, i, j = len(table), table["unit"].nunique(), table["rater"].nunique()
    error = full.ssr / full.df_resid
    s_units = (units - (i - 1) * error) / (n - j)
    s_raters = (raters - (j - 1) * error) / (n - i)
    return s_units / (s_units + s_raters + error)


def test_the_numbers_of_shrout_and_fleiss():
    found = intraclass(JUDGES)
    # psych::ICC gives these, and the first ones are those of the paper.
    assert found.single == pytest.approx(0.2898, abs=5e-5)
    assert found.average == pytest.approx(0.6201, abs=5e-5)
    assert (found.single_low, found.single_high) == pytest.approx((0.0188, 0.7611), abs=5e-4)
    assert (found.average_low, found.average_high) == pytest.approx((0.0712, 0.9272), abs=5e-4)
    assert found.raters == pytest.approx(4)


@pytest.mark.parametrize("seed", range(3))
def test_incomplete_ratings_equal_least_squares(seed):
    ratings = simulated(30, 8, seed)
    ratings[np.random.default_rng(seed).random(ratings.shape) < 0.5] = np.nan
    assert intraclass(ratings, draws=20).single == pytest.approx(components(ratings), rel=1e-9)


def test_complete_ratings_need_no_other_formula():
    assert intraclass(JUDGES).single == pytest.approx(components(JUDGES), rel=1e-9)


def test_the_bootstrap_contains_the_truth_and_is_reproducible():
    truth, inside = 1 / (1 + 0.16 + 0.64), 0
    for seed in range(40):
        ratings = simulated(60, 12, seed)
        ratings[np.random.default_rng(seed).random(ratings.shape) < 0.6] = np.nan
        found = intraclass(ratings, draws=200)
        inside += found.single_low <= truth <= found.single_high
        assert found.average > found.single
    assert inside >= 34
    assert found == intraclass(ratings, draws=200)


def test_nothing_is_made_up_where_nothing_can_be_estimated():
    nan = np.nan
    for ratings in ([[1.0, 2, 3]], [[1.0], [2.0]], [[1.0, nan], [nan, 2.0]], [[2.0, 2], [2, 2]]):
        found = intraclass(np.array(ratings))
        assert np.isnan([found.single, found.average, found.average_low]).all()
