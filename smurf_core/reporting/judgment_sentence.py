"""Where people and model agree on what is unique to a modality, in one sentence."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from smurf_core.evaluation.verdicts import GOOD
from smurf_core.reporting.numbers import bounds, plain
from smurf_core.terms import spoken


def judgment_sentence(agreement: pd.DataFrame, modalities: Collection[str]) -> str:
    """For which modalities learned and human unique contributions agree, on calibrated ratings.

    Parameters
    ----------
    agreement
        `with_verdicts(human_agreement(…), …)`.
    modalities
        The run's modalities: rows of single ones are spoken of, others only if there are no single
        ones.
    """
    rows = single_rows(agreement, modalities)
    agreed = [row for row in rows if is_agreed(row)]
    others = [str(row["modality"]) for row in rows if not is_agreed(row)]
    if not agreed:
        return f"Agreement with human judgments cannot be claimed for any modality: {_why(rows)}."
    named = [
        f"{row['modality']} (r = {plain(row['r_calibrated'], 2)}"
        f"{bounds(row['ci_low_calibrated'], row['ci_high_calibrated'])})"
        for row in agreed
    ]
    sentence = (
        f"What only one modality says agrees with what people find only there: {spoken(named)}"
    )
    return sentence + (f"; for {spoken(others)} this cannot be said." if others else ".")


def _why(rows: Sequence[Mapping[Hashable, Any]]) -> str:
    """Why no row is agreed on."""
    related = [row["modality"] for row in rows if _is_related(row)]
    if not related:
        return "no relation is found that chance does not explain"
    return (
        f"what people and model find only in {spoken(related)} is related, but the model's "
        "contribution has no good verdict"
    )


def single_rows(agreement: pd.DataFrame, modalities: Collection[str]) -> list[dict[Hashable, Any]]:
    """The rows about one modality, in their order; all rows if there are none."""
    alone = agreement[agreement["modality"].isin(modalities)]
    return (agreement if alone.empty else alone).to_dict("records")


def is_agreed(row: Mapping[Hashable, Any]) -> bool:
    """True if a good contribution is related to calibrated ratings after Holm's correction."""
    return row["verdict"] in GOOD and _is_related(row)


def _is_related(row: Mapping[Hashable, Any]) -> bool:
    return bool(row["ci_low_calibrated"] > 0 and row["p_calibrated_holm"] < 0.05)
