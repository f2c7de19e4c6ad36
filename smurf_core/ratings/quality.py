"""Signs that a rater does not rate: numbers, and a mark where one is beyond its limit.

A mark excludes nobody. `Collection.exclude` does, with a reason, and records it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used

from smurf_core.ratings.answers import AnswerField, all_fields
from smurf_core.ratings.design import Design

Array = npt.NDArray[np.float64]
# Limits of marks, in shares of the scale's range where they are differences.
LONGEST_RUN = 8  # equal answers in a row
SMALLEST_SPREAD = 0.2  # of the typical rater's standard deviation
FASTEST = 1 / 3  # of the typical rater's median time
ATTENTION_TOLERANCE = 0.1
LARGEST_REPEAT_DIFFERENCE = 0.25
LARGEST_DRIFT, DRIFT_P = 0.2, 0.01
FEWEST = 8  # answers before a mark on run, spread, time or drift
_NAN = float("nan")


def rater_quality(design: Design, answers: pd.DataFrame, *, key: str | None = None) -> pd.DataFrame:
    """One row per rater with what looks like careless rating, on one field.

    Parameters
    ----------
    design : Design
        Its scales.
    answers : DataFrame
        `smurf_core.ratings.tables.answer_table`; excluded raters are in the table, but typical
        values are those of the others.
    key : str or None
        The field; None: the first one.

    Returns
    -------
    DataFrame
        rater, answers (to clips), longest_run (of equal answers), spread (standard deviation over
        the median rater's), seconds (median time to answer), pace (seconds over the median
        rater's), attention_failed, attention_asked, repeats, repeat_difference (mean |second −
        first|, share of the range; categories: share that differ), drift (change of the difference
        from the other raters of the same clip and condition over the list, share of the range),
        drift_p (Kendall's τ), agreement (r with the mean of these others), marks (text, empty if
        none), excluded. NaN where a number is not defined.
    """
    fields = all_fields(design)
    if not fields:  # Nothing but traces is asked.
        return pd.DataFrame()
    field = fields[key or next(iter(fields))]
    own = answers[answers["key"] == field.key]
    clips = own[own["kind"] == "clip"]
    deviations = _with_others(clips)
    rows = [_row(rater, field, own, deviations) for rater in sorted(set(answers["rater"]))]
    table = pd.DataFrame(rows)
    if table.empty:
        return table
    typical = table[~table["excluded"]]
    table["spread"] = table["sd"] / typical["sd"].median()
    table["pace"] = table["seconds"] / typical["seconds"].median()
    table["marks"] = [", ".join(_marks(row)) for _, row in table.iterrows()]
    order = [
        "rater", "answers", "longest_run", "spread", "seconds", "pace", "attention_failed",
        "attention_asked", "repeats", "repeat_difference", "drift", "drift_p", "agreement",
        "marks", "excluded",
    ]  # fmt: skip
    return table[order]


def _with_others(clips: pd.DataFrame) -> pd.DataFrame:
    """Answers to clips with `others`: the mean of the other raters of the clip and condition."""
    used = clips["value"].where(~clips["excluded"].astype(bool))
    cells = used.groupby([clips["clip"], clips["condition"]])
    number = cells.transform("count") - used.notna()
    total = cells.transform("sum") - used.fillna(0)
    return clips.assign(others=(total / number.where(number > 0)).astype(float))


def _row(
    rater: int, field: AnswerField, own: pd.DataFrame, deviations: pd.DataFrame
) -> dict[str, object]:
    mine = own[own["rater"] == rater]
    clips = deviations[deviations["rater"] == rater].sort_values("position")
    values = clips["value"].to_numpy(dtype=np.float64)
    width = field.high - field.low
    checks = mine[mine["wanted"].notna()]
    missed = (checks["value"] - checks["wanted"]).abs() > ATTENTION_TOLERANCE * width
    differences = _repeat_differences(mine, clips, field)
    drift, p, agreement = _beside_others(clips, field)
    return {
        "rater": rater,
        "answers": len(clips),
        "longest_run": _longest_run(values),
        "sd": float(values.std(ddof=1)) if len(values) > 1 else _NAN,
        "seconds": float(clips["seconds"].median()),
        "attention_failed": int(missed.sum()),
        "attention_asked": len(checks),
        "repeats": len(differences),
        "repeat_difference": float(np.mean(differences)) if len(differences) else _NAN,
        "drift": drift,
        "drift_p": p,
        "agreement": agreement,
        "excluded": bool(mine["excluded"].any()),
    }


def _longest_run(values: Array) -> int:
    if not len(values):
        return 0
    ends = np.flatnonzero(np.diff(values) != 0)
    return int(np.diff([-1, *ends, len(values) - 1]).max())


def _repeat_differences(mine: pd.DataFrame, clips: pd.DataFrame, field: AnswerField) -> Array:
    first = dict(zip(clips["clip"], clips["value"], strict=True))
    again = mine[(mine["kind"] == "repeat") & mine["clip"].isin(list(first))]
    before = again["clip"].map(first).to_numpy(dtype=np.float64)
    gap = np.abs(again["value"].to_numpy(dtype=np.float64) - before)
    if field.measure == "nominal":
        return np.asarray((gap > 0).astype(np.float64))
    return np.asarray(gap / (field.high - field.low))


def _beside_others(clips: pd.DataFrame, field: AnswerField) -> tuple[float, float, float]:
    """Drift, its p, and r with the others; NaN for categories, or with too few answers."""
    there = clips[clips["others"].notna()]
    if field.measure == "nominal" or len(there) < FEWEST:
        return _NAN, _NAN, _NAN
    value, others = (there[c].to_numpy(dtype=np.float64) for c in ("value", "others"))
    position = there["position"].to_numpy(dtype=np.float64)
    away = value - others
    varies = np.ptp(value) > 0 and np.ptp(others) > 0
    r = float(np.corrcoef(value, others)[0, 1]) if varies else _NAN
    if not np.ptp(away) > 0:
        return 0.0, 1.0, r
    slope = float(scipy.stats.theilslopes(away, position).slope)
    p = float(scipy.stats.kendalltau(position, away).pvalue)
    return slope * np.ptp(position) / (field.high - field.low), p, r


def _marks(row: pd.Series[Any]) -> list[str]:
    """The marks of a rater, each with its number."""
    found = []
    is_long = row["answers"] >= FEWEST
    if is_long and row["longest_run"] >= LONGEST_RUN:
        found.append(f"{row['longest_run']} equal answers in a row")
    if is_long and row["spread"] < SMALLEST_SPREAD:
        found.append(f"answers spread {row['spread']:.2f} times as far as usual")
    if is_long and row["pace"] < FASTEST:
        found.append(f"answers in {row['pace']:.2f} of the usual time")
    if row["attention_failed"]:
        found.append(f"failed {row['attention_failed']} of {row['attention_asked']} checks")
    if row["repeats"] and row["repeat_difference"] > LARGEST_REPEAT_DIFFERENCE:
        found.append(f"repeats differ by {row['repeat_difference']:.0%}")
    if abs(row["drift"]) > LARGEST_DRIFT and row["drift_p"] < DRIFT_P:
        found.append(f"drifts by {row['drift']:+.0%}".replace("-", "−"))
    return found
