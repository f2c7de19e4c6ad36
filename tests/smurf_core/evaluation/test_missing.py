from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from statsmodels.stats.multitest import multipletests

from smurf_core.data.dataset import Features
from smurf_core.evaluation.comparison import compare_models
from smurf_core.evaluation.missing import (
    available_subsets,
    compare_missing,
    dropout_curve,
    missing_modalities,
    missing_summary,
    recovered_predictions,
    remaining_terms,
    sample_changes,
    subset_predictions,
)
from smurf_core.explained import explained
from tests.smurf_core.by_hand import square, square_contributions, square_terms
from tests.smurf_core.evaluation.conftest import make_dataset, make_result


def trained(random, outputs=1, n=100):
    if outputs == 1:
        target = random.normal(size=n)
    else:
        target = random.integers(0, outputs, size=n)
        target[:outputs] = np.arange(outputs)
    data = make_dataset(target)
    by_fold = {
        fold: (
            random.normal(size=(n, 3, 3, outputs)).astype(np.float32)
            + 0.5 * np.asarray(target, np.float32)[:, None, None, None],
            random.normal(size=outputs).astype(np.float32),
        )
        for fold in range(5)
    }
    return data, make_result(data, by_fold.__getitem__)


def test_there_is_one_row_for_every_subset_fold_and_metric(random):
    data, result = trained(random)
    table = missing_modalities(result, data)
    assert available_subsets(("A", "B", "C")) == (
        ("A",), ("B",), ("C",), ("A", "B"), ("A", "C"), ("B", "C"), ("A", "B", "C"),
    )  # fmt: skip
    assert len(table) == 7 * 5 * 4
    assert len(missing_summary(table)) == 7 * 4


@pytest.mark.parametrize("outputs", [1, 3])
def test_recovery_is_a_regression_fitted_on_training_samples_alone(random, outputs):
    _, result = trained(random, outputs)
    contributions = result.fold_contributions(2)
    training = result.folds.training[2]
    found = recovered_predictions(contributions, ("A", "C"), training)
    full = contributions.prediction()
    for c in range(outputs):
        inputs = square(contributions)[..., c][:, [0, 2]].reshape(len(full), -1)
        model = LinearRegression().fit(inputs[training], full[training, c])
        np.testing.assert_allclose(found[:, c], model.predict(inputs), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("outputs", [1, 3])
def test_nothing_is_lost_with_all_modalities(random, outputs):
    data, result = trained(random, outputs)
    table = missing_modalities(result, data)
    everything = table[table["available"] == "A+B+C"]
    np.testing.assert_allclose(everything["value"], everything["full"], atol=1e-4)
    np.testing.assert_allclose(everything["fidelity"], 1, atol=1e-5)
    assert (everything["missing"] == "").all()


def test_changing_test_samples_changes_no_fit(random):
    _, result = trained(random)
    contributions, training = result.fold_contributions(0), result.folds.training[0]
    changed = contributions.values.copy()
    changed[~training] += 100
    other = replace(contributions, **{"values": changed})
    np.testing.assert_allclose(
        recovered_predictions(contributions, ("B",), training)[training],
        recovered_predictions(other, ("B",), training)[training],
    )


def test_interactions_remain_where_all_their_modalities_do(random):
    contributions = square_contributions(
        values=np.zeros((4, 3, 3, 1), np.float32),
        baseline=np.zeros((4, 1), np.float32),
        modalities=("A", "B", "C"),
        outputs=("y",),
        sample_ids=np.array(list("abcd")),
        folds=np.zeros(4, int),
        interactions={
            2: np.zeros((4, 3, 3, 1), np.float32),
            3: np.zeros((4, 1, 1, 1), np.float32),
        },
    )
    kept = np.array(contributions.term_names())[remaining_terms(contributions, ("A", "C"))]
    assert set(kept[:, 1]) == {"A", "C", "A+C"}
    assert remaining_terms(contributions, ("A", "B", "C")).all()


@pytest.mark.parametrize("outputs", [1, 3])
def test_every_sample_is_predicted_from_every_subset_by_its_own_folds_model(random, outputs):
    _, result = trained(random, outputs)
    found = subset_predictions(result)
    assert found.subsets == available_subsets(result.modalities)
    explained = result.contributions()
    np.testing.assert_array_equal(found.full, explained.prediction())
    for fold in range(5):
        test, training = result.folds.test[fold], result.folds.training[fold]
        mine = found.folds == fold
        contributions = result.fold_contributions(fold)
        alone = recovered_predictions(contributions, ("A", "B"), training)
        np.testing.assert_allclose(found.of(("A", "B"))[mine], alone[test], rtol=1e-4, atol=1e-5)
        kept = square(contributions)[test][:, :2].sum(axis=(1, 2)) + contributions.baseline[test]
        shown = found.of(("A", "B"), reconstructed=False)[mine]
        np.testing.assert_allclose(shown, kept, rtol=1e-4, atol=1e-5)


def test_terms_that_repeat_each_other_do_no_harm(random):
    _, result = trained(random)
    contributions = result.fold_contributions(0)
    values = square(contributions)
    values[:, 0, 1] = -3 * values[:, 0, 0]
    values[:, 0, 2] = 0
    _, flat = square_terms(values, contributions.modalities)
    doubled = replace(contributions, values=flat)
    training = result.folds.training[0]
    found = recovered_predictions(doubled, ("A",), training)[:, 0]
    inputs = values[:, 0, 0].astype(float)
    model = LinearRegression().fit(inputs[training], doubled.prediction()[training, 0])
    np.testing.assert_allclose(found, model.predict(inputs), rtol=1e-4, atol=1e-4)


def test_the_samples_that_suffer_most_come_first(random):
    data, result = trained(random)
    predictions = subset_predictions(result)
    changed = sample_changes(explained(result, data), predictions.of(("B",)))
    assert changed["change"].abs().is_monotonic_decreasing
    row = changed.iloc[0]
    i = list(data.sample_ids).index(row["sample_id"])
    assert row["change"] == pytest.approx(predictions.of(("B",))[i, 0] - predictions.full[i, 0])
    before, after = abs(row["full"] - data.target[i]), abs(row["remaining"] - data.target[i])
    assert row["worse"] == pytest.approx(after - before, abs=1e-6)


def test_classes_suffer_by_the_true_ones_probability(random):
    data, result = trained(random, 3)
    predictions = subset_predictions(result)
    changed = sample_changes(explained(result, data), predictions.of(("B",)))
    row = changed.iloc[0]
    i, k = list(data.sample_ids).index(row["sample_id"]), int(row["target"][1:])
    chances = [
        np.exp(p[i, k]) / np.exp(p[i]).sum()
        for p in (predictions.full.astype(float), predictions.of(("B",)).astype(float))
    ]
    assert row["change"] == pytest.approx(chances[1] - chances[0], abs=1e-6)
    assert row["remaining"] == f"c{predictions.of(('B',))[i].argmax()}"


def test_the_dropout_curve_goes_from_all_modalities_to_one_less(random):
    data, result = trained(random)
    predictions = subset_predictions(result)
    curve = dropout_curve(predictions, explained(result, data), metric="rmse", draws=5)
    assert (
        curve.groupby("modality")["share"].apply(list).tolist() == [[k / 10 for k in range(11)]] * 3
    )
    table = missing_modalities(result, data)
    table = table[table["metric"] == "rmse"]
    for modality, rest in (("A", "B+C"), ("B", "A+C"), ("C", "A+B")):
        mine = curve[curve["modality"] == modality]
        alone = table[table["available"] == rest]
        assert mine["mean"].iloc[0] == pytest.approx(alone["full"].mean(), rel=1e-5)
        assert mine["mean"].iloc[-1] == pytest.approx(alone["value"].mean(), rel=1e-5)
        assert (mine["low"] <= mine["mean"]).all()
        assert (mine["mean"] <= mine["high"] + 1e-12).all()
        assert mine["draws"].tolist() == [1, *[5] * 9, 1]


def test_half_of_the_samples_missing_mixes_the_two_predictions(random):
    data, result = trained(random)
    predictions = subset_predictions(result)
    curve = dropout_curve(
        predictions, explained(result, data), metric="mae",
        shares=(0.5,), draws=400, reconstructed=False,
    ).set_index("modality")  # fmt: skip
    # Absolute errors are means of samples: in expectation half way between the two.
    ends = [
        np.abs(p[:, 0] - data.target).mean()
        for p in (predictions.full, predictions.of(("A", "C"), reconstructed=False))
    ]
    spread = (curve["high"] - curve["low"])["B"] / np.sqrt(400)
    assert curve["mean"]["B"] == pytest.approx(np.mean(ends), abs=2 * spread)


@pytest.mark.parametrize("outputs", [1, 3])
def test_models_stand_side_by_side_for_every_subset(random, outputs):
    """With all modalities the recovered prediction is the full one, and so are the tests."""
    data, ours = trained(random, outputs)
    theirs = make_result(
        data,
        lambda _: (
            random.normal(size=(100, 3, 3, outputs)).astype(np.float32),
            np.zeros(outputs, np.float32),
        ),
    )
    results = {"ours": ours, "theirs": theirs}
    table = compare_missing(results, data, reference="ours", permutations=200)
    assert len(table) == 7 * 2 * 4
    corrected = ["p_person_holm", "mark_holm"]
    everything = table[table["available"] == "A+B+C"]
    everything = everything.drop(columns=["available", "size", *corrected])
    whole = compare_models(results, data, reference="ours", permutations=200)
    whole = whole.drop(columns=corrected)
    pd.testing.assert_frame_equal(everything.reset_index(drop=True), whole, rtol=1e-3, atol=1e-4)
    tests = table[(table["metric"] == table["metric"].iloc[0]) & (table["model"] == "theirs")]
    expected = multipletests(tests["p_person"], method="holm")[1]  # of all seven subsets
    np.testing.assert_allclose(tests["p_person_holm"], expected)
    alone = missing_summary(missing_modalities(ours, data))
    for row in alone[alone["size"] == 1].to_dict("records"):
        mine = table[
            (table["available"] == row["available"])
            & (table["metric"] == row["metric"])
            & (table["model"] == "ours")
        ]
        assert mine["mean"].item() == pytest.approx(row["mean"])
    assert alone["agreement"].isna().all() == (outputs == 1)


def test_samples_that_lack_all_that_is_left_are_counted_and_predicted_by_a_constant(random):
    data, result = trained(random)
    features = dict(data.features)
    absent = np.zeros(100, dtype=bool)
    absent[::4] = True
    values = features["A"].values.copy()
    values[absent] = np.nan
    data = replace(data, features=features | {"A": Features(values, features["A"].names)})

    def member(fold):
        contributions = square(result.fold_contributions(fold))
        contributions[absent, 0] = 0  # What an absent modality contributes.
        return contributions, result.fold_results[fold].model.baseline

    gaps = make_result(data, member)
    table = missing_modalities(gaps, data)
    by_fold = table[table["metric"] == "r"].pivot_table(
        index="fold", columns="available", values="absent"
    )
    for fold, test in enumerate(gaps.folds.test):
        assert by_fold.loc[fold + 1, "A"] == (test & absent).sum()
        assert by_fold.loc[fold + 1, "A+B"] == 0
        alone = recovered_predictions(gaps.fold_contributions(fold), ("A",), gaps.folds.training[0])
        assert np.ptp(alone[absent]) == pytest.approx(0, abs=1e-6)
