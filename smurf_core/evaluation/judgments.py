"""Learned unique contributions against what humans found unique (Tables 3 and 4, Figure 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used: stats takes a second that the first paint lacks

from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.verdicts import unique_verdict
from smurf_core.explained import Explained
from smurf_core.statistics.calibration import by_rater, calibrated_correlation, calibrated_scale
from smurf_core.statistics.correlation import pearson_r
from smurf_core.statistics.correlation_interval import correlation_interval
from smurf_core.statistics.holm import holm
from smurf_core.statistics.krippendorff import AlphaInterval, alpha_intervals
from smurf_core.statistics.persons import Codes, person_codes
from smurf_core.statistics.reliability import difference_ceiling
from smurf_core.statistics.slopes import clustered_slope
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
    who: Codes  # the number of each sample's person; of the sample, where no persons are known
    ratings: Array | None  # [raters, n] of what `judged` shows, where single raters' are given
    # What a calibration needs (`smurf_core.statistics.calibration`), [n] each. Target and rating
    # are free of single raters' scales (`by_rater`), where these are known.
    target: Array
    rating: Array  # NaN where there is no judgment
    shown: Array  # what the model says from `judged` alone

    @property
    def calibrated(self) -> Array:
        """Human unique contributions with the ratings on the target's scale, [n].

        NaN where there is no judgment, and everywhere if the scale cannot be estimated.
        """
        judged = np.isfinite(self.rating)
        scale = calibrated_scale(
            self.target[judged], self.rating[judged], self.shown[judged], self.who[judged]
        )
        return _centred(self.target, judged) - scale * _centred(self.rating, judged)


def unique_pairs(explained: Explained) -> list[UniquePair]:
    """Whatever the judged subsets allow: human unique of G is y − judgment of all but G.

    Raters who saw all modalities but G could not use what only G says, so y − their rating is
    what is unique to G (section 4.4). With more than one modality in G (UMEME's acoustic + text)
    the learned counterpart is all that G says and shares only within G: Σ ŷ_I over G plus Σ ŷ_IJ
    over ordered pairs in G. Samples without a recording of a modality of G count as not judged.
    Single modalities come first, all in the data set's order.
    """
    dataset = explained.dataset
    if dataset.task != "regression":
        raise InputError("Human judgments are compared for regression targets only.")
    target, found = explained.target.astype(np.float64), []
    who = person_codes(explained.persons, len(explained))
    present = explained.aligned(dataset.present)
    for shown, columns in _judged(dataset):
        rating, group = dataset.judgments[shown], _group(dataset, columns)
        single = dataset.ratings.get(shown)
        ratings = None
        if single is not None:  # Each rater's lie together in memory.
            ratings = explained.aligned(single.T).T.astype(np.float64, order="C")
        judgment = explained.aligned(rating).astype(np.float64)
        # Where a modality was not recorded, neither people nor the model can find it unique.
        judgment[~present[:, columns].all(axis=1)] = np.nan
        calibrated = (target, judgment) if ratings is None else by_rater(target, ratings)
        found.append(
            UniquePair(
                modalities=group,
                judged=tuple(name for name in dataset.modalities if name in shown),
                sample_ids=explained.sample_ids,
                learned=_within(explained.contributions, group),
                human=target - judgment,
                who=who,
                ratings=ratings,
                target=calibrated[0],
                rating=calibrated[1],
                shown=_from(explained.contributions, shown),
            )
        )
    return found


def _judged(dataset: MultimodalDataset) -> list[tuple[frozenset[str], list[int]]]:
    """What raters saw, and the modalities that they lacked; single ones first."""
    lacking = {
        shown: [k for k, name in enumerate(dataset.modalities) if name not in shown]
        for shown in dataset.judgments
    }
    found = [(shown, columns) for shown, columns in lacking.items() if shown and columns]
    return sorted(found, key=lambda pair: (len(pair[1]), pair[1]))


def _group(dataset: MultimodalDataset, columns: list[int]) -> tuple[str, ...]:
    return tuple(dataset.modalities[k] for k in columns)


def largest_disagreements(pair: UniquePair, chosen: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """The samples in which learned and human unique contributions differ most.

    Both are centred and divided by their standard deviation over the judged ones of the `chosen`
    samples [n], because a model's contributions are often smaller than people's.

    Returns
    -------
    DataFrame
        One row per judged sample, the largest difference first: sample_id, learned, human (in the
        target's unit), difference (learned − human, in standard deviations).
    """
    at = np.flatnonzero(chosen & np.isfinite(pair.human))
    if len(at) < 2:
        return pd.DataFrame({"sample_id": [], "learned": [], "human": [], "difference": []})
    learned, human = pair.learned[at], pair.human[at]
    scores = [
        (values - values.mean()) / spread if (spread := values.std()) > 0 else np.zeros(len(at))
        for values in (learned, human)
    ]
    table = pd.DataFrame(
        {
            "sample_id": pair.sample_ids[at],
            "learned": learned,
            "human": human,
            "difference": scores[0] - scores[1],
        }
    )
    order = np.argsort(-table["difference"].abs().to_numpy(), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def _within(contributions: Contributions, group: tuple[str, ...]) -> Array:
    """What these modalities say and share only with each other, [n]."""
    members = {(name,) for name in group}
    return _sum(contributions, contributions.where(lambda t: members.issuperset(t.sharers)))


def _from(contributions: Contributions, shown: frozenset[str]) -> Array:
    """What the model says from these modalities alone, [n]: interactions of theirs included."""
    return _sum(contributions, contributions.where(lambda t: shown.issuperset(t.source)))


def _sum(contributions: Contributions, terms: npt.NDArray[np.bool_]) -> Array:
    return np.asarray(contributions.values[:, terms, 0].sum(axis=1, dtype=np.float64))


def _centred(values: Array, judged: npt.NDArray[np.bool_]) -> Array:
    """Less the mean over judged samples; NaN for the others."""
    mean = values[judged].mean() if judged.any() else np.nan
    return np.where(judged, values, np.nan) - mean


def with_verdicts(
    agreement: pd.DataFrame, explained: Explained, verdict_table: pd.DataFrame
) -> pd.DataFrame:
    """`human_agreement` with a column verdict: on the learned contribution of each row.

    An r with a contribution whose verdict is not good is no finding about the model.
    """
    dataset = explained.dataset
    return agreement.assign(
        verdict=[
            unique_verdict(verdict_table, explained.contributions, _group(dataset, columns))
            for _, columns in _judged(dataset)
        ]
    )


def human_agreement(
    explained: Explained, *, pairs: Sequence[UniquePair] | None = None, seed: int = 0
) -> pd.DataFrame:
    """Correlation of learned with human unique contributions, for every judged subset.

    It stands twice: as published, and with the ratings calibrated to the target's scale. Raters
    who use a part of the scale leave (1 − b) times what they saw in y − rating. It correlates with
    any contribution that is related to what they saw, also where nothing is unique
    (`benchmarks/null_judgments.py`). `calibrated_correlation` removes it; where the model says
    too little from the shown modalities to estimate the scale, the calibrated columns are NaN.

    Intervals are a jackknife over persons (samples, where no persons are known):
    `correlation_interval`. p-values are those of `clustered_slope`, which allows for samples of a
    person being alike, and are corrected over the table after Holm (1979, *Scandinavian Journal
    of Statistics* 6). Samples without a judgment are left out and counted. Where single raters'
    ratings are given, their agreement and the ceiling it sets on r (`difference_ceiling`) are
    given with it, and every rater's own scale is taken out before calibrating (`by_rater`).

    Parameters
    ----------
    explained : Explained
        Contributions of a regression, with a data set that has judgments.
    pairs : sequence of UniquePair or None
        `unique_pairs` of them, where these are known already.
    seed : int
        Of the draws for the interval of α.

    Returns
    -------
    DataFrame
        One row per judged subset: modality (names joined by +), judged, r, ci_low, ci_high,
        spearman, statistic (t), degrees (of freedom), p, p_holm, n, missing, persons, raters
        (most of any sample), alpha (Krippendorff's, of the judgments), alpha_low, alpha_high,
        ceiling; then scale (what ratings are multiplied by: above 1 where raters use a part of
        the scale), r_calibrated, ci_low_calibrated, ci_high_calibrated, statistic_calibrated,
        degrees_calibrated, p_calibrated, p_calibrated_holm. NaN where a number is not defined,
        or no single ratings are there.

    Raises
    ------
    InputError
        If the data set has no judgments of all modalities but some, or classes.
    """
    rows = []
    pairs = unique_pairs(explained) if pairs is None else pairs
    for pair, alpha in zip(pairs, _alphas(pairs, seed), strict=True):
        row = _counted(pair, alpha)
        judged = np.isfinite(pair.human)
        x, y, who = pair.learned[judged], pair.human[judged], pair.who[judged]
        if len(x) >= 3 and np.ptp(x) > 0 and np.ptp(y) > 0:
            low, high = correlation_interval(x, y, who)
            slope = clustered_slope(x, y, who)
            row |= {
                "r": pearson_r(x, y),
                "ci_low": low,
                "ci_high": high,
                "spearman": float(scipy.stats.spearmanr(x, y).statistic),
                "statistic": slope.statistic,
                "degrees": slope.degrees,
                "p": slope.p,
            }
        rows.append(row | _calibrated(pair))
    if not rows:
        raise InputError(
            f"{explained.dataset.name!r} has no human judgments of all modalities but one or some; "
            "name the columns of ratings and what their raters saw."
        )
    table = pd.DataFrame(rows)
    for column in ("p", "p_calibrated"):
        table[f"{column}_holm"] = holm(table[column].to_numpy(dtype=float))
    return table


def _alphas(pairs: Sequence[UniquePair], seed: int) -> list[AlphaInterval | None]:
    """Raters' agreement for each pair; None where no single raters' ratings are given."""
    rated = [pair.ratings for pair in pairs if pair.ratings is not None]
    found = iter(alpha_intervals(rated, persons=pairs[0].who, seed=seed) if rated else [])
    return [None if pair.ratings is None else next(found) for pair in pairs]


def _counted(pair: UniquePair, alpha: AlphaInterval | None) -> dict[str, object]:
    """A row of `human_agreement` before anything is correlated: counts, and raters' agreement."""
    judged = np.isfinite(pair.human)
    row: dict[str, object] = {
        "modality": subset_name(pair.modalities), "judged": subset_name(pair.judged),
        "r": np.nan, "ci_low": np.nan, "ci_high": np.nan, "spearman": np.nan,
        "statistic": np.nan, "degrees": np.nan, "p": np.nan, "p_holm": np.nan,
        "n": int(judged.sum()), "missing": int((~judged).sum()),
        "persons": len(np.unique(pair.who[judged])), "raters": 0,
        "alpha": np.nan, "alpha_low": np.nan, "alpha_high": np.nan, "ceiling": np.nan,
    }  # fmt: skip
    if pair.ratings is not None and alpha is not None:
        row |= {
            "raters": int(np.isfinite(pair.ratings).sum(axis=0).max(initial=0)),
            "alpha": alpha.alpha,
            "alpha_low": alpha.low,
            "alpha_high": alpha.high,
            "ceiling": difference_ceiling(pair.human, pair.ratings),
        }
    return row


def _calibrated(pair: UniquePair) -> dict[str, object]:
    """The columns of a row of `human_agreement` that are about calibrated ratings."""
    rated = np.isfinite(pair.rating)
    x, y, rating, shown = (a[rated] for a in (pair.learned, pair.target, pair.rating, pair.shown))
    found = calibrated_correlation(x, y, rating, shown, pair.who[rated])
    return {
        "scale": found.scale,
        "r_calibrated": found.r,
        "ci_low_calibrated": found.low,
        "ci_high_calibrated": found.high,
        "statistic_calibrated": found.test.statistic,
        "degrees_calibrated": found.test.degrees,
        "p_calibrated": found.test.p,
        "p_calibrated_holm": np.nan,
    }
