"""The corrected resampled t-test of differences over folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ResampledT:
    """t and its two-sided p."""

    statistic: float
    p: float


def corrected_resampled_t_test(differences: Array, test_to_training: float) -> ResampledT:
    """Test whether differences over folds are zero on average; training sets may overlap.

    The variance is (1/k + n_test/n_train) s², with k − 1 degrees of freedom. The test is about
    the *training procedure*. It assumes normal differences whose correlation between folds is
    n_test / (n_test + n_train); where they correlate less, it is conservative.

    Parameters
    ----------
    differences : array [k]
        Difference of two models' metric in each fold.
    test_to_training : float
        Number of test samples divided by that of training samples (including those that are used to
        choose the model or to stop training).

    Returns
    -------
    ResampledT
        statistic (t) and p (two-sided). NaN with one fold, or where the differences do not vary.

    Notes
    -----
    Nadeau and Bengio (2003), *Machine Learning* 52; for cross-validation, Bouckaert and Frank
    (2004), *PAKDD*.

    Examples
    --------
    >>> import numpy as np
    >>> found = corrected_resampled_t_test(np.array([0.02, 0.05, 0.01, 0.04, 0.03]), 0.25)
    >>> round(found.statistic, 3), round(found.p, 3)
    (2.828, 0.047)
    """
    k = len(differences)
    variance = float(np.var(differences, ddof=1)) if k > 1 else 0.0
    if not variance > 0:
        return ResampledT(float("nan"), float("nan"))
    t = float(np.mean(differences)) / np.sqrt((1 / k + test_to_training) * variance)
    return ResampledT(float(t), float(2 * scipy.stats.t.sf(abs(t), k - 1)))
