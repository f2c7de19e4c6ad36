"""Human judgments: what is compared, and what the table says of it."""

from dataclasses import replace

import krippendorff
import numpy as np
import pytest
from scipy import stats

from smurf_core.errors import InputError
from smurf_core.evaluation.judgments import human_agreement, unique_pairs
from smurf_core.explained import explained
from smurf_core.statistics.krippendorff import alpha_interval
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
    pairs = {pair.modalities: pair for pair in unique_pairs(explained(contributions, data))}
    assert set(pairs) == {("C",), ("B",), ("A", "B")}
    rating = data.judgments[frozenset(("A", "B"))]
    np.testing.assert_allclose(pairs["C",].human, data.target - rating, rtol=1e-6)
    np.testing.assert_allclose(pairs["C",].learned, values[:, 2, 2, 0], rtol=1e-6)
    # Collapsed modalities: all that A and B say but what they share with C.
    whole = values[:, :2, :2, 0].sum(axis=(1, 2))
    np.testing.assert_allclose(pairs["A", "B"].learned, whole, rtol=1e-4, atol=1e-5)


def test_table_counts_what_is_missing_and_correlates_the_rest(random):
    data, _, contributions = judged(random)
    table = human_agreement(explained(contributions, data)).set_index("modality")
    for pair in unique_pairs(explained(contributions, data)):
        there = np.isfinite(pair.human)
        row = table.loc["+".join(pair.modalities)]
        expected = stats.pearsonr(pair.learned[there], pair.human[there]).statistic
        assert row["r"] == pytest.approx(expected, abs=1e-9)
        rank = stats.spearmanr(pair.learned[there], pair.human[there]).statistic
        assert row["spearman"] == pytest.approx(rank)
        assert row["n"] + row["missing"] == 60
        assert row["ci_low"] < row["r"] < row["ci_high"]


def test_data_without_judgments_is_reported(random):
    data, _, contributions = judged(random)
    with pytest.raises(InputError, match="no human judgments"):
        human_agreement(explained(contributions, replace(data, judgments={})))


def test_single_raters_ratings_accompany_the_correlation(random):
    data, _, contributions = judged(random)
    shown = frozenset(("A", "B"))
    ratings = (data.judgments[shown] + random.normal(size=(3, 60))).astype(np.float32)
    data = replace(data, ratings={shown: ratings})
    table = human_agreement(explained(contributions, data)).set_index("modality")
    assert table.loc["C", "raters"] == 3
    expected = krippendorff.alpha(ratings.astype(float), level_of_measurement="interval")
    assert table.loc["C", "alpha"] == pytest.approx(expected, abs=1e-6)
    interval = alpha_interval(ratings.astype(float), persons=data.persons)
    assert table.loc["C", ["alpha_low", "alpha_high"]].tolist() == [interval.low, interval.high]
    assert 0 < table.loc["C", "ceiling"] <= 1
    assert table.loc["B", ["raters", "alpha"]].isna().tolist() == [False, True]
