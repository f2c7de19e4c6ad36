"""Training on principal components: what a model says is said in the user's features."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn.decomposition import PCA

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.principal_components import reducing_basis
from smurf_core.training.engine import Plan
from smurf_core.training.run import train_run
from smurf_core.training.workers import processes

FAST = Grid((0.01,), ((6,),), (0.0,), (0.5,))


def wide(samples: int = 60, features: int = 150, *, absent: int = 0) -> MultimodalDataset:
    """A few factors behind many features of A; B has few features."""
    random = np.random.default_rng(3)
    factors = random.normal(size=(samples, 4))
    a = factors @ random.normal(size=(4, features)) + 0.3 * random.normal(size=(samples, features))
    b = factors[:, :2] + 0.3 * random.normal(size=(samples, 2))
    there = np.arange(samples) >= absent
    a[~there] = np.nan
    values = {"A": a.astype(np.float32), "B": b.astype(np.float32)}
    return MultimodalDataset(
        name="wide", task="regression",
        features={
            name: Features(x, tuple(f"{name}{d}" for d in range(x.shape[1])))
            for name, x in values.items()
        },
        sample_ids=np.array([f"s{k:03d}" for k in range(samples)]),
        target=(factors[:, 0] + 0.5 * factors[:, 2]).astype(np.float32), target_name="y",
    )  # fmt: skip


def config(**changes: object) -> RunConfig:
    base = RunConfig(
        preset="custom", grid=FAST, max_epochs=40, patience=None, restarts=1, device="cpu"
    )
    return replace(base, **changes)


@pytest.mark.parametrize(("n", "d"), [(80, 12), (30, 50)])
def test_the_basis_is_that_of_scikit_learn_in_one_unit(n, d):
    x = np.random.default_rng(0).normal(size=(n, d)) * np.linspace(3, 0.5, d)
    basis = reducing_basis(x.astype(np.float32), np.arange(n - 5), 6)
    found = x[: n - 5] @ basis
    expected = PCA(6, svd_solver="full").fit(x[: n - 5]).transform(x[: n - 5])
    expected /= np.sqrt(expected.var(axis=0).mean())
    np.testing.assert_allclose(
        np.abs(found - found.mean(axis=0)), np.abs(expected), rtol=1e-3, atol=1e-4
    )


def test_samples_with_fewer_components_leave_the_rest_at_zero():
    x = np.random.default_rng(0).normal(size=(4, 30)).astype(np.float32)
    basis = reducing_basis(x, np.arange(4), 10)
    assert basis.shape == (30, 10)
    assert (np.linalg.norm(basis, axis=0) > 0).tolist() == [True] * 3 + [False] * 7
    assert not reducing_basis(x, np.arange(0), 3).any()


@pytest.mark.parametrize("model", ["smurf", "late_fusion", "mro_smurf", "mro_smurf_subsets"])
@pytest.mark.parametrize("absent", [0, 9])
def test_contributions_are_those_of_the_components_network(model, absent):
    """What training predicted for validation samples is what the model of features predicts."""
    dataset = wide(absent=absent)
    asked = config(model=model, components=5)
    result = train_run(dataset, asked)
    fold = result.fold_results[0]
    tower = fold.model.towers[("A",)]
    assert tower[0].weight.shape == (6, 150)
    assert np.linalg.matrix_rank(tower[0].weight, tol=1e-4) <= 5
    validation = result.folds.validation[0]
    predicted = fold.member.values[validation].sum(axis=1)[:, 0]
    r = np.corrcoef(predicted, dataset.target[validation])[0, 1]
    assert r > 0.5
    # The metric was computed while training, on the components. (Samples that lack A have another
    # baseline since, of whatever inputs.)
    if not absent:
        assert r == pytest.approx(fold.member.validation_metric, abs=1e-4)


def test_only_wide_modalities_are_reduced_and_enough_components_change_nothing():
    dataset = wide(features=8)
    plain = train_run(dataset, config()).contributions().values
    same = train_run(dataset, config(components=8)).contributions().values
    np.testing.assert_array_equal(same, plain)
    plan = Plan(dataset, config(components=4), train_run(dataset, config()).folds, None)
    with processes(1) as workers:
        (first, *_) = plan.run(workers, None)
    assert first.model.towers[("A",)][0].weight.shape == (6, 8)
    assert np.linalg.matrix_rank(first.model.towers[("A",)][0].weight, tol=1e-4) <= 4


def test_nothing_of_test_samples_is_in_the_components():
    dataset = wide()
    result = train_run(dataset, config(components=5))
    test = result.folds.test[0]
    shifted = dataset.features["A"].values.copy()
    shifted[test] = shifted[test] * 7 + 100
    others = replace(dataset, features=dataset.features | {
        "A": Features(shifted, dataset.features["A"].names)})  # fmt: skip
    again = train_run(others, config(components=5))
    for one, other in zip(result.fold_results[0].model.towers[("A",)],
                          again.fold_results[0].model.towers[("A",)], strict=True):  # fmt: skip
        np.testing.assert_array_equal(one.weight, other.weight)


@pytest.mark.parametrize("layers", [(), (6,)])
def test_exclusive_contributions_read_components_and_all_hidden_units(layers):
    """Bent functions of a feature, or hidden units, are of what its components carry, and whole."""
    dataset = wide(samples=300)
    bent = np.abs(dataset.features["A"].values[:, 0])
    dataset = replace(dataset, target=dataset.target + 3 * bent)
    grid = replace(FAST, hidden_layers=(layers,))
    asked = config(model="exclusive", grid=grid, components=2, refits=0, max_epochs=200)
    model = train_run(dataset, asked).fold_results[0].model
    *hidden, last = model.towers[("A",)]
    rank = partial(np.linalg.matrix_rank, tol=1e-3)  # Features are single precision.
    units = len(hidden[-1].bias)
    assert rank(hidden[0].weight) <= 2
    assert rank(last.weight[:, units:]) <= 2
    assert np.abs(last.weight[:, :units]).max(axis=0).astype(bool).sum() > 2


def test_products_of_features_cannot_be_traced_back():
    linear = replace(FAST, hidden_layers=((),))
    with pytest.raises(InputError, match="multiplies features, which principal components cannot"):
        train_run(wide(), config(model="mro_smurf", grid=linear, components=5))


def test_a_run_says_what_it_was_trained_on():
    assert config(components=5).scaling.endswith("at most 5 principal components per modality")
    assert config(components=1).scaling.endswith("at most 1 principal component per modality")
    assert "principal" not in config().scaling
    with pytest.raises(InputError, match="components must be at least 1, got 0"):
        config(components=0)
