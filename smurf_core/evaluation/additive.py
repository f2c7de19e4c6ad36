"""Metrics as functions of sums over samples, which makes swapping or omitting persons fast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used, after the first paint

from smurf_core.statistics.correlation import moments, pearson_of_sums
from smurf_core.statistics.paired import PairedSums, Score

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FoldPair:
    """One fold's test samples and the predictions of two models for them."""

    truth: npt.NDArray[np.generic]  # [n]
    first: npt.NDArray[np.floating]  # [n, c]: as `Contributions.prediction` gives it
    second: npt.NDArray[np.floating]  # [n, c]
    persons: npt.NDArray[np.int64]  # [n]: number of each sample's person


def paired_sums(metric: str, pair: FoldPair) -> PairedSums:
    """The sums that each person contributes to a metric of two models.

    Parameters
    ----------
    metric : str
        A name of `smurf_core.evaluation.metrics.METRICS`.
    pair : FoldPair
        Truth and predictions of one fold's test samples.

    Returns
    -------
    PairedSums
        For `permutation_test` and `jackknife_error`.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([1.0, 2.0, 4.0])
    >>> pair = FoldPair(truth, truth[:, None] + 1, truth[:, None], np.array([0, 0, 1]))
    >>> paired_sums("mae", pair).difference()
    1.0
    """
    first, score = _statistics(metric, pair.truth, pair.first.astype(np.float64))
    second, _ = _statistics(metric, pair.truth, pair.second.astype(np.float64))
    return PairedSums.of(pair.persons, first, second, score)


def _statistics(
    metric: str, truth: npt.NDArray[np.generic], prediction: Array
) -> tuple[Array, Score]:
    """Statistics of each sample, [n, s], and the metric of their sums."""
    y = np.asarray(truth, dtype=np.float64)
    if metric in ("r", "ccc"):
        # Shifting all values changes neither metric and keeps the digits of sums of squares.
        sums = moments(y - y.mean(), prediction[:, 0] - y.mean())
        return sums, pearson_of_sums if metric == "r" else _concordance
    if metric in ("mae", "rmse"):
        error = np.abs(prediction[:, 0] - y)
        powered = error if metric == "mae" else error**2
        root = np.sqrt if metric == "rmse" else np.asarray
        return np.stack([np.ones_like(y), powered], axis=1), lambda s: root(s[..., 1] / s[..., 0])
    codes = np.asarray(truth, dtype=np.int64)
    if metric == "log_loss":
        loss = -scipy.special.log_softmax(prediction, axis=1)[np.arange(len(codes)), codes]
        return np.stack([np.ones(len(codes)), loss], axis=1), lambda s: s[..., 1] / s[..., 0]
    classes = np.arange(prediction.shape[1])
    is_class = (codes[:, None] == classes).astype(np.float64)
    is_predicted = (prediction.argmax(axis=1)[:, None] == classes).astype(np.float64)
    counts = np.concatenate([is_class * is_predicted, is_class, is_predicted], axis=1)
    kinds: dict[str, Score] = {
        "accuracy": lambda s: _thirds(s)[0].sum(axis=-1) / _thirds(s)[1].sum(axis=-1),
        "balanced_accuracy": lambda s: _mean_ratio(_thirds(s)[0], _thirds(s)[1]),
        "macro_f1": lambda s: _mean_ratio(2 * _thirds(s)[0], _thirds(s)[1] + _thirds(s)[2]),
    }
    return counts, kinds[metric]


def _thirds(sums: Array) -> tuple[Array, Array, Array]:
    """Hits, true counts and predicted counts of each class."""
    c = sums.shape[-1] // 3
    return sums[..., :c], sums[..., c : 2 * c], sums[..., 2 * c :]


def _mean_ratio(above: Array, below: Array) -> Array:
    """Mean ratio over the classes that occur (whose denominator is above zero)."""
    occurs = below > 0
    ratio = np.where(occurs, above / np.where(occurs, below, 1), 0)
    return np.asarray(ratio.sum(axis=-1) / occurs.sum(axis=-1))


def _concordance(sums: Array) -> Array:
    n, y, p, yy, pp, yp = np.moveaxis(sums, -1, 0)
    mean_y, mean_p = y / n, p / n
    covariance, var_y, var_p = yp / n - y * p / n**2, yy / n - mean_y**2, pp / n - mean_p**2
    return np.asarray(2 * covariance / (var_y + var_p + (mean_y - mean_p) ** 2))
