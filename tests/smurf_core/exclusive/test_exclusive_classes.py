from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import check_grad, minimize

from smurf_core.exclusive.problem import Weighing, all_sets
from tests.smurf_core.exclusive import transcribed
from tests.smurf_core.exclusive.problems import centred, draw, problem_of, weights_of


def classes(inputs, count=3, seed=0):
    """[n, c]: 1 for the class of a sample; classes have unequal frequencies."""
    random = np.random.default_rng(seed)
    scores = sum(x @ random.standard_normal((x.shape[1], count)) for x in inputs) / 2
    scores = scores + np.linspace(0, 1.5, count) + random.gumbel(size=scores.shape)
    return np.eye(count)[scores.argmax(axis=1)]


class Likelihood:
    """4 · mean log loss + penalties, of weights [H, c] and a constant [c]."""

    def __init__(self, inputs, hits, sets, **options):
        self.columns = transcribed.design(inputs, sets)
        self.rows = transcribed.penalties(inputs, sets, **options)
        self.hits = hits

    def split(self, values):
        values = values.reshape(-1, self.hits.shape[1])
        return values[:-1], values[-1]

    def logged(self, values):
        weights, constant = self.split(values)
        logits = self.columns @ weights + constant
        shifted = logits - logits.max(axis=1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    def value(self, values):
        weights, _ = self.split(values)
        loss = -(self.logged(values) * self.hits).sum(axis=1).mean()
        return 4 * loss + ((self.rows @ weights) ** 2).sum()

    def gradient(self, values):
        weights, _ = self.split(values)
        wrong = 4 * (np.exp(self.logged(values)) - self.hits) / len(self.hits)
        of_weights = self.columns.T @ wrong + 2 * self.rows.T @ (self.rows @ weights)
        return np.concatenate([of_weights, wrong.sum(axis=0)[None]]).ravel()


CASES = {
    "two modalities": {"n": 80, "widths": (3, 2), "count": 3},
    "three modalities, two classes": {"n": 90, "widths": (3, 2, 2), "count": 2},
    "absent modalities": {"n": 90, "widths": (3, 2, 2), "count": 3, "absent": True},
}


@pytest.mark.parametrize("ridge", [1e-3, 0.1])
@pytest.mark.parametrize("case", CASES)
def test_classes_are_the_penalised_multinomial(case, ridge):
    chosen = CASES[case]
    inputs, _ = draw(chosen["n"], chosen["widths"])
    hits = classes(inputs, chosen["count"])
    sets = all_sets(len(inputs))
    present = None
    if chosen.get("absent"):
        present = np.random.default_rng(5).random((chosen["n"], len(inputs))) > 0.25
    problem = problem_of(inputs, hits, present=present, is_classes=True)
    solution = problem.solve(sets, ridge, Weighing(0.3))
    found = weights_of(problem, solution)
    ready = centred(inputs, present)
    plain = Likelihood(ready, hits, sets, lam=0.3, ridge=ridge, present=present)
    # At the weighted mean of the inputs, which is zero, the constant is the offset.
    stacked = np.concatenate([found[head] for head in transcribed.heads(sets)])
    ours = np.concatenate([stacked, solution.offset[:1]]).ravel()
    assert check_grad(plain.value, plain.gradient, ours + 0.1, epsilon=1e-6) < 1e-4
    best = minimize(
        plain.value, np.zeros_like(ours), jac=plain.gradient, method="BFGS",
        options={"gtol": 1e-8, "maxiter": 5000},
    )  # fmt: skip
    assert np.abs(plain.gradient(ours)).max() < 1e-6
    assert plain.value(ours) <= best.fun + 1e-8
    weights, constant = plain.split(best.x)
    np.testing.assert_allclose(stacked, weights, atol=2e-3)
    np.testing.assert_allclose(solution.offset[0], constant - constant.mean(), atol=2e-4)
    # What is free in a softmax is taken out: every head's and the offset's sum over classes is 0.
    np.testing.assert_allclose(stacked.sum(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(solution.offset.sum(axis=1), 0, atol=1e-12)


@pytest.mark.parametrize("is_classes", [False, True])
def test_integer_weights_solve_as_repetitions_do(is_classes):
    """Sets of all modalities: exclusion, whose chance counts distinct samples, has no part."""
    inputs, target = draw(60, seed=3)
    if is_classes:
        target = classes(inputs)
    counts = np.random.default_rng(4).integers(0, 4, 60)
    problem = problem_of(inputs, target, is_classes=is_classes)
    rows = np.repeat(np.arange(60), counts)
    everything = np.ones(len(rows), dtype=bool)
    repeated = type(problem)(
        problem.source.rows(rows), target[rows], everything, everything, is_classes
    )
    sets = [(0, 1, 2)]
    start = problem.solve(sets, 0.05, Weighing(0.5))
    first = problem.solve(sets, 0.05, Weighing(0.5), counts[None].astype(float), start)
    second = repeated.solve(sets, 0.05, Weighing(0.5))
    tolerance = 1e-4 if is_classes else 1e-10
    np.testing.assert_allclose(first.weights, second.weights, atol=tolerance)
    np.testing.assert_allclose(first.offset, second.offset, atol=tolerance)
    np.testing.assert_allclose(first.centres, second.centres, atol=tolerance)


@pytest.mark.parametrize("is_classes", [False, True])
def test_many_weightings_are_solved_as_one_by_one(is_classes):
    inputs, target = draw(60, seed=3)
    if is_classes:
        target = classes(inputs)
    problem = problem_of(inputs, target, is_classes=is_classes)
    weights = 1 + 0.5 * (np.random.default_rng(0).standard_exponential((3, 60)) - 1)
    together = problem.solve(all_sets(3), 0.05, Weighing(0.3), weights)
    for b in range(3):
        alone = problem.solve(all_sets(3), 0.05, Weighing(0.3), weights[b : b + 1])
        # Where many are solved, iteration ends a little earlier.
        np.testing.assert_allclose(
            together.weights[b], alone.weights[0], atol=2e-3 if is_classes else 1e-10
        )


def test_an_empty_class_does_no_harm():
    inputs, _ = draw(60)
    hits = classes(inputs, 3)
    hits = np.concatenate([hits, np.zeros((60, 1))], axis=1)
    problem = problem_of(inputs, hits, is_classes=True)
    solution = problem.solve(all_sets(3), 0.05, Weighing(0.3))
    assert np.isfinite(solution.weights).all()
    assert np.isfinite(problem.losses(solution)).all()
    assert replace(problem, validation=problem.training).losses(solution).mean() < np.log(3)
