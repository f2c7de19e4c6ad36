"""Human judgments: what is compared, and what the table says of it."""

from dataclasses import replace

import krippendorff
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from smurf_core.errors import InputError
from smurf_core.evaluation.judgments import human_agreement, largest_disagreements, unique_pairs
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


def test_what_was_not_recorded_is_unique_to_nobody(random):
    data, _, contributions = judged(random, gaps=False)
    values = data.features["C"].values.copy()
    values[:20] = np.nan
    absent = replace(
        data, features=data.features | {"C": replace(data.features["C"], values=values)}
    )
    (pair,) = (p for p in unique_pairs(explained(contributions, absent)) if p.modalities == ("C",))
    assert np.isnan(pair.human[:20]).all()
    assert np.isfinite(pair.human[20:]).all()
    row = human_agreement(explained(contributions, absent)).set_index("modality").loc["C"]
    assert (row["n"], row["missing"]) == (40, 20)
    expected = stats.pearsonr(pair.learned[20:], pair.human[20:]).statistic
    assert row["r"] == pytest.approx(expected, abs=1e-9)
    listed = largest_disagreements(pair, np.arange(60) >= 10)
    assert len(listed) == 40
    assert listed["difference"].abs().is_monotonic_decreasing


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


def compressed(random, ratings=None, n=300):
    """Raters of A and B use half of the scale, and C says nothing that A does not."""
    says = random.normal(size=n)
    data = make_dataset(says + 0.5 * random.normal(size=n), np.repeat(np.arange(n // 10), 10))
    rating = 2 + 0.5 * says + 0.3 * random.normal(size=n)
    data = replace(data, judgments={frozenset("AB"): rating.astype(np.float32)})
    if ratings is not None:
        scales = np.array([0.2, 1.0, 3.0])[:, None]
        single = scales * (rating + 0.3 * random.normal(size=(3, n)) + 1)
        single[random.random((3, n)) < 0.4] = np.nan
        data = replace(data, ratings={frozenset("AB"): single.astype(np.float32)})
    values = np.zeros((n, 3, 3, 1), np.float32)
    values[:, 0, 0, 0] = says + 0.5 * random.normal(size=n)
    values[:, 2, 2, 0] = 0.5 * says + 0.5 * random.normal(size=n)
    result = make_result(data, lambda _: (values, np.zeros(1, np.float32)))
    return explained(result.contributions(), data)


@pytest.mark.parametrize("ratings", [None, "of single raters"])
def test_raters_who_use_half_of_the_scale_are_calibrated(random, ratings):
    """y − rating showed r = 0.5 with a modality that has nothing of its own."""
    found = compressed(random, ratings)
    row = human_agreement(found).iloc[0]
    assert row["r"] > 0.3
    assert row["p_holm"] < 0.001
    assert abs(row["r_calibrated"]) < 0.2
    assert row["ci_low_calibrated"] < 0 < row["ci_high_calibrated"]
    assert row["p_calibrated_holm"] > 0.05
    (pair,) = unique_pairs(found)
    if ratings is None:
        assert row["scale"] == pytest.approx(2, abs=0.25)
    there = np.isfinite(pair.calibrated)
    expected = np.corrcoef([pair.learned[there], pair.calibrated[there], pair.shown[there]])
    assert row["r_calibrated"] == pytest.approx(expected[0, 1], abs=1e-6)
    # What is calibrated is free of all that the model says from A and B.
    assert expected[2, 1] == pytest.approx(0, abs=1e-6)


def test_without_anything_to_calibrate_by_the_calibrated_columns_are_empty(random):
    data, _, contributions = judged(random)
    table = human_agreement(explained(contributions, data))
    columns = [name for name in table if name == "scale" or name.endswith("calibrated")]
    assert len(columns) == 7
    assert table.loc[0, columns].isna().all()
    pairs = unique_pairs(explained(contributions, data))
    assert pd.isna(pairs[0].calibrated).all()
