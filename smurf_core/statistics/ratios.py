"""Intervals of ratios of sums, over persons: R², differences of R², and shares of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used: stats takes a second that the first paint lacks

from smurf_core.statistics.persons import Persons, person_codes

Array = npt.NDArray[np.float64]


def ratio_interval(
    above: Array, below: Array, persons: Persons | None, *, level: float = 0.95
) -> tuple[Array, Array]:
    """Fieller's interval of Σ above / Σ below, with persons as independent units.

    A ratio ρ lies in the interval if Student's t test over persons does not reject that the sums
    of (above − ρ · below) of a person are zero on average. The interval is therefore not
    symmetric, and it has no ends where the denominator itself may be zero at this level. A
    standard error of the ratio (delta method) would give a narrow interval there.

    Parameters
    ----------
    above : array [n, k]
        Numerators of k ratios, sample by sample.
    below : array [n]
        Their common denominator, sample by sample.
    persons : array [n] or None
        The person of each sample; None: every sample is independent.
    level : float
        Coverage, between 0 and 1.

    Returns
    -------
    (array [k], array [k])
        Lower and upper ends. NaN with fewer than two persons, and where there are no ends.

    Raises
    ------
    ValueError
        Where `persons` has not one entry per sample.

    Notes
    -----
    Fieller (1954), *Journal of the Royal Statistical Society B* 16. With a person's sums as the
    observations, the variance is the usual one for samples in clusters of unequal size (Cochran,
    1977, *Sampling Techniques*, section 9A.2); t has as many degrees of freedom as there are
    persons, less one.

    Examples
    --------
    >>> import numpy as np
    >>> above = np.array([[1.0], [2.0], [3.0], [2.0]])
    >>> low, high = ratio_interval(above, np.ones(4), None)  # of a mean: the usual t interval
    >>> np.round([low[0], high[0]], 3).tolist()
    [0.701, 3.299]
    """
    codes = person_codes(persons, len(below))
    count = int(codes.max(initial=-1)) + 1
    nothing = np.full(above.shape[1], np.nan)
    if count < 2:
        return nothing, nothing.copy()
    columns = np.column_stack([above, below]).T
    sums = np.stack([np.bincount(codes, weights=column) for column in columns], axis=1)
    mean = sums.mean(axis=0)
    # Around zero at the estimate: sums of squares keep their digits there.
    total = mean[-1] if mean[-1] != 0 else 1.0
    ratio = mean[:-1] / total
    off = sums[:, :-1] - ratio * sums[:, -1:]
    spread = sums[:, -1] - mean[-1]
    limit = float(scipy.stats.t.ppf((1 + level) / 2, count - 1)) ** 2 / (count * (count - 1))
    # With x = ρ − ratio: (mean_below x)² ≤ limit · Σ (off − x · spread')², a quadratic in x.
    square = mean[-1] ** 2 - limit * float(spread @ spread)
    cross = limit * (spread @ off)
    constant = -limit * (off**2).sum(axis=0)
    if not square > 0:
        return nothing, nothing.copy()
    root = np.sqrt(np.maximum(cross**2 - square * constant, 0))
    return ratio + (-cross - root) / square, ratio + (-cross + root) / square
