from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.configuration import PRESETS, RunConfig
from smurf_core.errors import InputError
from smurf_core.evaluation.two_runs import (
    candidates_of,
    configuration_differences,
    prediction_differences,
    term_agreement,
    weight_sweep,
)
from smurf_core.explained import explained
from tests.smurf_core.evaluation.conftest import make_dataset, make_result


def two_results(random, outputs=1, n=60):
    target = random.normal(size=n) if outputs == 1 else np.arange(n) % outputs
    data = make_dataset(target)
    values = random.normal(size=(n, 3, 3, outputs)).astype(np.float32)
    noise = random.normal(size=values.shape).astype(np.float32)
    noise[:, 0, 0] = 0
    baseline = np.zeros(outputs, np.float32)
    return data, *(
        make_result(data, lambda _, v=v: (v, baseline)) for v in (values, values + noise)
    )


def test_only_settings_that_differ_are_listed():
    first = RunConfig.from_preset("quick")
    second = replace(first, seed=3, patience=None, grid=PRESETS["synthetic"])
    table = configuration_differences(first, second).set_index("setting")
    assert table.loc["seed"].tolist() == ["0", "3"]
    assert table.loc["patience"].tolist() == ["40", "never"]
    assert table.loc["hidden layers"].tolist() == ["10, 20-10", "linear"]
    assert "model" not in table.index
    assert configuration_differences(first, first).empty


@pytest.mark.parametrize("outputs", [1, 3])
def test_terms_agree_as_their_correlation_within_folds_says(random, outputs):
    _, first, second = two_results(random, outputs)
    a, b = first.contributions(), second.contributions()
    table = term_agreement(a, b).set_index(["modality", "shared_with"])
    assert table.loc[("A", "A"), "r"] == pytest.approx(1)

    def centred(c):
        x = c.redundant("B", "C").astype(float)
        x = x - x.mean(axis=1, keepdims=True) if outputs > 1 else x
        means = pd.DataFrame(x).groupby(c.folds).transform("mean").to_numpy()
        return (x - means).ravel()

    expected = np.corrcoef(centred(a), centred(b))[0, 1]
    assert table.loc[("B", "C"), "r"] == pytest.approx(expected)
    assert table["first_share"].sum() == pytest.approx(1)


def test_runs_that_explain_different_samples_share_the_common_ones(random):
    _, first, second = two_results(random)
    a, b = first.contributions(), second.contributions()
    turned = b.select(np.arange(20, 60)[::-1])
    table = term_agreement(a, turned)
    assert (table["n"] == 40).all()
    expected = term_agreement(a.select(np.arange(20, 60)), b.select(np.arange(20, 60)))
    np.testing.assert_allclose(table["r"], expected["r"])
    with pytest.raises(InputError, match="no sample in common"):
        term_agreement(a.select(np.arange(10)), b.select(np.arange(10, 20)))


def test_the_largest_differences_come_first(random):
    data, first, second = two_results(random)
    a, b = first.contributions(), second.contributions()
    table = prediction_differences(explained(a, data), b)
    assert table["difference"].abs().is_monotonic_decreasing
    row = table.iloc[0]
    i = list(data.sample_ids).index(row["sample_id"])
    assert row["target"] == pytest.approx(data.target[i])
    assert row["difference"] == pytest.approx(b.prediction()[i, 0] - a.prediction()[i, 0], rel=1e-5)
    errors = [abs(c.prediction()[i, 0] - data.target[i]) for c in (a, b)]
    assert row["gain"] == pytest.approx(errors[0] - errors[1], abs=1e-5)


def test_classes_differ_by_the_true_ones_probability(random):
    data, first, second = two_results(random, 3)
    a, b = first.contributions(), second.contributions()
    row = prediction_differences(explained(a, data), b).iloc[5]
    i = list(data.sample_ids).index(row["sample_id"])
    chances = []
    for found in (a, b):
        odds = np.exp(found.prediction()[i].astype(float))
        chances.append(odds[data.target[i]] / odds.sum())
    assert row["difference"] == pytest.approx(chances[1] - chances[0], abs=1e-6)
    assert row["first_error"] == pytest.approx(1 - chances[0], abs=1e-6)
    assert row["second"] == f"c{b.prediction()[i].argmax()}"


def test_the_sweep_takes_each_folds_best_predicting_candidate_of_every_weight(random):
    _, result, _ = two_results(random)
    table = pd.DataFrame(
        {
            "auxiliary_weight": [0.1, 0.1, 0.5, 0.5],
            "validation_metric": [0.8, 0.9, 0.7, np.nan],
            "factorisation_loss": [-0.1, -0.2, -0.9, -1.0],
        }
    )
    folds = [
        replace(f, candidates=table.assign(validation_metric=table["validation_metric"] - k / 10))
        for k, f in enumerate(result.fold_results)
    ]
    candidates = candidates_of(replace(result, fold_results=tuple(folds)))
    assert len(candidates) == 3 * 5
    sweep = weight_sweep(candidates).set_index("auxiliary_weight")
    # Folds' best: 0.9, 0.8, 0.7, 0.6, 0.5 and 0.7, 0.6, 0.5, 0.4, 0.3.
    assert sweep["validation_metric"].tolist() == pytest.approx([0.7, 0.5])
    assert sweep["factorisation_loss"].tolist() == pytest.approx([-0.2, -0.9])
    assert sweep["metric_sd"].tolist() == pytest.approx([np.sqrt(0.025)] * 2)
    assert sweep["tried"].tolist() == [10, 5]
