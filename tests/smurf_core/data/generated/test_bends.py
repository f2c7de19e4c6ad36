"""Bent views of factors: their moments, and what noisy features say at best."""

import numpy as np
import pytest

from smurf_core.data.generated.bends import BENDS, best_guesses, straight
from smurf_core.data.generated.families import simulate


@pytest.mark.parametrize("name", BENDS)
def test_a_bend_has_mean_zero_and_variance_one(name):
    z = np.linspace(-9, 9, 200_001)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    values = BENDS[name](z)
    assert (values * density).sum() == pytest.approx(0, abs=1e-4)
    assert (values**2 * density).sum() == pytest.approx(1, abs=1e-3)


def test_best_guesses_are_conditional_means():
    """By weighting two hundred thousand draws with the likelihood of what was seen."""
    random = np.random.default_rng(0)
    cube, mixing = BENDS["cube"], random.standard_normal((3, 4))
    z = random.standard_normal((6, 3))
    views = [straight, cube, straight]
    wanted = [straight, straight, cube]
    features = np.stack([view(z[:, j]) for j, view in enumerate(views)], axis=1) @ mixing
    features += 0.8 * random.standard_normal(features.shape)
    found = best_guesses(features, mixing, 0.8, views=views, wanted=wanted)
    drawn = random.standard_normal((200_000, 3))
    seen = np.stack([view(drawn[:, j]) for j, view in enumerate(views)], axis=1) @ mixing
    asked = np.stack([want(drawn[:, j]) for j, want in enumerate(wanted)], axis=1)
    for row, guess in zip(features, found, strict=True):
        log = -0.5 * ((row - seen) ** 2).sum(axis=1) / 0.8**2
        weights = np.exp(log - log.max())
        np.testing.assert_allclose(guess, weights @ asked / weights.sum(), atol=0.05)


def test_straight_views_have_linear_guesses():
    random = np.random.default_rng(0)
    mixing = random.standard_normal((2, 5))
    features = random.standard_normal((50, 2)) @ mixing + 0.5 * random.standard_normal((50, 5))
    found = best_guesses(
        features, mixing, 0.5, views=[straight, straight], wanted=[straight, straight]
    )
    # The regression of jointly normal variables.
    covariance = mixing.T @ mixing + 0.25 * np.eye(5)
    np.testing.assert_allclose(found, features @ np.linalg.solve(covariance, mixing.T), atol=1e-10)


def test_who_sees_only_the_size_of_a_factor_does_not_share_it():
    data = simulate("bent_lost", samples=300)
    assert not [name for name in data.factors if name.startswith("r_")]
    # A's own factor and the one that C sees squared are both unique to A.
    assert np.var(data.factors["u_A"]) == pytest.approx(2, rel=0.3)
    assert {"u_A|A", "u_B|B", "u_C|C"} < set(data.factors)
