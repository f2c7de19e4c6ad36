"""What held-out prediction loses without each modality, with intervals over persons."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used, after the first paint

from smurf_core.evaluation.gate import held_out_pair
from smurf_core.evaluation.metrics import balanced_accuracy
from smurf_core.evaluation.missing import SubsetPredictions
from smurf_core.explained import Explained
from smurf_core.statistics.correlation import moment_columns, pearson_of_sums
from smurf_core.statistics.correlation_interval import FEWEST_PERSONS
from smurf_core.statistics.interval_of_means import interval_of_means
from smurf_core.statistics.persons import column_sums, person_codes

Array = npt.NDArray[np.float64]


def modality_losses(predictions: SubsetPredictions, explained: Explained) -> pd.DataFrame:
    """The score with all modalities, and how it changes without each of them.

    The score is that of `gate`: r within folds for regression, balanced accuracy for classes. What
    remains without a modality is `SubsetPredictions.recovered`. The change's 95% interval is a
    jackknife over persons with Student's t for r, and linearised over persons for classes.

    Parameters
    ----------
    predictions, explained
        Of the same samples in the same order.

    Returns
    -------
    DataFrame
        One row per modality, the largest loss first: modality, full (score with all modalities),
        without (score without it), change (without − full), ci_low, ci_high. Interval ends are NaN
        with fewer than five persons.
    """
    if not np.array_equal(predictions.sample_ids, explained.sample_ids):
        raise ValueError(
            "Predictions and explained samples differ: select the same samples of both."
        )
    modalities = explained.contributions.modalities
    codes = person_codes(explained.persons, len(explained))
    is_class = explained.contributions.is_classification
    change = _change_of_accuracy if is_class else _change_of_r
    rows = []
    for modality in modalities:
        rest = tuple(name for name in modalities if name != modality)
        full, without, low, high = change(
            explained,
            predictions.full.astype(np.float64),
            predictions.of(rest).astype(np.float64),
            codes,
        )
        rows.append(
            {
                "modality": modality, "full": full, "without": without, "change": without - full,
                "ci_low": low, "ci_high": high,
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    return table.sort_values("change", kind="stable").reset_index(drop=True)


def _change_of_r(
    explained: Explained, full: Array, without: Array, codes: npt.NDArray[np.int64]
) -> tuple[float, float, float, float]:
    count = int(codes.max(initial=-1)) + 1
    whole, left_out = [], []
    for prediction in (full, without):
        x, y = held_out_pair(explained, prediction)
        sums = column_sums(moment_columns(x, y), codes)
        total = sums.sum(axis=0)
        whole.append(float(pearson_of_sums(total)))
        left_out.append(pearson_of_sums(total - sums))
    change = left_out[1] - left_out[0]
    if count < FEWEST_PERSONS or not np.isfinite(change).all():
        return whole[0], whole[1], np.nan, np.nan
    error = np.sqrt((count - 1) / count * ((change - change.mean()) ** 2).sum())
    half = float(scipy.stats.t.ppf(0.975, count - 1)) * float(error)
    middle = whole[1] - whole[0]
    return whole[0], whole[1], middle - half, middle + half


def _change_of_accuracy(
    explained: Explained, full: Array, without: Array, codes: npt.NDArray[np.int64]
) -> tuple[float, float, float, float]:
    truth = np.asarray(explained.target, dtype=np.int64)
    hits = [(found.argmax(axis=1) == truth).astype(np.float64) for found in (full, without)]
    low, high = np.nan, np.nan
    if int(codes.max(initial=-1)) + 1 >= FEWEST_PERSONS:
        low, high = interval_of_means(hits[1] - hits[0], truth, codes)
    return balanced_accuracy(truth, full), balanced_accuracy(truth, without), low, high
