"""Bent views of a factor, and what noisy features say of it at best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Bend = Callable[[Array], Array]

# Of a standard normal factor, with mean zero and variance one.
BENDS: Mapping[str, Bend] = MappingProxyType(
    {
        "cube": lambda z: z**3 / np.sqrt(15),
        "square": lambda z: (z**2 - 1) / np.sqrt(2),
        "absolute": lambda z: (np.abs(z) - np.sqrt(2 / np.pi)) / np.sqrt(1 - 2 / np.pi),
        "root": lambda z: np.sign(z) * np.sqrt(np.abs(z)) / (2 / np.pi) ** 0.25,
        "threshold": np.sign,
        "exponential": lambda z: (np.exp(z) - np.exp(0.5)) / np.sqrt(np.exp(2) - np.exp(1)),
        "wave": lambda z: np.sin(2 * z) / np.sqrt((1 - np.exp(-8)) / 2),
    }
)
# A view by one of these says nothing of the factor's sign.
EVEN = ("square", "absolute")


def straight(values: Array) -> Array:
    """A view that is not bent."""
    return values


_GRID = np.linspace(-4.5, 4.5, 61)


def best_guesses(
    features: Array, mixing: Array, noise: float, *, views: Sequence[Bend], wanted: Sequence[Bend]
) -> Array:
    """E[wanted_j(z_j) | features] of every standard normal factor z_j, [n, factors].

    Parameters
    ----------
    features
        [n, d]: `views(z) @ mixing` plus normal noise; as many features as factors, or more.
    mixing
        [factors, d].
    noise
        Standard deviation of the noise of every feature, above 0.
    views
        What the features see of each factor.
    wanted
        What is to be known of each factor.
    """
    precise = np.linalg.inv(mixing @ mixing.T)
    seen = features @ mixing.T @ precise  # Sufficient: normal around the views.
    # What is straight is normal given the rest, and needs no grid.
    pairs = zip(views, wanted, strict=True)
    over = [k for k, bends in enumerate(pairs) if bends != (straight, straight)]
    grid = np.array(list(product(_GRID, repeat=len(over))))
    prior = np.diag([0.0 if k in over else 1.0 for k in range(len(views))])
    inverse = np.linalg.inv(noise**2 * precise + prior)
    means = np.zeros((len(grid), len(views)))
    for column, k in enumerate(over):
        means[:, k] = views[k](grid[:, column])
    there, given = means @ inverse, seen @ inverse
    constant = -0.5 * ((grid**2).sum(axis=1) + (there * means).sum(axis=1))
    targets = -there
    for column, k in enumerate(over):
        targets[:, k] = wanted[k](grid[:, column])
        given[:, k] = 0.0
    found = np.empty_like(seen)
    for first in range(0, len(seen), 500):
        rows = slice(first, first + 500)
        log = (seen[rows] @ inverse) @ means.T + constant
        weights = np.exp(log - log.max(axis=1, keepdims=True))
        found[rows] = given[rows] + weights @ targets / weights.sum(axis=1, keepdims=True)
    return found
