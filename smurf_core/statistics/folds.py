"""Values relative to their fold, because each fold has its own model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def centred_within(
    values: npt.NDArray[np.floating], folds: npt.NDArray[np.integer]
) -> npt.NDArray[np.float64]:
    """Values minus the mean of their fold.

    Parameters
    ----------
    values : array [n, …]
        Any values with samples first; the result has the same unit.
    folds : array of int [n]
        The fold of each sample.

    Returns
    -------
    array of float64 [n, …]
        A new array; its mean over the samples of each fold is zero.

    Examples
    --------
    >>> import numpy as np
    >>> centred_within(np.array([1.0, 3.0, 10.0]), np.array([0, 0, 1])).tolist()
    [-1.0, 1.0, 0.0]
    """
    centred = values.astype(np.float64)
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        own = centred[rows]
        centred[rows] = own - own.mean(axis=0)
    return centred
