"""Which configuration of a fold wins, from validation results alone. Imports no torch."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.configuration import ModelKind, Selection, has_auxiliary_loss
from smurf_core.data.dataset import Task
from smurf_core.errors import InputError

# Metrics are reported with three decimals (table 2): two that differ by less than half of the
# last one are told as the same number. On data that can be predicted perfectly the standard
# error is zero, and this is all that makes configurations equal.
REPORTED_RESOLUTION = 0.0005


def metric_standard_error(metric: float, samples: int, task: Task) -> float:
    """Standard error of a validation metric over samples.

    Pearson's r: (1 − r²) / √(n − 1), of the bivariate normal; accuracy: √(p (1 − p) / n).
    """
    if task == "regression":
        return float((1 - metric**2) / np.sqrt(max(samples - 1, 1)))
    return float(np.sqrt(metric * (1 - metric) / samples))


def choose(
    candidates: pd.DataFrame, rule: Selection, model: ModelKind, task: Task, samples: int
) -> int:
    """Position of the winning row of a fold's candidates.

    `published` takes the best validation metric (section 4.5), the lower validation objective
    where metrics tie. `one_standard_error` takes, among the configurations whose metric is within
    one standard error of the best one's, the one with the lowest factorisation loss on the
    validation samples: of those that predict alike the best factorised. It equals the published
    rule for models without an auxiliary loss. `samples` is the number of validation samples.
    """
    metric = candidates["validation_metric"].to_numpy(dtype=float)
    objective = candidates["validation_objective"].to_numpy(dtype=float)
    usable = np.isfinite(metric) & np.isfinite(objective)
    if not usable.any():
        raise InputError(
            "No configuration of the grid gave a finite validation result: lower the learning "
            "rates, or check the data for extreme values."
        )
    best = int(np.lexsort((objective, np.where(usable, -metric, np.inf)))[0])
    if rule == "published" or not has_auxiliary_loss(model):
        return best
    tolerance = max(metric_standard_error(metric[best], samples, task), REPORTED_RESOLUTION)
    alike = usable & (metric >= metric[best] - tolerance)
    factorisation = candidates["factorisation_loss"].to_numpy(dtype=float)
    return int(np.where(alike, factorisation, np.inf).argmin())


def layers_label(hidden_layers: tuple[int, ...]) -> str:
    """How a layer setting is written in tables: `20-10`, or `linear`."""
    return "-".join(map(str, hidden_layers)) or "linear"


def pearson_by_row(
    predictions: npt.NDArray[np.float32], target: npt.NDArray[np.float32]
) -> npt.NDArray[np.float64]:
    """Pearson's r of every row of predictions [k, n] with the target [n]; NaN without spread."""
    p = predictions - predictions.mean(axis=1, keepdims=True, dtype=np.float64)
    t = target - target.mean(dtype=np.float64)
    scale = np.sqrt((p * p).sum(axis=1) * (t * t).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(scale > 0, (p @ t) / scale, np.nan))


def accuracy_by_row(
    logits: npt.NDArray[np.float32], target: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Accuracy of every member's logits [k, c, n] against class codes [n]; NaN if not finite."""
    right = (logits.argmax(axis=1) == target).mean(axis=1)
    return np.where(np.isfinite(logits).all(axis=(1, 2)), right, np.nan)
