"""Human judgments: against statsmodels, brute force, and simulated persons whose truth is known."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests

from smurf_core.errors import InputError
from smurf_core.evaluation.judgments import (
    clustered_slope,
    correlation_interval,
    difference_ceiling,
    holm,
    human_agreement,
    krippendorff_alpha,
    reliability_ceiling,
    unique_pairs,
)
from tests.smurf_core.evaluation.conftest import make_dataset, make_result


def judged(random, n=60, gaps=True):
    data = make_dataset(random.normal(size=n), np.repeat(np.arange(n // 5), 5))
    values = random.normal(size=(n, 3, 3, 1)).astype(np.float32)
    ratings = {}
    for shown in (("A", "B"), ("A", "C"), ("C",)):
        rating = random.normal(size=n).astype(np.float32)
        if gaps:
            rating[random.random(n) < 0.2] = np.nan
        ratings[frozenset(shown)] = rating
    data = replace(data, judgments=ratings)
    result = make_result(data, lambda _: (values, np.zeros(1, np.float32)))
    return data, values, result.contributions()


def test_human_unique_is_what_raters_without_the_modality_could_not_say(random):
    data, values, contributions = judged(random)
    pairs = {pair.modalities: pair for pair in unique_pairs(contributions, data)}
    assert set(pairs) == {("C",), ("B",), ("A", "B")}
    rating = data.judgments[frozenset(("A", "B"))]
    np.testing.assert_allclose(pairs["C",].human, data.target - rating, rtol=1e-6)
    np.testing.assert_allclose(pairs["C",].learned, values[:, 2, 2, 0], rtol=1e-6)
    # Collapsed modalities: all that A and B say but what they share with C.
    whole = values[:, :2, :2, 0].sum(axis=(1, 2))
    np.testing.assert_allclose(pairs["A", "B"].learned, whole, rtol=1e-4, atol=1e-5)


def test_table_counts_what_is_missing_and_correlates_the_rest(random):
    data, _, contributions = judged(random)
    table = human_agreement(contributions, data, resamples=200).set_index("modality")
    for pair in unique_pairs(contributions, data):
        there = np.isfinite(pair.human)
        row = table.loc["+".join(pair.modalities)]
        expected = stats.pearsonr(pair.learned[there], pair.human[there]).statistic
        assert row["r"] == pytest.approx(expected, abs=1e-9)
        rank = stats.spearmanr(pair.learned[there], pair.human[there]).statistic
        assert row["spearman"] == pytest.approx(rank)
        assert row["n"] + row["missing"] == 60
        assert row["ci_low"] < row["r"] < row["ci_high"]


def test_data_without_judgments_is_told(random):
    data, _, contributions = judged(random)
    with pytest.raises(InputError, match="no human judgments"):
        human_agreement(contributions, replace(data, judgments={}))


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


def test_with_samples_as_clusters_the_variance_is_statsmodels_hc2(random):
    x, y = random.normal(size=(2, 50)) * (1 + np.arange(50) / 10)
    fit = sm.OLS(y, sm.add_constant(x)).fit(cov_type="HC2")
    assert clustered_slope(x, y, np.arange(50)).statistic == pytest.approx(fit.tvalues[1])


def test_too_few_persons_or_no_spread_have_no_p(random):
    y = random.normal(size=10)
    assert np.isnan(clustered_slope(y, y**2, np.repeat([0, 1], 5)).p)
    assert np.isnan(clustered_slope(np.ones(10), y, np.arange(10)).p)


def test_holm_is_that_of_statsmodels(random):
    p = random.random(8)
    expected = multipletests(p, method="holm")[1]
    np.testing.assert_allclose(holm(p), expected)
    with_gap = holm(np.insert(p, 3, np.nan))
    assert np.isnan(with_gap[3])
    np.testing.assert_allclose(np.delete(with_gap, 3), expected)


def alpha_by_loops(ratings):
    """Every ordered pair of ratings, one after the other."""
    units = [[r for r in unit if np.isfinite(r)] for unit in ratings.T]
    units = [unit for unit in units if len(unit) > 1]
    values = [r for unit in units for r in unit]
    observed = sum(
        sum((a - b) ** 2 for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in units
    ) / len(values)
    pairs = len(values) * (len(values) - 1)
    return 1 - observed / (sum((a - b) ** 2 for a, b in permutations(values, 2)) / pairs)


def test_krippendorffs_alpha_is_that_of_every_pair(random):
    ratings = random.normal(size=(5, 30)) + random.normal(size=30)
    ratings[random.random((5, 30)) < 0.3] = np.nan
    assert krippendorff_alpha(ratings) == pytest.approx(alpha_by_loops(ratings))
    # Krippendorff's own example of four coders (2011, section D, interval data): 0.849.
    nan = np.nan
    example = np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
            [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
        ]
    )
    assert krippendorff_alpha(example) == pytest.approx(0.849, abs=5e-4)
    assert np.isnan(krippendorff_alpha(np.ones((3, 4))))


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
    human = (
        unique
        + seen
        - np.nanmean(ratings[:, np.isfinite(ratings).any(axis=0)], axis=0)[
            np.maximum(np.cumsum(np.isfinite(ratings).any(axis=0)) - 1, 0)
        ]
    )
    human[~np.isfinite(ratings).any(axis=0)] = np.nan
    there = np.isfinite(human)
    reached = np.corrcoef(unique[there], human[there])[0, 1]
    assert difference_ceiling(human, ratings) == pytest.approx(reached, abs=0.01)
    assert np.isnan(difference_ceiling(human, ratings[:1]))


def test_single_raters_ratings_stand_beside_the_correlation(random):
    data, _, contributions = judged(random)
    shown = frozenset(("A", "B"))
    ratings = (data.judgments[shown] + random.normal(size=(3, 60))).astype(np.float32)
    data = replace(data, ratings={shown: ratings})
    table = human_agreement(contributions, data, resamples=50).set_index("modality")
    assert table.loc["C", "raters"] == 3
    assert table.loc["C", "alpha"] == pytest.approx(alpha_by_loops(ratings.astype(float)), abs=1e-6)
    assert 0 < table.loc["C", "ceiling"] <= 1
    assert table.loc["B", ["raters", "alpha"]].isna().tolist() == [False, True]


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
