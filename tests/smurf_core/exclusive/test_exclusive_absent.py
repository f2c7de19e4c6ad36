from dataclasses import replace

import numpy as np
import pytest

from smurf_core.configuration import RunConfig
from smurf_core.data.generated.families import simulate
from smurf_core.exclusive.problem import Weighing, all_sets
from smurf_core.exclusive.sets import set_statistics
from smurf_core.exclusive.sources import moments
from smurf_core.training.run import train_run
from tests.smurf_core.exclusive.problems import draw, problem_of

SETS = all_sets(3)


@pytest.fixture
def present():
    present = np.random.default_rng(1).random((80, 3)) > 0.3
    present[:5] = True
    return present


def test_moments_are_those_of_samples_that_have_both(present):
    inputs, target = draw(80)
    source = problem_of(inputs, target, present=present).source
    weights = np.random.default_rng(2).integers(0, 3, (1, 80)).astype(float)
    found = moments(source, weights)
    values = list(source.values.values())
    for i, j in ((0, 1), (1, 0), (0, 2), (2, 1)):
        both = present[:, i] & present[:, j]
        rows = np.repeat(np.flatnonzero(both), weights[0, both].astype(int))
        joined = np.cov(values[i][rows].T, values[j][rows].T, bias=True)
        r = values[i].shape[1]
        np.testing.assert_allclose(found.own[i, j][0], joined[:r, :r], atol=1e-12)
        np.testing.assert_allclose(found.cross[i, j][0], joined[:r, r:], atol=1e-12)
        kish = weights[0, both].sum() ** 2 / (weights[0, both] ** 2).sum()
        np.testing.assert_allclose(found.effective[i, j], kish)


def test_agreement_out_of_fold_is_of_samples_that_have_both(present):
    inputs, target = draw(80)
    problem = problem_of(inputs, target, present=present)
    solution = problem.solve(SETS, 0.05, Weighing(0.3))
    statistics = set_statistics([problem], [solution])
    said = solution.contributions(problem.source)[:, :, 0]
    at = {head: k for k, head in enumerate(solution.heads)}
    for s in (s for s in statistics if len(s) > 1):
        pairs = [(i, j) for i in s for j in s if i < j]
        plain = [
            np.corrcoef(
                said[present[:, i] & present[:, j], at[i, s]],
                said[present[:, i] & present[:, j], at[j, s]],
            )[0, 1]
            for i, j in pairs
        ]
        np.testing.assert_allclose(statistics[s].agreement, np.min(plain), atol=1e-12)


@pytest.mark.parametrize("which", [0, 1])
def test_an_absent_modality_contributes_zero_in_refits_too(present, which):
    inputs, target = draw(80)
    problem = problem_of(inputs, target, present=present)
    weights = 1 + 0.5 * (np.random.default_rng(0).standard_exponential((2, 80)) - 1)
    solution = problem.solve(SETS, 0.05, Weighing(0.3), weights)
    said = solution.contributions(problem.source, which)
    for k, (i, _) in enumerate(solution.heads):
        assert (said[~present[:, i], k] == 0).all()
        assert (said[present[:, i], k] != 0).all()
        there = present[:, i]
        mean = np.average(said[there, k, 0], weights=weights[which, there])
        assert abs(mean) < 1e-12  # Zero means *as on average* of those that have it.


def test_a_run_with_absent_modalities():
    dataset = simulate("pairs", samples=300, seed=0)
    values = dataset.features["B"].values.copy()
    gone = np.random.default_rng(0).random(300) < 0.3
    values[gone] = np.nan
    features = {**dataset.features, "B": replace(dataset.features["B"], values=values)}
    dataset = replace(dataset, features=features)
    config = RunConfig.from_preset("quick", "exclusive", refits=20, device="cpu")
    result = train_run(dataset, config)
    found = result.contributions()
    of_b = [k for k, term in enumerate(found.terms) if term.source == ("B",)]
    assert of_b
    assert (found.values[gone][:, of_b] == 0).all()
    assert (found.values[~gone][:, of_b] != 0).all()
    # Nothing is uncertain about nothing.
    assert (result.refits.spread[gone][:, of_b] == 0).all()
    assert (result.refits.spread[~gone][:, of_b] > 0).all()
    assert set(result.sharing["sharers"][result.sharing["is_there"]]) == {"A+B", "A+C", "B+C"}
