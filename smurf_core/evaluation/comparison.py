"""Comparison of models with a reference, with tests that respect folds and persons (Table 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used: stats takes a second that the first paint lacks

from smurf_core.data.dataset import Folds, MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.additive import FoldPair, paired_sums
from smurf_core.evaluation.metrics import LOWER_IS_BETTER, METRICS, score
from smurf_core.evaluation.performance import check_samples
from smurf_core.results import RunResult
from smurf_core.statistics.holm import holm
from smurf_core.statistics.jackknife import jackknife_error
from smurf_core.statistics.permutation import PERMUTATIONS, permutation_test
from smurf_core.statistics.persons import person_codes
from smurf_core.statistics.resampled_t import corrected_resampled_t_test

ALPHA = 0.05


def compare_models(
    results: Mapping[str, RunResult],
    dataset: MultimodalDataset,
    *,
    reference: str,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> pd.DataFrame:
    """The metrics of each model, and their differences from the reference on the same samples.

    Two tests answer different questions (the paper does not name its test):

    - `p_person`: `permutation_test` on persons (samples, if no persons are known). It is about
    *these trained models* and new persons, not about chance in training, which the spread over
    seeds shows. - `p_resampled`: `corrected_resampled_t_test` on the differences of the folds;
    n_train includes validation samples, because they are used to choose the model and to stop
    training. It is about the *training procedure*
      (`benchmarks/null_rates.py` measures both tests with models trained anew: there `p_person`
      calls equally good procedures different in 13 to 17%, because it takes the trained models
      as they are).

    The interval is `jackknife_error` over persons with Student's t, which is also about these
    trained models and new persons.

    Returns
    -------
    DataFrame
        One row per model and metric: model, metric, mean, sd, folds, difference (model −
        reference), ci_low, ci_high, p_person, statistic (t of the resampled test), p_resampled,
        effect_size (fold-wise difference over its standard deviation, Cohen's d for pairs), mark
        (↑ better or ↓ worse than the reference with p_person < 0.05, uncorrected, as in the
        paper's tables), p_person_holm and mark_holm (⇑ or ⇓: the same after Holm's correction
        over the tests of a metric), n, persons. The reference's own row has no difference.
    """
    check_comparable(results, dataset, reference)
    predictions = {
        name: [run.fold_contributions(fold).prediction() for fold in range(len(run.folds))]
        for name, run in results.items()
    }
    return compare_predictions(
        predictions, dataset, results[reference].folds, reference=reference,
        permutations=permutations, seed=seed,
    )  # fmt: skip


def check_comparable(
    results: Mapping[str, RunResult], dataset: MultimodalDataset, reference: str
) -> None:
    """Raise an error for models of other data or folds, and for a missing reference."""
    if reference not in results:
        raise InputError(f"No model {reference!r} to compare with; there are {', '.join(results)}.")
    for result in results.values():
        check_samples(result, dataset)
        if not np.array_equal(result.folds.test, results[reference].folds.test):
            raise InputError("Models can be compared only on the same folds.")


def compare_predictions(
    predictions: Mapping[str, Sequence[npt.NDArray[np.floating]]],
    dataset: MultimodalDataset,
    folds: Folds,
    *,
    reference: str,
    metrics: Sequence[str] | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> pd.DataFrame:
    """`compare_models` for any predictions: model → [n, c] per fold, for all samples in order."""
    who = dataset.sample_ids if dataset.persons is None else dataset.persons
    persons = person_codes(who, len(dataset))
    tested = folds.test.any(axis=0)
    share = float(folds.test.sum() / (folds.training | folds.validation).sum())
    rows = []
    for metric in metrics or METRICS[dataset.task]:
        by_fold = {
            name: np.array(
                [
                    score(dataset.task, metric, dataset.target[test], found[test])
                    for test, found in zip(folds.test, all_samples, strict=True)
                ]
            )
            for name, all_samples in predictions.items()
        }
        for name, values in by_fold.items():
            row: dict[str, object] = {
                "model": name, "metric": metric, "mean": values.mean(),
                "sd": values.std(ddof=1) if len(values) > 1 else np.nan, "folds": len(values),
                "difference": np.nan, "ci_low": np.nan, "ci_high": np.nan, "p_person": np.nan,
                "statistic": np.nan, "p_resampled": np.nan, "effect_size": np.nan, "mark": "",
                "p_person_holm": np.nan, "mark_holm": "",
                "n": int(tested.sum()), "persons": len(np.unique(persons[tested])),
            }  # fmt: skip
            differences = values - by_fold[reference]
            if name != reference and np.isfinite(differences).all():
                pairs = [
                    FoldPair(dataset.target[test], ours[test], theirs[test], persons[test])
                    for test, ours, theirs in zip(
                        folds.test, predictions[name], predictions[reference], strict=True
                    )
                ]
                row |= _difference(metric, pairs, permutations, seed)
                resampled = corrected_resampled_t_test(differences, share)
                spread = differences.std(ddof=1) if len(values) > 1 else np.nan
                row |= {
                    "statistic": resampled.statistic,
                    "p_resampled": resampled.p,
                    "effect_size": differences.mean() / spread if spread > 0 else np.nan,
                }
            rows.append(row)
    table = corrected_marks(pd.DataFrame(rows))
    # Model by model, as they were given.
    return table.sort_values(
        "model", key=lambda names: names.map(list(predictions).index), kind="stable"
    ).reset_index(drop=True)


def corrected_marks(table: pd.DataFrame) -> pd.DataFrame:
    """The table with p_person_holm and mark_holm, corrected over all tests of each metric.

    Metrics are not one family, because they ask the same question again: a table of all subsets of
    modalities and all metrics would have more tests than 5,000 permutations can answer.
    """
    table = table.copy()
    for _, rows in table.groupby("metric", sort=False):
        table.loc[rows.index, "p_person_holm"] = holm(rows["p_person"].to_numpy(dtype=float))
    is_marked = table["p_person_holm"] < ALPHA
    table["mark_holm"] = table["mark"].map({"↑": "⇑", "↓": "⇓", "": ""}).where(is_marked, "")
    return table


def marks_by_chance(table: pd.DataFrame) -> tuple[int, float]:
    """Tests of one metric in a table, and how many marks they would give if nothing differed."""
    tests = int(table.loc[table["metric"] == table["metric"].iloc[0], "p_person"].notna().sum())
    return tests, ALPHA * tests


def _difference(
    metric: str, pairs: Sequence[FoldPair], permutations: int, seed: int
) -> dict[str, object]:
    sums = [paired_sums(metric, pair) for pair in pairs]
    swapped, jackknife = (
        permutation_test(sums, draws=permutations, seed=seed),
        jackknife_error(sums),
    )
    half = jackknife.error * float(scipy.stats.t.ppf(0.975, max(jackknife.degrees, 1)))
    is_better = (swapped.difference > 0) != (metric in LOWER_IS_BETTER)
    return {
        "difference": swapped.difference,
        "ci_low": swapped.difference - half,
        "ci_high": swapped.difference + half,
        "p_person": swapped.p,
        "mark": "" if not swapped.p < ALPHA else "↑" if is_better else "↓",
    }
