"""Which configuration of a fold wins, from validation results alone. Imports no torch."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.configuration import Selection
from smurf_core.errors import InputError
from smurf_core.model_kinds import MODEL_KINDS, ModelKind

# Metrics are reported with three decimals (table 2): two that differ by less than half of the
# last one are reported as the same number. On data that can be predicted perfectly the standard
# error of a difference is zero, and this is all that makes configurations equal.
REPORTED_RESOLUTION = 0.0005


def choose(candidates: pd.DataFrame, rule: Selection, model: ModelKind) -> int:
    """Position of the winning row of a fold's candidates.

    `published` takes the best validation metric (section 4.5), the lower validation objective
    where metrics tie. `one_standard_error` takes, among the configurations that predict as well
    as the best, the one with the lowest factorisation loss on the validation samples. As well
    means that its metric is at most one standard error of the difference lower, on the same
    samples. It equals the published rule for models without an auxiliary loss.

    Beside their results, candidates have a column `influence`: how much every validation sample
    moves the metric, [n] each (`influence_by_row`).
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
    if rule == "published" or not MODEL_KINDS[model].has_auxiliary_loss:
        return best
    errors = paired_standard_errors(np.stack(candidates["influence"].to_list()), best)
    alike = usable & (metric >= metric[best] - np.maximum(errors, REPORTED_RESOLUTION))
    factorisation = candidates["factorisation_loss"].to_numpy(dtype=float)
    return int(np.where(alike, factorisation, np.inf).argmin())


def paired_standard_errors(
    influence: npt.NDArray[np.floating], reference: int
) -> npt.NDArray[np.float64]:
    """Standard error of every row's metric less that of one row, on the same samples, [k].

    The infinitesimal jackknife: standard deviation of the differences of `influence` [k, n] over
    √n. Two models that err on the same samples differ by less than either's own standard error.
    """
    difference = influence.astype(np.float64) - influence[reference]
    return np.asarray(difference.std(axis=1, ddof=1) / np.sqrt(influence.shape[1]))


def influence_by_row(
    predictions: npt.NDArray[np.float32], target: npt.NDArray[np.generic]
) -> npt.NDArray[np.float32]:
    """How much every sample moves each member's metric, up to a constant, [k, n].

    For classes, of logits [k, c, n]: 1 where the sample is recognised, else 0 (the metric is
    their mean). For regression, of predictions [k, 1, n]: the influence function of Pearson's r,
    z_y z_p − r (z_y² + z_p²) / 2 with standardised z (Devlin et al., 1975); 0 without spread.
    """
    if not np.issubdtype(target.dtype, np.floating):
        return np.asarray(predictions.argmax(axis=1) == target, dtype=np.float32)
    p, y = predictions[:, 0].astype(np.float64), target.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        z_p = (p - p.mean(axis=1, keepdims=True)) / p.std(axis=1, keepdims=True)
        z_y = (y - y.mean()) / y.std()
        r = (z_p * z_y).mean(axis=1, keepdims=True)
        influence = z_p * z_y - r * (z_p**2 + z_y**2) / 2
    return np.asarray(np.nan_to_num(influence, posinf=0, neginf=0), dtype=np.float32)


def accuracy_by_row(
    logits: npt.NDArray[np.float32], target: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Accuracy of every member's logits [k, c, n] against class codes [n]; NaN if not finite."""
    right = (logits.argmax(axis=1) == target).mean(axis=1)
    return np.where(np.isfinite(logits).all(axis=(1, 2)), right, np.nan)
