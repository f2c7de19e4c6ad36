import numpy as np
import pytest

from smurf_core.statistics.reliability import difference_ceiling, reliability_ceiling


def test_ceiling_of_ratings_is_the_correlation_of_mean_rating_and_truth(random):
    truth = random.normal(size=20_000)
    ratings = truth + random.normal(size=(4, 20_000)) * 1.5
    reached = np.corrcoef(truth, ratings.mean(axis=0))[0, 1]
    assert reliability_ceiling(ratings) == pytest.approx(reached, abs=0.01)


def test_the_ceiling_is_the_r_that_the_truth_itself_reaches(random):
    """Gaps, and raters who differ by 1.5 about what they see; nothing else is random in y − j."""
    unique, seen = random.normal(size=(2, 20_000))
    ratings = seen + 1.5 * random.normal(size=(4, 20_000))
    ratings[random.random(ratings.shape) < 0.3] = np.nan
    there = np.isfinite(ratings).any(axis=0)
    human = np.full(20_000, np.nan)
    human[there] = unique[there] + seen[there] - np.nanmean(ratings[:, there], axis=0)
    reached = np.corrcoef(unique[there], human[there])[0, 1]
    assert difference_ceiling(human, ratings) == pytest.approx(reached, abs=0.01)
    assert np.isnan(difference_ceiling(human, ratings[:1]))
