"""Ratings of a part on the scale of the whole: what they leave of the whole, free of their scale.

The target is y = s + u: s is all that the shown part says about it, and u, which the part cannot
say, is uncorrelated with everything computed from the part. Raters of the part give a + b s + e.
Where b is not 1, y − rating still contains (1 − b) s, and correlates with whatever correlates
with s.

A scale c = 1/b removes s. Neither the ratio of spreads nor the regression of y on the rating
gives it: the first depends on the size of u and of both noises, and the second is too small by
the rating's reliability. An instrument does: with z computed from the shown part, cov(y, z) =
cov(s, z) and cov(rating, z) = b cov(s, z), so c = cov(y, z) / cov(rating, z), however noisy the
ratings are and whatever is unique. (Wright, 1928, *The Tariff on Animal and Vegetable Oils*,
appendix B; Durbin, 1954, *Review of the International Statistical Institute* 22, for errors in
variables.) `docs/method.md` has the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt

from smurf_core.statistics.correlation import correlation_ratio
from smurf_core.statistics.correlation_interval import jackknife_interval
from smurf_core.statistics.persons import Persons, column_sums, person_codes
from smurf_core.statistics.slopes import ClusteredSlope, clustered_slope

Array = npt.NDArray[np.float64]
FEWEST_RATINGS = 10  # of a rater who has a scale of their own
_ALPHA = 0.05
_NAN = float("nan")
# Where `combinations_with_replacement` of five columns has the product of each two, [5, 5].
_SYMMETRIC = np.zeros((5, 5), dtype=np.int64)
_SYMMETRIC[np.triu_indices(5)] = np.arange(15)
_SYMMETRIC = np.maximum(_SYMMETRIC, _SYMMETRIC.T)


@dataclass(frozen=True)
class CalibratedCorrelation:
    """Pearson's r with y − scale · rating, its interval, and the test that it is zero."""

    scale: float
    r: float
    low: float
    high: float
    test: ClusteredSlope


def calibrated_scale(y: Array, rating: Array, shown: Array, persons: Persons | None) -> float:
    """The factor that puts ratings of a part on the scale of y: cov(y, z) / cov(rating, z).

    Parameters
    ----------
    y : array [n]
        The target, which all information determines.
    rating : array [n]
        Ratings of the same samples by those who saw a part.
    shown : array [n]
        z: what a model that was not trained on these samples says from the same part.
    persons : array [n] or None
        The person of each sample; None: every sample is independent.

    Returns
    -------
    float
        1 where raters use the whole scale, above 1 where they use a part of it. NaN where it
        cannot be estimated: with fewer than three persons, or unless both y and the rating rise
        with `shown` and the rating does so with p < 0.05 (`clustered_slope`).

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> says = random.normal(size=2000)
    >>> y = says + random.normal(size=2000)
    >>> rating = 0.5 * says + 0.5 * random.normal(size=2000)
    >>> shown = says + random.normal(size=2000)
    >>> round(calibrated_scale(y, rating, shown, None), 1)
    2.0
    """
    if len(y) < 3:
        return _NAN
    z = shown - shown.mean()
    first = clustered_slope(z, rating, persons)
    with_y, with_rating = float(z @ y), float(z @ rating)
    if not (first.p < _ALPHA and with_rating > 0 and with_y > 0):
        return _NAN
    return with_y / with_rating


def calibrated_correlation(
    x: Array, y: Array, rating: Array, shown: Array, persons: Persons | None
) -> CalibratedCorrelation:
    """Pearson's r of x with y − c · rating, for c of `calibrated_scale`.

    The test and the interval allow for c being an estimate. y − c · rating is uncorrelated with
    `shown`, so x may be replaced by x − γ · shown in its covariance. With γ = cov(x, rating) /
    cov(shown, rating), an error of c has no effect to the first order, and `clustered_slope` of
    that x is the test. The jackknife of the interval estimates c anew without each person.

    Parameters
    ----------
    x : array [n]
        What may be related to the unique part of y.
    y, rating, shown : array [n]
        As in `calibrated_scale`.
    persons : array [n] or None
        The person of each sample; None: every sample is independent.

    Returns
    -------
    CalibratedCorrelation
        scale, r, low and high (95%), and test. All NaN where there is no scale.

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> says = random.normal(size=500)
    >>> y, rating = says + random.normal(size=500), 0.5 * says + 0.3 * random.normal(size=500)
    >>> x = says + random.normal(size=500)  # nothing but what the raters also saw
    >>> bool(np.corrcoef(x, y - rating)[0, 1] > 0.2)
    True
    >>> found = calibrated_correlation(x, y, rating, says + random.normal(size=500), None)
    >>> abs(found.r) < 0.1, found.test.p > 0.05
    (True, True)
    """
    scale = calibrated_scale(y, rating, shown, persons)
    if np.isnan(scale) or np.ptp(x) == 0:
        nothing = ClusteredSlope(_NAN, _NAN, _NAN)
        return CalibratedCorrelation(scale, _NAN, _NAN, _NAN, nothing)
    x, y, rating, shown = (a - a.mean() for a in (x, y, rating, shown))
    test = clustered_slope(
        x - shown * float(x @ rating) / float(shown @ rating), y - scale * rating, persons
    )
    columns, who = (np.ones_like(x), x, y, rating, shown), person_codes(persons, len(x))
    sums = column_sums((a * b for a, b in combinations_with_replacement(columns, 2)), who)
    products = np.take(sums, _SYMMETRIC, axis=1)
    whole = products.sum(axis=0)
    r = float(_calibrated_r(whole))
    low, high = jackknife_interval(r, _calibrated_r(whole - products), test.degrees)
    return CalibratedCorrelation(scale, r, low, high, test)


def _calibrated_r(products: Array) -> Array:
    """r from sums of products [..., 5, 5] of 1, x, y, rating and shown."""
    n, sums = products[..., :1, :1], products[..., 1:, :1]
    covariance = products[..., 1:, 1:] - sums * np.swapaxes(sums, -1, -2) / n
    x, y, rating, shown = range(4)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = covariance[..., y, shown] / covariance[..., rating, shown]
        left = covariance[..., y, :] - scale[..., None] * covariance[..., rating, :]
        variance = left[..., y] - scale * left[..., rating]
    return correlation_ratio(left[..., x], covariance[..., x, x], variance)


def by_rater(y: Array, ratings: Array) -> tuple[Array, Array]:
    """The target and the mean rating, free of what raters' own scales differ in.

    Every rater's ratings are centred and divided by how widely this rater uses the scale: the
    spread of the ratings over that of y for the same samples, relative to the average rater. The
    target is centred over the samples of each rater as well. Otherwise samples that only a
    generous rater saw would look special. Differences of y between the raters' samples are lost
    with it, because they cannot be separated from differences between the raters. Raters with
    fewer than ten ratings count as one.

    Parameters
    ----------
    y : array [n]
        The target.
    ratings : array [raters, n]
        NaN where a rater gave none.

    Returns
    -------
    (array [n], array [n])
        Target and rating, each a mean over the sample's raters of what is centred; in the units
        they came in. NaN where nobody rated.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.tile([1.0, 2, 3, 4], 3)
    >>> bold, shy = 2 * y, 0.5 * y + 7
    >>> target, rating = by_rater(y, np.stack([bold, shy]))
    >>> np.allclose(rating / target, rating[0] / target[0])  # on one scale
    True
    """
    there = np.isfinite(ratings)
    few = there.sum(axis=1) < FEWEST_RATINGS
    rated = [(np.flatnonzero(there[row]), ratings[row, there[row]]) for row in np.flatnonzero(~few)]
    rated += [(np.nonzero(there[few])[1], ratings[few][there[few]])] if there[few].any() else []
    target, rating = np.zeros(len(y)), np.zeros(len(y))
    sizes = np.array([len(samples) for samples, _ in rated], dtype=float)
    widths = np.array([_ratio(given.std(), y[samples].std()) for samples, given in rated])
    varies = widths > 0
    inverse = np.where(varies, 1 / np.where(varies, widths, 1), 0)
    factors = inverse * _ratio(sizes[varies].sum(), (sizes * inverse).sum())
    for (samples, given), factor in zip(rated, factors, strict=True):
        for sums, values in ((target, y[samples]), (rating, factor * given)):
            sums += np.bincount(samples, values - values.mean(), minlength=len(y))
    count = there.sum(axis=0)
    shares = np.where(count > 0, 1 / np.maximum(count, 1), np.nan)
    return target * shares, rating * shares


def _ratio(a: float, b: float) -> float:
    return float(a / b) if b > 0 else 0.0
