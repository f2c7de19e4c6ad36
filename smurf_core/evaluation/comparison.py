"""Do models differ? Every model against a reference, respecting folds and persons (Table 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from scipy.special import log_softmax

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.metrics import LOWER_IS_BETTER, METRICS
from smurf_core.evaluation.performance import check_samples, fold_performance
from smurf_core.results import RunResult

Array = npt.NDArray[np.float64]
ALPHA = 0.05
PERMUTATIONS = 5_000


def compare_models(
    results: Mapping[str, RunResult],
    dataset: MultimodalDataset,
    *,
    reference: str,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> pd.DataFrame:
    """Every model's metrics, and how they differ from the reference's on the same samples.

    Two tests, of different questions:

    - `p_person`: a paired permutation test on persons (samples, where no persons are known; Good,
      2005, *Permutation, Parametric and Bootstrap Tests*). The two models' predictions are
      swapped for whole persons at random; the statistic is the difference of the metric's mean
      over folds. Assumes that, were the models equally good, their predictions for a person
      could be exchanged. It tells of *these trained models* and new persons. The same swaps give
      a confidence interval by inversion of a normal approximation: difference ± 1.96 sd of the
      permuted differences.
    - `p_resampled`: the corrected resampled t-test (Nadeau and Bengio, 2003, *Machine Learning*
      52) on fold-wise differences, with variance (1/k + n_test/n_train) s²; k − 1 degrees of
      freedom. It tells of the *training procedure* and allows for training sets that overlap. The
      paper does not name its test. Undefined (NaN) with one fold, or where no fold differs.

    Returns
    -------
    DataFrame
        One row a model and metric: model, metric, mean, sd, folds, difference (model −
        reference), ci_low, ci_high, p_person, p_resampled, effect_size (fold-wise difference over
        its standard deviation, Cohen's d for pairs), mark (↑ better or ↓ worse than the reference
        with p_person < 0.05), n, persons. The reference's own row has no difference.
    """
    if reference not in results:
        raise InputError(f"No model {reference!r} to compare with; there are {', '.join(results)}.")
    for result in results.values():
        check_samples(result, dataset)
        if not np.array_equal(result.folds.test, results[reference].folds.test):
            raise InputError("Models can be compared only on the same folds.")
    base = results[reference]
    by_fold = {
        name: fold_performance(result, dataset).set_index(["metric", "fold"])["value"]
        for name, result in results.items()
    }
    who = dataset.sample_ids if dataset.groups is None else dataset.groups
    cluster = np.unique(who, return_inverse=True)[1]
    tested = base.folds.test.any(axis=0)
    rows = []
    for name, result in results.items():
        pairs = [
            FoldPair(
                dataset.target[test],
                result.fold_contributions(fold).prediction()[test],
                base.fold_contributions(fold).prediction()[test],
                cluster[test],
            )
            for fold, test in enumerate(base.folds.test)
        ]
        for metric in METRICS[result.task]:
            values = by_fold[name].loc[metric].to_numpy()
            row: dict[str, object] = {
                "model": name, "metric": metric, "mean": values.mean(),
                "sd": values.std(ddof=1) if len(values) > 1 else np.nan, "folds": len(values),
                "difference": np.nan, "ci_low": np.nan, "ci_high": np.nan, "p_person": np.nan,
                "p_resampled": np.nan, "effect_size": np.nan, "mark": "",
                "n": int(tested.sum()), "persons": len(np.unique(cluster[tested])),
            }  # fmt: skip
            if name != reference:
                differences = values - by_fold[reference].loc[metric].to_numpy()
                swapped = permutation_test(metric, pairs, draws=permutations, seed=seed)
                is_better = (swapped.difference > 0) != (metric in LOWER_IS_BETTER)
                row |= {
                    "difference": swapped.difference,
                    "ci_low": swapped.difference - 1.96 * swapped.sd,
                    "ci_high": swapped.difference + 1.96 * swapped.sd,
                    "p_person": swapped.p,
                    "mark": "" if swapped.p >= ALPHA else "↑" if is_better else "↓",
                }
                row["p_resampled"] = corrected_resampled_t_test(differences, _test_share(base))
                spread = differences.std(ddof=1) if len(values) > 1 else np.nan
                row["effect_size"] = differences.mean() / spread if spread > 0 else np.nan
            rows.append(row)
    return pd.DataFrame(rows)


def corrected_resampled_t_test(differences: Array, test_to_training: float) -> float:
    """Two-sided p of fold-wise differences (Nadeau and Bengio, 2003); NaN where undefined.

    `test_to_training` is the number of test samples over that of training samples.
    """
    k = len(differences)
    variance = float(np.var(differences, ddof=1)) if k > 1 else 0.0
    if not variance > 0:
        return float("nan")
    t = float(np.mean(differences)) / np.sqrt((1 / k + test_to_training) * variance)
    return float(2 * stats.t.sf(abs(t), k - 1))


def _test_share(result: RunResult) -> float:
    return float(result.folds.test.sum() / result.folds.training.sum())


# A metric of additive statistics [..., s], summed over samples: swapping the predictions of a
# person is then swapping a row of sums.
_Score = Callable[[Array], Array]


@dataclass(frozen=True)
class FoldPair:
    """One fold's test samples and what two models predict of them."""

    truth: npt.NDArray[np.generic]  # [n]
    first: Array  # [n, c]: as `Contributions.prediction` gives it
    second: Array  # [n, c]
    cluster: npt.NDArray[np.int64]  # [n]: number of each sample's person


@dataclass(frozen=True)
class PermutationTest:
    """Difference of two models' metric, mean over folds; its spread under swaps, and p."""

    difference: float
    sd: float
    p: float


def permutation_test(
    metric: str, folds: Sequence[FoldPair], *, draws: int = PERMUTATIONS, seed: int = 0
) -> PermutationTest:
    """Swap two models' predictions for whole persons at random (see `compare_models`)."""
    count = 1 + max(int(fold.cluster.max()) for fold in folds)
    random = np.random.default_rng(seed)
    swapped = random.integers(2, size=(draws, count)).astype(np.bool_)
    observed, permuted = 0.0, np.zeros(draws)
    for fold in folds:
        sums = []
        for prediction in (fold.first, fold.second):
            statistics, scored = _statistics(metric, fold.truth, prediction.astype(np.float64))
            total = np.zeros((count, statistics.shape[1]))
            np.add.at(total, fold.cluster, statistics)
            sums.append(total)
        ours, theirs = sums
        observed += float(scored(ours.sum(axis=0)) - scored(theirs.sum(axis=0))) / len(folds)
        moved = swapped @ (theirs - ours)  # [draws, s]
        after = scored(ours.sum(axis=0) + moved) - scored(theirs.sum(axis=0) - moved)
        permuted += after / len(folds)
    # The swap that changes nothing is one of them: p is never 0 (Phipson and Smyth, 2010).
    extreme = (np.abs(permuted) >= abs(observed) - 1e-12).sum()
    return PermutationTest(observed, float(permuted.std()), float((extreme + 1) / (draws + 1)))


def _statistics(
    metric: str, truth: npt.NDArray[np.generic], prediction: Array
) -> tuple[Array, _Score]:
    """Per-sample statistics [n, s] and the metric of their sums."""
    y = np.asarray(truth, dtype=np.float64)
    if metric in ("r", "ccc"):
        p = prediction[:, 0]
        moments = np.stack([np.ones_like(y), y, p, y * y, p * p, y * p], axis=1)
        return moments, _correlation if metric == "r" else _concordance
    if metric in ("mae", "rmse"):
        error = np.abs(prediction[:, 0] - y)
        powered = error if metric == "mae" else error**2
        root = np.sqrt if metric == "rmse" else np.asarray
        return np.stack([np.ones_like(y), powered], axis=1), lambda s: root(s[..., 1] / s[..., 0])
    codes = np.asarray(truth, dtype=np.int64)
    if metric == "log_loss":
        loss = -log_softmax(prediction, axis=1)[np.arange(len(codes)), codes]
        return np.stack([np.ones(len(codes)), loss], axis=1), lambda s: s[..., 1] / s[..., 0]
    classes = np.arange(prediction.shape[1])
    is_class = (codes[:, None] == classes).astype(np.float64)
    is_predicted = (prediction.argmax(axis=1)[:, None] == classes).astype(np.float64)
    counts = np.concatenate([is_class * is_predicted, is_class, is_predicted], axis=1)
    kinds: dict[str, _Score] = {
        "accuracy": lambda s: _thirds(s)[0].sum(axis=-1) / _thirds(s)[1].sum(axis=-1),
        "balanced_accuracy": lambda s: _mean_ratio(_thirds(s)[0], _thirds(s)[1]),
        "macro_f1": lambda s: _mean_ratio(2 * _thirds(s)[0], _thirds(s)[1] + _thirds(s)[2]),
    }
    return counts, kinds[metric]


def _thirds(sums: Array) -> tuple[Array, Array, Array]:
    """Hits, true and predicted counts of every class."""
    c = sums.shape[-1] // 3
    return sums[..., :c], sums[..., c : 2 * c], sums[..., 2 * c :]


def _mean_ratio(above: Array, below: Array) -> Array:
    """Mean over the classes that occur (have something below)."""
    occurs = below > 0
    ratio = np.where(occurs, above / np.where(occurs, below, 1), 0)
    return np.asarray(ratio.sum(axis=-1) / occurs.sum(axis=-1))


def _moments(sums: Array) -> tuple[Array, Array, Array, Array, Array]:
    n, y, p, yy, pp, yp = np.moveaxis(sums, -1, 0)
    return (
        yp / n - y * p / n**2, yy / n - (y / n) ** 2, pp / n - (p / n) ** 2, y / n, p / n,
    )  # fmt: skip


def _correlation(sums: Array) -> Array:
    covariance, var_y, var_p, _, _ = _moments(sums)
    return np.asarray(covariance / np.sqrt(np.maximum(var_y * var_p, 1e-300)))


def _concordance(sums: Array) -> Array:
    covariance, var_y, var_p, mean_y, mean_p = _moments(sums)
    return np.asarray(2 * covariance / (var_y + var_p + (mean_y - mean_p) ** 2))
