"""The interval of r, against a jackknife that leaves out rows and against known truths."""

import numpy as np
import pytest
from scipy import stats

from smurf_core.statistics.correlation_interval import correlation_interval
from smurf_core.statistics.slopes import clustered_slope


def test_the_interval_is_that_of_a_jackknife_over_rows_of_persons(random):
    who = np.repeat(np.arange(12), 4)
    levels = random.normal(size=12)[who]
    x = levels + random.normal(size=48)
    y = x + levels + random.normal(size=48)
    without = [
        np.arctanh(stats.pearsonr(x[who != person], y[who != person]).statistic)
        for person in range(12)
    ]
    # The jackknife's standard error is that of a mean of pseudovalues, 11 times as far apart.
    error = 11 * stats.sem(without)
    half = stats.t(clustered_slope(x, y, who).degrees).ppf(0.95) * error
    z = np.arctanh(stats.pearsonr(x, y).statistic)
    found = correlation_interval(x, y, who, level=0.9)
    np.testing.assert_allclose(np.arctanh(found), [z - half, z + half], rtol=1e-9)


def test_too_few_persons_or_a_perfect_line_have_no_interval(random):
    x, y = random.normal(size=(2, 40))
    who = np.repeat(np.arange(8), 5)
    assert np.isfinite(correlation_interval(x, y, who)).all()
    assert np.isnan(correlation_interval(x, y, who % 4)).all()
    assert np.isnan(correlation_interval(x, 2 * x, who)).all()


@pytest.mark.slow
@pytest.mark.parametrize("persons", [8, 40])
def test_intervals_cover_the_truth_with_missing_judgments(random, persons):
    """Simulated persons with a known correlation of 0.5, a fifth of the judgments missing.

    A studentised bootstrap over persons missed the truth in 9% of draws with 8 persons.
    """
    hits, repetitions = 0, 1_000
    for _ in range(repetitions):
        who = np.repeat(np.arange(persons), 8)
        # Learned and human share a person's level and an utterance's, each with r = 0.5.
        parts = [
            random.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=size)
            for size in (persons, len(who))
        ]
        x, y = (0.6 * parts[0][who] + parts[1]).T
        keep = random.random(len(who)) > 0.2
        low, high = correlation_interval(x[keep], y[keep], who[keep])
        hits += low <= 0.5 <= high
    assert 0.93 <= hits / repetitions <= 0.985
