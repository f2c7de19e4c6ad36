"""Pearson's r from values, sums or covariances, with one formula for all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
# Sums of squares keep about 16 digits: a variance below this share of the squared mean is rounding
# error.
_ROUNDING = 1e-12


def correlation_ratio(
    covariance: npt.ArrayLike, variance_x: npt.ArrayLike, variance_y: npt.ArrayLike
) -> Array:
    """Covariance over the square root of both variances: the core of all functions in this file.

    Sums of squares and products also work, because a common factor cancels. Arrays broadcast.

    Parameters
    ----------
    covariance, variance_x, variance_y : array
        The covariance and the variances of two variables, with any common factor.

    Returns
    -------
    array of float64
        Pearson's r (Pearson, 1895, *Proceedings of the Royal Society* 58); NaN where a variance
        is zero or not a number.

    Examples
    --------
    >>> correlation_ratio([1.0, 1.0], [4.0, 0.0], [1.0, 1.0]).tolist()
    [0.5, nan]
    """
    with np.errstate(invalid="ignore", over="ignore"):
        scale = np.sqrt(np.multiply(variance_x, variance_y))
        varies = scale > 0
        return np.where(varies, np.divide(covariance, np.where(varies, scale, 1)), np.nan)


def pearson_r(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Pearson's correlation of two variables.

    Parameters
    ----------
    x, y : array [n]
        Values of the same samples; any units.

    Returns
    -------
    float
        r from −1 to 1 (`correlation_ratio`); NaN if either variable is constant.

    Examples
    --------
    >>> round(pearson_r([1, 2, 3, 4], [1, 3, 2, 4]), 3)
    0.8
    >>> pearson_r([1, 1, 1], [1, 2, 3])
    nan
    """
    a, b = _centred(np.asarray(x, float)), _centred(np.asarray(y, float))
    return float(correlation_ratio((a * b).sum(), (a**2).sum(), (b**2).sum()))


def pearson_by_row(rows: npt.NDArray[np.floating], y: npt.NDArray[np.floating]) -> Array:
    """Pearson's correlation of every row with the same variable.

    Parameters
    ----------
    rows : array [k, n]
        For example the predictions of k models for n samples.
    y : array [n]
        For example the target. In training both are float32; the float64 mean of a constant
        variable is then exact.

    Returns
    -------
    array of float64 [k]
        r of every row (`correlation_ratio`); NaN where the row or `y` does not vary, or is not
        finite.

    Examples
    --------
    >>> import numpy as np
    >>> pearson_by_row(np.array([[1.0, 2, 3], [3, 2, 1], [5, 5, 5]]), np.arange(3.0)).tolist()
    [1.0, -1.0, nan]
    """
    with np.errstate(invalid="ignore", over="ignore"):
        a = rows - rows.mean(axis=1, keepdims=True, dtype=np.float64)
        b = y - y.mean(dtype=np.float64)
        return correlation_ratio(a @ b, (a * a).sum(axis=1), (b * b).sum())


def pearson_between(x: Array, y: Array) -> Array:
    """Pearson's correlation of every column of one array with every column of another.

    Parameters
    ----------
    x : array [n, p, …]
        p variables of n samples.
    y : array [n, q, …]
        q variables of the same samples. Further axes are the same in both, and are matched.

    Returns
    -------
    array of float64 [p, q, …]
        r of each pair (`correlation_ratio`); NaN where either does not vary.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.0, 1], [1, 0], [2, 0]])
    >>> pearson_between(x, x).round(3).tolist()
    [[1.0, -0.866], [-0.866, 1.0]]
    """
    a, b = _centred(x), _centred(y)
    return correlation_ratio(
        np.einsum("np...,nq...->pq...", a, b, optimize=True),
        (a**2).sum(axis=0)[:, None],
        (b**2).sum(axis=0)[None],
    )


def _centred(values: Array) -> Array:
    """Values [n, …] minus their mean; exactly zero for a constant, even if its mean is rounded."""
    return np.where(np.ptp(values, axis=0) > 0, values - values.mean(axis=0), 0.0)


def moments(x: Array, y: Array) -> Array:
    """Terms of each sample for `pearson_of_sums`, which takes (weighted) sums of the rows.

    Parameters
    ----------
    x, y : array [n]
        Values of the same samples. Centre both first: sums of squares far from zero lose digits.

    Returns
    -------
    array [n, 6]
        1, x, y, x², y², xy.

    Examples
    --------
    >>> import numpy as np
    >>> moments(np.array([2.0]), np.array([3.0])).tolist()
    [[1.0, 2.0, 3.0, 4.0, 9.0, 6.0]]
    """
    return np.stack(list(moment_columns(x, y)), axis=1)


def moment_columns(x: Array, y: Array) -> Iterator[Array]:
    """The columns of `moments`, one after another: less memory where only their sums are needed.

    Parameters
    ----------
    x, y : array [n]
        As in `moments`.

    Returns
    -------
    iterator of arrays [n]
        1, x, y, x², y², xy.

    Examples
    --------
    >>> import numpy as np
    >>> [float(column.sum()) for column in moment_columns(np.array([2.0]), np.array([3.0]))]
    [1.0, 2.0, 3.0, 4.0, 9.0, 6.0]
    """
    yield np.ones_like(x)
    yield x
    yield y
    yield x * x
    yield y * y
    yield x * y


def pearson_of_sums(sums: Array) -> Array:
    """Pearson's correlation from weighted sums of `moments`.

    This is r with a weight for each sample, or each person: `weights @ moments(x, y)`.

    Parameters
    ----------
    sums : array [..., 6]
        Sums of the weights, and of the weighted x, y, x², y² and xy.

    Returns
    -------
    array of float64 [...]
        r (`correlation_ratio`); NaN if either variance is zero, apart from rounding error.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.array([0.0, 1, 2, 7]), np.array([1.0, 0, 3, 9])
    >>> weights = np.array([2.0, 1, 1, 0])  # The first sample twice, the last not at all.
    >>> round(float(pearson_of_sums(weights @ moments(x, y))), 3)
    0.623
    """
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    mean_x, mean_y = x / n, y / n
    var_x, var_y = xx / n - mean_x**2, yy / n - mean_y**2
    varies = (var_x > _ROUNDING * mean_x**2) & (var_y > _ROUNDING * mean_y**2)
    return correlation_ratio(
        xy / n - x * y / n**2, np.where(varies, var_x, 0), np.where(varies, var_y, 0)
    )
