"""CR2 and its degrees of freedom, against every matrix written out and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from smurf_core.statistics.slopes import clustered_slope


def slope_by_matrices(x, y, who):
    """CR2 and Satterthwaite's degrees of freedom, with every matrix written out."""
    n = len(x)
    design = np.column_stack([np.ones(n), x])
    inverse = np.linalg.inv(design.T @ design)
    residual_maker = np.eye(n) - design @ inverse @ design.T
    residuals, parts, vectors = residual_maker @ y, [], []
    for person in np.unique(who):
        at = who == person
        values, axes = np.linalg.eigh(residual_maker[np.ix_(at, at)])
        roots = np.where(values > 1e-10, np.maximum(values, 1e-10) ** -0.5, 0)
        weights = (axes * roots) @ axes.T @ design[at] @ inverse[1]
        parts.append(weights @ residuals[at])
        vectors.append(residual_maker[:, at] @ weights)
    form = np.array(vectors) @ np.array(vectors).T
    t = (inverse @ design.T @ y)[1] / np.sqrt(np.sum(np.square(parts)))
    return t, np.trace(form) ** 2 / (form**2).sum()


@pytest.mark.parametrize("persons", [6, 15, 40])
def test_clustered_slope_is_that_of_the_matrices_written_out(random, persons):
    who = random.integers(0, persons, size=60)
    x = 5 + random.normal(size=60) + random.normal(size=persons)[who]
    y = 0.2 * x + random.normal(size=60) + random.normal(size=persons)[who]
    found = clustered_slope(x, y, who)
    assert (found.statistic, found.degrees) == pytest.approx(slope_by_matrices(x, y, who))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.statistic), found.degrees))


def test_a_person_who_alone_has_what_matters_is_left_out_of_the_variance(random):
    who = np.repeat(np.arange(6), 5)
    x, y = (who == 2).astype(float), random.normal(size=30)
    found = clustered_slope(x, y, who)
    assert (found.statistic, found.degrees) == pytest.approx(slope_by_matrices(x, y, who))


def test_without_persons_the_variance_is_statsmodels_hc2(random):
    x, y = random.normal(size=(2, 50)) * (1 + np.arange(50) / 10)
    fit = sm.OLS(y, sm.add_constant(x)).fit(cov_type="HC2")
    assert clustered_slope(x, y, None).statistic == pytest.approx(fit.tvalues[1])
    assert clustered_slope(x, y, None) == clustered_slope(x, y, np.arange(50))


def test_too_few_persons_or_no_spread_have_no_p(random):
    y = random.normal(size=10)
    assert np.isnan(clustered_slope(y, y**2, np.repeat([0, 1], 5)).p)
    assert np.isnan(clustered_slope(np.ones(10), y, np.arange(10)).p)
