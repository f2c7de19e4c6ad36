import numpy as np
import pytest

from smurf_core.configuration import RunConfig
from smurf_core.data.generated.families import FAMILIES, NOISE_FREE, simulate
from smurf_core.exclusive.problem import Weighing, all_sets
from smurf_core.exclusive.sets import (
    AGREEMENT,
    NESTED,
    SMALLEST_SHARE,
    set_statistics,
    strengths,
)
from smurf_core.training.run import train_run
from tests.smurf_core.exclusive.problems import draw, problem_of

CONFIG = RunConfig.from_preset("quick", "exclusive", refits=2, device="cpu")


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "family", ["pairs", "triple", "pair_and_triple", "nuisance", "noise_modality", "copy"]
)
def test_the_sets_that_are_there_are_found(family, seed):
    result = train_run(simulate(family, samples=1000, seed=seed), CONFIG)
    sharing = result.sharing
    there = {name.replace("+", "") for name in sharing["sharers"][sharing["is_there"]]}
    assert there == set(FAMILIES[family].sharing)
    assert len(sharing) == 4  # Three pairs and the triple were offered.
    assert (sharing["agreement"][sharing["is_there"]] >= AGREEMENT).all()
    shared = {term.sharers for term in result.contributions().terms if len(term.sharers) > 1}
    assert {"".join(name for (name,) in sharers) for sharers in shared} == there


@pytest.mark.parametrize("family", [name for name in NOISE_FREE if name.startswith("lattice_3")])
def test_a_lattice_without_noise_is_recovered(family):
    """Nothing invented, nothing lost, where modalities see their factors as they are."""
    dataset = simulate(family, samples=5000, seed=0)
    found = train_run(dataset, CONFIG).contributions()
    recovered, invented = [], [0.0]
    for k, term in enumerate(found.terms):
        held = "".join(name for (name,) in term.sharers)
        factor = dataset.factors.get(f"u_{held}" if len(held) == 1 else f"r_{held}")
        said = found.values[:, k, 0]
        if factor is None:
            invented.append(said.std() / dataset.target.std())
        else:
            recovered.append(np.corrcoef(said, factor)[0, 1])
            # The members of a set show the factor together, in equal parts.
            slope = np.polyfit(factor, said, 1)[0] * len(held)
            np.testing.assert_allclose(slope, 1, atol=0.06)
    useful = [s for s, weight in NOISE_FREE[family].weights.items() if weight]
    assert len(recovered) == sum(len(s) for s in useful)
    assert np.mean(recovered) >= 0.998
    assert min(recovered) >= 0.995
    assert max(invented) <= 0.02


def test_what_a_set_must_show():
    """A nested set's share is compared with the largest that contains it or that it contains."""
    agreement = {
        (0, 1): np.array([0.9, 0.9, 0.5]),
        (0, 2): np.array([0.9, 0.9, 0.9]),
        (0, 1, 2): np.array([0.95, 0.95, 0.95]),
    }
    shares = {
        (0,): np.full(3, 0.5),
        (0, 1): np.array([0.2, 0.05, 0.2]),
        (0, 2): np.array([0.001, 0.1, 0.1]),
        (0, 1, 2): np.array([0.2, 0.2, 0.01]),
    }
    found = strengths(agreement, shares)
    assert (0,) not in found
    np.testing.assert_allclose(
        found[0, 1],
        [0.9 / AGREEMENT, 0.05 / (NESTED * 0.2), 0.5 / AGREEMENT],
    )
    np.testing.assert_allclose(
        found[0, 2],
        [0.001 / (NESTED * 0.2), 0.9 / AGREEMENT, 0.9 / AGREEMENT],
    )
    assert 0.001 / (NESTED * 0.2) < 0.001 / SMALLEST_SHARE
    np.testing.assert_allclose(found[0, 1, 2], [0.95 / AGREEMENT, 0.95 / AGREEMENT, 1 / 6])


def test_agreement_and_shares_against_a_plain_computation():
    inputs, target = draw(80)
    problem = problem_of(inputs, target)
    solution = problem.solve(all_sets(3), 0.05, Weighing(0.3))
    agreement, shares = set_statistics([problem], [solution])
    said = solution.contributions(problem.source)[:, :, 0]
    at = {head: k for k, head in enumerate(solution.heads)}
    prediction = said.sum(axis=1)
    for s in all_sets(3):
        own = said[:, [at[i, s] for i in s]].sum(axis=1)
        np.testing.assert_allclose(
            shares[s], np.cov(own, prediction)[0, 1] / prediction.var(ddof=1)
        )
        if len(s) > 1:
            r = np.corrcoef(said[:, [at[i, s] for i in s]].T)
            np.testing.assert_allclose(agreement[s], r[np.triu_indices(len(s), 1)].mean())
    np.testing.assert_allclose(sum(shares.values()), 1)
