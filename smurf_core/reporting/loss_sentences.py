"""What held-out prediction loses without a modality, in sentences."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from smurf_core.evaluation.gate import Gate
from smurf_core.evaluation.metrics import METRIC_TITLES
from smurf_core.reporting.numbers import bounds, plain, signed
from smurf_core.terms import spoken


def loss_sentences(losses: pd.DataFrame, gate: Gate) -> list[str]:
    """Which modality is missed, whether one is missed most, and whose absence helps.

    Parameters
    ----------
    losses
        What `smurf_core.evaluation.modality_losses.modality_losses` returns.
    gate
        Of the same samples.

    Returns
    -------
    list of str
        Nothing where there is nothing to explain. The first sentence names the modality that is
        missed most only if its interval lies below all others'.
    """
    if not gate.is_open or losses["ci_low"].isna().any():
        return []
    score = "r" if gate.metric == "r" else METRIC_TITLES[gate.metric].lower()
    rows = losses.to_dict("records")
    missed = [row for row in rows if row["ci_high"] < 0]
    better = [row for row in rows if row["ci_low"] > 0]
    unclear = [str(row["modality"]) for row in rows if row["ci_low"] <= 0 <= row["ci_high"]]
    found = []
    if not missed:
        found.append(f"No single modality is clearly missed: {score} cannot be said to fall.")
    else:
        first, others = rows[0], [row["ci_low"] for row in rows[1:]]
        if all(first["ci_high"] < low for low in others):
            found.append(
                f"Without {first['modality']}, {score} falls most: from {plain(first['full'], 2)} "
                f"to {plain(first['without'], 2)} ({_change(first)})."
            )
        elif len(missed) == 1:
            found.append(f"Without {first['modality']}, {score} falls ({_change(first)}).")
        else:
            names = spoken([str(row["modality"]) for row in missed])
            text = "; ".join(f"{row['modality']} {_change(row)}" for row in missed)
            found.append(
                f"Without any one of {names}, {score} falls; which is missed most cannot be said: "
                f"{text}."
            )
    found += [f"Without {row['modality']}, {score} rises ({_change(row)})." for row in better]
    if missed and unclear:
        found.append(f"Whether {spoken(unclear)} is missed cannot be said.")
    return found


def change_text(change: float, low: float, high: float) -> str:
    """A change of a score with its interval: `−0.29 [−0.35, −0.23]`."""
    return f"{signed(change, 2)}{bounds(low, high)}"


def _change(row: Mapping[Hashable, Any]) -> str:
    return change_text(row["change"], row["ci_low"], row["ci_high"])
