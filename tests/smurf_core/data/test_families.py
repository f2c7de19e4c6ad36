"""Families of simulated studies: their truth is what they say it is."""

import numpy as np
import pytest

from smurf_core.data.generated.families import FAMILIES, NOISE_FREE, simulate
from smurf_core.data.generated.family import Family
from smurf_core.errors import InputError


@pytest.mark.parametrize("name", [*FAMILIES, *NOISE_FREE])
def test_a_study_of_every_family_is_made_and_its_factors_have_names(name):
    family = {**FAMILIES, **NOISE_FREE}[name]
    data = simulate(name, samples=120, seed=1)
    assert data.modalities == family.names
    assert data.folds is not None
    assert data.origin == "synthetic"
    assert all(np.isfinite(values).all() for values in data.factors.values())
    shared = {key.split("[")[0].split("|")[0] for key in data.factors if key.startswith("r_")}
    assert shared == {f"r_{held}" for held in family.sharing}
    if family.persons:
        assert len(set(data.persons.tolist())) <= family.persons


def test_the_factors_explain_the_share_of_the_target_that_the_family_names():
    for name, r2 in (("weak", 0.1), ("faint", 0.3), ("pairs", 0.7), ("lattice_3", 1.0)):
        data = simulate(name, samples=20_000)
        signal = sum(v for key, v in data.factors.items() if "|" not in key)
        assert np.corrcoef(signal, data.target)[0, 1] ** 2 == pytest.approx(r2, abs=0.02)
    noise = simulate("noise", samples=2_000)
    assert not noise.factors


def test_draws_are_of_one_population_and_seeds_of_several():
    first, second = (simulate("triple", samples=5_000, draw=d) for d in (0, 1))
    other = simulate("triple", samples=5_000, seed=1)

    def covariance(data):
        return np.cov(data.features["A"].values.T)

    assert not np.array_equal(first.target, second.target)
    size = np.abs(covariance(first)).max()
    assert np.abs(covariance(first) - covariance(second)).max() < 0.15 * size
    assert np.abs(covariance(first) - covariance(other)).max() > 0.5 * size


def test_what_a_modality_sees_of_a_factor_is_its_best_linear_prediction():
    data = simulate("unequal_sides", samples=3_000)
    truth, seen = data.factors["r_AB"], data.factors["r_AB|A"]
    x = np.column_stack([np.ones(len(truth)), data.features["A"].values])
    fitted = x @ np.linalg.lstsq(x, truth, rcond=None)[0]
    np.testing.assert_allclose(seen, fitted, atol=1e-3)
    # A sees it through more noise than B does.
    r = {k: np.corrcoef(truth, data.factors[f"r_AB|{k}"])[0, 1] for k in "AB"}
    assert r["A"] < r["B"]


def test_a_family_of_ones_own_and_one_that_is_not_there():
    own = Family("", 2, {"A": 1.0, "AB": 2.0}, features=3)
    assert set(simulate(own, samples=40).factors) == {"u_A", "u_A|A", "r_AB", "r_AB|A", "r_AB|B"}
    with pytest.raises(InputError, match="No family 'quadrics'; there are pairs"):
        simulate("quadrics", samples=40)
