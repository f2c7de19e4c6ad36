"""Learned unique contributions against what humans found unique (Tables 3 and 4, Figure 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used: stats takes a second that the first paint lacks

from smurf_core.contributions import Contributions
from smurf_core.errors import InputError
from smurf_core.explained import Explained
from smurf_core.statistics.correlation import pearson_r
from smurf_core.statistics.holm import holm
from smurf_core.statistics.krippendorff import alpha_interval
from smurf_core.statistics.reliability import difference_ceiling
from smurf_core.statistics.slopes import clustered_slope
from smurf_core.statistics.studentised_bootstrap import RESAMPLES, correlation_interval
from smurf_core.terms import subset_name

Array = npt.NDArray[np.float64]


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


def unique_pairs(explained: Explained) -> list[UniquePair]:
    """Whatever the judged subsets allow: human unique of G is y − judgment of all but G.

    Raters who saw all modalities but G could not use what only G says, so y − their rating is
    what is unique to G (section 4.4). With more than one modality in G (UMEME's acoustic + text)
    the learned counterpart is all that G says and shares only within G: Σ ŷ_I over G plus Σ ŷ_IJ
    over ordered pairs in G.
    """
    dataset = explained.dataset
    if dataset.task != "regression":
        raise InputError("Human judgments are compared for regression targets only.")
    target = explained.target.astype(np.float64)
    found = []
    for shown, rating in dataset.judgments.items():
        group = tuple(name for name in dataset.modalities if name not in shown)
        if not group or not shown:
            continue
        ratings = dataset.ratings.get(shown)
        found.append(
            UniquePair(
                modalities=group,
                judged=tuple(name for name in dataset.modalities if name in shown),
                sample_ids=explained.sample_ids,
                learned=_within(explained.contributions, group),
                human=target - explained.aligned(rating).astype(np.float64),
                persons=explained.persons,
                ratings=None
                if ratings is None
                else explained.aligned(ratings.T).T.astype(np.float64),
            )
        )
    return found


def _within(contributions: Contributions, group: tuple[str, ...]) -> Array:
    """What these modalities say and share only with each other, [n]."""
    members = {(name,) for name in group}
    inside = contributions.where(lambda term: members.issuperset(term.sharers))
    return np.asarray(contributions.values[:, inside, 0].sum(axis=1, dtype=np.float64))


def human_agreement(
    explained: Explained, *, resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Correlation of learned with human unique contributions, for every judged subset.

    The interval is a bootstrap over persons (samples, where no persons are known):
    `correlation_interval`. The p-value is that of `clustered_slope`, which allows for samples of a
    person being alike, corrected over the table after Holm (1979, *Scandinavian Journal of
    Statistics* 6). Samples without a judgment are left out and counted. Where single raters'
    ratings are given, their agreement and the ceiling it sets on r (`difference_ceiling`) are
    given with it.

    Returns
    -------
    DataFrame
        One row per judged subset: modality (names joined by +), judged, r, ci_low, ci_high,
        spearman, statistic (t), degrees (of freedom), p, p_holm, n, missing, persons, raters
        (most of any sample), alpha (Krippendorff's, of the judgments), alpha_low, alpha_high,
        ceiling. NaN where a number is not defined, or no single ratings are there.
    """
    rows = []
    for pair in unique_pairs(explained):
        judged = np.isfinite(pair.human)
        x, y = pair.learned[judged], pair.human[judged]
        who = (pair.sample_ids if pair.persons is None else pair.persons)[judged]
        row: dict[str, object] = {
            "modality": subset_name(pair.modalities), "judged": subset_name(pair.judged),
            "r": np.nan, "ci_low": np.nan, "ci_high": np.nan, "spearman": np.nan,
            "statistic": np.nan, "degrees": np.nan, "p": np.nan, "p_holm": np.nan, "n": len(x),
            "missing": int((~judged).sum()), "persons": len(np.unique(who)), "raters": 0,
            "alpha": np.nan, "alpha_low": np.nan, "alpha_high": np.nan, "ceiling": np.nan,
        }  # fmt: skip
        if pair.ratings is not None:
            raters = alpha_interval(pair.ratings, persons=pair.persons, seed=seed)
            row |= {
                "raters": int(np.isfinite(pair.ratings).sum(axis=0).max(initial=0)),
                "alpha": raters.alpha,
                "alpha_low": raters.low,
                "alpha_high": raters.high,
                "ceiling": difference_ceiling(pair.human, pair.ratings),
            }
        if len(x) >= 3 and np.ptp(x) > 0 and np.ptp(y) > 0:
            row["r"] = pearson_r(x, y)
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
            f"{explained.dataset.name!r} has no human judgments of all modalities but one or some; "
            "name the columns of ratings and what their raters saw."
        )
    table = pd.DataFrame(rows)
    table["p_holm"] = holm(table["p"].to_numpy(dtype=float))
    return table
