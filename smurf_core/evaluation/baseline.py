"""Do a run's models predict better than no features at all?"""

from __future__ import annotations

import pandas as pd

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.performance import chance_performance, fold_performance
from smurf_core.results import RunResult

# Metrics in which a model can be worse than a constant, whatever its accuracy or its r.
_METRIC = {"regression": "rmse", "classification": "log_loss"}


def against_baseline(result: RunResult, dataset: MultimodalDataset) -> pd.DataFrame:
    """A run's error on held-out samples beside that of a constant prediction, fold by fold.

    The constant knows the training fold's target only: its mean (RMSE), or its class frequencies
    (log loss, with one sample of each class added, so that no class is impossible).

    Returns
    -------
    DataFrame
        One row per fold: fold (from 1), metric (`rmse` | `log_loss`), value, baseline, n.

    Raises
    ------
    InputError
        If the run was not trained on this data set.
    """
    metric = _METRIC[result.task]
    ours = fold_performance(result, dataset, [metric])
    constant = chance_performance(result, dataset, [metric])
    return ours.assign(baseline=constant["value"])[["fold", "metric", "value", "baseline", "n"]]
