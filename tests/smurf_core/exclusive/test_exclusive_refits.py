from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import t

from smurf_core.configuration import RunConfig
from smurf_core.data.generated.families import simulate
from smurf_core.data.generated.family import Family
from smurf_core.exclusive.problem import Weighing, all_sets
from smurf_core.refits import TEMPER, WIDENING, Refits, critical, person_weights, refits_of
from smurf_core.training.run import train_run
from tests.smurf_core.exclusive import transcribed
from tests.smurf_core.exclusive.problems import centred, draw, problem_of, standardised

CONFIG = RunConfig.from_preset("quick", "exclusive", refits=400, device="cpu")


def test_weights_have_mean_one_and_are_shared_by_a_persons_samples():
    persons = np.array(["a", "b", "c", "b", "a"])
    weights = person_weights(persons, 5, draws=20_000, seed=3)
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.015)
    np.testing.assert_allclose(weights.std(axis=0), TEMPER, atol=0.015)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 4])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 3])
    apart = np.corrcoef(weights[:, :3].T)[np.triu_indices(3, 1)]
    assert np.abs(apart).max() < 0.03
    assert weights.min() >= 1 - TEMPER
    alone = person_weights(None, 5, draws=20_000, seed=3)
    assert np.abs(np.corrcoef(alone.T)[np.triu_indices(5, 1)]).max() < 0.03
    np.testing.assert_array_equal(weights, person_weights(persons, 5, draws=20_000, seed=3))
    assert not np.array_equal(weights, person_weights(persons, 5, draws=20_000, seed=4))


@pytest.mark.parametrize(("persons", "level"), [(2, 0.95), (8, 0.9), (30, 0.95), (1000, 0.99)])
def test_half_widths_are_students(persons, level):
    expected = t(persons - 1).ppf((1 + level) / 2)
    np.testing.assert_allclose(critical(persons, level), expected)
    draws = np.random.default_rng(0).standard_normal((50, 3))
    refits = Refits(np.zeros((50, 1, 1)), np.zeros((1, 1, 1)), np.zeros(1), persons)
    np.testing.assert_allclose(
        refits.half_width(draws, level), expected * draws.std(axis=0, ddof=1)
    )
    assert refits.draws == 50


@pytest.mark.parametrize("outputs", [1, 3])
def test_refits_are_summarised_as_written_down_plainly(outputs):
    random = np.random.default_rng(0)
    n, terms, b = 30, 4, 12
    folds = np.arange(n) % 2
    values = random.standard_normal((n, terms, outputs))
    drawn = values + 0.3 * random.standard_normal((b, n, terms, outputs))
    shrunk = 0.1 * random.standard_normal((n, terms, outputs))
    persons = np.array([f"p{i // 3}" for i in range(n)])
    weights = person_weights(persons, n, draws=b, seed=1)

    def pieces():
        for fold in (0, 1):
            rows = np.flatnonzero(folds == fold)
            for some in (rows[:4], rows[4:]):
                yield some, drawn[:, some], shrunk[some]

    found = refits_of(values, folds, persons, weights, pieces())
    assert found.persons == 10

    def over_outputs(x):
        return x - x.mean(axis=-1, keepdims=True) if outputs > 1 else x

    spread = np.sqrt(
        over_outputs(drawn).var(axis=0, ddof=1) / TEMPER**2 + over_outputs(shrunk) ** 2
    )
    np.testing.assert_allclose(found.spread, WIDENING * spread, rtol=1e-5)
    # Shares: weighted covariances with the prediction, within folds, over all outputs together.
    shares = np.zeros((b, terms))
    for one in range(b):
        covariance = np.zeros(terms)
        for fold in (0, 1):
            rows = folds == fold
            w, said = weights[one, rows], over_outputs(drawn[one, rows])
            for o in range(outputs):
                prediction = said[:, :, o].sum(axis=1)
                for term in range(terms):
                    both = np.cov(said[:, term, o], prediction, aweights=w, ddof=0)
                    covariance[term] += both[0, 1] * w.sum()
        shares[one] = covariance / covariance.sum()
    middle = shares.mean(axis=0)
    np.testing.assert_allclose(
        found.shares[:, :, 0], middle + WIDENING / TEMPER * (shares - middle), rtol=1e-3, atol=1e-4
    )
    centred = over_outputs(values).copy()
    for fold in (0, 1):
        centred[folds == fold] -= centred[folds == fold].mean(axis=0)
    reliability = 1 - (spread**2).mean(axis=(0, 2)) / (centred**2).mean(axis=(0, 2))
    np.testing.assert_allclose(found.reliability, reliability.clip(0, 1))


@pytest.mark.parametrize("persons", [0, 60])
def test_spread_is_the_sandwich_standard_error_of_a_linear_regression(persons):
    """Two modalities that share nothing: linear regression, whose influence function is known.

    The infinitesimal jackknife (Jaeckel, 1972), which is the sandwich (White, 1980), by persons
    (Liang and Zeger, 1986); also, the means that are taken off are estimates.
    """
    family = Family("Nothing is shared.", 2, {"A": 1.0, "B": 1.0}, features=3, r2=0.5)
    dataset = simulate(replace(family, persons=persons), samples=600, seed=1)
    config = replace(CONFIG, grid=replace(CONFIG.grid, auxiliary_weights=(1e-6,)))
    result = train_run(dataset, config)
    found = result.contributions()
    assert len(found.terms) == 2
    who = np.arange(600).astype(str) if dataset.persons is None else dataset.persons
    assert result.refits.persons == len(np.unique(who))
    expected = np.zeros((600, 2))
    for k, fold in enumerate(result.fold_results):
        training = result.folds.training[k]
        inputs = standardised(dataset, training)
        target = dataset.target.astype(np.float64)
        sd = target[training].std()
        y = (target[training] - target[training].mean()) / sd
        x = np.concatenate(inputs, axis=1)[training]
        n = len(x)
        ridge = fold.member.configuration.weight_decay + transcribed.HEAD_RIDGE
        gram = x.T @ x / n
        bread = np.linalg.inv(gram + ridge * np.eye(6))
        weights = bread @ x.T @ y / n
        doubled = ridge + fold.member.configuration.weight_decay
        more = np.linalg.solve(gram + doubled * np.eye(6), x.T @ y / n)
        wrong = y - x @ weights
        influence = (x * wrong[:, None] - ridge * weights) @ bread / n  # of one sample's weight
        widening = n / (n - 1 - np.trace(bread @ gram))
        rows = np.flatnonzero(found.folds == k)
        for i, part in enumerate((slice(0, 3), slice(3, 6))):
            new = inputs[i][rows]
            one = new @ influence[:, part].T - (x[:, part] @ weights[part])[None] / n
            by_person = np.stack(
                [one[:, who[training] == p].sum(axis=1) for p in np.unique(who[training])], axis=1
            )
            variance = widening * (by_person**2).sum(axis=1)
            shrunk = new @ (weights - more)[part]
            expected[rows, i] = WIDENING * sd * np.sqrt(variance + shrunk**2)
    ratio = result.refits.spread[:, :, 0] / expected
    assert np.abs(np.median(ratio) - 1) < 0.05
    assert (np.abs(ratio - 1) < 0.15).mean() > 0.9
    assert np.sqrt((ratio**2).mean()) == pytest.approx(1, abs=0.1)


def test_more_persons_make_refits_agree():
    few, many = (
        train_run(simulate("pairs", samples=n, seed=0), replace(CONFIG, refits=60)).refits
        for n in (150, 1200)
    )
    assert few.reliability.mean() < many.reliability.mean()
    assert many.reliability.min() > 0.9
    # Standard errors shrink with the root of the number of samples, here 2.8.
    assert 2 < few.spread.mean() / many.spread.mean() < 5
    np.testing.assert_allclose(many.shares[:, :, 0].sum(axis=1), 1, atol=1e-4)


def test_noise_is_not_reliable():
    noise = train_run(simulate("noise", samples=300, seed=0), replace(CONFIG, refits=60)).refits
    assert noise.reliability.max() < 0.8


@pytest.mark.parametrize("ridge", [1e-4, 0.1])
def test_widening_counts_the_leverage_of_persons(ridge):
    inputs, target = draw(60, seed=2)
    problem = problem_of(inputs, target)
    ready = centred(inputs)
    columns = transcribed.design(ready, all_sets(3))
    rows = transcribed.penalties(ready, all_sets(3), lam=0.3, ridge=ridge)
    hat = columns @ np.linalg.solve(columns.T @ columns / 60 + rows.T @ rows, columns.T) / 60
    parameters = 1 + np.trace(hat)  # The constant is one.
    found = problem.widening(all_sets(3), ridge, Weighing(0.3), np.arange(60))
    np.testing.assert_allclose(found, 60 / (60 - parameters), rtol=1e-5)
    # How far a person's mean pulls its own prediction, of 12 persons with 5 samples each.
    codes = np.repeat(np.arange(12), 5)
    of_means = [(hat[codes == p][:, codes == p].sum() + 25 / 60) / 5 for p in range(12)]
    found = problem.widening(all_sets(3), ridge, Weighing(0.3), codes)
    np.testing.assert_allclose(found, 1 / (1 - np.mean(of_means)), rtol=1e-5)
    # With almost as many parameters as samples, it is limited to 3.
    few, target = draw(14, (6,) * 5)
    alone = [(i,) for i in range(5)]
    assert problem_of(few, target).widening(alone, 1e-4, Weighing(), np.arange(14)) == 3
