"""Intraclass correlations of raters who are a sample of raters, also where each rated a part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used

from smurf_core.statistics.percentile_bootstrap import percentile_interval

Array = npt.NDArray[np.float64]
DRAWS = 500
_CHUNK = 50  # draws at once: bounds memory
_NAN = float("nan")


@dataclass(frozen=True)
class Intraclass:
    """ICC(2,1) of single ratings and ICC(2,k) of their means, with 95% intervals."""

    single: float
    single_low: float
    single_high: float
    average: float
    average_low: float
    average_high: float
    raters: float  # k: harmonic mean of the ratings per unit


def intraclass(ratings: Array, *, draws: int = DRAWS, seed: int = 0) -> Intraclass:
    """ICC(2,1) and ICC(2,k): absolute agreement, raters drawn at random.

    Variance components of units, raters and error are those of the two-way random model. Where
    every rater rated every unit, they come from the mean squares, and the interval is that of
    McGraw and Wong. Where cells are missing, as in a design of incomplete blocks, sums of squares
    are adjusted for the other factor (Henderson's method 3), and the interval is a percentile
    bootstrap over units. ICC(2,k) is ICC(2,1) stepped up to k ratings (Spearman-Brown).

    Parameters
    ----------
    ratings : array [raters, units]
        NaN where a rater gave none; any unit.
    draws : int
        Draws of the bootstrap.
    seed : int
        Equal seeds give equal intervals.

    Returns
    -------
    Intraclass
        Below 0 where units differ less than chance has it; NaN where a component cannot be
        estimated: fewer than two units or raters, or no rating left over for the error.

    Notes
    -----
    Shrout and Fleiss (1979), *Psychological Bulletin* 86; McGraw and Wong (1996), *Psychological
    Methods* 1; Henderson (1953), *Biometrics* 9.

    Examples
    --------
    >>> import numpy as np
    >>> judges = np.array([[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4],
    ...                    [8, 2, 8, 6, 9, 7]])
    >>> found = intraclass(judges)  # table 2 of Shrout and Fleiss
    >>> round(found.single, 2), round(found.average, 2)
    (0.29, 0.62)
    """
    there = np.isfinite(ratings)
    ratings = np.asarray(ratings[there.any(axis=1)][:, there.any(axis=0)], dtype=np.float64)
    raters, units = ratings.shape
    nothing = Intraclass(_NAN, _NAN, _NAN, _NAN, _NAN, _NAN, _NAN)
    if raters < 2 or units < 2:
        return nothing
    counts = np.isfinite(ratings).sum(axis=0)
    k = float(1 / (1 / counts).mean())
    one = float(_single(_Sums.of(ratings), np.ones((1, units)))[0])
    if np.isnan(one):
        return nothing
    if np.isfinite(ratings).all():
        low, high = _exact_interval(ratings)
    else:
        random = np.random.default_rng(seed)
        sums = _Sums.of(ratings)
        drawn = np.concatenate(
            [
                _single(sums, random.multinomial(units, np.full(units, 1 / units), size=size))
                for size in (min(_CHUNK, draws - at) for at in range(0, draws, _CHUNK))
            ]
        )
        low, high = (float(end) for end in percentile_interval(drawn[np.isfinite(drawn)]))
    return Intraclass(
        one, low, high, _stepped_up(one, k), _stepped_up(low, k), _stepped_up(high, k), k
    )


def _stepped_up(single: float, k: float) -> float:
    """The reliability of a mean of k ratings; NaN where single ones are below −1 / (k − 1)."""
    below = 1 + (k - 1) * single
    return k * single / below if below > 0 else _NAN


@dataclass(frozen=True)
class _Sums:
    """Sums per unit that weighted fits need: u units, r raters."""

    values: Array  # [u, r], 0 where there is none
    there: Array  # [u, r], 1 or 0
    squares: Array  # [u]
    number: Array  # [u]
    total: Array  # [u]

    @classmethod
    def of(cls, ratings: Array) -> _Sums:
        centred = ratings - np.nanmean(ratings)
        values, there = np.nan_to_num(centred).T, np.isfinite(ratings).T.astype(np.float64)
        return cls(values, there, (values**2).sum(axis=1), there.sum(axis=1), values.sum(axis=1))


def _single(sums: _Sums, weights: npt.NDArray[np.number]) -> Array:
    """ICC(2,1) when unit u occurs weights[:, u] times, [draws]."""
    w = np.asarray(weights, dtype=np.float64)
    number = w @ sums.there  # of each rater, [draws, r]
    n, units, raters = w @ sums.number, w.sum(axis=1), (number > 0).sum(axis=1)
    of_rater = w @ sums.values
    of_units = w @ (sums.total**2 / sums.number)
    safe = np.where(number > 0, number, 1)
    of_raters = (of_rater**2 / safe).sum(axis=1)
    # Normal equations of the raters after the units are eliminated.
    share = sums.there / sums.number[:, None]
    right = of_rater - w @ (share * sums.total[:, None])
    r = sums.there.shape[1]
    crossed = (share[:, :, None] * sums.there[:, None, :]).reshape(len(share), r * r)
    left = number[:, :, None] * np.eye(r) - (w @ crossed).reshape(-1, r, r)
    values, vectors = np.linalg.eigh(left)
    is_used = values > 1e-9 * np.maximum(number.max(axis=1), 1)[:, None]
    inverse = np.where(is_used, 1 / np.where(is_used, values, 1), 0)
    raters_alone = (np.einsum("dij,di->dj", vectors, right) ** 2 * inverse).sum(axis=1)
    rank = is_used.sum(axis=1)
    units_alone = of_units + raters_alone - of_raters
    error = w @ sums.squares - of_units - raters_alone
    degrees = n - units - rank
    with np.errstate(invalid="ignore", divide="ignore"):
        s_error = error / np.where(degrees > 0, degrees, np.nan)
        s_units = (units_alone - (units + rank - raters) * s_error) / (n - raters)
        s_raters = (raters_alone - rank * s_error) / np.where(n > units, n - units, np.nan)
        whole = s_units + s_raters + s_error
        return np.asarray(np.where(whole > 0, s_units / whole, np.nan))


def _exact_interval(ratings: Array) -> tuple[float, float]:
    """McGraw and Wong's interval of ICC(2,1), table 7, for complete ratings [k, n]."""
    k, n = ratings.shape
    mean = ratings.mean()
    rows = k * ((ratings.mean(axis=0) - mean) ** 2).sum() / (n - 1)
    columns = n * ((ratings.mean(axis=1) - mean) ** 2).sum() / (k - 1)
    left = ratings - ratings.mean(axis=0) - ratings.mean(axis=1)[:, None] + mean
    error = (left**2).sum() / ((n - 1) * (k - 1))
    if not error > 0:
        return 1.0, 1.0
    whole = rows + (k - 1) * error + k * (columns - error) / n
    one = (rows - error) / whole
    a, b = k * one / (n * (1 - one)), 1 + k * one * (n - 1) / (n * (1 - one))
    degrees = (a * columns + b * error) ** 2 / (
        (a * columns) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    )
    upper = scipy.stats.f.ppf(0.975, n - 1, degrees)
    lower = scipy.stats.f.ppf(0.975, degrees, n - 1)
    rest = k * columns + (k * n - k - n) * error
    return (
        float(n * (rows - upper * error) / (upper * rest + n * rows)),
        float(n * (lower * rows - error) / (rest + n * lower * rows)),
    )
