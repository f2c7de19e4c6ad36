"""Do models differ? Every model against a reference, respecting folds and persons (Table 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used: stats takes a second that the first paint lacks

from smurf_core.data.dataset import Folds, MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.metrics import LOWER_IS_BETTER, METRICS, score
from smurf_core.evaluation.performance import check_samples
from smurf_core.results import RunResult

Array = npt.NDArray[np.float64]
ALPHA = 0.05
PERMUTATIONS = 5_000
# Swaps that are held at once: 25,000 samples without persons are 200 MB of them.
_SWAPS_AT_ONCE = 1_000


def compare_models(
    results: Mapping[str, RunResult],
    dataset: MultimodalDataset,
    *,
    reference: str,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> pd.DataFrame:
    """Every model's metrics, and how they differ from the reference's on the same samples.

    Two tests, of different questions (the paper does not name its test):

    - `p_person`: a paired permutation test on persons (samples, where no persons are known; Good,
      2005, *Permutation, Parametric and Bootstrap Tests*). The two models' predictions are
      swapped for whole persons at random; the statistic is the difference of the metric's mean
      over folds. Assumes that, were the models equally good, their predictions for a person
      could be exchanged. It tells of *these trained models* and new persons: not of chance in
      training, which the spread over seeds shows.
    - `p_resampled`: the corrected resampled t-test (Nadeau and Bengio, 2003, *Machine Learning*
      52; for cross-validation, Bouckaert and Frank, 2004, *PAKDD*) on fold-wise differences, with
      variance (1/k + n_test/n_train) s² and k − 1 degrees of freedom; n_train counts validation
      samples, which choose and stop the model. It tells of the *training procedure*. Assumes
      normal differences whose correlation between folds, which comes of training sets that
      overlap, is n_test/(n_test + n_train); where they correlate less, it is conservative
      (`benchmarks/null_rates.py` measures both tests with models trained anew: there `p_person`
      calls equally good procedures different in 13 to 17%, because it takes the trained models
      as they are). Undefined (NaN) with one fold, or where no fold differs.

    The interval is the jackknife over persons with Student's t (`jackknife_error`): of these
    trained models and new persons, too.

    Returns
    -------
    DataFrame
        One row a model and metric: model, metric, mean, sd, folds, difference (model −
        reference), ci_low, ci_high, p_person, statistic (t of the resampled test), p_resampled,
        effect_size (fold-wise difference over its standard deviation, Cohen's d for pairs), mark
        (↑ better or ↓ worse than the reference with p_person < 0.05, uncorrected, as in the
        paper's tables), n, persons. The reference's own row has no difference.
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
    """Refuse models of other data or folds, and a reference that is not there."""
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
    """`compare_models` of any predictions: model → for every fold [n, c], all samples' in order."""
    who = dataset.sample_ids if dataset.groups is None else dataset.groups
    cluster = np.unique(who, return_inverse=True)[1]
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
                "n": int(tested.sum()), "persons": len(np.unique(cluster[tested])),
            }  # fmt: skip
            if name != reference:
                pairs = [
                    FoldPair(dataset.target[test], ours[test], theirs[test], cluster[test])
                    for test, ours, theirs in zip(
                        folds.test, predictions[name], predictions[reference], strict=True
                    )
                ]
                row |= _difference(metric, pairs, permutations, seed)
                differences = values - by_fold[reference]
                t, p = corrected_resampled_t_test(differences, share)
                spread = differences.std(ddof=1) if len(values) > 1 else np.nan
                row |= {
                    "statistic": t,
                    "p_resampled": p,
                    "effect_size": differences.mean() / spread if spread > 0 else np.nan,
                }
            rows.append(row)
    table = pd.DataFrame(rows)
    # Model by model, as they were given.
    return table.sort_values(
        "model", key=lambda names: names.map(list(predictions).index), kind="stable"
    ).reset_index(drop=True)


def _difference(
    metric: str, pairs: Sequence[FoldPair], permutations: int, seed: int
) -> dict[str, object]:
    swapped = permutation_test(metric, pairs, draws=permutations, seed=seed)
    error, degrees = jackknife_error(metric, pairs)
    half = error * float(scipy.stats.t.ppf(0.975, max(degrees, 1)))
    is_better = (swapped.difference > 0) != (metric in LOWER_IS_BETTER)
    return {
        "difference": swapped.difference,
        "ci_low": swapped.difference - half,
        "ci_high": swapped.difference + half,
        "p_person": swapped.p,
        "mark": "" if not swapped.p < ALPHA else "↑" if is_better else "↓",
    }


def corrected_resampled_t_test(differences: Array, test_to_training: float) -> tuple[float, float]:
    """t and its two-sided p of fold-wise differences (Nadeau and Bengio, 2003).

    `test_to_training` is the number of test samples over that of training samples. Both are NaN
    where undefined: with one fold, or where the differences do not vary.
    """
    k = len(differences)
    variance = float(np.var(differences, ddof=1)) if k > 1 else 0.0
    if not variance > 0:
        return float("nan"), float("nan")
    t = float(np.mean(differences)) / np.sqrt((1 / k + test_to_training) * variance)
    return float(t), float(2 * scipy.stats.t.sf(abs(t), k - 1))


# A metric of additive statistics [..., s], summed over samples: swapping the predictions of a
# person is then swapping a row of sums.
_Score = Callable[[Array], Array]


@dataclass(frozen=True)
class FoldPair:
    """One fold's test samples and what two models predict of them."""

    truth: npt.NDArray[np.generic]  # [n]
    first: npt.NDArray[np.floating]  # [n, c]: as `Contributions.prediction` gives it
    second: npt.NDArray[np.floating]  # [n, c]
    cluster: npt.NDArray[np.int64]  # [n]: number of each sample's person


@dataclass(frozen=True)
class PermutationTest:
    """Difference of two models' metric, mean over folds, and its p under swaps."""

    difference: float
    p: float


def permutation_test(
    metric: str, folds: Sequence[FoldPair], *, draws: int = PERMUTATIONS, seed: int = 0
) -> PermutationTest:
    """Swap two models' predictions for whole persons at random (see `compare_models`)."""
    sums = [_FoldSums.of(metric, fold) for fold in folds]
    count = 1 + max(int(fold.persons.max()) for fold in sums)
    observed = float(np.mean([fold.difference() for fold in sums]))
    random = np.random.default_rng(seed)
    extreme = 0
    for start in range(0, draws, _SWAPS_AT_ONCE):
        at_once = min(_SWAPS_AT_ONCE, draws - start)
        swapped = random.integers(2, size=(at_once, count), dtype=np.int8).astype(np.bool_)
        permuted = np.mean([fold.swapped(swapped) for fold in sums], axis=0)
        extreme += int((np.abs(permuted) >= abs(observed) - 1e-12).sum())
    if np.isnan(observed):
        return PermutationTest(observed, float("nan"))
    # The swap that changes nothing is one of them: p is never 0 (Phipson and Smyth, 2010).
    return PermutationTest(observed, (extreme + 1) / (draws + 1))


def jackknife_error(metric: str, folds: Sequence[FoldPair]) -> tuple[float, int]:
    """Standard error of the difference of two models' metric, mean over folds; its freedom.

    Every person is left out once, from all folds; a fold that holds nobody else drops out of the
    mean. Folds are strata (Jones, 1974, *Biometrika* 61): persons are compared with those of
    their first fold, lone ones with each other. Degrees of freedom are persons less strata. NaN
    with fewer than three persons or without any freedom.
    """
    sums = [_FoldSums.of(metric, fold) for fold in folds]
    everyone = np.unique(np.concatenate([fold.persons for fold in sums]))
    without = np.stack([fold.without(everyone) for fold in sums])  # [folds, persons]
    left = np.isfinite(without)
    means = np.where(left, without, 0).sum(axis=0) / np.maximum(left.sum(axis=0), 1)
    stratum = np.stack([np.isin(everyone, fold.persons) for fold in sums]).argmax(axis=0)
    stratum[np.bincount(stratum)[stratum] == 1] = len(folds)
    strata, stratum, sizes = np.unique(stratum, return_inverse=True, return_counts=True)
    degrees = len(everyone) - len(strata)
    if len(everyone) < 3 or degrees < 1:
        return float("nan"), 0
    middle = np.bincount(stratum, weights=means) / sizes
    squares = np.bincount(stratum, weights=(means - middle[stratum]) ** 2)
    return float(np.sqrt(((sizes - 1) / sizes) @ squares)), degrees


@dataclass(frozen=True)
class _FoldSums:
    """A fold's additive statistics, summed for every person, of both models."""

    persons: npt.NDArray[np.int64]  # [g]
    first: Array  # [g, s]
    second: Array  # [g, s]
    score: _Score

    @classmethod
    def of(cls, metric: str, fold: FoldPair) -> _FoldSums:
        persons, position = np.unique(fold.cluster, return_inverse=True)

        def summed(prediction: npt.NDArray[np.floating]) -> Array:
            statistics, _ = _statistics(metric, fold.truth, prediction.astype(np.float64))
            total = np.zeros((len(persons), statistics.shape[1]))
            np.add.at(total, position, statistics)
            return total

        _, scored = _statistics(metric, fold.truth, fold.first.astype(np.float64))
        return cls(persons, summed(fold.first), summed(fold.second), scored)

    def difference(self) -> float:
        return float(self.score(self.first.sum(axis=0)) - self.score(self.second.sum(axis=0)))

    def swapped(self, swapped: npt.NDArray[np.bool_]) -> Array:
        """Differences after the models' predictions of some persons changed places, [draws]."""
        moved = swapped[:, self.persons] @ (self.second - self.first)  # [draws, s]
        first, second = self.first.sum(axis=0) + moved, self.second.sum(axis=0) - moved
        return np.asarray(self.score(first) - self.score(second))

    def without(self, everyone: npt.NDArray[np.int64]) -> Array:
        """Differences without each person, [everyone]; NaN where that leaves nobody."""
        found = np.full(len(everyone), self.difference())
        at = np.searchsorted(everyone, self.persons)
        if len(at) == 1:
            found[at] = np.nan
        else:
            first, second = (sums.sum(axis=0) - sums for sums in (self.first, self.second))
            found[at] = self.score(first) - self.score(second)
        return found


def _statistics(
    metric: str, truth: npt.NDArray[np.generic], prediction: Array
) -> tuple[Array, _Score]:
    """Per-sample statistics [n, s] and the metric of their sums."""
    y = np.asarray(truth, dtype=np.float64)
    if metric in ("r", "ccc"):
        # One shift of everything changes neither, and spares sums of squares their digits.
        y, p = y - y.mean(), prediction[:, 0] - y.mean()
        moments = np.stack([np.ones_like(y), y, p, y * y, p * p, y * p], axis=1)
        return moments, _correlation if metric == "r" else _concordance
    if metric in ("mae", "rmse"):
        error = np.abs(prediction[:, 0] - y)
        powered = error if metric == "mae" else error**2
        root = np.sqrt if metric == "rmse" else np.asarray
        return np.stack([np.ones_like(y), powered], axis=1), lambda s: root(s[..., 1] / s[..., 0])
    codes = np.asarray(truth, dtype=np.int64)
    if metric == "log_loss":
        loss = -scipy.special.log_softmax(prediction, axis=1)[np.arange(len(codes)), codes]
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
    """NaN where either does not vary (but for what rounding leaves of its variance)."""
    covariance, var_y, var_p, mean_y, mean_p = _moments(sums)
    varies = (var_y > 1e-12 * mean_y**2) & (var_p > 1e-12 * mean_p**2)
    scale = np.sqrt(np.where(varies, var_y * var_p, 1))
    return np.where(varies, covariance / scale, np.nan)


def _concordance(sums: Array) -> Array:
    covariance, var_y, var_p, mean_y, mean_p = _moments(sums)
    return np.asarray(2 * covariance / (var_y + var_p + (mean_y - mean_p) ** 2))
