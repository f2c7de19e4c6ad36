from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sk

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.errors import InputError
from smurf_core.evaluation.performance import chance_performance, fold_performance, performance
from smurf_core.training.run import train_run

CONFIG = replace(
    RunConfig.from_preset("quick"),
    preset="custom",
    grid=Grid((2e-2,), ((),), (0.0,), (0.5,)),
    max_epochs=60,
    restarts=1,
)


@pytest.fixture(scope="module", params=["regression", "classification"])
def trained(request):
    data = synthetic_additive(samples=150, task=request.param)
    return data, train_run(data, CONFIG)


def test_every_fold_is_scored_on_its_own_test_samples(trained):
    data, result = trained
    table = fold_performance(result, data)
    assert sorted(table["fold"].unique()) == [1, 2, 3, 4, 5]
    out_of_fold = result.contributions().prediction()
    main = "r" if data.task == "regression" else "accuracy"
    for fold, value in table[table["metric"] == main].set_index("fold")["value"].items():
        test = result.folds.test[fold - 1]
        if data.task == "regression":
            expected = np.corrcoef(data.target[test], out_of_fold[test, 0])[0, 1]
        else:
            expected = sk.accuracy_score(data.target[test], out_of_fold[test].argmax(1))
        assert value == pytest.approx(expected)


def test_means_deviations_and_pooled(trained):
    data, result = trained
    folds = fold_performance(result, data)
    table = performance(result, data).set_index("metric")
    for metric, row in table.iterrows():
        values = folds.loc[folds["metric"] == metric, "value"]
        assert row["mean"] == pytest.approx(np.mean(values))
        assert row["sd"] == pytest.approx(np.std(values, ddof=1))
        assert row["n"] == 150
    out_of_fold = result.contributions().prediction()
    if data.task == "regression":
        expected = np.corrcoef(data.target, out_of_fold[:, 0])[0, 1]
        assert table.loc["r", "pooled"] == pytest.approx(expected)
    else:
        expected = sk.accuracy_score(data.target, out_of_fold.argmax(1))
        assert table.loc["accuracy", "pooled"] == pytest.approx(expected)


def test_a_trained_model_beats_chance(trained):
    data, result = trained
    metric = "rmse" if data.task == "regression" else "log_loss"
    ours, chance = fold_performance(result, data), chance_performance(result, data)
    assert (
        ours.loc[ours["metric"] == metric, "value"].mean()
        < chance.loc[chance["metric"] == metric, "value"].mean()
    )


def test_another_data_set_is_refused(trained):
    data, result = trained
    with pytest.raises(InputError, match="samples differ"):
        performance(result, synthetic_additive(samples=151, task=data.task))


def test_a_run_within_some_samples_is_scored_on_those_alone(trained):
    data, result = trained
    tested_by = result.folds.tested_by()
    # Half of the samples, none of which fold 2 tests.
    chosen = data.sample_ids[(np.arange(150) % 2 == 0) & (tested_by != 2)]
    part = result.select(chosen)
    out_of_fold = part.contributions()
    assert set(out_of_fold.sample_ids) == set(chosen)
    whole = result.contributions().prediction()[data.positions(out_of_fold.sample_ids)]
    np.testing.assert_array_equal(out_of_fold.prediction(), whole)
    table = fold_performance(part, data)
    main = "r" if data.task == "regression" else "accuracy"
    values = table[table["metric"] == main]["value"].tolist()
    expected = []
    for fold in (0, 1, 3, 4):
        rows = np.isin(data.sample_ids, chosen) & result.folds.test[fold]
        prediction = result.contributions().prediction()[rows]
        expected.append(
            np.corrcoef(data.target[rows], prediction[:, 0])[0, 1]
            if main == "r"
            else sk.accuracy_score(data.target[rows], prediction.argmax(1))
        )
    assert values == pytest.approx(expected)
    assert performance(part, data)["n"].tolist() == [len(chosen)] * len(performance(part, data))
    np.testing.assert_array_equal(part.folds.training, result.folds.training[[0, 1, 3, 4]])
    with pytest.raises(InputError, match="No fold tested any of these samples"):
        result.select(np.array(["nobody"]))


def test_a_mean_over_folds_of_two_samples_is_no_score():
    data = synthetic_additive(samples=11)
    table = performance(train_run(data, replace(CONFIG, max_epochs=3)), data).set_index("metric")
    assert table["mean"].isna().to_dict() == {"r": True, "ccc": True, "mae": False, "rmse": False}
    assert table["pooled"].notna().all()
