"""Holm's correction of several p-values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def holm(p: Array) -> Array:
    """Holm's step-down correction of all p-values that are not NaN.

    Parameters
    ----------
    p : array [k]
        p-values of one table; NaN where there is none.

    Returns
    -------
    array [k]
        Corrected p-values, in the same order and at most 1; NaN stays NaN and is not counted.

    Notes
    -----
    Holm (1979), *Scandinavian Journal of Statistics* 6: the i-th smallest of k is multiplied by
    k − i + 1, and none may be below the one before it.

    Examples
    --------
    >>> import numpy as np
    >>> holm(np.array([0.01, 0.04, np.nan, 0.03])).round(3).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    corrected = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    stepped = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return corrected
