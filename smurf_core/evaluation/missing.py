"""Predictions without some of the modalities (Table 5, section 4.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used, after the first paint

from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.comparison import (
    check_comparable,
    compare_predictions,
    corrected_marks,
)
from smurf_core.evaluation.metrics import METRICS, score
from smurf_core.evaluation.performance import check_samples
from smurf_core.explained import Explained
from smurf_core.fold_label import fold_label
from smurf_core.results import RunResult
from smurf_core.sample_choice import SampleChoice, chosen_positions
from smurf_core.statistics.correlation import pearson_r
from smurf_core.statistics.permutation import PERMUTATIONS
from smurf_core.terms import subset_name

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.floating]  # as exact as the run's baseline
SHARES_MISSING = tuple(k / 10 for k in range(11))  # of the dropout curve
DRAWS = 20  # of which samples miss a modality


def available_subsets(modalities: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """All non-empty subsets of the modalities, single modalities first."""
    sizes = range(1, len(modalities) + 1)
    return tuple(chain.from_iterable(combinations(modalities, size) for size in sizes))


def remaining_terms(contributions: Contributions, available: tuple[str, ...]) -> Mask:
    """True for each of `Contributions.terms` that needs only these modalities, [t].

    A redundant contribution ŷ_IJ is computed from I alone, so it remains without J. An interaction
    remains if all modalities of its source are available.
    """
    return contributions.where(lambda term: set(term.source) <= set(available))


def recovered_predictions(
    contributions: Contributions, available: tuple[str, ...], training: Mask
) -> Array:
    """The full prediction, reconstructed by a linear model of the remaining contributions, [n, c].

    The model (least squares with an intercept, fitted per output to its terms) uses the training
    samples of `contributions`, which must all come from one fold's model. It brings the remaining
    contributions to the scale of the full prediction (section 4.4).
    """
    (found,) = _recovered(contributions, (available,), training)
    return found


def _recovered(
    contributions: Contributions, subsets: Sequence[tuple[str, ...]], training: Mask
) -> list[Array]:
    """`recovered_predictions` for several subsets, computed from one set of cross products.

    Terms are standardised on the training samples first, so that the normal equations are well
    scaled; directions without variance get no weight (minimum norm).
    """
    terms = contributions.values.astype(np.float64)
    full = contributions.prediction().astype(np.float64)
    keeps = [remaining_terms(contributions, subset) for subset in subsets]
    found = [np.empty_like(full) for _ in subsets]
    for output in range(full.shape[1]):
        x, y = terms[:, :, output], full[:, output]
        mean, sd = x[training].mean(axis=0), x[training].std(axis=0)
        z = (x - mean) / np.where(sd > 0, sd, 1)
        offset = y[training].mean()
        gram = z[training].T @ z[training]
        moment = z[training].T @ (y[training] - offset)
        for keep, result in zip(keeps, found, strict=True):
            weights, *_ = np.linalg.lstsq(gram[np.ix_(keep, keep)], moment[keep], rcond=1e-10)
            result[:, output] = offset + z[:, keep] @ weights
    return found


@dataclass(frozen=True)
class SubsetPredictions:
    """Predictions for each tested sample from each subset of modalities, by its fold's model.

    Samples are in the order of `RunResult.contributions`.
    """

    subsets: tuple[tuple[str, ...], ...]  # [s], single modalities first, all of them last
    recovered: FloatArray  # [s, n, c]: by the linear model of the remaining contributions
    remaining: FloatArray  # [s, n, c]: baseline and remaining contributions, as they are
    full: FloatArray  # [n, c]
    sample_ids: npt.NDArray[np.str_]  # [n]
    folds: npt.NDArray[np.int64]  # [n]

    def of(self, available: tuple[str, ...], *, reconstructed: bool = True) -> FloatArray:
        """Predictions [n, c] from these modalities, with or without the linear reconstruction."""
        found = self.recovered if reconstructed else self.remaining
        return np.asarray(found[self.subsets.index(available)])

    def select(self, chosen: SampleChoice) -> SubsetPredictions:
        """The same for some of the samples: a mask, positions, or sample ids."""
        at = chosen_positions(chosen, self.sample_ids)
        return SubsetPredictions(
            subsets=self.subsets,
            recovered=self.recovered[:, at],
            remaining=self.remaining[:, at],
            full=self.full[at],
            sample_ids=self.sample_ids[at],
            folds=self.folds[at],
        )


def subset_predictions(result: RunResult) -> SubsetPredictions:
    """Predict each tested sample from each subset, with the model that was not trained on it."""
    subsets = available_subsets(result.modalities)
    tested_by = result.folds.tested_by()
    shape = (len(subsets), len(tested_by), len(result.outputs))
    full = result.contributions()
    recovered = np.zeros(shape, dtype=full.baseline.dtype)
    for fold in range(len(result.folds)):
        mine, training = tested_by == fold, result.folds.training[fold]
        if mine.any():
            keep = mine | training
            contributions = result.fold_contributions(fold).select(keep)
            for s, found in enumerate(_recovered(contributions, subsets, training[keep])):
                recovered[s, mine] = found[mine[keep]]
    remaining = [
        full.values[:, remaining_terms(full, subset)].sum(axis=1, dtype=np.float64) + full.baseline
        for subset in subsets
    ]
    return SubsetPredictions(
        subsets=subsets,
        recovered=recovered[:, tested_by >= 0],
        remaining=np.stack(remaining).astype(full.baseline.dtype),
        full=full.prediction(),
        sample_ids=full.sample_ids,
        folds=full.folds,
    )


def missing_modalities(result: RunResult, dataset: MultimodalDataset) -> pd.DataFrame:
    """All metrics for each non-empty subset of modalities and each fold (Table 5).

    The linear model of `recovered_predictions` is fitted on each fold's training samples. Its
    predictions for the test samples are compared with the truth and with the full prediction.

    Returns
    -------
    DataFrame
        One row per subset, fold and metric: available (names joined by +), missing, size, fold,
        metric, value (against the truth), full (the value with all modalities), fidelity (Pearson's
        r with the full prediction, mean over outputs), agreement (share of samples whose predicted
        class is that of the full prediction; NaN for regression), n, absent (number of test samples
        for which none of the available modalities was recorded: their prediction is a constant).
    """
    check_samples(result, dataset)
    rows = []
    present = dataset.present
    for fold in range(len(result.folds)):
        contributions = result.fold_contributions(fold)
        test, training = result.folds.test[fold], result.folds.training[fold]
        full = contributions.prediction()[test]
        truth = dataset.target[test]
        best = {m: score(result.task, m, truth, full) for m in METRICS[result.task]}
        subsets = available_subsets(result.modalities)
        everyone = _recovered(contributions, subsets, training)
        for available, predicted in zip(subsets, everyone, strict=True):
            found = predicted[test]
            fidelity = np.mean([pearson_r(full[:, c], found[:, c]) for c in range(full.shape[1])])
            agreement = (
                float((found.argmax(axis=1) == full.argmax(axis=1)).mean())
                if result.task == "classification"
                else np.nan
            )
            at = [dataset.modalities.index(name) for name in available]
            missing = tuple(name for name in result.modalities if name not in available)
            rows += [
                {
                    "available": subset_name(available),
                    "missing": subset_name(missing),
                    "size": len(available),
                    "fold": fold_label(fold),
                    "metric": metric,
                    "value": score(result.task, metric, truth, found),
                    "full": best[metric],
                    "fidelity": float(fidelity),
                    "agreement": agreement,
                    "n": int(test.sum()),
                    "absent": int((~present[test][:, at].any(axis=1)).sum()),
                }
                for metric in METRICS[result.task]
            ]
    return pd.DataFrame(rows)


def missing_summary(table: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over folds of `missing_modalities`, in its order.

    Columns: available, missing, size, metric, mean, sd, full, fidelity, agreement (means), folds.
    """
    grouped = table.groupby(["available", "missing", "size", "metric"], sort=False)
    summary = grouped.agg(
        mean=("value", "mean"),
        sd=("value", "std"),
        full=("full", "mean"),
        fidelity=("fidelity", "mean"),
        agreement=("agreement", "mean"),
        folds=("fold", "nunique"),
    )
    return summary.reset_index()


def compare_missing(
    results: Mapping[str, RunResult],
    dataset: MultimodalDataset,
    *,
    reference: str,
    metrics: Sequence[str] | None = None,
    most: int | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> pd.DataFrame:
    """`compare_models` for the predictions from each subset of modalities: the marks of Table 5.

    Columns as there, after available (names joined by +) and size; every model against the
    reference with the same subset. p_person_holm and mark_holm are corrected over all models and
    subsets. `metrics` and `most` (modalities of a subset) leave out what
    is not asked for.
    """
    check_comparable(results, dataset, reference)
    folds = results[reference].folds
    subsets = [
        subset
        for subset in available_subsets(results[reference].modalities)
        if most is None or len(subset) <= most
    ]
    recovered = {
        name: [
            _recovered(run.fold_contributions(fold), subsets, run.folds.training[fold])
            for fold in range(len(folds))
        ]
        for name, run in results.items()
    }
    tables = []
    for s, available in enumerate(subsets):
        predictions = {name: [fold[s] for fold in found] for name, found in recovered.items()}
        table = compare_predictions(
            predictions, dataset, folds, reference=reference, metrics=metrics,
            permutations=permutations, seed=seed,
        )  # fmt: skip
        table.insert(0, "available", subset_name(available))
        table.insert(1, "size", len(available))
        tables.append(table)
    return corrected_marks(pd.concat(tables, ignore_index=True))


def sample_changes(explained: Explained, prediction: FloatArray) -> pd.DataFrame:
    """Changes from the full prediction to another one [n, c] of the same samples, largest first.

    Returns
    -------
    DataFrame
        One row per sample: sample_id, target, full, remaining (predictions; class names for
        classification), change (of the prediction in the target's unit; for classification of the
        true class's probability), worse (increase of the absolute error; for classification,
        decrease of the true class's probability).
    """
    contributions = explained.contributions
    full = contributions.prediction()
    if not contributions.is_classification:
        y, before, after = (
            np.asarray(a, dtype=float) for a in (explained.target, full[:, 0], prediction[:, 0])
        )
        table = pd.DataFrame(
            {
                "sample_id": contributions.sample_ids,
                "target": y,
                "full": before,
                "remaining": after,
                "change": after - before,
                "worse": np.abs(after - y) - np.abs(before - y),
            }
        )
    else:
        names = np.asarray(contributions.outputs, dtype=str)
        codes = np.asarray(explained.target, dtype=int)
        rows = np.arange(len(codes))
        change = scipy.special.softmax(prediction.astype(float), axis=1)[rows, codes]
        change = change - scipy.special.softmax(full.astype(float), axis=1)[rows, codes]
        table = pd.DataFrame(
            {
                "sample_id": contributions.sample_ids,
                "target": names[codes],
                "full": names[full.argmax(axis=1)],
                "remaining": names[prediction.argmax(axis=1)],
                "change": change,
                "worse": -change,
            }
        )
    return table.iloc[np.argsort(-table["change"].abs().to_numpy(), kind="stable")]


def dropout_curve(
    predictions: SubsetPredictions,
    explained: Explained,
    *,
    metric: str,
    reconstructed: bool = True,
    shares: Sequence[float] = SHARES_MISSING,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """The metric if one modality is missing for a share of the samples.

    The arguments are the predictions and the true values of the same samples. Samples are drawn at
    random, `draws` times per modality; the drawn samples are predicted from the other modalities
    (`SubsetPredictions.of`). The shares of a draw are nested: samples that lack the modality at 20%
    also lack it at 30%. At 0 and 1 all draws are equal.

    Returns
    -------
    DataFrame
        One row per modality and share: modality (the one that is missing), share, mean, low, high
        (2.5% and 97.5% quantiles over draws) of the metric's mean over folds, draws.
    """
    if not np.array_equal(predictions.sample_ids, explained.sample_ids):
        raise ValueError(
            "Predictions and explained samples differ: select the same samples of both."
        )
    modalities, task, truth = (
        explained.contributions.modalities, explained.dataset.task, explained.target,
    )  # fmt: skip
    random = np.random.default_rng(seed)
    folds = [np.flatnonzero(predictions.folds == f) for f in np.unique(predictions.folds)]
    orders = [[random.permutation(rows) for rows in folds] for _ in range(draws)]
    found = []
    for modality in modalities:
        rest = tuple(name for name in modalities if name != modality)
        without = predictions.of(rest, reconstructed=reconstructed)
        for share in shares:
            values = []
            for order in orders if 0 < share < 1 else orders[:1]:
                scores = []
                for rows in order:
                    first = round(share * len(rows))
                    mixed = np.concatenate([without[rows[:first]], predictions.full[rows[first:]]])
                    scores.append(score(task, metric, truth[rows], mixed))
                values.append(np.mean(scores))
            low, high = np.quantile(values, [0.025, 0.975])
            found.append(
                {
                    "modality": modality, "share": share, "mean": float(np.mean(values)),
                    "low": low, "high": high, "draws": len(values),
                }
            )  # fmt: skip
    return pd.DataFrame(found)
