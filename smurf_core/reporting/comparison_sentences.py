"""Which model predicts better, what factorising costs, and whether explanations agree."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from smurf_core.evaluation.metrics import LOWER_IS_BETTER, METRIC_TITLES
from smurf_core.evaluation.verdicts import GOOD
from smurf_core.model_kinds import MODEL_KINDS, ModelKind
from smurf_core.reporting.numbers import bounds, mean_and_spread, plain, signed, term_label
from smurf_core.reporting.two_runs import SideBySide
from smurf_core.terms import spoken

# Below this, two runs' contributions to the same samples are called different.
ALIKE = 0.8


def who_predicts_better(rows: pd.DataFrame, titles: Mapping[str, str], reference: str) -> str:
    """Which models predict better or worse than the reference, after Holm's correction.

    `rows` are one metric's rows of `compare_models`; `titles` are the models' names.
    """
    metric = str(rows["metric"].iloc[0])
    own = rows[rows["model"] == reference].iloc[0]
    name = METRIC_TITLES[metric]
    if pd.isna(own["mean"]):
        return (
            f"Which model predicts better cannot be said: {name} of {titles[reference]} is not "
            "defined in every fold."
        )
    text = f"{titles[reference]} reaches {mean_and_spread(own['mean'], own['sd'])} ({name}). "
    others = rows[rows["model"] != reference]
    said = []
    if (undefined := others["difference"].isna()).any():
        listed = [titles[name] for name in others.loc[undefined, "model"]]
        said.append(f"{name} of {spoken(listed)} is not defined in every fold")
    others = others[~undefined]
    for mark, word in (("⇑", "better"), ("⇓", "worse")):
        found = others[others["mark_holm"] == mark]
        if len(found):
            listed = [
                f"{titles[row['model']]} ({_change(row)})" for row in found.to_dict("records")
            ]
            verb = "predicts" if len(found) == 1 else "predict"
            said.append(f"{spoken(listed)} {verb} {word}")
    unclear = others[others["mark_holm"] == ""]
    if len(unclear):
        listed = [f"{titles[row['model']]} ({_change(row)})" for row in unclear.to_dict("records")]
        said.append(f"whether it differs from {spoken(listed)} cannot be said")
    joined = "; ".join(said)
    return f"{text}{joined[:1].upper()}{joined[1:]}."


def what_factorising_costs(
    rows: pd.DataFrame,
    kinds: Mapping[str, ModelKind],
    titles: Mapping[str, str],
    reference: str,
) -> str:
    """What a model that factorises loses against late fusion, which does not.

    `rows` are one metric's rows of `compare_models`; `kinds` are the models' kinds. One of the two
    that are compared is the reference.
    """
    factorises = MODEL_KINDS[kinds[reference]].has_redundant_heads
    wanted = [
        name for name in rows["model"] if MODEL_KINDS[kinds[name]].has_redundant_heads != factorises
    ]
    if not wanted:
        return "What factorising costs cannot be said: compare with late fusion."
    other = wanted[0]
    row = rows[rows["model"] == other].to_dict("records")[0]
    model, plain_model = (reference, other) if factorises else (other, reference)
    change = _negated(row) if factorises else row  # of the factorised model
    metric = str(row["metric"])
    if pd.isna(row["difference"]):
        return (
            f"What factorising costs cannot be said: {METRIC_TITLES[metric]} is not defined in "
            "every fold."
        )
    of = f"{titles[model]} over {titles[plain_model]}, {METRIC_TITLES[metric]}: {_change(change)}"
    if row["mark_holm"] == "":
        return f"That factorising costs anything cannot be said ({of})."
    is_gain = (change["difference"] > 0) != (metric in LOWER_IS_BETTER)
    return f"Factorising {'helps' if is_gain else 'costs'} prediction here ({of})."


def explanations_agree(beside: SideBySide, first: ModelKind, second: ModelKind) -> str:
    """Do two runs explain the same samples alike, where both verdicts are good?

    `beside` is `side_by_side` of runs A and B, which are of these kinds.
    """
    if beside.sentences:
        return " ".join(beside.sentences)
    if MODEL_KINDS[first].has_redundant_heads != MODEL_KINDS[second].has_redundant_heads:
        return (
            "Only one of runs A and B separates what modalities share from what one says alone, so "
            "their explanations are not of the same thing."
        )
    agreement = beside.agreement
    if agreement.empty:
        return "Whether explanations agree cannot be said: neither prediction varies."
    both = agreement[
        agreement["first_verdict"].isin(GOOD)
        & agreement["second_verdict"].isin(GOOD)
        & agreement["r"].notna()
    ]
    if both.empty:
        return (
            "Whether explanations agree cannot be said: no contribution has a good verdict in both "
            "runs."
        )
    lowest = float(both["r"].min())
    if lowest >= ALIKE:
        which = "the one contribution that is" if len(both) == 1 else f"all {len(both)} that are"
        return f"Runs A and B explain samples alike: r ≥ {_floor(lowest)} for {which} good in both."
    differing = both[both["r"] < ALIKE].sort_values("r")
    names = [
        f"{term_label(row['modality'], row['shared_with'])} (r = {plain(row['r'], 2)})"
        for row in differing.head(3).to_dict("records")
    ]
    return (
        f"Runs A and B explain samples differently: {'; '.join(names)}, of {len(both)} "
        "contributions that are good in both."
    )


def _floor(r: float) -> str:
    return plain(int(r * 100 + 1e-9) / 100, 2)


def _negated(row: Mapping[Hashable, Any]) -> Mapping[Hashable, Any]:
    """The change in the other direction."""
    return {"difference": -row["difference"], "ci_low": -row["ci_high"], "ci_high": -row["ci_low"]}


def _change(row: Mapping[Hashable, Any]) -> str:
    return f"{signed(row['difference'])}{bounds(row['ci_low'], row['ci_high'], 3)}"
