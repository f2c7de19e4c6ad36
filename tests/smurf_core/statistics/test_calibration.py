"""Calibrated ratings: against two-stage least squares, leaving out by rows, and known truths."""

import numpy as np
import pytest
from scipy import stats

from smurf_core.statistics.calibration import (
    by_rater,
    calibrated_correlation,
    calibrated_scale,
)

PERSONS, EACH = 20, 8


def ratings_of_a_part(random, *, range_used=0.5, noise=0.5, unique=0.0, persons=PERSONS):
    """Learned, target, rating, what the model says of the part, and persons.

    The learned contribution contains some of what the raters also saw.
    """
    who = np.repeat(np.arange(persons), EACH)

    def spread(sd):
        return sd * (0.5 * random.normal(size=persons)[who] + 0.9 * random.normal(size=len(who)))

    says, own = spread(1.0), spread(1.0)
    y = says + unique * own + spread(0.5)
    rating = 3 + range_used * says + spread(noise)
    learned = 0.5 * says + 0.6 * own + spread(0.7)
    return learned, y, rating, says + spread(1.0), who


def test_the_scale_is_that_of_two_stage_least_squares(random):
    _, y, rating, shown, who = ratings_of_a_part(random)
    stage = np.polynomial.Polynomial.fit(shown, rating, 1)
    expected = stats.linregress(stage(shown), y).slope
    assert calibrated_scale(y, rating, shown, who) == pytest.approx(expected)


@pytest.mark.parametrize(("range_used", "unique"), [(0.3, 0.0), (0.5, 1.0), (1.0, 0.0), (1.0, 1.0)])
def test_the_scale_is_the_compression_whatever_is_unique(random, range_used, unique):
    _, y, rating, shown, _ = ratings_of_a_part(
        random, range_used=range_used, unique=unique, persons=4_000
    )
    assert calibrated_scale(y, rating, shown, None) * range_used == pytest.approx(1, abs=0.05)


def test_without_a_relation_to_what_the_model_says_there_is_no_scale(random):
    x, y, rating, shown, who = ratings_of_a_part(random)
    found = calibrated_correlation(x, y, rating, random.normal(size=len(y)), who)
    assert np.isnan([found.scale, found.r, found.low, found.high, found.test.p]).all()
    assert np.isnan(calibrated_scale(y, rating, -shown, who))
    assert np.isnan(calibrated_scale(y[:2], rating[:2], shown[:2], None))


def test_correlation_and_interval_are_those_of_rows_with_the_scale_estimated_anew(random):
    x, y, rating, shown, who = ratings_of_a_part(random)

    def r_of(kept):
        z = np.cov(np.stack([y, rating, shown])[:, kept])
        return stats.pearsonr(x[kept], (y - z[0, 2] / z[1, 2] * rating)[kept]).statistic

    found = calibrated_correlation(x, y, rating, shown, who)
    assert found.r == pytest.approx(r_of(who >= 0))
    error = (PERSONS - 1) * stats.sem([np.arctanh(r_of(who != p)) for p in range(PERSONS)])
    half = stats.t(found.test.degrees).ppf(0.975) * error
    expected = np.tanh(np.arctanh(found.r) + np.array([-half, half]))
    np.testing.assert_allclose([found.low, found.high], expected)


@pytest.mark.slow
@pytest.mark.parametrize("persons", [8, 40])
def test_raters_who_use_a_part_of_the_scale_show_nothing_unique(random, persons):
    """y − rating called 35% (8 persons) and 92% (40) of such null data related."""
    found, published = [], []
    for _ in range(500):
        x, y, rating, shown, who = ratings_of_a_part(random, persons=persons)
        found.append(calibrated_correlation(x, y, rating, shown, who).test.p)
        published.append(np.corrcoef(x, y - rating)[0, 1])
    assert np.mean(published) > 0.2
    assert np.mean(np.array(found) < 0.05) < 0.075


@pytest.mark.slow
def test_what_is_unique_stays(random):
    """r is that of the unique part with y − says − what noise the ratings leave."""
    found = []
    for _ in range(300):
        x, y, rating, shown, who = ratings_of_a_part(random, unique=1.0, noise=0.2)
        found.append(calibrated_correlation(x, y, rating, shown, who))
    sd = 0.25 + 0.81  # of `spread`, squared
    variances = sd * (0.25 + 0.36 + 0.49), sd * (1 + 0.25 + (0.2 / 0.5) ** 2)
    truth = 0.6 * sd / np.sqrt(np.prod(variances))
    assert np.mean([f.r for f in found]) == pytest.approx(truth, abs=0.02)
    assert np.mean([f.test.p < 0.05 for f in found]) > 0.95
    assert 0.925 <= np.mean([f.low <= truth <= f.high for f in found]) <= 0.99


def test_raters_on_different_scales_agree_after_their_own_is_taken_out(random):
    y = random.normal(size=200)
    ratings = np.stack([4 * y - 10, 0.25 * y + 3, np.full(200, np.nan)])
    # Each of them rated half of the samples.
    ratings[0, :100] = ratings[1, 100:] = np.nan
    target, rating = by_rater(y, ratings)
    assert np.corrcoef(np.nanmean(ratings[:2], axis=0), y)[0, 1] < 0.5
    assert np.corrcoef(rating, target)[0, 1] == pytest.approx(1)
    # Differences between the two halves are not separable from differences between the raters.
    np.testing.assert_allclose([target[:100].mean(), target[100:].mean()], 0, atol=1e-12)


def test_raters_of_the_whole_data_leave_the_target_as_it_is_but_for_its_mean(random):
    y = random.normal(size=50)
    ratings = y + random.normal(size=(3, 50))
    ratings[1] *= 0.2
    target, rating = by_rater(y, ratings)
    np.testing.assert_allclose(target, y - y.mean(), atol=1e-12)
    parts = [(row - row.mean()) / row.std() for row in ratings]
    assert np.corrcoef(rating, np.mean(parts, axis=0))[0, 1] == pytest.approx(1)


def test_few_ratings_do_not_make_a_scale_of_their_own(random):
    y = random.normal(size=40)
    ratings = np.full((40, 40), np.nan)
    np.fill_diagonal(ratings, 0.5 * y + 1)  # Every sample has a rater of its own.
    target, rating = by_rater(y, ratings)
    np.testing.assert_allclose(rating, 0.5 * target, atol=1e-12)
    ratings[:, 0] = np.nan
    assert np.isnan(by_rater(y, ratings)[1]).tolist() == [True] + [False] * 39
