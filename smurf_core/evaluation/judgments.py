"""Learned unique contributions against what humans found unique (Tables 3 and 4, Figure 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used: stats takes a second that the first paint lacks

from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.terms import subset_name

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
    ratings: Array | None  # [raters, n] of what `judged` shows, where single raters' are given


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
        members = {(name,) for name in group}
        inside = np.array([members.issuperset(term.sharers) for term in contributions.terms])
        learned = contributions.values[:, inside, 0].sum(axis=1, dtype=np.float64)
        found.append(
            UniquePair(
                modalities=group,
                judged=tuple(name for name in dataset.modalities if name in shown),
                sample_ids=contributions.sample_ids,
                learned=learned,
                human=target - rating[rows].astype(np.float64),
                persons=None if dataset.groups is None else dataset.groups[rows],
                ratings=dataset.ratings[shown][:, rows].astype(np.float64)
                if shown in dataset.ratings
                else None,
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

    The interval is a bootstrap over persons (samples, where no persons are known):
    `correlation_interval`. The p-value is that of `clustered_slope`, which allows for samples of a
    person being alike, corrected over the table after Holm (1979, *Scandinavian Journal of
    Statistics* 6). Samples without a judgment are left out and counted. Where single raters'
    ratings are given, their agreement and the ceiling it sets on r (`difference_ceiling`) stand
    beside it.

    Returns
    -------
    DataFrame
        One row a judged subset: modality (names joined by +), judged, r, ci_low, ci_high,
        spearman, statistic (t), degrees (of freedom), p, p_holm, n, missing, persons, raters
        (most of any sample), alpha (Krippendorff's, of the judgments), ceiling. NaN where a
        number is not defined, or no single ratings are there.
    """
    rows = []
    for pair in unique_pairs(contributions, dataset):
        judged = np.isfinite(pair.human)
        x, y = pair.learned[judged], pair.human[judged]
        who = (pair.sample_ids if pair.persons is None else pair.persons)[judged]
        row: dict[str, object] = {
            "modality": subset_name(pair.modalities), "judged": subset_name(pair.judged),
            "r": np.nan, "ci_low": np.nan, "ci_high": np.nan, "spearman": np.nan,
            "statistic": np.nan, "degrees": np.nan, "p": np.nan, "p_holm": np.nan, "n": len(x),
            "missing": int((~judged).sum()), "persons": len(np.unique(who)), "raters": 0,
            "alpha": np.nan, "ceiling": np.nan,
        }  # fmt: skip
        if pair.ratings is not None:
            row |= {
                "raters": int(np.isfinite(pair.ratings).sum(axis=0).max(initial=0)),
                "alpha": krippendorff_alpha(pair.ratings),
                "ceiling": difference_ceiling(pair.human, pair.ratings),
            }
        if len(x) >= 3 and np.ptp(x) > 0 and np.ptp(y) > 0:
            row["r"] = float(np.corrcoef(x, y)[0, 1])
            low, high = correlation_interval(x, y, who, resamples=resamples, seed=seed)
            slope = clustered_slope(x, y, who)
            row |= {
                "ci_low": low,
                "ci_high": high,
                "spearman": float(scipy.stats.spearmanr(x, y).statistic),
                "statistic": slope.statistic,
                "degrees": slope.degrees,
                "p": slope.p,
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
    """Studentised bootstrap interval of Pearson's r: whole clusters are drawn with replacement.

    On Fisher's z: each draw's distance from the whole sample's z is divided by the draw's own
    standard error (infinitesimal jackknife over clusters); the quantiles of that take the place
    of Student's t (Efron and Tibshirani, 1993, *An Introduction to the Bootstrap*, chapter 12).
    Plain quantiles or standard deviations of draws are too narrow with few clusters. NaN with
    fewer than five, or where r is ±1.
    """
    _, cluster = np.unique(clusters, return_inverse=True)
    count = int(cluster.max()) + 1
    x, y = x - x.mean(), y - y.mean()
    moments = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    sums = np.zeros((count, 6))
    np.add.at(sums, cluster, moments)
    middle, error = (float(a) for a in _z_and_error(sums.sum(axis=0), sums.T @ sums))
    if count < 5 or not error > 0:
        return float("nan"), float("nan")
    random = np.random.default_rng(seed)
    products = (sums[:, :, None] * sums[:, None, :]).reshape(count, 36)
    drawn = random.multinomial(count, np.full(count, 1 / count), size=resamples)
    z, errors = _z_and_error(drawn @ sums, (drawn @ products).reshape(-1, 6, 6))
    usable = errors > 0
    studentised = (z[usable] - middle) / errors[usable]
    below, above = np.quantile(studentised, [(1 + level) / 2, (1 - level) / 2])
    return float(np.tanh(middle - below * error)), float(np.tanh(middle - above * error))


def _z_and_error(sums: Array, products: Array) -> tuple[Array, Array]:
    """Fisher's z of r and its standard error, from clusters' sums [..., 6].

    `products` [..., 6, 6] are Σ s sᵀ over clusters; the error is that of the gradient of z along
    each cluster's sums (which add up to nothing).
    """
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    zero = np.zeros_like(n)
    var_x, var_y = n * xx - x * x, n * yy - y * y
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (n * xy - x * y) / np.sqrt(var_x * var_y)
        by_covariance = np.stack([xy, -y, -x, zero, zero, n], -1)
        by_x = np.stack([xx, -2 * x, zero, n, zero, zero], -1) / var_x[..., None]
        by_y = np.stack([yy, zero, -2 * y, zero, n, zero], -1) / var_y[..., None]
        gradient = by_covariance / np.sqrt(var_x * var_y)[..., None]
        gradient = (gradient - r[..., None] / 2 * (by_x + by_y)) / (1 - r**2)[..., None]
        squared = np.einsum("...i,...ij,...j->...", gradient, products, gradient)
        usable = (np.abs(r) < 1 - 1e-12) & (squared > 0)
        return np.arctanh(np.where(usable, r, 0)), np.sqrt(np.where(usable, squared, 0))


@dataclass(frozen=True)
class ClusteredSlope:
    """t of a slope with a variance that allows for alike samples of a cluster, and its p."""

    statistic: float
    degrees: float  # of freedom
    p: float  # two-sided


def clustered_slope(x: Array, y: Array, clusters: npt.NDArray[np.generic]) -> ClusteredSlope:
    """Is the slope of y on x (or their correlation) zero? Allows for alike samples of a cluster.

    Bias-reduced linearisation: the cluster-robust variance CR2 with Satterthwaite's degrees of
    freedom (Bell and McCaffrey, 2002, *Survey Methodology* 28; Imbens and Kolesár, 2016, *Review
    of Economics and Statistics* 98). Clusters are independent; nothing is assumed of what is
    inside them, and few clusters, or few that matter, cost degrees of freedom. The usual CR1 with
    G − 1 of them finds something in 7% of null data with 30 persons, and more with fewer
    (`benchmarks/null_rates.py`). NaN with fewer than three clusters.
    """
    _, cluster = np.unique(clusters, return_inverse=True)
    count = int(cluster.max()) + 1
    nothing = ClusteredSlope(float("nan"), float("nan"), float("nan"))
    if count < 3 or np.ptp(x) == 0:
        return nothing
    x = x - x.mean()
    spread = float(x @ x)
    # Orthonormal columns: the hat matrix is basis · basisᵀ, and one cluster's block of it, H_g,
    # has rank two. (I − H_g)^(−1/2) is the identity but for that span.
    basis = np.column_stack([np.full(len(x), len(x) ** -0.5), x / np.sqrt(spread)])
    inner = np.zeros((count, 2, 2))
    np.add.at(inner, cluster, basis[:, :, None] * basis[:, None, :])
    eigenvalues, vectors = np.linalg.eigh(inner)
    is_usable = (eigenvalues > 1e-12) & (eigenvalues < 1 - 1e-9)
    safe = np.where(is_usable, eigenvalues, 0.5)
    # A direction that one cluster alone determines has no residual: it is left out (−1 / λ).
    stretch = np.where(
        is_usable,
        (1 / np.sqrt(1 - safe) - 1) / safe,
        np.where(eigenvalues > 0.5, -1.0, 0.0),
    )
    adjust = np.einsum("gij,gj,gkj->gik", vectors, stretch, vectors)
    along = x / spread  # what each residual adds to the slope
    inside = np.zeros((count, 2))
    np.add.at(inside, cluster, basis * along[:, None])
    weights = along + (basis * np.einsum("gij,gj->gi", adjust, inside)[cluster]).sum(axis=1)
    residuals = y - basis @ (basis.T @ y)
    parts = np.bincount(cluster, weights=weights * residuals, minlength=count)
    variance = float(parts @ parts)
    if not variance > 1e-24 * float(y @ y) / spread:
        return nothing
    # Satterthwaite under equal, independent errors: the variance is a quadratic form whose matrix
    # is diag(d) − c cᵀ, with d the squared lengths of the clusters' weights, c their share of the
    # basis.
    lengths = np.bincount(cluster, weights=weights**2, minlength=count)
    shares = np.zeros((count, 2))
    np.add.at(shares, cluster, basis * weights[:, None])
    trace = float(lengths.sum() - (shares**2).sum())
    squares = float(
        (lengths**2).sum()
        - 2 * (lengths @ (shares**2).sum(axis=1))
        + ((shares.T @ shares) ** 2).sum()
    )
    degrees = trace**2 / squares
    t = float(along @ y) / np.sqrt(variance)
    return ClusteredSlope(float(t), degrees, float(2 * scipy.stats.t.sf(abs(t), degrees)))


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


def difference_ceiling(human: Array, ratings: Array) -> float:
    """The highest r that anything can reach with human unique contributions y − mean rating.

    `human` is [n] and `ratings` [raters, n], NaN where there is none. Raters differ by chance; the
    error variance of the mean rating of a sample with k raters is s²/k, with s² their variance
    within samples, pooled (as in the observed disagreement of Krippendorff's α). What is left of
    the variance of `human` is reliable, and r is at most the root of that share (Spearman, 1904;
    the target is taken as it is). NaN where no sample has two ratings, 0 where nothing is left.
    """
    counts = np.isfinite(ratings).sum(axis=0)
    several = counts >= 2
    used = np.isfinite(human) & (counts >= 1)
    if not several.any() or used.sum() < 3 or not np.ptp(human[used]) > 0:
        return float("nan")
    within = np.nanvar(ratings[:, several], axis=0) * counts[several]
    error = within.sum() / (counts[several] - 1).sum() * (1 / counts[used]).mean()
    return float(np.sqrt(max(1 - error / human[used].var(ddof=1), 0.0)))
