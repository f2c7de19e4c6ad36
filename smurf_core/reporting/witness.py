"""What the second witness finds, in sentences, and whether a model's shares agree with it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from smurf_core.evaluation.commonality import Commonality
from smurf_core.evaluation.redundancy import ALL_MODALITIES
from smurf_core.model_kinds import ModelTraits
from smurf_core.reporting.numbers import interval_text, percent, plain

# A common share whose interval is wider agrees with nearly every model.
WIDEST = 0.5
# What a difference means; the last part of the sentence that says that there is one.
MEANING = (
    "They answer different questions. The model's shares divide the variance of its predictions, "
    "by what modalities agree on and by what others cannot derive. Commonality divides what can "
    "be predicted at all, and what is unique to modalities that correlate counts as common there. "
    "The model may also have put a contribution in the wrong place."
)


def witness_sentences(shares: pd.DataFrame | None, commonality: Commonality) -> list[str]:
    """One to three sentences: what the witness finds, and whether the model's share differs.

    Parameters
    ----------
    shares
        One output's part of `share_intervals(…).totals` of a model with pairwise redundant
        contributions; None for a model that has no such share.
    commonality
        What `commonality` or `witness_of` found in the same folds.

    Returns
    -------
    list of str
        The share of what linear late fusion predicts that is common to several modalities; then
        whether the redundant share of the model differs (the two intervals do not overlap), and
        what a difference means; and a warning where the model predicts more or less than the
        witness.

    Examples
    --------
    >>> from smurf_core.data.generated.synthetic import synthetic_additive
    >>> from smurf_core.evaluation.commonality import commonality
    >>> data = synthetic_additive(samples=400, modalities=2)
    >>> print(witness_sentences(None, commonality(data, data.folds))[0][:45])
    Linear late fusion predicts held-out samples:
    """
    everything = commonality.subsets.iloc[-1]
    r2 = f"R² {plain(everything['r2'], 2)}{_interval(everything['ci_low'], everything['ci_high'])}"
    if not commonality.predicts:
        sentence = (
            f"There is nothing to divide: linear late fusion does not reliably predict held-out "
            f"samples ({r2})"
        )
        if shares is not None:
            sentence += (
                ", so it can neither support nor question the model's share of redundancy. Unless "
                "the model itself predicts better than its baseline, do not rely on its shares"
            )
        return [f"{sentence}."]
    row = commonality.common
    found = f"{percent(row['share'])} {interval_text(row['share_low'], row['share_high'])}"
    first = (
        f"Linear late fusion predicts held-out samples: {r2}. Of this, {found} is common to "
        "several modalities"
    )
    if row["share_high"] < 0:
        first += (
            "; below zero, modalities predict more together than the sum of what each can predict"
        )
    return [f"{first}.", *_comparison(shares, row), *_warning(commonality)]


def comparable_totals(kind: ModelTraits, totals: pd.DataFrame) -> pd.DataFrame | None:
    """The part of `share_intervals(…).totals` to compare; None where a model has no such share.

    Late fusion has no redundant contributions, and those of interactions (MRO) are no part of
    late fusion. For classes, the shares of all logits together are compared.
    """
    if not kind.has_redundant_heads or kind.has_interactions:
        return None
    found: pd.DataFrame = totals[totals["output"] == totals["output"].iloc[0]]
    return found


def has_none(model: pd.Series | Mapping[Hashable, Any]) -> bool:
    """True if a row of `comparable_totals` is zero because nothing is there, not measured as zero.

    No interval holds for that: which sets are kept was chosen before.
    """
    return bool(model["share"] == model["ci_low"] == model["ci_high"] == 0)


def _comparison(shares: pd.DataFrame | None, row: pd.Series) -> list[str]:
    if shares is None:
        return []
    is_shared = (shares["modality"] == ALL_MODALITIES) & (shares["kind"] == "redundant")
    model = shares[is_shared].iloc[0]
    low, high = float(model["ci_low"]), float(model["ci_high"])
    calls = f"The model calls {percent(model['share'])} {interval_text(low, high)}".rstrip()
    if has_none(model):
        calls = "The model keeps no set of modalities that agree, and calls nothing"
    if pd.isna([low, high]).any():
        return [f"{calls} redundant; without an interval, the two cannot be compared."]
    if low > row["share_high"] or high < row["share_low"]:
        return [f"{calls} redundant: the two differ. {MEANING}"]
    if row["share_high"] - row["share_low"] > WIDEST:
        return [
            f"{calls} redundant. The witness cannot check this: its own interval is too wide. More "
            "persons would help."
        ]
    if has_none(model):
        return [f"{calls} redundant; the witness does not contradict it."]
    return [f"{calls} redundant. The intervals overlap, so the witness does not contradict it."]


def _warning(commonality: Commonality) -> list[str]:
    """Where a run predicts more or less than late fusion by the whole interval."""
    if commonality.model.empty:
        return []
    model = commonality.model.iloc[0]
    numbers = f"R² {plain(model['r2_model'], 2)} to {plain(model['r2_late_fusion'], 2)}"
    if model["ci_low"] > 0:
        return [
            f"The model predicts more than linear late fusion ({numbers}): what is not linear, or "
            "an interaction, is not part of this division."
        ]
    if model["ci_high"] < 0:
        return [f"The model predicts less than linear late fusion ({numbers})."]
    return []


def _interval(low: float, high: float) -> str:
    return "" if pd.isna([low, high]).any() else f" [{plain(low, 2)}, {plain(high, 2)}]"
