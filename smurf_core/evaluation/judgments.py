"""Learned unique contributions against what humans found unique (Tables 3 and 4, Figure 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from smurf_core.contributions import Contributions, subset_name
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError

Array = npt.NDArray[np.float64]
RESAMPLES = 2_000


@dataclass(frozen=True)
class UniquePair:
    """Learned and human unique contributions of some modalities, sample by sample, [n] each."""

    modalities: tuple[str, ...]  # one, or several collapsed into one
    judged: tuple[str, ...]  # what the raters saw: all other modalities
    sample_ids: npt.NDArray[np.str_]
    learned: Array
    human: Array  # NaN where there is no judgment
    persons: npt.NDArray[np.str_] | None


def unique_pairs(contributions: Contributions, dataset: MultimodalDataset) -> list[UniquePair]:
    """Whatever the judged subsets allow: human unique of G is y − judgment of all but G.

    Raters who saw all modalities but G could not use what only G says, so y − their rating is
    what is unique to G (section 4.4). With more than one modality in G (UMEME's acoustic + text)
    the learned counterpart is all that G says and shares only within G: Σ ŷ_I over G plus Σ ŷ_IJ
    over ordered pairs in G.
    """
    if dataset.task != "regression":
        raise InputError("Human judgments are compared for regression targets only.")
    rows = dataset.positions(contributions.sample_ids)
    target = dataset.target[rows].astype(np.float64)
    found = []
    for shown, rating in dataset.judgments.items():
        group = tuple(name for name in dataset.modalities if name not in shown)
        if not group or not shown:
            continue
        at = [contributions.index(name) for name in group]
        learned = contributions.values[:, at][:, :, at, 0].sum(axis=(1, 2), dtype=np.float64)
        found.append(
            UniquePair(
                modalities=group,
                judged=tuple(name for name in dataset.modalities if name in shown),
                sample_ids=contributions.sample_ids,
                learned=learned,
                human=target - rating[rows].astype(np.float64),
                persons=None if dataset.groups is None else dataset.groups[rows],
            )
        )
    return found


def human_agreement(
    contributions: Contributions,
    dataset: MultimodalDataset,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Correlation of learned with human unique contributions, for every judged subset.

    The interval is a bootstrap over persons (samples, where no persons are known): 2.5 and 97.5%
    quantiles of r over resampled persons, after Fisher's z and with its bootstrap standard error.
    The p-value is that of the slope with a variance that is robust to correlated samples of a
    person (CR1; Liang and Zeger, 1986, *Biometrika* 73) and as many degrees of freedom as persons
    less one; it is corrected over the table after Holm (1979). Samples without a judgment are
    left out and counted.

    Returns
    -------
    DataFrame
        One row a judged subset: modality (names joined by +), judged, r, ci_low, ci_high,
        spearman, p, p_holm, n, missing, persons.
    """
    rows = []
    for pair in unique_pairs(contributions, dataset):
        judged = np.isfinite(pair.human)
        x, y = pair.learned[judged], pair.human[judged]
        who = (pair.sample_ids if pair.persons is None else pair.persons)[judged]
        row: dict[str, object] = {
            "modality": subset_name(pair.modalities), "judged": subset_name(pair.judged),
            "r": np.nan, "ci_low": np.nan, "ci_high": np.nan, "spearman": np.nan, "p": np.nan,
            "p_holm": np.nan, "n": len(x), "missing": int((~judged).sum()),
            "persons": len(np.unique(who)),
        }  # fmt: skip
        if len(x) >= 3 and np.ptp(x) > 0 and np.ptp(y) > 0:
            row["r"] = float(np.corrcoef(x, y)[0, 1])
            low, high = correlation_interval(x, y, who, resamples=resamples, seed=seed)
            row |= {
                "ci_low": low,
                "ci_high": high,
                "spearman": float(stats.spearmanr(x, y).statistic),
                "p": clustered_p(x, y, who),
            }
        rows.append(row)
    if not rows:
        raise InputError(
            f"{dataset.name!r} has no human judgments of all modalities but one or some; name the "
            "columns of ratings and what their raters saw."
        )
    table = pd.DataFrame(rows)
    table["p_holm"] = holm(table["p"].to_numpy(dtype=float))
    return table


def correlation_interval(
    x: Array,
    y: Array,
    clusters: npt.NDArray[np.generic],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Bootstrap interval of Pearson's r over clusters: whole persons are drawn with replacement.

    Fisher's z of r ± t · its bootstrap standard deviation, back on the scale of r; t with one
    degree of freedom less than there are clusters. NaN with fewer than three.
    """
    _, cluster = np.unique(clusters, return_inverse=True)
    count = int(cluster.max()) + 1
    if count < 3:
        return float("nan"), float("nan")
    moments = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    sums = np.zeros((count, 6))
    np.add.at(sums, cluster, moments)
    random = np.random.default_rng(seed)
    drawn = random.multinomial(count, np.full(count, 1 / count), size=resamples) @ sums
    z = np.arctanh(np.clip(_correlation(drawn), -1 + 1e-12, 1 - 1e-12))
    middle = float(np.arctanh(np.clip(_correlation(sums.sum(axis=0)), -1 + 1e-12, 1 - 1e-12)))
    half = float(stats.t.ppf((1 + level) / 2, count - 1) * np.nanstd(z, ddof=1))
    return float(np.tanh(middle - half)), float(np.tanh(middle + half))


def _correlation(sums: Array) -> Array:
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    scale = np.sqrt(np.maximum((n * xx - x * x) * (n * yy - y * y), 1e-300))
    return np.asarray((n * xy - x * y) / scale)


def clustered_p(x: Array, y: Array, clusters: npt.NDArray[np.generic]) -> float:
    """Two-sided p of the slope of y on x with cluster-robust variance (CR1), t with G − 1 df."""
    _, cluster = np.unique(clusters, return_inverse=True)
    count, n = int(cluster.max()) + 1, len(x)
    if count < 3:
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    slope = float((x @ y) / (x @ x))
    scores = np.bincount(cluster, weights=x * (y - slope * x), minlength=count)
    correction = count / (count - 1) * (n - 1) / (n - 2)
    variance = correction * float(scores @ scores) / float(x @ x) ** 2
    if not variance > 0:
        return 0.0
    return float(2 * stats.t.sf(abs(slope) / np.sqrt(variance), count - 1))


def holm(p: Array) -> Array:
    """Holm's step-down correction over the p-values that there are; NaN stays NaN."""
    corrected = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    stepped = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return corrected


def krippendorff_alpha(ratings: Array) -> float:
    """Krippendorff's α for interval ratings [raters, units], NaN where a rater gave none.

    α = 1 − observed / expected disagreement over all pairs of ratings (Krippendorff, 2011,
    *Computing Krippendorff's alpha-reliability*). Units with fewer than two ratings say nothing.
    """
    counts = np.isfinite(ratings).sum(axis=0)
    used = ratings[:, counts >= 2]
    counts = counts[counts >= 2]
    values = used[np.isfinite(used)]
    if len(values) < 2 or np.ptp(values) == 0:
        return float("nan")
    centred = used - values.mean()
    # Σ over ordered pairs of (a − b)² is 2 (n Σ a² − (Σ a)²).
    within = 2 * (counts * np.nansum(centred**2, axis=0) - np.nansum(centred, axis=0) ** 2)
    observed = float((within / (counts - 1)).sum() / len(values))
    spread = values - values.mean()
    total = 2 * (len(values) * float(spread @ spread) - float(spread.sum()) ** 2)
    expected = total / (len(values) * (len(values) - 1))
    return 1 - observed / expected


def reliability_ceiling(ratings: Array) -> float:
    """The highest r that anything can reach with the mean of these ratings [raters, units].

    √ of the mean rating's reliability, which is single ratings' α stepped up to the mean number
    of raters a unit (Spearman-Brown). NaN where α is undefined, 0 where it is below zero.
    """
    alpha = krippendorff_alpha(ratings)
    if np.isnan(alpha):
        return alpha
    counts = np.isfinite(ratings).sum(axis=0)
    k = float(counts[counts > 0].mean())
    alpha = max(alpha, 0.0)
    return float(np.sqrt(k * alpha / (1 + (k - 1) * alpha)))
