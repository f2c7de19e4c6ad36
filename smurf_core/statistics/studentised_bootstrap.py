"""Interval of a correlation: a studentised bootstrap over persons."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smurf_core.statistics.correlation import correlation_ratio, moments
from smurf_core.statistics.persons import Persons, person_codes

Array = npt.NDArray[np.float64]
RESAMPLES = 2_000
FEWEST_PERSONS = 5


def correlation_interval(
    x: Array,
    y: Array,
    persons: Persons | None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Studentised bootstrap interval of Pearson's r: whole persons are drawn with replacement.

    The interval is computed on Fisher's z: each draw's distance from the z of the whole sample is
    divided by the standard error of the draw (infinitesimal jackknife over persons). Quantiles of
    these ratios replace those of Student's t. Plain quantiles or standard deviations of draws are
    too narrow with few persons.

    Parameters
    ----------
    x, y : array [n]
        Values of the same samples; any units.
    persons : array [n] or None
        The person of each sample; None: every sample is independent.
    resamples : int
        Number of draws.
    seed : int
        Equal seeds give equal intervals.
    level : float
        Coverage, between 0 and 1.

    Returns
    -------
    (float, float)
        Lower and upper end. NaN with fewer than five persons, or where r is ±1.

    Notes
    -----
    Efron and Tibshirani (1993), *An Introduction to the Bootstrap*, section 12.5 (the bootstrap-t
    interval) and 12.6 (why on a transformed scale).

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> persons = np.repeat(np.arange(20), 5)
    >>> x = random.normal(size=100)
    >>> low, high = correlation_interval(x, x + random.normal(size=100), persons)
    >>> low < 0.707 < high  # √(1/2)
    True
    """
    persons = person_codes(persons, len(x))
    count = int(persons.max()) + 1
    x, y = x - x.mean(), y - y.mean()
    sums = np.zeros((count, 6))
    np.add.at(sums, persons, moments(x, y))
    middle, error = (float(a) for a in _z_and_error(sums.sum(axis=0), sums.T @ sums))
    if count < FEWEST_PERSONS or not error > 0:
        return float("nan"), float("nan")
    random = np.random.default_rng(seed)
    products = (sums[:, :, None] * sums[:, None, :]).reshape(count, 36)
    drawn = random.multinomial(count, np.full(count, 1 / count), size=resamples)
    z, errors = _z_and_error(drawn @ sums, (drawn @ products).reshape(-1, 6, 6))
    usable = errors > 0
    studentised = (z[usable] - middle) / errors[usable]
    below, above = np.quantile(studentised, [(1 + level) / 2, (1 - level) / 2])
    return float(np.tanh(middle - below * error)), float(np.tanh(middle - above * error))


def _z_and_error(sums: Array, products: Array) -> tuple[Array, Array]:
    """Fisher's z of r and its standard error, from persons' sums [..., 6].

    `products` [..., 6, 6] are Σ s sᵀ over persons; the error is computed from the gradient of z
    along each person's sums (which add up to zero).
    """
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    zero = np.zeros_like(n)
    var_x, var_y = n * xx - x * x, n * yy - y * y
    r = correlation_ratio(n * xy - x * y, var_x, var_y)
    with np.errstate(invalid="ignore", divide="ignore"):
        by_covariance = np.stack([xy, -y, -x, zero, zero, n], -1)
        by_x = np.stack([xx, -2 * x, zero, n, zero, zero], -1) / var_x[..., None]
        by_y = np.stack([yy, zero, -2 * y, zero, n, zero], -1) / var_y[..., None]
        gradient = by_covariance / np.sqrt(var_x * var_y)[..., None]
        gradient = (gradient - r[..., None] / 2 * (by_x + by_y)) / (1 - r**2)[..., None]
        squared = np.einsum("...i,...ij,...j->...", gradient, products, gradient)
        usable = (np.abs(r) < 1 - 1e-12) & (squared > 0)
        return np.arctanh(np.where(usable, r, 0)), np.sqrt(np.where(usable, squared, 0))
