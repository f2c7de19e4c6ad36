"""How much of a prediction is left when modalities are missing (Table 5, section 4.4)."""

from __future__ import annotations

from itertools import chain, combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.contributions import Contributions, modality_subsets, subset_name
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.metrics import METRICS, pearson_r, score
from smurf_core.evaluation.performance import check_samples
from smurf_core.results import RunResult

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def available_subsets(modalities: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Every non-empty subset of the modalities, single ones first."""
    sizes = range(1, len(modalities) + 1)
    return tuple(chain.from_iterable(combinations(modalities, size) for size in sizes))


def remaining_terms(contributions: Contributions, available: tuple[str, ...]) -> Mask:
    """Which terms (as `Contributions.term_names` orders them) only need these modalities, [t].

    A redundant contribution ŷ_IJ comes from I alone, so it remains without J. An interaction
    remains where all modalities of its source are there.
    """
    names = {
        subset_name(subset)
        for order in range(1, len(contributions.modalities) + 1)
        for subset in modality_subsets(contributions.modalities, order)
        if set(subset) <= set(available)
    }
    return np.array([source in names for _, source, _ in contributions.term_names()])


def recovered_predictions(
    contributions: Contributions, available: tuple[str, ...], training: Mask
) -> Array:
    """The full prediction as a linear model of the remaining contributions, [n, c].

    The model (least squares with an intercept, one for each output from its own terms) is fitted
    on the training samples of `contributions`, all of which one fold's model must explain. It
    puts the remaining contributions on the scale of the whole (section 4.4).
    """
    terms = contributions.terms()[:, remaining_terms(contributions, available)].astype(np.float64)
    full = contributions.prediction().astype(np.float64)
    found = np.empty_like(full)
    for output in range(full.shape[1]):
        inputs = np.column_stack([np.ones(len(terms)), terms[:, :, output]])
        weights, *_ = np.linalg.lstsq(inputs[training], full[training, output])
        found[:, output] = inputs @ weights
    return found


def out_of_fold_recovery(result: RunResult, available: tuple[str, ...]) -> Array:
    """`recovered_predictions` of every tested sample by the model that did not see it, [n, c].

    In the order of `RunResult.contributions`.
    """
    tested_by = result.folds.tested_by()
    found = np.empty((len(tested_by), len(result.outputs)))
    for fold in range(len(result.folds)):
        mine = tested_by == fold
        contributions = result.fold_contributions(fold)
        training = result.folds.training[fold]
        keep = contributions.select(mine | training)
        recovered = recovered_predictions(keep, available, training[mine | training])
        found[mine] = recovered[mine[mine | training]]
    return found[tested_by >= 0]


def missing_modalities(result: RunResult, dataset: MultimodalDataset) -> pd.DataFrame:
    """Every metric for every non-empty subset of modalities, fold by fold (Table 5).

    The linear model of `recovered_predictions` is fitted on each fold's training samples and
    evaluated on its test samples: against the truth, and against the full prediction.

    Returns
    -------
    DataFrame
        One row a subset, fold and metric: available (names joined by +), missing, size, fold,
        metric, value (against the truth), full (what all modalities reach), fidelity (Pearson's
        r with the full prediction, mean over outputs), n.
    """
    check_samples(result, dataset)
    rows = []
    for fold in range(len(result.folds)):
        contributions = result.fold_contributions(fold)
        test, training = result.folds.test[fold], result.folds.training[fold]
        full = contributions.prediction()[test]
        truth = dataset.target[test]
        best = {m: score(result.task, m, truth, full) for m in METRICS[result.task]}
        for available in available_subsets(result.modalities):
            found = recovered_predictions(contributions, available, training)[test]
            fidelity = np.mean([pearson_r(full[:, c], found[:, c]) for c in range(full.shape[1])])
            missing = tuple(name for name in result.modalities if name not in available)
            rows += [
                {
                    "available": subset_name(available),
                    "missing": subset_name(missing),
                    "size": len(available),
                    "fold": fold,
                    "metric": metric,
                    "value": score(result.task, metric, truth, found),
                    "full": best[metric],
                    "fidelity": float(fidelity),
                    "n": int(test.sum()),
                }
                for metric in METRICS[result.task]
            ]
    return pd.DataFrame(rows)


def missing_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over folds of `missing_modalities`, in its order.

    Columns: available, missing, size, metric, mean, sd, full (mean), fidelity (mean), folds.
    """
    grouped = table.groupby(["available", "missing", "size", "metric"], sort=False)
    summary = grouped.agg(
        mean=("value", "mean"),
        sd=("value", "std"),
        full=("full", "mean"),
        fidelity=("fidelity", "mean"),
        folds=("fold", "nunique"),
    )
    return summary.reset_index()
