"""Intervals of shares of variance: a percentile bootstrap over persons.

A draw uses each person's sums and cross products, not samples: it is one row of a matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smurf_core.statistics.folds import centred_within
from smurf_core.statistics.persons import Codes

Array = npt.NDArray[np.float64]
DRAWS = 1_000
LEVEL = 0.95
_CHUNK = 64  # draws at once: bounds memory at 250,000 samples


@dataclass(frozen=True)
class TermSums:
    """The sums that the persons of one fold add to a draw."""

    persons: Codes  # [p]
    sizes: Codes  # [p]: samples of each
    sums: Array  # [p, t, c]: of every term
    products: Array  # [p, t, c]: of every term times the prediction


def term_sums(
    terms: npt.NDArray[np.floating], folds: npt.NDArray[np.integer], persons: Codes
) -> list[TermSums]:
    """Sums and cross products of terms, per fold and person.

    Parameters
    ----------
    terms : array [n, t, c]
        t terms of c outputs, whose sum over t is the prediction (up to constants per fold).
    folds : array of int [n]
        The fold of each sample: terms are centred within folds.
    persons : array of int [n]
        The number of each sample's person (`person_codes`).

    Returns
    -------
    list of TermSums
        One entry per fold, in the order of the folds' numbers.

    Examples
    --------
    >>> import numpy as np
    >>> terms = np.array([[[1.0], [0]], [[3], [0]], [[5], [6]]])
    >>> (fold,) = term_sums(terms, np.zeros(3, int), np.array([0, 0, 1]))
    >>> fold.sizes.tolist(), fold.sums[:, :, 0].tolist()
    ([2, 1], [[-2.0, -4.0], [2.0, 4.0]])
    """
    terms = centred_within(terms, folds)
    products = terms * terms.sum(axis=1, keepdims=True)
    found = []
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        rows = rows[np.argsort(persons[rows], kind="stable")]
        who, starts, sizes = np.unique(persons[rows], return_index=True, return_counts=True)
        sums, crossed = (np.add.reduceat(a[rows], starts, axis=0) for a in (terms, products))
        found.append(TermSums(who, sizes, sums, crossed))
    return found


def resampled_shares(folds: list[TermSums], counts: npt.NDArray[np.number]) -> Array:
    """Shares of variance if persons occur the given number of times.

    The share of term t is cov(t, ŷ) / var(ŷ) with ŷ = Σ t. Terms are centred within folds anew
    in every draw.

    Parameters
    ----------
    folds : list of TermSums
        As `term_sums` returns them.
    counts : array [draws, persons]
        How often each person occurs in each draw.

    Returns
    -------
    array [draws, t, outputs]
        The shares. With more than one output (classes), the first of `outputs` is all of them
        together, followed by the c outputs in their order. NaN if the prediction does not vary.

    Examples
    --------
    >>> import numpy as np
    >>> terms = np.array([[[0.0], [0]], [[1], [3]], [[2], [6]]])
    >>> sums = term_sums(terms, np.zeros(3, int), np.arange(3))
    >>> resampled_shares(sums, np.array([[1, 1, 1], [2, 0, 1]]))[:, :, 0].tolist()
    [[0.25, 0.75], [0.25, 0.75]]
    """
    _, t, c = folds[0].sums.shape
    covariance = np.zeros((len(counts), t, c))
    for fold in folds:
        weights = counts[:, fold.persons].astype(np.float64)
        samples = np.maximum(weights @ fold.sizes, 1)[:, None, None]
        sums, products = (
            (weights @ a.reshape(len(a), -1)).reshape(-1, t, c) for a in (fold.sums, fold.products)
        )
        covariance += products - sums * sums.sum(axis=1, keepdims=True) / samples
    return divided(covariance)


def divided(covariance: Array) -> Array:
    """Shares of variance from the covariances of terms with the prediction.

    Parameters
    ----------
    covariance : array [draws, t, c]
        Of t terms, whose sum is the prediction, for c outputs.

    Returns
    -------
    array [draws, t, outputs]
        As `resampled_shares`.

    Examples
    --------
    >>> import numpy as np
    >>> divided(np.array([[[1.0], [3.0]]])).ravel().tolist()
    [0.25, 0.75]
    """
    if covariance.shape[2] > 1:
        together = covariance.sum(axis=2, keepdims=True)
        covariance = np.concatenate([together, covariance], axis=2)
    variance = covariance.sum(axis=1, keepdims=True)
    scale = np.where(variance > 0, variance, 1)
    return np.where(variance > 0, covariance / scale, np.nan)


def bootstrapped_shares(
    folds: list[TermSums], persons: int, *, draws: int = DRAWS, seed: int = 0
) -> Array:
    """`resampled_shares` for whole persons drawn with replacement.

    Parameters
    ----------
    folds : list of TermSums
        As `term_sums` returns them.
    persons : int
        Number of persons.
    draws : int
        Number of draws.
    seed : int
        Equal seeds give equal draws.

    Returns
    -------
    array [draws, t, outputs]
        As `resampled_shares`; a single draw of NaN with fewer than two persons.

    Notes
    -----
    Davison and Hinkley (1997), *Bootstrap Methods and their Application*, section 3.8: persons
    are drawn with all of their samples, because these are not independent.

    Examples
    --------
    >>> import numpy as np
    >>> terms = np.random.default_rng(0).normal(size=(40, 2, 1))
    >>> sums = term_sums(terms, np.zeros(40, int), np.repeat(np.arange(8), 5))
    >>> drawn = bootstrapped_shares(sums, 8, draws=100)
    >>> drawn.shape, np.allclose(drawn.sum(axis=1), 1)
    ((100, 2, 1), True)
    """
    if persons < 2:
        _, t, c = folds[0].sums.shape if folds else (0, 0, 1)
        return np.full((1, t, c + (c > 1)), np.nan)
    random = np.random.default_rng(seed)
    return np.concatenate(
        [resampled_shares(folds, counts) for counts in drawn_counts(persons, draws, random)]
    )


def percentile_interval(drawn: Array, *, level: float = LEVEL) -> tuple[Array, Array]:
    """Percentile interval of bootstrap draws.

    Parameters
    ----------
    drawn : array [draws, …]
        The result of each draw; NaN is left out.
    level : float
        Coverage, between 0 and 1.

    Returns
    -------
    (array […], array […])
        Lower and upper end (Efron and Tibshirani, 1993, *An Introduction to the Bootstrap*,
        chapter 13). NaN if no draw gave a number.

    Examples
    --------
    >>> import numpy as np
    >>> low, high = percentile_interval(np.arange(101.0), level=0.9)
    >>> round(float(low), 9), round(float(high), 9)
    (5.0, 95.0)
    """
    if np.isnan(drawn).all():
        nothing = np.full(drawn.shape[1:], np.nan)
        return nothing, nothing
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def drawn_counts(persons: int, draws: int, random: np.random.Generator) -> Iterator[Array]:
    """How often each person is drawn, a chunk of draws at a time.

    Parameters
    ----------
    persons, draws : int
        Numbers of persons and draws.
    random : Generator
        Where draws come from.

    Returns
    -------
    iterator of arrays [at most 64 draws, persons]
        Counts of persons drawn with replacement.

    Examples
    --------
    >>> import numpy as np
    >>> [int(counts.sum()) for counts in drawn_counts(3, 100, np.random.default_rng(0))]
    [192, 108]
    """
    for first in range(0, draws, _CHUNK):
        yield np.stack(
            [
                np.bincount(random.integers(persons, size=persons), minlength=persons)
                for _ in range(min(_CHUNK, draws - first))
            ]
        ).astype(np.float64)
