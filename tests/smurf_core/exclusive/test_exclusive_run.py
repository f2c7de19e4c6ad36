from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.configuration import RunConfig
from smurf_core.data.generated.families import FAMILIES, simulate
from smurf_core.exclusive.training import _chosen
from smurf_core.fitted import FittedModel
from smurf_core.runs.files import RunFiles
from smurf_core.training.run import train_run
from tests.smurf_core.exclusive import transcribed
from tests.smurf_core.exclusive.problems import standardised

CONFIG = RunConfig.from_preset("quick", "exclusive", refits=10, device="cpu")
DEEP = replace(
    CONFIG,
    preset="custom",
    grid=replace(CONFIG.grid, hidden_layers=((10,),), auxiliary_weights=(0.1, 1.0)),
    max_epochs=15,
)
SMALL_CLASSES = replace(FAMILIES["three_classes"], modalities=2, weights={"A": 1, "B": 1, "AB": 1})


def study(name):
    if name == "classes":
        return simulate(SMALL_CLASSES, samples=200, seed=0)
    return simulate("bent" if name == "hidden layers" else "pairs", samples=200, seed=0)


def config(name):
    return DEEP if name == "hidden layers" else CONFIG


@pytest.fixture(scope="module", params=["regression", "classes", "hidden layers"])
def solved(request):
    dataset = study(request.param)
    return request.param, dataset, train_run(dataset, config(request.param))


def values_of(dataset):
    return {name: features.values for name, features in dataset.features.items()}


def test_each_folds_model_gives_the_runs_contributions(solved):
    name, dataset, result = solved
    found = result.contributions()
    for k, fold in enumerate(result.fold_results):
        assert fold.model.reads_features == (name == "hidden layers")
        rows = np.flatnonzero(found.folds == k)
        # Each sample by itself: a sum may be rounded otherwise than in a product of all.
        some = rows[:5]
        alone = [
            fold.model.contributions({n: v[[row]] for n, v in values_of(dataset).items()}).values[0]
            for row in some
        ]
        np.testing.assert_allclose(np.stack(alone), found.values[some], atol=1e-5)
        everything = fold.model.contributions(values_of(dataset))
        np.testing.assert_array_equal(everything.values[rows], found.values[rows])
        np.testing.assert_array_equal(everything.baseline[rows], found.baseline[rows])


def test_contributions_add_up_exactly(solved):
    _, dataset, result = solved
    found = result.contributions()
    plain = found.baseline.astype(np.float64) + found.values.astype(np.float64).sum(axis=1)
    np.testing.assert_allclose(found.prediction(), plain, rtol=1e-6, atol=1e-6)
    for k, fold in enumerate(result.fold_results):
        predicted = fold.model.predict(values_of(dataset))
        np.testing.assert_array_equal(
            predicted[found.folds == k], found.prediction()[found.folds == k]
        )
        # Zero is *as on average*: means over the training samples.
        training = result.folds.training[k]
        means = fold.member.values[training].astype(np.float64).mean(axis=0)
        np.testing.assert_allclose(means, 0, atol=2e-6)


def test_a_model_is_the_same_from_its_file(solved, tmp_path):
    _, dataset, result = solved
    model = result.fold_results[0].model
    model.save(tmp_path / "model.safetensors")
    again = FittedModel.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(
        again.contributions(values_of(dataset)).values,
        model.contributions(values_of(dataset)).values,
    )
    assert again.terms == model.terms
    assert again.reads_features == model.reads_features


def test_a_run_is_the_same_from_its_files(solved, tmp_path):
    _, _, result = solved
    RunFiles(tmp_path / "run").write_result(result)
    again = RunFiles(tmp_path / "run").read_result()
    for name, array in result.refits.arrays().items():
        np.testing.assert_array_equal(again.refits.arrays()[name], array)
        assert again.refits.arrays()[name].dtype == array.dtype
    pd.testing.assert_frame_equal(again.sharing, result.sharing)
    np.testing.assert_array_equal(again.contributions().values, result.contributions().values)
    for one, other in zip(again.fold_results, result.fold_results, strict=True):
        pd.testing.assert_frame_equal(one.candidates, other.candidates)


def test_new_samples_are_predicted(solved):
    _name, dataset, result = solved
    new = replace(
        dataset,
        features={n: replace(f, values=f.values[::-1].copy()) for n, f in dataset.features.items()},
        factors={},
    )
    predicted = result.predict(new)
    mean = np.mean([fold.model.predict(values_of(new)) for fold in result.fold_results], axis=0)
    np.testing.assert_allclose(predicted.contributions.prediction(), mean, atol=1e-5)
    assert predicted.contributions.terms == result.contributions().terms


def test_equal_seeds_give_equal_numbers(solved):
    name, dataset, result = solved
    again = train_run(dataset, config(name))
    np.testing.assert_array_equal(again.contributions().values, result.contributions().values)
    np.testing.assert_array_equal(again.contributions().baseline, result.contributions().baseline)
    for key, array in result.refits.arrays().items():
        np.testing.assert_array_equal(again.refits.arrays()[key], array)
    pd.testing.assert_frame_equal(again.sharing, result.sharing)
    for one, other in zip(again.fold_results, result.fold_results, strict=True):
        pd.testing.assert_frame_equal(one.candidates, other.candidates)


def test_a_run_is_the_plain_solution_of_its_training_samples():
    """Every step from recorded features to contributions, written down a second time."""
    dataset = study("regression")
    result = train_run(dataset, CONFIG)
    found = result.contributions()
    positions = {name: i for i, name in enumerate(dataset.modalities)}
    terms = [
        (positions[term.source[0]], tuple(positions[name] for (name,) in term.sharers))
        for term in found.terms
    ]
    sets = sorted({s for _, s in terms}, key=lambda s: (len(s), s))
    assert len(sets) > 3
    for k, fold in enumerate(result.fold_results):
        training = result.folds.training[k]
        inputs = standardised(dataset, training)
        target = dataset.target.astype(np.float64)[:, None]
        mean, sd = target[training].mean(), target[training].std()
        chosen = fold.member.configuration
        weights = transcribed.least_squares(
            [x[training] for x in inputs], (target[training] - mean) / sd, sets,
            lam=chosen.auxiliary_weight, ridge=chosen.weight_decay,
        )  # fmt: skip
        at, _ = transcribed.places(inputs, sets)
        rows = np.flatnonzero(found.folds == k)
        for t, head in enumerate(terms):
            plain = inputs[head[0]][rows] @ weights[at[head]] * sd
            np.testing.assert_allclose(found.values[rows, t], plain, atol=2e-4)
        np.testing.assert_allclose(found.baseline[rows], mean, rtol=1e-5)


def test_layers_are_chosen_with_the_weight():
    dataset = study("regression")
    both = replace(DEEP, grid=replace(DEEP.grid, hidden_layers=((), (10,))))
    result = train_run(dataset, both)
    for fold in result.fold_results:
        table = fold.candidates
        assert list(table["hidden_layers"]) == ["linear", "linear", "10", "10"]
        assert list(table["auxiliary_weight"]) == [0.1, 1.0, 0.1, 1.0]
        assert table["is_chosen"].sum() == 1
        layers = fold.member.configuration.hidden_layers
        assert fold.model.reads_features == bool(layers)


@pytest.mark.parametrize("settings", [((), (10,)), ((10,), ())])
def test_the_table_of_sets_is_of_the_chosen_layers(settings):
    dataset = study("hidden layers")
    result = train_run(dataset, replace(DEEP, grid=replace(DEEP.grid, hidden_layers=settings)))
    layers = result.fold_results[0].member.configuration.hidden_layers
    alone = train_run(dataset, replace(DEEP, grid=replace(DEEP.grid, hidden_layers=(layers,))))
    pd.testing.assert_frame_equal(result.sharing, alone.sharing)
    there = result.sharing["sharers"][result.sharing["is_there"]]
    predicted = {
        "+".join(name for (name,) in term.sharers) for term in result.contributions().terms
    }
    assert set(there) == {name for name in predicted if "+" in name}


def test_the_largest_weight_within_one_standard_error_is_chosen():
    random = np.random.default_rng(0)
    best = random.standard_normal(100) ** 2
    # Differences of mean 0.01 and standard error 0.02; of mean 0.1 and standard error 0.02.
    noise = random.standard_normal(100)
    noise = 0.2 * (noise - noise.mean()) / noise.std(ddof=1)
    close, far = best + 0.01 + noise, best + 0.1 + noise
    assert _chosen([best, close, far], [0.03, 0.1, 1.0]) == 1
    assert _chosen([best, far, close], [0.03, 0.1, 1.0]) == 2
    assert _chosen([close, best, far], [0.03, 0.1, 1.0]) == 1  # Never a smaller one.
    # Of equal weights, as of two layer settings, the one that predicts best.
    assert _chosen([far, best, close], [0.1, 0.1, 0.1]) == 1


@pytest.mark.parametrize("refits", [0, 1])
def test_without_refits_there_are_none(refits):
    result = train_run(study("regression"), replace(CONFIG, refits=refits))
    assert result.refits is None
    assert len(result.contributions().terms) > 3


def test_beyond_four_modalities_sets_of_up_to_three_are_offered():
    config = replace(CONFIG, refits=2)
    five = train_run(simulate("five", samples=300, seed=0), config)
    assert set(five.sharing["size"]) == {2, 3}
    assert len(five.sharing) == 20
    assert set(five.sharing["sharers"][five.sharing["is_there"]]) == {"A+B", "D+E"}
    four = train_run(simulate("four", samples=300, seed=0), config)
    assert len(four.sharing) == 11
    assert set(four.sharing["size"]) == {2, 3, 4}
