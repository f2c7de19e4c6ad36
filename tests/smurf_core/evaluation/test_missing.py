import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from smurf_core.contributions import Contributions
from smurf_core.evaluation.missing import (
    available_subsets,
    missing_modalities,
    missing_summary,
    out_of_fold_recovery,
    recovered_predictions,
    remaining_terms,
)
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
        inputs = contributions.values[..., c][:, [0, 2]].reshape(len(full), -1)
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
    other = Contributions(**{**vars(contributions), "values": changed})
    np.testing.assert_allclose(
        recovered_predictions(contributions, ("B",), training)[training],
        recovered_predictions(other, ("B",), training)[training],
    )


def test_interactions_remain_where_all_their_modalities_do(random):
    contributions = Contributions(
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


def test_out_of_fold_recovery_uses_each_folds_own_model(random):
    _, result = trained(random)
    found = out_of_fold_recovery(result, ("A", "B"))
    for fold in range(5):
        test, training = result.folds.test[fold], result.folds.training[fold]
        alone = recovered_predictions(result.fold_contributions(fold), ("A", "B"), training)
        np.testing.assert_allclose(found[test], alone[test], rtol=1e-6)
