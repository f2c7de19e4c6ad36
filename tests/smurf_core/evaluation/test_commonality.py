"""The second witness, compared with what a covariance matrix says of linear Gaussian data."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from smurf_core.data.dataset import Features, Folds, MultimodalDataset
from smurf_core.data.folds import make_folds
from smurf_core.errors import InputError
from smurf_core.evaluation import subset_fusion
from smurf_core.evaluation.commonality import MOST_FOR_PARTS, commonality, witness_of
from smurf_core.evaluation.redundancy import ALL_MODALITIES
from smurf_core.evaluation.subset_fusion import subset_losses
from smurf_core.explained import explained
from tests.smurf_core.evaluation.conftest import make_dataset, predicts
from tests.smurf_core.trained import small_run


def dataset_of(features, target, persons=None) -> MultimodalDataset:
    is_class = target.dtype.kind == "i"
    return MultimodalDataset(
        name="made",
        task="classification" if is_class else "regression",
        features={
            name: Features(x.astype(np.float32), tuple(map(str, range(x.shape[1]))))
            for name, x in features.items()
        },
        sample_ids=np.arange(len(target)).astype(str),
        target=target if is_class else target.astype(np.float32),
        target_name="y",
        class_names=("a", "b", "c") if is_class else (),
        persons=persons,
        folds=make_folds(target, "classification" if is_class else "regression", persons=persons),
    )


def total(found, modality, kind):
    rows = found.totals
    return rows[(rows["modality"] == modality) & (rows["kind"] == kind)].iloc[0]


@pytest.fixture(scope="module")
def gaussian():
    """20,000 samples of a known covariance: A two features, B one, C two; and every subset's R²."""
    random = np.random.default_rng(5)
    root = random.normal(size=(6, 6))
    covariance = root @ root.T + 0.5 * np.eye(6)  # five features, then the target
    drawn = random.multivariate_normal(np.zeros(6), covariance, size=20_000)
    columns = {"A": [0, 1], "B": [2], "C": [3, 4]}
    data = dataset_of({name: drawn[:, at] for name, at in columns.items()}, drawn[:, 5])
    true = {"": 0.0}
    for size in (1, 2, 3):
        for subset in combinations("ABC", size):
            at = [k for name in subset for k in columns[name]]
            with_target = covariance[at, 5]
            explained_variance = with_target @ np.linalg.solve(
                covariance[np.ix_(at, at)], with_target
            )
            true["".join(subset)] = explained_variance / covariance[5, 5]
    return data, true


def test_r2_of_every_subset_is_that_of_the_covariance_matrix(gaussian):
    data, true = gaussian
    found = commonality(data, data.folds)
    for row in found.subsets.to_dict("records"):
        assert row["r2"] == pytest.approx(true[row["modalities"].replace("+", "")], abs=0.015)
        assert row["ci_low"] < row["r2"] < row["ci_high"]
    assert (found.samples, found.persons) == (20_000, 20_000)


def test_parts_solve_the_equations_of_which_r2_is_the_sum(gaussian):
    """R² of S is the sum of the parts of all sets that have a member in S."""
    data, _ = gaussian
    found = commonality(data, data.folds)
    names = found.subsets["modalities"].str.split("+").map(set).tolist()
    touches = np.array([[float(bool(s & t)) for t in names] for s in names])
    solved = np.linalg.solve(touches, found.subsets["r2"].to_numpy())
    assert found.parts["modalities"].tolist() == found.subsets["modalities"].tolist()
    np.testing.assert_allclose(found.parts["r2"], solved, atol=1e-12)
    np.testing.assert_allclose(found.parts["share"].sum(), 1)


def test_totals_are_those_of_the_covariance_matrix(gaussian):
    data, true = gaussian
    found = commonality(data, data.folds)
    unique = {i: true["ABC"] - true["ABC".replace(i, "")] for i in "ABC"}
    for name, value in unique.items():
        assert total(found, name, "unique")["r2"] == pytest.approx(value, abs=0.015)
        assert total(found, name, "common")["r2"] == pytest.approx(true[name] - value, abs=0.02)
    common = 1 - sum(unique.values()) / true["ABC"]
    row = total(found, ALL_MODALITIES, "common")
    assert row["share"] == pytest.approx(common, abs=0.02)
    assert row["share_low"] < common < row["share_high"]
    assert found.common.equals(row)


def test_penalty_and_losses_are_those_of_another_ridge():
    """scikit-learn's ridge for every penalty of the grid; the best of an inner cross-validation."""
    random = np.random.default_rng(0)
    x = random.normal(size=(90, 12)).astype(np.float32)
    y = (x[:, 0] - x[:, 5] + 2 * random.normal(size=90)).astype(np.float32)
    persons = np.repeat([f"p{i}" for i in range(15)], 6)
    data = dataset_of({"A": x[:, :5], "B": x[:, 5:]}, y, persons)
    assert data.folds is not None
    found = subset_losses(data, data.folds, [("A",), ("A", "B")])
    penalties = 10.0 ** np.linspace(4, -4, 17)

    def fitted(z, values, penalty):
        alpha = penalty * len(z) * (z**2).mean()
        return Ridge(alpha=alpha, fit_intercept=False).fit(z, values)

    for fold in range(5):
        learned, test = ~data.folds.test[fold], data.folds.test[fold]
        inner = subset_fusion._inner_folds(data, learned)
        for person in np.unique(persons[learned]):  # No person on both sides.
            assert len(np.unique(inner[persons[learned] == person])) == 1
        for s, columns in enumerate((slice(0, 5), slice(0, 12))):
            z = x[:, columns].astype(float)
            z = (z - z[learned].mean(axis=0)) / z[learned].std(axis=0)
            z, beyond, values = z[learned], z[test], y[learned].astype(float)
            errors = np.zeros(17)
            for k, penalty in enumerate(penalties):
                for part in range(5):
                    out, rest = inner == part, inner != part
                    model = fitted(z[rest], values[rest] - values[rest].mean(), penalty)
                    off = values[out] - values[rest].mean() - model.predict(z[out])
                    errors[k] += (off**2).sum()
            model = fitted(z, values - values.mean(), penalties[errors.argmin()])
            expected = (y[test] - values.mean() - model.predict(beyond)) ** 2
            here = found.folds == fold
            np.testing.assert_allclose(found.losses[here, s], expected, rtol=1e-4, atol=1e-5)
            assert (found.positions[here] == np.flatnonzero(test)).all()
            np.testing.assert_allclose(
                found.without[here], (y[test] - values.mean()) ** 2, rtol=1e-4, atol=1e-6
            )


def simulated(random, n=400):
    """A, B and C know a factor each, which add up to the target."""
    factors = random.normal(size=(n, 3))
    features = {
        name: np.column_stack([factors[:, i], random.normal(size=n)])
        for i, name in enumerate("ABC")
    }
    return features, factors.sum(axis=1) + random.normal(size=n)


def test_noise_as_target_leaves_nothing_to_divide(random):
    features, target = simulated(random)
    data = dataset_of(features, random.normal(size=len(target)))
    found = commonality(data, data.folds)
    assert not found.predicts
    assert found.totals[["share", "share_low", "share_high"]].isna().all(axis=None)
    assert found.parts["share"].isna().all()
    assert found.totals["r2"].notna().all()


def test_a_modality_of_noise_has_no_unique_part(random):
    features, target = simulated(random)
    features["D"] = random.normal(size=(len(target), 4))
    found = commonality(data := dataset_of(features, target), data.folds)
    assert found.predicts
    row = total(found, "D", "unique")
    assert abs(row["r2"]) < 0.02
    assert not row["ci_low"] > 0
    # Each of the three others: one of four parts of the target's variance.
    assert total(found, "A", "unique")["r2"] == pytest.approx(0.25, abs=0.08)
    assert found.common["share_low"] < 0 < found.common["share_high"]


def test_many_features_of_noise_do_not_count_below_zero(random):
    """One penalty for all features made R² fall by a modality of noise; the rest looked common."""
    features, target = simulated(random, n=200)
    features["D"] = random.normal(size=(200, 60))
    found = commonality(data := dataset_of(features, target), data.folds)
    assert total(found, "D", "unique")["r2"] > -0.01
    assert found.common["share"] < 0.05
    # Trained without the parts of all four, late fusion cannot leave D out.
    alone = subset_losses(data, data.folds, [("D",), ("A", "B", "C"), ("A", "B", "C", "D")])
    assert alone.losses[:, 2].mean() > alone.losses[:, 1].mean() + 0.1


def test_what_no_fold_uses_has_no_interval():
    random = np.random.default_rng(0)
    features, target = simulated(random)
    features["D"] = random.normal(size=(400, 100))
    data = dataset_of(features, target)
    subsets = [s for size in range(1, 5) for s in combinations("ABCD", size)]
    losses = subset_losses(data, data.folds, subsets).losses
    np.testing.assert_array_equal(losses[:, -1], losses[:, subsets.index(("A", "B", "C"))])
    found = commonality(data, data.folds)
    row = total(found, "D", "unique")
    assert row["r2"] == 0
    assert np.isnan(row[["ci_low", "ci_high", "share_low"]].astype(float)).all()
    assert found.predicts


def test_a_copy_of_a_modality_leaves_both_without_a_unique_part(random):
    features, target = simulated(random)
    features["copy"] = features["A"].copy()
    found = commonality(data := dataset_of(features, target), data.folds)
    for name in ("A", "copy"):
        assert abs(total(found, name, "unique")["r2"]) < 0.01
    shared = found.parts.set_index("modalities").loc["A+copy"]
    assert shared["r2"] == pytest.approx(0.25, abs=0.08)
    # A third of what is predicted.
    assert found.common["share_low"] < 1 / 3 < found.common["share_high"]


def test_classes_divide_as_their_factors_do(random):
    """Indicators of classes: parts of independent modalities add up, which log likelihood lacks."""
    factors = random.normal(size=(4_000, 4, 3))  # u_A, u_B, u_C and one that A and B share
    logits = factors.sum(axis=1)
    codes = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)
    features = {
        "A": factors[:, [0, 3]].reshape(-1, 6),
        "B": factors[:, [1, 3]].reshape(-1, 6),
        "C": factors[:, 2],
    }
    found = commonality(data := dataset_of(features, codes), data.folds)
    parts = found.parts.set_index("modalities")["share"]
    for name in ("A", "B", "C", "A+B"):
        assert parts[name] == pytest.approx(0.25, abs=0.04)
    for name in ("A+C", "B+C", "A+B+C"):
        assert parts[name] == pytest.approx(0, abs=0.03)


def test_an_absent_modality_adds_nothing_to_a_prediction(random):
    features, target = simulated(random)
    features["A"] += 50  # so that a zero in place of an absent row would be far from its mean
    gone = random.random(len(target)) < 0.3
    features["A"][gone] = np.nan
    data = dataset_of(features, target)
    for how in ("training_fold", "none"):
        losses = subset_losses(data, data.folds, [("A",)], standardisation=how)
        where = gone[losses.positions]
        np.testing.assert_allclose(losses.losses[where, 0], losses.without[where])
        assert not np.allclose(losses.losses[~where, 0], losses.without[~where])
    assert commonality(data, data.folds).predicts


def test_within_persons_a_persons_level_does_not_matter(random):
    features, target = simulated(random)
    persons = np.repeat([f"p{i}" for i in range(40)], 10)
    data = dataset_of(features, target, persons)
    level = 100 * random.normal(size=40)[np.arange(400) // 10][:, None]
    moved = dataset_of({k: x + level for k, x in features.items()}, target, persons)
    how = "within_person"
    first, second = (commonality(d, data.folds, standardisation=how) for d in (data, moved))
    np.testing.assert_allclose(first.subsets["r2"], second.subsets["r2"], atol=1e-3)
    assert first.persons == 40


def test_one_sample_with_huge_features_decides_nothing_where_they_are_clipped(random):
    features, target = simulated(random)
    features["C"][0] = 1e4
    data = dataset_of(features, target)
    assert commonality(data, data.folds, clip=5).subsets["r2"].iloc[-1] > 0.5
    assert commonality(data, data.folds).subsets["r2"].iloc[-1] < 0


def test_wide_modalities_are_represented_by_principal_components(random):
    features, target = simulated(random)
    mixture = random.normal(size=(2, 300))
    features["A"] = features["A"] @ mixture + 0.01 * random.normal(size=(400, 300))
    found = commonality(data := dataset_of(features, target), data.folds)
    assert total(found, "A", "unique")["r2"] == pytest.approx(0.25, abs=0.08)


def test_leading_components_of_large_data_are_those_of_a_full_decomposition(random, monkeypatch):
    """They are computed in another way there, of which the axes' signs are open."""
    monkeypatch.setattr(subset_fusion, "MOST_COMPONENTS", 3)
    x = random.normal(size=(60, 50)) * np.linspace(5, 0.1, 50)
    training = np.arange(60) < 45
    found = subset_fusion._leading(x, training)
    axes = np.linalg.svd(x[training])[2][:3]
    np.testing.assert_allclose(np.abs(found), np.abs(x @ axes.T)[:, ::-1], rtol=1e-6)


def test_many_modalities_are_not_divided_into_parts(random):
    n, count = 200, MOST_FOR_PARTS + 1
    features = {f"m{i}": random.normal(size=(n, 1)) for i in range(count)}
    target = sum(x[:, 0] for x in features.values()) + random.normal(size=n)
    found = commonality(data := dataset_of(features, target), data.folds)
    assert found.parts.empty
    assert found.subsets["size"].tolist() == [1] * count + [count - 1] * count + [count]
    assert len(found.totals) == 2 * (count + 1)


def test_folds_that_test_what_they_train_are_refused(random):
    features, target = simulated(random, n=30)
    every = np.ones((1, 30), bool)
    with pytest.raises(InputError, match="tests samples that it also trains"):
        commonality(dataset_of(features, target), Folds(every, every, every))
    none = np.zeros((1, 30), bool)
    with pytest.raises(InputError, match="no test samples"):
        commonality(dataset_of(features, target), Folds(every, none, none))


def test_a_runs_own_prediction_is_compared_on_the_same_samples(random):
    data = make_dataset(random.normal(size=60))
    result = predicts(data, data.target)  # Predicts perfectly, from features that are all zero.
    row = witness_of(result, data).model.iloc[0]
    assert row["r2_model"] == pytest.approx(1)
    assert row["r2_late_fusion"] == pytest.approx(0)
    assert row["ci_low"] == pytest.approx(1)
    half = explained(result, data).select(np.arange(30))
    found = commonality(data, data.folds, explained=half)
    assert found.model["r2_model"].iloc[0] == pytest.approx(1)


def test_a_trained_run_of_classes_is_compared_by_its_probabilities():
    result, data = small_run("smurf", "classification")
    found = witness_of(result, data)
    contributions = result.contributions()
    logits = contributions.prediction().astype(float)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    indicators = np.eye(3)[data.target]
    frequencies = np.stack([indicators[~test].mean(axis=0) for test in result.folds.test])[
        contributions.folds
    ]
    expected = 1 - ((indicators - chances) ** 2).sum() / ((indicators - frequencies) ** 2).sum()
    assert found.model["r2_model"].iloc[0] == pytest.approx(expected, abs=1e-5)
    assert found.persons == 9


def test_a_runs_standardisation_and_clip_are_used():
    result, data = small_run("smurf", "regression", "within_person")
    config = replace(result.config, clip=0.5)
    found = witness_of(replace(result, config=config), data).subsets["r2"]
    same = commonality(data, result.folds, standardisation="within_person", clip=0.5)
    np.testing.assert_array_equal(found, same.subsets["r2"])
    assert not np.allclose(found, witness_of(result, data).subsets["r2"])
