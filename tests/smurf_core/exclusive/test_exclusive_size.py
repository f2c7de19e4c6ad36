"""Principal components of many samples: the same numbers, without a copy in float64."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from smurf_core import principal_components
from smurf_core.configuration import RunConfig
from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.data.folds import with_made_folds
from smurf_core.exclusive import fold as folds
from smurf_core.exclusive import sources
from smurf_core.exclusive.fold import FoldProblem
from smurf_core.exclusive.preparing import prepare
from smurf_core.exclusive.problem import Weighing, all_sets
from smurf_core.exclusive.sources import rotated
from smurf_core.exclusive.training import followed
from tests.smurf_core.exclusive.problems import draw, problem_of


def _inputs(n, d):
    random = np.random.default_rng(0)
    scales = np.linspace(3, 0.5, d)
    inputs = {m: (random.normal(size=(n, d)) * scales).astype(np.float32) for m in ("a", "b")}
    present = np.ones((n, 2), dtype=bool)
    present[::7, 1] = False
    inputs["b"][::7] = 0
    return inputs, present, np.arange(n) % 5 > 0


@pytest.mark.parametrize(("n", "d"), [(60, 9), (30, 50)])
def test_components_from_pieces_are_those_of_a_singular_value_decomposition(monkeypatch, n, d):
    inputs, present, training = _inputs(n, d)
    monkeypatch.setattr(principal_components, "_PIECE", 4 * d)  # four samples at a time
    found = rotated(inputs, present, training)
    for i, name in enumerate(inputs):
        values = inputs[name].astype(np.float64)
        learned = values[training & present[:, i]]
        centred = np.where(present[:, [i]], values - learned.mean(axis=0), 0.0)
        axes = np.linalg.svd(learned - learned.mean(axis=0), full_matrices=False)[2]
        expected = centred @ axes[: found.widths[i]].T
        np.testing.assert_allclose(np.abs(found.values[name]), np.abs(expected), atol=1e-6)


def test_no_modality_is_held_in_double_precision(monkeypatch):
    inputs, present, training = _inputs(8_000, 300)
    monkeypatch.setattr(principal_components, "_PIECE", 100_000)
    monkeypatch.setattr(sources, "MOST_COMPONENTS", 4)
    tracemalloc.start()
    rotated(inputs, present, training)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # One modality in float64 is 19 MB; this used to hold three at a time.
    assert peak < 8_000 * 300 * 8 / 2


def test_a_fold_that_keeps_no_training_samples_has_the_same_solutions(monkeypatch):
    inputs, target = draw(200)
    problem, sets = problem_of(inputs, target), all_sets(3)
    weights = np.random.default_rng(1).uniform(0.5, 1.5, (4, len(target)))
    codes = np.arange(len(target)) // 4

    def solved(problem: FoldProblem):
        drawn = problem.solve(sets, 0.1, Weighing(), weights)
        path = problem.path(sets, (0.1, 1.0), Weighing())
        return [
            *(s.weights for s in (drawn, *path)),
            problem.widening(sets, 0.1, Weighing(), codes),
        ]

    kept = solved(problem)
    monkeypatch.setattr(folds, "_KEPT", 0)
    again = replace(problem)
    for one, other in zip(kept, solved(again), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not any("_kept" in name for name in vars(again))


def test_training_holds_no_second_copy_of_all_features():
    random = np.random.default_rng(0)
    n, d, m = 4_000, 250, 4
    target = random.normal(size=n)
    study = with_made_folds(
        MultimodalDataset(
            name="large", task="regression", target=target.astype(np.float32), target_name="y",
            features={
                f"m{i}": Features(
                    (random.normal(size=(n, d)) + target[:, None]).astype(np.float32),
                    tuple(map(str, range(d))),
                )
                for i in range(m)
            },
            sample_ids=np.arange(n).astype(str),
        ),
        count=5, seed=0,
    )  # fmt: skip
    config = RunConfig.from_preset("quick", "exclusive", device="cpu")
    tracemalloc.start()
    prepared = [prepare(study, config, study.folds, f, None) for f in range(5)]
    solutions = [p.problem.solve(all_sets(m, 1), 0.1, Weighing()) for p in prepared]
    followed(study, config, prepared, solutions)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Beside what folds keep (components), one modality in float64 and its parts. It used to be all
    # modalities of all folds in float64: 160 MB.
    assert peak - held < 6 * n * d * 8
