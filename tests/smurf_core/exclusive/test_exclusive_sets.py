import numpy as np
import pytest
from scipy import stats

from smurf_core.configuration import RunConfig
from smurf_core.data.generated.families import FAMILIES, NOISE_FREE, simulate
from smurf_core.exclusive.problem import Weighing, all_sets
from smurf_core.exclusive.sets import (
    AGREEMENT,
    KNOWN_OUTSIDE,
    LEVEL,
    SMALLEST_SHARE,
    UNIQUE_KNOWN,
    SetStatistics,
    set_statistics,
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


@pytest.mark.parametrize(
    ("family", "samples", "seed"),
    [
        # Once, a remainder of what all three share was shown as shared by A and C.
        ("unequal_weights", 300, 0),
        # The pair with the small weight was thought to be a remainder of what all three share.
        ("unequal_weights", 300, 2),
        # A remainder of the triple was shown as a pair.
        ("five_triple", 300, 0),
        # A factor of all five was offered as pairs and triples only.
        ("five_all", 300, 0),
    ],
)
def test_remainders_are_no_sets_and_small_sets_no_remainders(family, samples, seed):
    sharing = train_run(simulate(family, samples=samples, seed=seed), CONFIG).sharing
    there = sharing[sharing["is_there"]]
    assert {s.replace("+", "") for s in there["sharers"]} == set(FAMILIES[family].sharing)
    assert (there["known_to_others"] <= KNOWN_OUTSIDE).all()


@pytest.mark.parametrize(("family", "correlates"), [("correlated", True), ("pairs", False)])
def test_unique_factors_that_correlate_are_seen(family, correlates):
    """With r = 0.3 between unique factors, others know their part of it, whatever is shared."""
    sharing = train_run(simulate(family, samples=1000, seed=1), CONFIG).sharing
    (found,) = sharing["unique_known"].unique()
    assert (found > UNIQUE_KNOWN) is np.bool_(correlates)
    assert abs(found - (0.3 if correlates else 0)) < 0.08


def test_what_a_set_must_show():
    """The least of what is asked decides; a set that adds nothing is not there."""
    found = SetStatistics(
        agreement=np.array([0.9, 0.3, 0.9, 0.9, 0.9]),
        share=np.array([0.2, 0.2, 0.001, 0.2, 0.2]),
        outside={1: np.array([-0.1, 0.1, 0.1, 0.8, 0.1]), 3: np.array([0.1, 0.1, 0.1, 0.2, 0.1])},
        adds=np.array([3, 3, 3, 3, 0.5]),
    )
    np.testing.assert_allclose(found.known, [0.1, 0.1, 0.1, 0.8, 0.1])
    np.testing.assert_allclose(
        found.strength,
        [
            0.9 / AGREEMENT,
            0.3 / AGREEMENT,
            0.001 / SMALLEST_SHARE,
            KNOWN_OUTSIDE / 0.8,
            0.9 / AGREEMENT,
        ],
    )
    assert found.is_there.tolist() == [True, False, False, False, False]


@pytest.mark.parametrize("has_persons", [False, True])
def test_statistics_of_sets_against_a_plain_computation(has_persons):
    inputs, target = draw(80)
    problem = problem_of(inputs, target)
    solution = problem.solve(all_sets(3), 0.05, Weighing(0.3))
    persons = np.arange(80) // 4 if has_persons else np.arange(80)
    found = set_statistics([problem], [solution], persons=persons if has_persons else None)
    said = solution.contributions(problem.source)[:, :, 0]
    at = {head: k for k, head in enumerate(solution.heads)}
    prediction = said.sum(axis=1)
    of_sets = np.stack([said[:, [at[i, s] for i in s]].sum(axis=1) for s in all_sets(3)], axis=1)
    of_sets = of_sets - of_sets.mean(axis=0)
    y = (target - target.mean(axis=0))[:, 0]
    weight = np.linalg.lstsq(of_sets, y, rcond=None)[0]
    bread = np.linalg.inv(of_sets.T @ of_sets)
    scores = of_sets * (y - of_sets @ weight)[:, None]
    scores = np.stack([scores[persons == p].sum(axis=0) for p in np.unique(persons)])
    error = np.sqrt(np.diag(bread @ scores.T @ scores @ bread))
    chance = stats.t.ppf(1 - LEVEL, len(scores) - 1)
    for k, s in enumerate(all_sets(3)):
        np.testing.assert_allclose(
            found[s].share, np.cov(of_sets[:, k], prediction)[0, 1] / prediction.var(ddof=1)
        )
        np.testing.assert_allclose(found[s].adds, weight[k] / error[k] / chance, rtol=1e-4)
        if len(s) > 1:
            r = np.corrcoef(said[:, [at[i, s] for i in s]].T)
            np.testing.assert_allclose(found[s].agreement, r[np.triu_indices(len(s), 1)].min())
        assert set(found[s].outside) == {0, 1, 2} - set(s)
        for other, r in found[s].outside.items():
            knows = inputs[other] - inputs[other].mean(axis=0)
            members = [said[:, at[i, s]] for i in s]
            derived = [knows @ np.linalg.lstsq(knows, h, rcond=None)[0] for h in members]
            plain = [np.corrcoef(h, d)[0, 1] for h, d in zip(members, derived, strict=True)]
            np.testing.assert_allclose(r, np.mean(plain), rtol=1e-5)
    np.testing.assert_allclose(sum(each.share for each in found.values()), 1)
