"""Performance of a run on samples that its models were not trained on (Table 2)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.metrics import METRICS, score
from smurf_core.explained import explained
from smurf_core.fold_label import fold_label
from smurf_core.results import RunResult


def fold_performance(
    result: RunResult, dataset: MultimodalDataset, metrics: Sequence[str] | None = None
) -> pd.DataFrame:
    """All metrics, or those asked for, on each fold's test samples: fold, metric, value, n."""
    check_samples(result, dataset)
    rows = []
    for fold in range(len(result.folds)):
        test = result.folds.test[fold]
        prediction = result.fold_contributions(fold).select(test).prediction()
        for metric in metrics or METRICS[result.task]:
            value = score(result.task, metric, dataset.target[test], prediction)
            rows.append(
                {"fold": fold_label(fold), "metric": metric, "value": value, "n": int(test.sum())}
            )
    return pd.DataFrame(rows)


def performance(result: RunResult, dataset: MultimodalDataset) -> pd.DataFrame:
    """All metrics: mean and standard deviation over folds, and the value over all samples pooled.

    Columns: metric, mean, sd (n − 1; NaN with one fold), folds, pooled, n. The paper reports
    means ± standard deviations over five folds; they are NaN if a metric is not defined in one of
    them, as a correlation of fewer than five samples or with a constant. Pooled is the metric of
    the out-of-fold predictions of all tested samples at once.
    """
    folds = fold_performance(result, dataset).groupby("metric")["value"]
    pooled = explained(result, dataset)
    truth, prediction = pooled.target, pooled.contributions.prediction()
    return pd.DataFrame(
        {
            "metric": metric,
            "mean": folds.get_group(metric).mean(skipna=False),
            "sd": folds.get_group(metric).std(ddof=1, skipna=False),
            "folds": len(result.folds),
            "pooled": score(result.task, metric, truth, prediction),
            "n": len(truth),
        }
        for metric in METRICS[result.task]
    )


def chance_performance(
    result: RunResult, dataset: MultimodalDataset, metrics: Sequence[str] | None = None
) -> pd.DataFrame:
    """Performance without features: predicting the training fold's mean or its class frequencies.

    Columns as in `fold_performance`. Pearson's r is not defined for a constant (NaN).
    """
    check_samples(result, dataset)
    rows = []
    for fold in range(len(result.folds)):
        test, train = result.folds.test[fold], result.folds.training[fold]
        if result.task == "classification":
            counts = np.bincount(dataset.target[train], minlength=len(result.outputs))
            constant = np.log((counts + 1) / (counts + 1).sum())
        else:
            constant = np.array([dataset.target[train].mean()])
        prediction = np.tile(constant, (int(test.sum()), 1))
        for metric in metrics or METRICS[result.task]:
            value = score(result.task, metric, dataset.target[test], prediction)
            rows.append(
                {"fold": fold_label(fold), "metric": metric, "value": value, "n": int(test.sum())}
            )
    return pd.DataFrame(rows)


def check_samples(result: RunResult, dataset: MultimodalDataset) -> None:
    """Raise an error for a data set that a run was not trained on."""
    if not np.array_equal(result.sample_ids, dataset.sample_ids):
        raise InputError(f"The run was not trained on {dataset.name!r}: the samples differ.")
