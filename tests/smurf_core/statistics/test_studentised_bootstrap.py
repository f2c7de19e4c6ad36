"""The interval of r, against a bootstrap that repeats rows and differentiates by steps."""

import numpy as np
import pytest

from smurf_core.statistics.studentised_bootstrap import correlation_interval


def weighted_z(x, y, weights):
    return np.arctanh(
        np.cov(x, y, aweights=weights, ddof=0)[0, 1]
        / np.sqrt(np.prod(np.diag(np.cov(x, y, aweights=weights, ddof=0))))
    )


def z_and_error(x, y, who, times):
    """z when person g occurs times[g] times; its infinitesimal jackknife by finite steps."""
    z, step = weighted_z(x, y, times[who].astype(float)), 1e-5
    slopes = []
    for person in np.flatnonzero(times):
        moved = times.astype(float)
        moved[person] += step
        slopes.append((weighted_z(x, y, moved[who]) - z) / step)
    return z, np.sqrt(np.sum(times[times > 0] * np.square(slopes)))


def test_the_interval_is_that_of_a_bootstrap_over_rows_of_persons(random):
    who = np.repeat(np.arange(12), 4)
    levels = random.normal(size=12)[who]
    x = levels + random.normal(size=48)
    y = x + levels + random.normal(size=48)
    middle, error = z_and_error(x, y, who, np.ones(12, int))
    studentised = []
    for _ in range(1_500):
        times = np.bincount(random.integers(12, size=12), minlength=12)
        z, own = z_and_error(x, y, who, times)
        studentised.append((z - middle) / own)
    below, above = np.quantile(studentised, [0.975, 0.025])
    expected = np.tanh([middle - below * error, middle - above * error])
    found = correlation_interval(x, y, who, resamples=4_000)
    # Monte Carlo error of a 2.5% quantile of 1,500 draws: under a tenth of the width.
    found, expected = np.arctanh(found), np.arctanh(expected)
    np.testing.assert_allclose(found, expected, atol=0.1 * (expected[1] - expected[0]))


def test_equal_seeds_give_equal_intervals_and_few_persons_none(random):
    x, y = random.normal(size=(2, 40))
    who = np.repeat(np.arange(8), 5)
    one, other = (correlation_interval(x, y, who, resamples=100, seed=3) for _ in range(2))
    assert one == other
    assert np.isnan(correlation_interval(x, y, who % 4, resamples=100)).all()
    assert np.isnan(correlation_interval(x, 2 * x, who, resamples=100)).all()


@pytest.mark.slow
def test_intervals_cover_the_truth_with_missing_judgments(random):
    """Simulated persons with a known correlation of 0.5, a fifth of the judgments missing."""
    hits, repetitions = 0, 500
    for repetition in range(repetitions):
        who = np.repeat(np.arange(40), 8)
        # Learned and human share a person's level and an utterance's, each with r = 0.5.
        parts = [
            random.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=size)
            for size in (40, 320)
        ]
        x, y = (0.6 * parts[0][who] + parts[1]).T
        keep = random.random(320) > 0.2
        low, high = correlation_interval(
            x[keep], y[keep], who[keep], resamples=500, seed=repetition
        )
        hits += low <= 0.5 <= high
    assert 0.93 <= hits / repetitions <= 0.97
