"""How far another sample of persons would agree: models refitted to reweighted persons.

Every draw weighs persons anew and refits each fold's model to its training persons; shares are
taken of its test persons with the same weights. So a draw is the whole procedure on another
sample of persons. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used, after the first paint

from smurf_core.statistics.folds import centred_within
from smurf_core.statistics.percentile_bootstrap import divided
from smurf_core.statistics.persons import person_codes

Array = npt.NDArray[np.float64]

DRAWS = 200
# Weights of persons are 1 + TEMPER (e − 1) with e exponential of mean 1. At 1 this is the Bayesian
# bootstrap (Rubin, 1981). Gentler weights keep refits near the model that they are asked about;
# their deviations are divided by TEMPER.
TEMPER = 0.5
# Intervals are wider by this factor. The choice of ridge and sets is not repeated in refits; the
# factor is what coverage needs on simulated families (docs/method.md).
WIDENING = 1.1


def person_weights(
    persons: npt.NDArray[np.generic] | None,
    samples: int,
    *,
    draws: int = DRAWS,
    temper: float = TEMPER,
    seed: int = 0,
) -> Array:
    """Weights of samples in every draw, [draws, n]; samples of one person weigh the same.

    Parameters
    ----------
    persons
        Person of each sample, [n]; `None`: every sample is drawn by itself.
    samples
        Number of samples n.
    draws
        Number of draws.
    temper
        How far weights differ: their standard deviation.
    seed
        Equal seeds give equal weights.

    Notes
    -----
    Rubin (1981), *The Annals of Statistics* 9; persons as clusters as in Davison and Hinkley
    (1997), section 3.8.

    Examples
    --------
    >>> import numpy as np
    >>> weights = person_weights(np.array(["a", "b", "a"]), 3, draws=2)
    >>> bool((weights[:, 0] == weights[:, 2]).all()), weights.shape
    (True, (2, 3))
    """
    codes = person_codes(persons, samples)
    drawn = np.random.default_rng(seed).standard_exponential((draws, int(codes.max()) + 1))
    return np.asarray((1 + temper * (drawn - 1))[:, codes])


@dataclass(frozen=True)
class Refits:
    """What the refits of a run say of its contributions.

    Parameters
    ----------
    shares
        Share of the prediction's variance of every term in every draw, float32 [B, t, o], pulled
        out to the spread of full weights. Of classes, the first of the o outputs is all together.
    spread
        Standard deviation of every tested sample's contributions over the draws, float32
        [n, t, c], in the order of `RunResult.contributions()`.
    reliability
        Of every term, [t]: the share of its variance over samples that refits agree on.
    persons
        How many persons (or samples) were reweighted.
    """

    shares: npt.NDArray[np.float32]
    spread: npt.NDArray[np.float32]
    reliability: Array
    persons: int

    @property
    def draws(self) -> int:
        """Number of refits of each fold."""
        return len(self.shares)

    @property
    def tested(self) -> int:
        """Number of samples that some fold tested."""
        return len(self.spread)

    def half_width(self, values: npt.NDArray[np.floating], level: float = 0.95) -> Array:
        """Half of an interval from draws [B, …]: t · sd, with persons − 1 degrees of freedom."""
        return np.asarray(critical(self.persons, level) * values.std(axis=0, ddof=1))

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything as arrays by name; `from_arrays` reads them back."""
        return {
            "shares": self.shares,
            "spread": self.spread,
            "reliability": self.reliability,
            "persons": np.array([self.persons]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Refits:
        """What `arrays` gave."""
        return cls(
            arrays["shares"], arrays["spread"], arrays["reliability"], int(arrays["persons"][0])
        )


def critical(persons: int, level: float = 0.95) -> float:
    """Quantile of Student's t for an interval over persons."""
    return float(scipy.special.stdtrit(max(persons - 1, 1), (1 + level) / 2))


def refits_of(
    values: Array,
    folds: npt.NDArray[np.integer],
    persons: npt.NDArray[np.generic] | None,
    weights: Array,
    refitted: Iterable[tuple[npt.NDArray[np.int64], Array, Array]],
    *,
    temper: float = TEMPER,
) -> Refits:
    """Summarise refits.

    Parameters
    ----------
    values
        Out-of-fold contributions [n, t, c] of the tested samples.
    folds
        The fold that tested each sample, [n].
    persons
        Person of each sample, [n], or `None`.
    weights
        [B, n]: what the draws weighed the same samples with.
    refitted
        (positions of some tested samples of one fold, their contributions [B, k, t, c] by the
        refits, and how far the penalty is thought to shrink them [k, t, c]); together all
        samples, one or more pieces per fold.
    """
    n, t, c = values.shape
    if c > 1:
        values = values - values.mean(axis=-1, keepdims=True)
    b = len(weights)
    spread = np.full((n, t, c), np.nan)
    names = {fold: k for k, fold in enumerate(np.unique(folds))}
    size = np.zeros((b, len(names)))
    sums, products = (np.zeros((b, len(names), t, c)) for _ in range(2))
    for rows, drawn, shrunk in refitted:
        if c > 1:
            drawn = drawn - drawn.mean(axis=-1, keepdims=True)
            shrunk = shrunk - shrunk.mean(axis=-1, keepdims=True)
        fold = names[folds[rows[0]]]
        w = weights[:, rows]
        # A ridge moves contributions towards zero, which no refit shows: it adds to the spread.
        variance = drawn.var(axis=0, ddof=1) / temper**2 + shrunk**2
        spread[rows] = WIDENING * np.sqrt(variance)
        total = drawn.sum(axis=2, keepdims=True)
        size[:, fold] += w.sum(axis=1)
        sums[:, fold] += np.einsum("bk,bktc->btc", w, drawn)
        products[:, fold] += np.einsum("bk,bktc,bkuc->btc", w, drawn, total, optimize=True)
    share = size[:, :, None, None]
    covariance = (products - sums * sums.sum(axis=2, keepdims=True) / share).sum(axis=1)
    shares = divided(covariance)
    variance = (centred_within(values, folds) ** 2).mean(axis=(0, 2))
    within = ((np.nan_to_num(spread) / WIDENING) ** 2).mean(axis=(0, 2))
    reliability = np.where(
        variance > 0, 1 - within / np.where(variance > 0, variance, 1), 0.0
    ).clip(0, 1)
    middle = shares.mean(axis=0)
    return Refits(
        shares=(middle + WIDENING * (shares - middle) / temper).astype(np.float32),
        spread=spread.astype(np.float32),
        reliability=reliability,
        persons=int(person_codes(persons, n).max()) + 1,
    )
