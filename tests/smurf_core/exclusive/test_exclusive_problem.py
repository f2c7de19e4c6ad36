import numpy as np
import pytest

from smurf_core.exclusive import fold, sources
from smurf_core.exclusive.problem import HEAD_RIDGE, Penalties, Weighing, all_sets, inverses
from smurf_core.exclusive.sources import moments, rotated
from tests.smurf_core.exclusive import transcribed
from tests.smurf_core.exclusive.problems import centred, dense, draw, problem_of, weights_of

SOME = [(0,), (1,), (2,), (0, 1), (0, 1, 2)]


def absent(n, m, seed=5):
    present = np.random.default_rng(seed).random((n, m)) > 0.25
    present[:3] = True
    return present


CASES = {
    "all sets": {"n": 60, "widths": (4, 3, 5), "sets": all_sets(3)},
    "some sets, two outputs": {"n": 60, "widths": (4, 3, 5), "sets": SOME, "outputs": 2},
    "two modalities": {"n": 40, "widths": (3, 3), "sets": all_sets(2)},
    "more features than directions": {"n": 120, "widths": (16, 14, 3), "sets": SOME},
    "absent modalities": {"n": 90, "widths": (4, 3, 5), "sets": all_sets(3), "absent": True},
}


@pytest.mark.parametrize("lam", [0.03, 1.0])
@pytest.mark.parametrize("case", CASES)
def test_a_regression_is_the_dense_least_squares_solution(case, lam):
    chosen = CASES[case]
    inputs, target = draw(chosen["n"], chosen["widths"], outputs=chosen.get("outputs", 1))
    sets = chosen["sets"]
    present = absent(len(target), len(inputs)) if chosen.get("absent") else None
    problem = problem_of(inputs, target, present=present)
    solution = problem.solve(sets, 0.02, Weighing(lam, 0.7))
    found = weights_of(problem, solution)
    plain = transcribed.least_squares(
        centred(inputs, present), target, sets, lam=lam, ridge=0.02, agreement=0.7, present=present
    )
    at, _ = transcribed.places(inputs, sets)
    for head in transcribed.heads(sets):
        np.testing.assert_allclose(found[head], plain[at[head]], atol=2e-6)
    np.testing.assert_allclose(solution.offset[0], target.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("case", ["all sets", "absent modalities"])
def test_the_gradient_of_the_objective_is_zero_at_the_solution(case):
    chosen = CASES[case]
    inputs, target = draw(chosen["n"], chosen["widths"])
    sets = chosen["sets"]
    present = absent(len(target), len(inputs)) if chosen.get("absent") else None
    problem = problem_of(inputs, target, present=present)
    solution = problem.solve(sets, 0.02, Weighing(0.3))
    found = weights_of(problem, solution)
    ready = centred(inputs, present)

    def value(weights, constant):
        return transcribed.objective(
            weights, constant, ready, target, sets, lam=0.3, ridge=0.02, present=present
        )

    random = np.random.default_rng(0)
    lowest = value(found, solution.offset[0])
    step = 1e-3
    # One feature of every head, a random direction of all, and the constant.
    directions = []
    for head in found:
        one = {h: np.zeros_like(w) for h, w in found.items()}
        one[head][0] = 1.0
        directions.append((one, np.zeros(1)))
    directions.append(({h: random.standard_normal(w.shape) for h, w in found.items()}, np.ones(1)))
    for moved, constant in directions:
        up, down = (
            value(
                {h: found[h] + sign * step * moved[h] for h in found},
                solution.offset[0] + sign * step * constant,
            )
            for sign in (1, -1)
        )
        assert abs(up - down) / (2 * step) < 1e-5
        assert up > lowest
        assert down > lowest


def test_without_clipping_it_is_the_first_closed_form():
    # With factors that every modality sees, all ρ² are above chance: nothing is clipped.
    random = np.random.default_rng(1)
    common = random.standard_normal((400, 3))
    inputs = [
        common @ random.standard_normal((3, 3)) + 0.3 * random.standard_normal((400, 3))
        for _ in range(3)
    ]
    target = common.sum(axis=1, keepdims=True) + random.standard_normal((400, 1))
    ready = centred(inputs)
    everyone = np.ones(400, dtype=bool)
    for i in range(3):
        for k in set(range(3)) - {i}:
            clipped = transcribed.exclusion(ready[i], ready[k], everyone)
            plain = transcribed.exclusion(ready[i], ready[k], everyone, is_clipped=False)
            np.testing.assert_allclose(clipped, plain, atol=1e-12)
    problem = problem_of(inputs, target)
    sets = all_sets(3)
    found = weights_of(problem, problem.solve(sets, 0.01, Weighing(0.3)))
    fold = transcribed.UnclippedFold(ready, target - target.mean(), sets, lam=0.3)
    first = fold.solve(0.01)
    for a, head in enumerate(fold.heads):
        np.testing.assert_allclose(found[head], first[fold.part(a)], atol=1e-5)


def test_chance_is_clipped_where_the_first_closed_form_is_indefinite():
    random = np.random.default_rng(2)
    inputs = [random.standard_normal((60, 20)) for _ in range(3)]
    sets = all_sets(3)
    first = transcribed.UnclippedFold(
        centred(inputs), random.standard_normal((60, 1)), sets, lam=10.0
    )
    assert np.linalg.eigvalsh(first.matrix).min() < -0.1
    source = problem_of(inputs, random.standard_normal((60, 1))).source
    matrix = dense(moments(source, np.ones((1, 60))), sets, Weighing(10.0))[0][0]
    assert np.linalg.eigvalsh(matrix).min() > -1e-9


def _few():
    random = np.random.default_rng(0)
    return [random.standard_normal((6, 10)) for _ in range(3)], None


def _wide():
    random = np.random.default_rng(1)
    return [random.standard_normal((40, 200)), random.standard_normal((40, 3))], None


def _copies():
    one = np.random.default_rng(2).standard_normal((50, 6))
    return [one, one.copy(), 3 * one[:, ::-1]], None


def _constant():
    random = np.random.default_rng(3)
    first = random.standard_normal((50, 4))
    first[:, 1] = 2.0
    return [first, np.full((50, 3), 7.0), random.standard_normal((50, 2))], None


def _doubled():
    random = np.random.default_rng(4)
    first = random.standard_normal((50, 4))
    return [np.concatenate([first, first], axis=1), first @ np.ones((4, 1))], None


def _absent():
    inputs, _ = draw(60, seed=5)
    return inputs, absent(60, 3)


def _never_together():
    inputs, _ = draw(60, seed=6)
    present = np.ones((60, 3), dtype=bool)
    present[:30, 0] = False
    present[30:, 1] = False
    return inputs, present


def _never_there():
    inputs, _ = draw(60, seed=7)
    present = np.ones((60, 3), dtype=bool)
    present[:, 2] = False
    return inputs, present


def _out_of_scale():
    random = np.random.default_rng(8)
    return [10.0**k * random.standard_normal((50, 4)) for k in (-4, 0, 5)], None


@pytest.mark.parametrize(
    "made",
    [_few, _wide, _copies, _constant, _doubled, _absent, _never_together, _never_there,
     _out_of_scale],
)  # fmt: skip
@pytest.mark.parametrize("lam", [0.03, 100.0])
def test_the_quadratic_form_is_positive_semidefinite_for_any_data(made, lam):
    inputs, present = made()
    n, m = len(inputs[0]), len(inputs)
    target = np.random.default_rng(9).standard_normal((n, 1))
    problem = problem_of(inputs, target, present=present)
    weights = np.concatenate(
        [np.ones((1, n)), np.random.default_rng(0).standard_exponential((4, n))]
    )
    matrix, _, columns = dense(moments(problem.source, weights), all_sets(m), Weighing(lam))
    sizes = np.linalg.eigvalsh(matrix)
    np.testing.assert_allclose(matrix, matrix.swapaxes(1, 2), atol=1e-9 * sizes.max())
    assert (sizes.min(axis=1) > -1e-12 * sizes.max(axis=1)).all()
    # So the ridges make the solution the only one. It is that of the whole system, though only
    # systems of single sets and of totals are solved.
    ridged = matrix + HEAD_RIDGE * np.eye(len(columns))
    ridged += 0.01 * (columns[:, None] == columns)
    share = weights / weights.sum(axis=1, keepdims=True)
    inputs = np.concatenate(list(problem.source.values.values()), axis=1)
    right = share * (target[:, 0] - (share @ target)) @ inputs
    found = problem.solve(all_sets(m), 0.01, Weighing(lam), weights).weights[:, :, 0]
    left = np.einsum("bhk,bk->bh", ridged, found) - right[:, columns]
    # In units of each component's own size. Sizes of 1e10 cost digits.
    size = np.sqrt(np.diagonal(matrix, axis1=1, axis2=2) + HEAD_RIDGE)
    assert np.abs(left / size).max() < (1e-6 if made is _out_of_scale else 1e-9)


@pytest.mark.parametrize("most", [16, 24])
def test_what_is_not_unique_without_the_small_ridge(most):
    """The null space that docs/method.md states.

    B is a copy of A. What both know, the leading 16 components, has one place: the set of both.
    Components beyond are derived by nobody, so h(A) + h(B) + 2 h(AB) = 0 may be added to them.
    """
    one = np.random.default_rng(2).standard_normal((300, most)) * np.linspace(2, 1, most)
    source = problem_of([one, one], np.zeros((300, 1))).source
    matrix, parts, _ = dense(moments(source, np.ones((1, 300))), all_sets(2), Weighing(1.0))
    sizes, vectors = np.linalg.eigh(matrix[0])
    null = vectors[:, sizes < 1e-6]
    assert null.shape[1] == 2 * (most - 16)
    inputs = list(source.values.values())
    said = {(i, s): inputs[i] @ null[part] for (i, s), part in parts.items()}
    np.testing.assert_allclose(said[0, (0, 1)], said[1, (0, 1)], atol=1e-5)
    np.testing.assert_allclose(sum(said.values()), np.zeros_like(said[0, (0,)]), atol=1e-5)


def test_shared_factors_have_one_place_without_the_small_ridge():
    random = np.random.default_rng(0)
    sets = all_sets(3)
    factors = {s: random.standard_normal((2000, 1)) for s in sets}
    inputs = [
        np.concatenate([factors[s] for s in sets if i in s], axis=1)
        @ random.standard_normal((4, 4))
        for i in range(3)
    ]
    source = problem_of(inputs, np.zeros((2000, 1))).source
    found = dense(moments(source, np.ones((1, 2000))), sets, Weighing(1.0))[0][0]
    # In units of each component's own size.
    scale = np.sqrt(np.diag(found))
    assert np.linalg.eigvalsh(found / scale / scale[:, None]).min() > 1e-4


@pytest.mark.parametrize("widths", [(4, 3, 5), (2, 2, 2)])
def test_integer_weights_are_repetitions(widths):
    """But for chance: repeated samples are no new ones, so what counts is Kish's number."""
    inputs, target = draw(40, widths, seed=3)
    counts = np.random.default_rng(4).integers(0, 4, 40)
    problem = problem_of(inputs, target)
    rows = np.repeat(np.arange(40), counts)
    weighted = moments(problem.source, counts[None].astype(float))
    repeated = moments(problem.source.rows(rows), np.ones((1, len(rows))))
    np.testing.assert_allclose(weighted.gram, repeated.gram, atol=1e-12)
    for pair in weighted.own:
        np.testing.assert_allclose(weighted.own[pair], repeated.own[pair], atol=1e-12)
        np.testing.assert_allclose(weighted.cross[pair], repeated.cross[pair], atol=1e-12)
        kish = counts.sum() ** 2 / (counts**2).sum()
        np.testing.assert_allclose(weighted.effective[pair], kish)
        np.testing.assert_allclose(repeated.effective[pair], counts.sum())


@pytest.mark.parametrize("widths", [(4, 3, 5), (90, 50, 5)], ids=["narrow", "wide"])
def test_rotation_learns_from_training_samples_alone(widths):
    inputs, _ = draw(60, widths)
    training = np.arange(60) < 40
    named = {"A": inputs[0], "B": inputs[1]}
    there = np.ones((60, 2), dtype=bool)
    changed = {k: np.where(training[:, None], v, 100 + 9 * v) for k, v in named.items()}
    first, second = (rotated(given, there, training) for given in (named, changed))
    for name, basis in first.bases.items():
        np.testing.assert_array_equal(basis, second.bases[name])
        np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-12)
        np.testing.assert_allclose(first.values[name][training].mean(axis=0), 0, atol=1e-12)


def test_more_features_than_samples_have_the_same_components():
    wide = draw(40, (90,))[0][0]
    wide = wide - wide.mean(axis=0)
    everyone = np.ones(40, dtype=bool)
    found = rotated({"A": wide}, everyone[:, None], everyone).bases["A"]
    _, vectors = np.linalg.eigh(wide.T @ wide)
    leading = vectors[:, ::-1][:, : found.shape[1]]
    np.testing.assert_allclose(found.T @ found, np.eye(found.shape[1]), atol=1e-12)
    np.testing.assert_allclose(found @ found.T, leading @ leading.T, atol=1e-10)


def test_what_does_not_fit_at_once_is_solved_in_parts(monkeypatch):
    problem, sets, weighing = problem_of(*draw(60)), all_sets(3), Weighing(0.3)
    weights = np.random.default_rng(1).standard_exponential((7, 60))
    whole = problem.solve(sets, 0.01, weighing, weights).weights
    monkeypatch.setattr(fold, "_AT_ONCE", 3_000)  # one of the seven
    known = Penalties(problem.moments_of(weights), weighing)
    for given in (None, known):
        found = problem.solve(sets, 0.01, weighing, weights, known=given).weights
        np.testing.assert_allclose(found, whole, atol=1e-12)


@pytest.mark.parametrize(("single", "close"), [(False, 1e-12), (True, 1e-6)])
def test_moments_of_pieces_are_weighted_covariances(monkeypatch, single, close):
    source = problem_of(*draw(60)).source
    weights = np.random.default_rng(1).standard_exponential((3, 60))
    monkeypatch.setattr(sources, "_ROWS", 16)  # three pieces and a rest
    monkeypatch.setattr(sources, "_LARGE", 0)
    found = moments(source, weights, single=single).gram
    everything = np.concatenate(list(source.values.values()), axis=1)
    for gram, weight in zip(found, weights, strict=True):
        expected = np.cov(everything.T, aweights=weight, ddof=0)
        np.testing.assert_allclose(gram, expected, atol=close * np.abs(expected).max())


@pytest.mark.parametrize("size", [5, 40], ids=["at once", "one by one"])
def test_forms_of_any_scale_are_inverted(size):
    values = np.random.default_rng(0).normal(size=(3, 90, size))
    forms = values.swapaxes(1, 2) @ values
    scale = np.logspace(-5, 5, size)
    found = inverses(forms * scale * scale[:, None]) * scale * scale[:, None]
    np.testing.assert_allclose(found @ forms, np.tile(np.eye(size), (3, 1, 1)), atol=1e-9)


def test_a_form_that_rounding_took_below_zero_is_inverted():
    turned = np.linalg.qr(np.random.default_rng(0).normal(size=(40, 40)))[0]
    form = (turned * np.append(-1e-9, np.linspace(1, 2, 39))) @ turned.T
    found = inverses(((form + form.T) / 2)[None])[0]
    np.testing.assert_allclose(found @ form, np.eye(40), atol=1e-5)


def test_a_prediction_is_the_sum_of_contributions_and_the_constant():
    inputs, target = draw(90, outputs=2)
    problem = problem_of(inputs, target, present=absent(90, len(inputs)))
    weights = np.random.default_rng(1).standard_exponential((4, 90))
    found = problem.solve(SOME, 0.02, Weighing(0.3), weights)
    every = found.all_contributions(problem.source)
    for b in range(4):
        one = found.only(b)
        np.testing.assert_allclose(every[b], found.contributions(problem.source, b), atol=1e-12)
        expected = every[b].sum(axis=1) + one.offset[0]
        np.testing.assert_allclose(one.prediction(problem.source), expected, atol=1e-12)
