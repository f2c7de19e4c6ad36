from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from smurf_core.errors import InputError
from smurf_core.evaluation.informativeness import informativeness_tests, unique_effect
from smurf_core.explained import explained
from smurf_core.statistics.slopes import clustered_slope
from tests.smurf_core.by_hand import square
from tests.smurf_core.evaluation.conftest import make_dataset, make_result


def rated(random, outputs=3, n=200):
    target = random.integers(0, outputs, size=n) if outputs > 1 else random.normal(size=n)
    data = make_dataset(target, modalities=2)
    levels = random.integers(-1, 3, size=n)
    values = random.normal(size=(n, 2, 2, outputs)).astype(np.float32)
    values[:, 0, 0] *= (1 + np.maximum(levels, 0))[:, None]
    data = replace(data, informativeness={"A": levels, "B": random.permutation(levels)})
    result = make_result(data, lambda _: (values, np.zeros(outputs, np.float32)))
    return data, levels, result.contributions()


def test_effect_is_the_change_of_the_predicted_classs_probability(random):
    _, _, contributions = rated(random)
    effect = unique_effect(contributions, "A")
    for n in (0, 7, 99):
        logits = contributions.prediction()[n].astype(float)
        without = logits - square(contributions)[n, 0, 0]
        p, q = (np.exp(x) / np.exp(x).sum() for x in (logits, without))
        assert effect[n] == pytest.approx(abs(p - q)[logits.argmax()], rel=1e-4)


def test_effect_on_a_number_is_the_contributions_size(random):
    _, _, contributions = rated(random, outputs=1)
    np.testing.assert_allclose(
        unique_effect(contributions, "B"), np.abs(square(contributions)[:, 1, 1, 0]), rtol=1e-6
    )


def test_larger_effects_with_information_are_found_and_others_not(random):
    data, levels, contributions = rated(random)
    table = informativeness_tests(explained(contributions, data)).set_index("modality")
    effect = unique_effect(contributions, "A")
    expected = stats.ranksums(effect[levels > 0], effect[levels == 0])
    assert table.loc["A", "statistic"] == pytest.approx(expected.statistic)
    assert table.loc["A", "p"] == pytest.approx(expected.pvalue)
    assert table.loc["A", "p_holm"] < 0.01
    assert table.loc["B", "p"] > 0.01
    assert table.loc["A", "mean_sufficient"] > table.loc["A", "mean_no"]
    counts = table.loc["A", ["n_no", "n_relevant", "n_sufficient", "missing"]]
    assert counts.tolist() == [(levels == c).sum() for c in (0, 1, 2, -1)]


def test_effect_size_is_how_much_more_often_information_wins(random):
    data, levels, contributions = rated(random, n=60)
    effect = unique_effect(contributions, "A")
    some, none = effect[levels > 0], effect[levels == 0]
    wins = np.sign(some[:, None] - none[None, :]).mean()
    table = informativeness_tests(explained(contributions, data)).set_index("modality")
    assert table.loc["A", "effect_size"] == pytest.approx(wins)


def test_the_trend_is_kendalls_and_persons_are_the_clusters_of_ranks(random):
    data, levels, contributions = rated(random)
    data = replace(data, persons=np.repeat(np.arange(40), 5).astype(str))
    row = informativeness_tests(explained(contributions, data)).set_index("modality").loc["A"]
    effect, there = unique_effect(contributions, "A"), levels >= 0
    expected = stats.kendalltau(levels[there], effect[there])
    assert (row["trend"], row["trend_p"]) == pytest.approx(
        (expected.statistic, expected.pvalue), rel=1e-6
    )
    # Of samples that have nothing in common, persons take little away.
    assert row["p_person"] < 0.01
    assert row["trend_p_person"] < 0.01
    assert row["persons"] == len(np.unique(data.persons[there]))
    # Cluster-robust least squares of ranks; the CR1 variance is close with 40 persons.
    ranks = stats.rankdata(effect[there])
    informative = (levels[there] > 0).astype(float)
    fit = sm.OLS(ranks, sm.add_constant(informative)).fit(
        cov_type="cluster", cov_kwds={"groups": data.persons[there]}
    )
    slope = clustered_slope(informative, ranks, data.persons[there])
    assert slope.p == pytest.approx(row["p_person"])
    assert slope.statistic == pytest.approx(fit.tvalues[1], rel=0.05)


def test_data_without_ratings_is_reported(random):
    data, _, contributions = rated(random)
    with pytest.raises(InputError, match="no ratings"):
        informativeness_tests(explained(contributions, replace(data, informativeness={})))
