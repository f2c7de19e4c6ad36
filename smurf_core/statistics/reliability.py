"""Upper limits of correlations with ratings, because raters differ."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smurf_core.statistics.krippendorff import krippendorff_alpha

Array = npt.NDArray[np.float64]


def reliability_ceiling(ratings: Array) -> float:
    """The highest r that any variable can reach with the mean of these ratings.

    This is √ of the mean rating's reliability: single ratings' α, stepped up to the mean number
    k of raters per unit, kα / (1 + (k − 1) α).

    Parameters
    ----------
    ratings : array [raters, units]
        NaN where a rater gave none.

    Returns
    -------
    float
        From 0 (α is not above zero) to 1; NaN if α is not defined.

    Notes
    -----
    Spearman (1910) and Brown (1910), *British Journal of Psychology* 3; with α in place of the
    correlation of halves.

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> truth = random.normal(size=1000)
    >>> round(reliability_ceiling(truth + random.normal(size=(3, 1000))), 1)  # √(3/4)
    0.9
    """
    alpha = krippendorff_alpha(ratings)
    if np.isnan(alpha):
        return alpha
    counts = np.isfinite(ratings).sum(axis=0)
    k = float(counts[counts > 0].mean())
    alpha = max(alpha, 0.0)
    return float(np.sqrt(k * alpha / (1 + (k - 1) * alpha)))


def difference_ceiling(human: Array, ratings: Array) -> float:
    """The highest r that any variable can reach with a value minus a mean rating.

    Raters differ by chance; the error variance of the mean rating of a sample with k raters is
    s²/k, with s² their variance within samples, pooled (as in the observed disagreement of
    Krippendorff's α). The rest of the variance of `human` is reliable, and r is at most the square
    root of that share. The value itself is treated as free of error.

    Parameters
    ----------
    human : array [n]
        A value minus the mean rating of the sample; NaN if there is no rating.
    ratings : array [raters, n]
        In the same unit; NaN where a rater gave none.

    Returns
    -------
    float
        From 0 (no reliable variance) to 1; NaN if no sample has two ratings, or fewer than three
        samples are rated.

    Notes
    -----
    Spearman (1904), *The American Journal of Psychology* 15: r is at most the root of the
    reliability.

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> unique = random.normal(size=1000)
    >>> ratings = random.normal(size=(2, 1000))  # The mean of two has an error variance of 1/2.
    >>> round(difference_ceiling(unique - ratings.mean(axis=0), ratings), 1)  # √(2/3)
    0.8
    """
    counts = np.isfinite(ratings).sum(axis=0)
    several = counts >= 2
    used = np.isfinite(human) & (counts >= 1)
    if not several.any() or used.sum() < 3 or not np.ptp(human[used]) > 0:
        return float("nan")
    given = ratings[:, several]
    within = np.nansum((given - np.nansum(given, axis=0) / counts[several]) ** 2)
    error = within / (counts[several] - 1).sum() * (1 / counts[used]).mean()
    return float(np.sqrt(max(1 - error / human[used].var(ddof=1), 0.0)))
