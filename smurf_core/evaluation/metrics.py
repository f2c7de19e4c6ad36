"""Metrics of predictions: those of the paper and related ones.

All take arrays and return a float, which is NaN if a metric is not defined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used, after the first paint

from smurf_core.data.dataset import Task
from smurf_core.statistics.correlation import pearson_r

Array = npt.NDArray[np.floating]
Codes = npt.NDArray[np.integer]


def concordance(truth: Array, prediction: Array) -> float:
    """Lin's concordance correlation coefficient: 2 cov / (var + var + squared mean difference)."""
    a, b = np.asarray(truth, float), np.asarray(prediction, float)
    covariance = ((a - a.mean()) * (b - b.mean())).mean()
    scale = a.var() + b.var() + (a.mean() - b.mean()) ** 2
    return float(2 * covariance / scale) if scale > 0 else float("nan")


def mean_absolute_error(truth: Array, prediction: Array) -> float:
    """Mean absolute difference, in the target's unit."""
    return float(np.abs(np.asarray(truth, float) - prediction).mean())


def root_mean_squared_error(truth: Array, prediction: Array) -> float:
    """Root of the mean squared difference, in the target's unit."""
    return float(np.sqrt(((np.asarray(truth, float) - prediction) ** 2).mean()))


def accuracy(truth: Codes, logits: Array) -> float:
    """Share of samples whose highest logit is that of the true class."""
    return float((logits.argmax(axis=1) == truth).mean())


def balanced_accuracy(truth: Codes, logits: Array) -> float:
    """Share of correctly classified samples per class, averaged over the classes that occur."""
    hits = logits.argmax(axis=1) == truth
    return float(np.mean([hits[truth == c].mean() for c in np.unique(truth)]))


def macro_f1(truth: Codes, logits: Array) -> float:
    """Mean F1 over the classes that occur or were predicted; 0 for a class without hits."""
    predicted = logits.argmax(axis=1)
    scores = []
    for c in np.union1d(truth, predicted):
        hits = ((predicted == c) & (truth == c)).sum()
        scores.append(2 * hits / ((predicted == c).sum() + (truth == c).sum()))
    return float(np.mean(scores))


def log_loss(truth: Codes, logits: Array) -> float:
    """Mean negative log probability of the true class (natural logarithm)."""
    return float(-scipy.special.log_softmax(logits, axis=1)[np.arange(len(truth)), truth].mean())


Metric = Callable[[Any, Any], float]
# The first of each task is the paper's metric, which the grid search maximises. Predictions are [n]
# for regression and logits [n, c] for classification.
METRICS: Mapping[Task, Mapping[str, Metric]] = MappingProxyType(
    {
        "regression": {
            "r": pearson_r,
            "ccc": concordance,
            "mae": mean_absolute_error,
            "rmse": root_mean_squared_error,
        },
        "classification": {
            "accuracy": accuracy,
            "balanced_accuracy": balanced_accuracy,
            "macro_f1": macro_f1,
            "log_loss": log_loss,
        },
    }
)
METRIC_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "r": "Pearson's r",
        "ccc": "Concordance (CCC)",
        "mae": "Mean absolute error",
        "rmse": "RMSE",
        "accuracy": "Accuracy",
        "balanced_accuracy": "Balanced accuracy",
        "macro_f1": "Macro F1",
        "log_loss": "Log loss",
    }
)
# A correlation of fewer samples says nothing: of two, it is always −1 or 1.
CORRELATIONS = frozenset({"r", "ccc"})
FEWEST_FOR_CORRELATION = 5
LOWER_IS_BETTER = frozenset({"mae", "rmse", "log_loss"})


def score(task: Task, metric: str, truth: npt.NDArray[np.generic], prediction: Array) -> float:
    """One metric by its name; `prediction` is [n, c] as `Contributions.prediction` gives it.

    NaN for a correlation of fewer than five samples.
    """
    if metric in CORRELATIONS and len(truth) < FEWEST_FOR_CORRELATION:
        return float("nan")
    column = prediction if task == "classification" else prediction[:, 0]
    return METRICS[task][metric](truth, column)
