"""Whole runs on small data: exact sums, folds, reproducibility, progress, resuming."""

import dataclasses
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.dataset import Features, Folds, MultimodalDataset, Task
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.errors import InputError
from smurf_core.fitted import Layer
from smurf_core.model_kinds import ModelKind, kinds_for
from smurf_core.results import FoldResult, RunResult
from smurf_core.training import engine
from smurf_core.training.observing import Progress, TrainingCancelled
from smurf_core.training.run import train_run
from smurf_core.training.sizing import stack_size

GRID = Grid((5e-3, 2e-2), ((), (4,)), (0.0,), (0.1, 0.5))


def config(model: ModelKind = "smurf", **changes: object) -> RunConfig:
    base = RunConfig(
        model=model, preset="custom", grid=GRID, restarts=2, max_epochs=30, patience=5, device="cpu"
    )
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=["regression", "classification"])
def dataset(request: pytest.FixtureRequest) -> MultimodalDataset:
    return synthetic_additive(samples=120, modalities=3, seed=1, task=request.param)


def with_gaps(dataset: MultimodalDataset) -> MultimodalDataset:
    """Modality B is missing for every third sample, modality C for all."""
    features = dict(dataset.features)
    b = features["B"].values.copy()
    b[::3] = np.nan
    features["B"] = Features(b, features["B"].names)
    features["C"] = Features(np.full_like(features["C"].values, np.nan), features["C"].names)
    return replace(dataset, features=features)


@pytest.mark.parametrize("model", kinds_for(explains_outputs=False))
@pytest.mark.parametrize("gaps", [False, True])
def test_baseline_and_contributions_are_the_prediction(
    dataset: MultimodalDataset, model: ModelKind, gaps: bool
) -> None:
    data = with_gaps(dataset) if gaps else dataset
    result = train_run(data, config(model))
    out_of_fold = result.contributions()
    assert len(out_of_fold) == len(data)
    for fold, fold_result in enumerate(result.fold_results):
        expected = network_prediction(data, result, fold)
        found = result.fold_contributions(fold).prediction()
        np.testing.assert_allclose(found, expected, atol=1e-5 * max(1, np.abs(expected).max()))
        mean = fold_result.member.values[result.folds.training[fold]].mean(axis=0)
        np.testing.assert_allclose(mean, 0, atol=1e-4)
    if gaps:
        assert (out_of_fold.unique("C") == 0).all()
        of_b = out_of_fold.where(lambda term: "B" in term.source)
        assert (out_of_fold.values[::3, of_b] == 0).all()
        assert (out_of_fold.values[1::3, of_b] != 0).any()


def network_prediction(data: MultimodalDataset, result: RunResult, fold: int) -> np.ndarray:
    """The prediction through torch layers, from the stored weights, scaler and baseline."""
    model = result.fold_results[fold].model

    def through(layers: tuple[Layer, ...], x: torch.Tensor) -> torch.Tensor:
        for number, layer in enumerate(layers):
            x = torch.relu(x) if number else x
            weight, bias = torch.tensor(layer.weight).double(), torch.tensor(layer.bias).double()
            x = torch.nn.functional.linear(x, weight, bias)
        return x

    features = {}
    for name, modality in data.features.items():
        x = (modality.values - model.scaler.feature_means[name]) / model.scaler.feature_sds[name]
        features[name] = torch.tensor(np.nan_to_num(x)).double()
    total = torch.zeros(len(data), len(data.outputs), dtype=torch.float64)
    for source, layers in model.towers.items():
        if len(source) > 1 and result.config.kind.multiplies_embeddings:
            factors = []
            for name in source:
                *hidden, _ = model.towers[name,]
                x = through(tuple(hidden), features[name])
                factors.append(torch.relu(x) if hidden else x)
            letters = "abc"[: len(factors)]
            product = torch.einsum(",".join(f"n{x}" for x in letters) + f"->n{letters}", *factors)
            output = through(layers, product.flatten(1))
        else:
            output = through(layers, torch.cat([features[name] for name in source], dim=1))
        output = output.view(len(data), -1, len(data.outputs)).sum(dim=1)
        present = np.all([data.features[name].present for name in source], axis=0)
        total += torch.where(torch.tensor(present)[:, None], output, 0)
    return total.numpy() * model.scaler.target_sd + model.baseline


def test_equal_data_configuration_and_seed_give_equal_numbers(dataset: MultimodalDataset) -> None:
    first, second = (train_run(dataset, config()) for _ in range(2))
    assert_same_numbers(first, second)
    other = train_run(dataset, config(seed=1))
    assert not np.array_equal(first.contributions().values, other.contributions().values)


def test_the_numbers_do_not_depend_on_how_many_processes_share_the_work() -> None:
    data = synthetic_additive(samples=60, modalities=2, seed=1)
    assert_same_numbers(train_run(data, config()), train_run(data, config(), jobs=2))


def assert_same_numbers(first: RunResult, second: RunResult) -> None:
    for a, b in zip(first.fold_results, second.fold_results, strict=True):
        pd.testing.assert_frame_equal(a.candidates, b.candidates)
        pd.testing.assert_frame_equal(a.curves, b.curves)
        for x, y in zip(a.members, b.members, strict=True):
            np.testing.assert_array_equal(x.values, y.values)


def test_a_grid_split_into_several_stacks_gives_the_same_candidates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = synthetic_additive(samples=60, modalities=2, seed=1)
    whole = train_run(data, config())
    monkeypatch.setattr(engine, "stack_size", lambda *_: 3)
    split = train_run(data, config())
    for a, b in zip(whole.fold_results, split.fold_results, strict=True):
        pd.testing.assert_frame_equal(a.candidates, b.candidates, rtol=1e-3, atol=1e-5)


def test_a_halving_search_trains_less_and_lists_every_point_in_the_grids_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = synthetic_additive(samples=60, modalities=2, seed=1)
    grid = Grid((1e-3, 5e-3, 2e-2, 5e-2), ((), (4,)), (0.0, 1e-3), (0.1, 0.5))
    asked = config(grid=grid, max_epochs=40, patience=40)
    full = train_run(data, asked).fold_results[0].candidates
    halved = train_run(data, replace(asked, search="halving")).fold_results[0].candidates
    points = ["learning_rate", "hidden_layers", "weight_decay", "auxiliary_weight"]
    pd.testing.assert_frame_equal(halved[points], full[points])
    assert set(halved["epochs"]) == {10, 20, 40}
    monkeypatch.setattr(engine, "stack_size", lambda *_: 8)
    in_two_stacks = train_run(data, replace(asked, search="halving")).fold_results[0].candidates
    pd.testing.assert_frame_equal(in_two_stacks[points], full[points])


def test_every_fold_is_chosen_by_its_validation_samples_alone() -> None:
    """Shuffled test targets must change neither choices nor contributions."""
    data = synthetic_additive(samples=90, modalities=2, seed=3)
    assert data.folds is not None
    before = train_run(data, config())
    only_first = Folds(*(roles[:1] for roles in dataclasses.astuple(data.folds)))
    shuffled = data.target.copy()
    test = np.flatnonzero(only_first.test[0])
    shuffled[test] = np.random.default_rng(0).permutation(shuffled[test])
    changed = replace(data, target=shuffled, folds=only_first)
    after = train_run(changed, config())
    pd.testing.assert_frame_equal(
        before.fold_results[0].candidates, after.fold_results[0].candidates
    )
    np.testing.assert_array_equal(
        before.fold_results[0].member.values, after.fold_results[0].member.values
    )


def test_the_best_objective_of_the_restarts_is_used(dataset: MultimodalDataset) -> None:
    result = train_run(dataset, config(restarts=3)).fold_results[0]
    objectives = [member.validation_objective for member in result.members]
    assert len(set(objectives)) == 3
    assert result.member.validation_objective == min(objectives)
    assert result.curves["validation_objective"].min() == pytest.approx(min(objectives))


def test_candidates_are_all_points_of_the_grid_and_one_is_chosen() -> None:
    data = synthetic_additive(samples=60, modalities=2, seed=1)
    result = train_run(data, config()).fold_results[0]
    table = result.candidates
    assert len(table) == 8
    assert table["is_chosen"].sum() == 1
    chosen = table[table["is_chosen"]].iloc[0]
    point = result.member.configuration
    assert (chosen["learning_rate"], chosen["auxiliary_weight"]) == (
        point.learning_rate,
        point.auxiliary_weight,
    )
    assert chosen["hidden_layers"] == ("4" if point.hidden_layers else "linear")


class Watcher:
    """Remembers progress and stops after some reports."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.seen: list[Progress] = []
        self.stop_after = stop_after

    def report(self, progress: Progress) -> None:
        self.seen.append(progress)

    def should_stop(self) -> bool:
        return self.stop_after is not None and len(self.seen) >= self.stop_after


class Memory:
    """A cache in memory that counts."""

    def __init__(self) -> None:
        self.units: dict[str, pd.DataFrame] = {}
        self.folds: dict[int, FoldResult] = {}

    def load_unit(self, key: str) -> pd.DataFrame | None:
        return self.units.get(key)

    def save_unit(self, key: str, table: pd.DataFrame) -> None:
        assert key not in self.units
        self.units[key] = table

    def load_fold(self, fold: int) -> FoldResult | None:
        return self.folds.get(fold)

    def save_fold(self, result: FoldResult) -> None:
        assert result.fold not in self.folds
        self.folds[result.fold] = result


@pytest.mark.parametrize("model", ["smurf", "exclusive"])
def test_a_run_computes_on_one_thread(model: ModelKind) -> None:
    threads: set[int] = set()

    class Watching:
        def should_stop(self) -> bool:
            threads.update(library["num_threads"] for library in threadpool_info())
            return False

        def report(self, progress: Progress) -> None:
            pass

    with threadpool_limits(2):
        asked = config(model=model, max_epochs=2, refits=2)
        train_run(synthetic_additive(samples=60), asked, observer=Watching())
        assert {library["num_threads"] for library in threadpool_info()} == {2}
    assert threads == {1}


def test_progress_grows_from_zero_to_one() -> None:
    data = synthetic_additive(samples=60, modalities=2, seed=1)
    watcher = Watcher()
    train_run(data, config(max_epochs=60, patience=None), observer=watcher)
    fractions = [p.fraction for p in watcher.seen]
    assert fractions == sorted(fractions)
    assert 0 < fractions[0] < 0.1
    assert fractions[-1] == 1
    assert {p.fold for p in watcher.seen} == set(range(5))
    assert all(np.isfinite(p.validation_metric) for p in watcher.seen)


def test_a_stopped_run_goes_on_from_its_finished_units() -> None:
    data = synthetic_additive(samples=60, modalities=2, seed=1)
    asked = config(max_epochs=40, patience=None)
    cache = Memory()
    with pytest.raises(TrainingCancelled):
        train_run(data, asked, observer=Watcher(stop_after=10), cache=cache)
    done = len(cache.units)
    assert 0 < done < 10
    resumed = train_run(data, asked, cache=cache)
    assert len(cache.units) == 10
    assert_same_numbers(resumed, train_run(data, asked))


def test_folds_are_made_where_the_data_names_none() -> None:
    data = replace(synthetic_additive(samples=90, modalities=2), folds=None)
    result = train_run(data, config(fold_count=3))
    assert len(result.folds) == 3
    assert (result.folds.tested_by() >= 0).all()


def test_a_fold_without_test_samples_is_refused() -> None:
    data = synthetic_additive(samples=30, modalities=2)
    split = np.array(["train"] * 20 + ["validation"] * 10)
    with pytest.raises(InputError, match=r"Fold 1 .* has 0 test samples, at least 2"):
        train_run(data.with_folds(Folds.from_split(split)), config())


def test_an_absent_device_is_refused_with_what_to_do() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(InputError, match="no cuda device; use auto or cpu"):
        train_run(synthetic_additive(samples=30, modalities=2), config(device="cuda"))


def test_a_stack_holds_as_many_members_as_the_budget_and_one_at_least() -> None:
    architecture = engine.Architecture.of("smurf", (10, 10), (5,), 1)
    # (10+1)·5 + (5+1)·2 = 67 parameters a tower; 5 + 2 units a tower; float32.
    per_member = 4 * (8 * 134 + 4 * 14 * 256)
    assert stack_size(architecture, 256, 10 * per_member) == 10
    assert stack_size(architecture, 256, 1) == 1


@pytest.mark.parametrize("model", ["smurf", "late_fusion"])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_nothing_is_chosen_by_the_labels_of_test_samples(model: ModelKind, task: Task) -> None:
    data = synthetic_additive(samples=80, task=task)
    assert data.folds is not None
    grid = Grid((5e-3, 2e-2), ((), (4,)), (0.0, 1e-2), (0.1, 0.5))
    config = RunConfig(model=model, preset="custom", grid=grid, restarts=2, max_epochs=15)
    for fold in range(2):
        # Only this fold: other folds train on the samples whose labels are shuffled here.
        alone = Folds(*(getattr(data.folds, r)[[fold]] for r in ("training", "validation", "test")))
        shuffled = np.asarray(data.target).copy()
        tested = np.flatnonzero(alone.test[0])
        shuffled[tested] = np.random.default_rng(0).permutation(shuffled[tested])
        assert (shuffled != data.target).any()
        before, after = (
            train_run(replace(data, folds=alone, target=target), config).fold_results[0]
            for target in (data.target, shuffled)
        )
        assert before.member.configuration == after.member.configuration
        assert before.chosen == after.chosen
        pd.testing.assert_frame_equal(before.candidates, after.candidates)
        np.testing.assert_array_equal(before.member.values, after.member.values)
