"""Where predictions are wrong, in sentences: mistaken classes, and residuals of numbers."""

from __future__ import annotations

import pandas as pd
import scipy  # whose parts load when used, after the first paint

from smurf_core.evaluation.gate import Gate
from smurf_core.reporting.numbers import bounds, digits_for, interval_text, percent, plain, signed
from smurf_core.reporting.sentences import chance_text, nothing_to_explain, score_text

# So many mistakes are named, at most.
_NAMED = 2
_BY_CHANCE = 0.05  # of persons whose interval would not contain zero


def confusion_sentences(gate: Gate, confused: pd.DataFrame) -> list[str]:
    """How well classes are predicted, and which are taken for which more often than by chance.

    Parameters
    ----------
    gate
        Of the samples shown.
    confused
        What `smurf_core.evaluation.confusion.confused` returns of them.
    """
    if closed := nothing_to_explain(gate):
        return [closed]
    found = [f"On held-out samples, {score_text(gate)}, chance {chance_text(gate)}."]
    if confused.empty:
        return [
            *found,
            "No class is taken for another one more often than by chance, as far as these samples "
            "can show.",
        ]
    named = [
        f"{row['true']} is taken for {row['predicted']} in {percent(row['share'])} "
        f"{interval_text(row['ci_low'], row['ci_high'])} of its samples, by chance in "
        f"{percent(row['chance_share'])}"
        for row in confused.head(_NAMED).to_dict("records")
    ]
    rest = len(confused) - len(named)
    more = f" So are {rest} more pairs of classes." if rest else ""
    return [*found, f"More often than by chance, {'; '.join(named)}.{more}"]


def range_sentence(gate: Gate, table: pd.DataFrame) -> str:
    """How far predictions are pulled to the middle, from what `residuals_over_range` returns.

    An empty text where the intervals do not say so.
    """
    if not gate.is_open or len(table) < 2:
        return ""
    first, last = table.iloc[0], table.iloc[-1]
    if not (first["ci_low"] > 0 and last["ci_high"] < 0):
        return ""
    digits = digits_for(max(first["mean"], -last["mean"]))
    return (
        "Predictions are pulled to the middle: of the lowest targets (up to "
        f"{plain(first['high'], digits)}) they are {signed(first['mean'], digits)}"
        f"{bounds(first['ci_low'], first['ci_high'], digits)} off, of the highest (from "
        f"{plain(last['low'], digits)}) {signed(last['mean'], digits)}"
        f"{bounds(last['ci_low'], last['ci_high'], digits)}. Every model that predicts with errors "
        "does this."
    )


def person_sentence(gate: Gate, table: pd.DataFrame) -> str:
    """How many persons are predicted too high or too low, from `residuals_by_person`.

    An empty text where as many persons as seen would be off by chance.
    """
    known = table[table["ci_low"].notna()]
    if not gate.is_open or known.empty:
        return ""
    high, low = int((known["ci_low"] > 0).sum()), int((known["ci_high"] < 0).sum())
    if scipy.stats.binom.sf(high + low - 1, len(known), _BY_CHANCE) > 0.05:
        return ""
    return (
        f"Of {len(known)} persons with enough samples, {high} are predicted too high and {low} too "
        f"low: the interval of their median does not contain 0. By chance, about "
        f"{plain(_BY_CHANCE * len(known), 0 if _BY_CHANCE * len(known) >= 1 else 1)} would be."
    )


def range_of_error(table: pd.DataFrame) -> str:
    """The persons with the largest and the smallest typical error, from `residuals_by_person`."""
    first, last = table.iloc[0], table.iloc[-1]
    return (
        f"The typical error goes from {plain(last['typical_error'], 2)} ({last['person']}) to "
        f"{plain(first['typical_error'], 2)} ({first['person']})."
    )
