"""How far raters agree, by condition and scale, as ratings come in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.ratings.answers import Measure, all_fields
from smurf_core.ratings.design import Design
from smurf_core.statistics.intraclass import intraclass
from smurf_core.statistics.krippendorff import alpha_interval

Array = npt.NDArray[np.float64]
DRAWS = 500
# Of fewer clips with two ratings, agreement is a matter of chance, and no number is given.
FEWEST_CLIPS = 10


def counted(answers: pd.DataFrame) -> pd.DataFrame:
    """The rows of `answer_table` that count: of clips, by raters who are not excluded."""
    return answers[(answers["kind"] == "clip") & ~answers["excluded"].astype(bool)]


def rating_matrix(
    answers: pd.DataFrame, key: str, condition: str, clips: npt.NDArray[np.str_] | None = None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.str_], Array]:
    """(raters [r], clips [n], ratings [r, n], NaN for none) of one field in one condition.

    Without `clips`, those that were rated, in the order of their ids.
    """
    own = answers[(answers["key"] == key) & (answers["condition"] == condition)]
    raters = np.unique(own["rater"].to_numpy(dtype=np.int64))
    if clips is None:
        clips = np.unique(own["clip"].to_numpy(dtype=np.str_))
    found = np.full((len(raters), len(clips)), np.nan)
    column = pd.Index(clips).get_indexer(pd.Index(own["clip"]))
    row = np.searchsorted(raters, own["rater"].to_numpy(dtype=np.int64))
    is_known = column >= 0
    found[row[is_known], column[is_known]] = own["value"].to_numpy()[is_known]
    return raters, clips, found


def agreement_table(
    design: Design,
    answers: pd.DataFrame,
    *,
    persons: Mapping[str, str] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Agreement of each field in each condition where it was asked.

    Parameters
    ----------
    design : Design
        Its conditions and scales.
    answers : DataFrame
        `smurf_core.ratings.tables.answer_table`.
    persons : mapping of str to str, or None
        Clip → the person in it; α's bootstrap then draws persons.
    draws, seed : int
        Of the bootstraps.

    Returns
    -------
    DataFrame
        One row per condition and field: condition, key, measure, clips (with a rating), shared
        (clips with two ratings or more), raters, ratings, per_clip (mean), icc_single,
        icc_single_low, icc_single_high, icc, icc_low, icc_high (ICC(2,k), see `intraclass`; NaN for
        categories), alpha, alpha_low, alpha_high (Krippendorff's, for the measure). NaN where it is
        not defined, and for fewer than `FEWEST_CLIPS` shared clips.
    """
    used = counted(answers)
    rows = []
    for condition in design.conditions:
        for key, field in all_fields(design).items():
            _, clips, ratings = rating_matrix(used, key, condition.name)
            if not field.scale.is_asked_in(condition.name) or (
                field.modality and field.modality not in condition.modalities
            ):
                continue
            row: dict[str, object] = {
                "condition": condition.name, "key": key, "measure": field.measure,
                "clips": len(clips), "shared": _shared(ratings), "raters": len(ratings),
                "ratings": int(np.isfinite(ratings).sum()),
                "per_clip": np.isfinite(ratings).sum() / max(len(clips), 1),
            }  # fmt: skip
            who = None if persons is None else np.array([persons[c] for c in clips], dtype=np.str_)
            rows.append(row | _agreement(ratings, field.measure, who, draws, seed))
    return pd.DataFrame(rows, columns=[*_COUNTS, *_NUMBERS])


def agreement_growth(
    answers: pd.DataFrame,
    key: str,
    condition: str,
    measure: Measure,
    *,
    points: int = 8,
    draws: int = 100,
    seed: int = 0,
) -> pd.DataFrame:
    """Agreement on one field in one condition over the time in which ratings came in.

    Returns one row for each of `points` equal steps of the ratings: ratings (so far), agreement,
    low, high. It is ICC(2,k), for categories Krippendorff's α. Steps at which it is not defined
    are left out.
    """
    used = counted(answers)
    own = used[(used["key"] == key) & (used["condition"] == condition)].sort_values("saved")
    name = "alpha" if measure == "nominal" else "icc"
    rows = []
    for number in np.unique(np.linspace(0, len(own), points + 1).round().astype(int)[1:]):
        _, _, ratings = rating_matrix(own.iloc[:number], key, condition)
        found = _agreement(ratings, measure, None, draws, seed)
        if np.isfinite(found[name]):
            rows.append((int(number), found[name], found[f"{name}_low"], found[f"{name}_high"]))
    return pd.DataFrame(rows, columns=["ratings", "agreement", "low", "high"])


_COUNTS = (
    "condition", "key", "measure", "clips", "shared", "raters", "ratings", "per_clip",
)  # fmt: skip
_NUMBERS = (
    "icc_single", "icc_single_low", "icc_single_high", "icc", "icc_low", "icc_high", "alpha",
    "alpha_low", "alpha_high",
)  # fmt: skip


def _agreement(
    ratings: Array, measure: Measure, who: npt.NDArray[np.str_] | None, draws: int, seed: int
) -> dict[str, float]:
    found = dict.fromkeys(_NUMBERS, float("nan"))
    if _shared(ratings) < FEWEST_CLIPS:
        return found
    alpha = alpha_interval(ratings, measure, persons=who, draws=draws, seed=seed)
    found |= {"alpha": alpha.alpha, "alpha_low": alpha.low, "alpha_high": alpha.high}
    if measure != "nominal":
        icc = intraclass(ratings, draws=draws, seed=seed)
        found |= {
            "icc_single": icc.single, "icc_single_low": icc.single_low,
            "icc_single_high": icc.single_high, "icc": icc.average, "icc_low": icc.average_low,
            "icc_high": icc.average_high,
        }  # fmt: skip
    return found


def _shared(ratings: Array) -> int:
    """Clips with two ratings or more."""
    return int((np.isfinite(ratings).sum(axis=0) >= 2).sum())
