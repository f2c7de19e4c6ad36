"""What a run found, in sentences: one composition for pages, command line and reports.

A sentence claims no more than the gate and the verdicts allow: no "most" below one half, no winner
where intervals overlap, nothing shared where the sides disagree, nothing at all where held-out
samples are not predicted.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smurf_core.evaluation.fidelity import Fidelity
from smurf_core.evaluation.gate import FEWEST_SAMPLES, Gate
from smurf_core.evaluation.metrics import METRIC_TITLES
from smurf_core.evaluation.redundancy import ALL_MODALITIES
from smurf_core.evaluation.verdicts import GOOD
from smurf_core.exclusive.sets import UNIQUE_KNOWN
from smurf_core.reporting.numbers import bounds, interval_text, percent, plain, term_label
from smurf_core.statistics.correlation_interval import FEWEST_PERSONS
from smurf_core.terms import capital, read_subset

# Verdict → what is wrong with contributions that have it.
_WARNINGS = {
    "unstable": "restarts or folds disagree on {it}",
    "not separated": "unique and redundant parts of {it} move together, or the sides that should "
    "share {it} do not agree",
    "too uncertain": "models of other persons may disagree on {it}",
    "sides disagree": "the modalities that should share {it} do not say the same",
    "known to others": "a modality that should not know {it} predicts {it}",
    "bent": "a modality knows {it} in a bent way that these contributions cannot follow",
}
# A share below this is not worth a sentence of its own.
_WORTH_NAMING = 0.05
_KEYS = ["order", "modality", "shared_with"]


@dataclass(frozen=True)
class Leader:
    """The modality with the largest share, if its interval is above all others'."""

    order: int
    name: str
    share: float
    is_most: bool  # the whole interval is above one half


def leader(totals: pd.DataFrame) -> Leader | None:
    """Who leads in one output's `share_intervals(…).totals`; nothing where intervals overlap."""
    rows = by_source(totals)
    if len(rows) == 0 or rows["share"].isna().any() or rows["ci_low"].isna().any():
        return None
    first = rows.iloc[0]
    if len(rows) > 1 and not first["ci_low"] > rows["ci_high"].iloc[1:].max():
        return None
    return Leader(
        int(first["order"]), str(first["modality"]), float(first["share"]),
        bool(first["ci_low"] > 0.5),
    )  # fmt: skip


def is_supported(terms: pd.DataFrame, first: Leader) -> bool:
    """True if what a leader says is mostly in contributions that are findings.

    `terms` are one output's part of `share_intervals(…).terms`, with a column `verdict`.
    """
    mine = terms[(terms["order"] == first.order) & (terms["modality"] == first.name)]
    good = mine.loc[mine["verdict"].isin(GOOD), "share"].abs().sum()
    return bool(good >= 0.5 * mine["share"].abs().sum())


def how_well(gate: Gate) -> str:
    """How well held-out samples are predicted; an empty text where that cannot be said."""
    if not gate.has_enough:
        return ""
    persons = f" of {gate.persons:,} persons" if gate.persons != gate.samples else ""
    return (
        f"{gate.samples:,} samples{persons}, each predicted by a model that did not see it: "
        f"{score_text(gate)}, chance {chance_text(gate)}."
    )


def nothing_to_explain(gate: Gate) -> str:
    """Why there is nothing to explain; an empty text where there is something."""
    if gate.is_open:
        return ""
    if not gate.has_enough:
        persons = "" if gate.persons == gate.samples else f" of {gate.persons} persons"
        return (
            f"There are too few held-out samples to explain anything: {gate.samples}{persons}, at "
            f"least {FEWEST_SAMPLES} of {FEWEST_PERSONS} persons are needed. No shares are named."
        )
    if not gate.is_faithful:
        return fidelity_sentence(gate.fidelity)
    return (
        f"There is nothing to explain: on held-out samples, {score_text(gate)}, "
        f"not reliably above chance ({chance_text(gate)}). What moves these predictions may be "
        "noise."
    )


def score_text(gate: Gate) -> str:
    """The score of held-out samples with its interval, as every surface writes it."""
    title = "r" if gate.metric == "r" else METRIC_TITLES[gate.metric].lower()
    return f"{title} is {plain(gate.value, 2)}{bounds(gate.ci_low, gate.ci_high)}"


def chance_text(gate: Gate) -> str:
    """What a model that knows nothing reaches: 0, or one over the number of classes."""
    return "0" if gate.chance == 0 else plain(gate.chance, 2)


def fidelity_sentence(fidelity: Fidelity | None) -> str:
    """How closely a given model is followed; an empty text where none was given."""
    if fidelity is None:
        return ""
    found = f"R² = {plain(fidelity.r_squared, 3)} on held-out samples"
    if fidelity.is_faithful:
        return f"The contributions add up to the predictions of the given model: {found}."
    return (
        f"The contributions do not add up to the predictions of the given model: {found}. Nothing "
        "is said about this model; give its embeddings as features."
    )


def overview_sentences(
    totals: pd.DataFrame,
    terms: pd.DataFrame,
    verdicts: pd.DataFrame,
    gate: Gate,
    *,
    output: str = "",
    others: Mapping[str, Leader | None] | None = None,
    influence: str = "",
    unique_known: float = 0.0,
    further: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """What carries the prediction, what is shared, and what not to rely on.

    Parameters
    ----------
    totals, terms
        One output's part of `share_intervals`.
    verdicts
        What `smurf_core.evaluation.verdicts.verdicts` returns.
    gate
        Of the samples shown.
    output
        The class that is spoken of, if it is one.
    others
        Title → leader of the study's other models, to say which of them says otherwise.
    influence
        What `influence_sentence` returns. If shares depend on single samples, they are no finding:
        this sentence replaces those about who leads and what is shared.
    unique_known
        Mean r of unique contributions with what other modalities derive of them. Where it is large,
        no total of what is shared is stated.
    further
        Sentences that also belong here, by their subject; empty ones are left out.

    Returns
    -------
    dict
        Subject → sentence, in their order: leader, shared, caution, otherwise, and those of
        `further`; `influence` in place of `shared` and `otherwise`. Only `closed` where there is
        nothing to explain.
    """
    closed = nothing_to_explain(gate)
    if closed:
        return {"closed": closed}
    of = f"the prediction of {output}" if output else "the prediction"
    if terms["share"].isna().any():
        return {"leader": f"There is nothing to divide: {of} is the same for every sample shown."}
    terms = terms.merge(verdicts[[*_KEYS, "verdict"]], on=_KEYS, how="left")
    if influence:
        found = {
            "leader": f"Which modality carries how much of {of} cannot be said.",
            "influence": influence,
            "caution": _caution(verdicts),
        }
    else:
        first = leader(totals)
        mine = first if first is not None and is_supported(terms, first) else None
        found = {
            "leader": _who_leads(totals, terms, of),
            "shared": _what_is_shared(totals, terms, unique_known),
            "caution": _caution(verdicts),
            "otherwise": _otherwise(mine, others or {}),
        }
    return {subject: said for subject, said in (found | dict(further or {})).items() if said}


def by_source(totals: pd.DataFrame) -> pd.DataFrame:
    """The rows of sources in `share_intervals(…).totals`, the largest share first."""
    rows = totals[(totals["order"] > 0) & (totals["kind"] == "both")]
    return rows.sort_values("share", ascending=False, kind="stable")


def _who_leads(totals: pd.DataFrame, terms: pd.DataFrame, of: str) -> str:
    rows = by_source(totals)
    first = leader(totals)
    names = [_share(row) for row in rows.to_dict("records")]
    if first is not None and not is_supported(terms, first):
        return (
            f"Which modality carries how much of {of} cannot be said: the contributions of "
            f"{_source(first.order, first.name)}, the largest ({_numbers(rows, 0)}), are "
            "not reliable."
        )
    if first is not None and first.is_most:
        source = capital(_source(first.order, first.name))
        sentence = f"{source} carries most of {of}: {_numbers(rows, 0)}"
        sentence += " of its variance"
    elif first is not None:
        sentence = (
            f"{capital(_source(first.order, first.name))} carries the largest part of {of}: "
            f"{_numbers(rows, 0)} of its variance"
        )
        if len(rows) > 1:
            second = rows.iloc[1]
            sentence += (
                f", before {_source(int(second['order']), str(second['modality']))} with "
                f"{_numbers(rows, 1)}"
            )
    elif rows["ci_low"].isna().any():
        sentence = (
            f"Shares of {of}: {', '.join(names)}. Without intervals, no modality can be said to "
            "lead"
        )
    else:
        level = float(rows["ci_low"].iloc[0])
        tied = [name for name, high in zip(names, rows["ci_high"], strict=True) if high >= level]
        sentence = (
            f"No modality leads in {of}: the intervals of {_and(tied)} of its variance overlap"
        )
    against = [
        _source(int(row["order"]), str(row["modality"]))
        for row in rows.to_dict("records")
        if row["share"] < -0.005 and not row["ci_high"] >= 0
    ]
    if against:
        verb = "works" if len(against) == 1 else "work"
        sentence += f"; {', '.join(against)} {verb} against the rest (below zero)"
    return f"{sentence}."


def _what_is_shared(totals: pd.DataFrame, terms: pd.DataFrame, unique_known: float) -> str:
    shared = terms[terms["kind"] == "redundant"]
    if not (shared["sd"] > 0).any():
        if terms["verdict"].isin(["stable", "unstable", "not separated"]).any():
            return "This model does not separate what modalities share."
        return (
            "No modalities share anything that they agree on; what is common to them otherwise is "
            "in their unique contributions."
        )
    counted = shared[(shared["share"].abs() >= 0.01) & (shared["sd"] > 0)]
    doubtful = counted[~counted["verdict"].isin(GOOD)]
    is_separated = unique_known <= UNIQUE_KNOWN
    if doubtful.empty and len(counted) and is_separated:
        unique, redundant = (_total(totals, kind) for kind in ("unique", "redundant"))
        return (
            f"Over all modalities, {unique} of the variance is unique to one of them and "
            f"{redundant} shared: more, if modalities see what they share through unequal noise."
        )
    good = counted[counted["verdict"].isin(GOOD)]
    names = ", ".join(
        f"{term_label(row['modality'], row['shared_with'])} {_of_row(row)}"
        for row in good.to_dict("records")
    )
    total = "How much is shared over all modalities cannot be said"
    if not is_separated:
        said = (
            f"{total}: unique contributions correlate with what other modalities know (mean r = "
            f"{plain(unique_known, 2)}), and data do not say whether this part is shared or only "
            "correlated."
        )
        return f"{said} What members of a set agree on: {names}." if names else said
    if names:
        return f"{total}; what can: {names}."
    return f"{total}: no modalities agree reliably on what they should share."


def _caution(verdicts: pd.DataFrame) -> str:
    small = verdicts["verdict"].isin(["too small to tell", "too small"])
    if small.all():
        return "Every contribution is too small to tell anything about it."
    warnings = []
    for verdict, why in _WARNINGS.items():
        rows = verdicts[verdicts["verdict"] == verdict]
        names = [
            term_label(i, j) for i, j in zip(rows["modality"], rows["shared_with"], strict=True)
        ]
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            it = "it" if len(names) == 1 else "them"
            warnings.append(f"Do not rely on {'; '.join(names[:3])}{more}: {why.format(it=it)}.")
    if warnings:
        return " ".join(warnings)
    if (verdicts["verdict"] == "reliable").any():
        return (
            "Every contribution that is large enough is reliable: models of other persons are "
            "likely to agree on it."
        )
    return (
        "Restarts and folds agree on every contribution that is large enough, which does not show "
        "that they are right."
    )


def _otherwise(mine: Leader | None, others: Mapping[str, Leader | None]) -> str:
    """Which models of the study name another leader."""
    differing = [
        f"{title} names {_source(other.order, other.name)} ({percent(other.share)})"
        for title, other in others.items()
        if other is not None and mine is not None and other.name != mine.name
    ]
    return f"Other models of this study say otherwise: {'; '.join(differing)}." if differing else ""


def _source(order: int, name: str) -> str:
    if order == 1:
        return name
    return f"What {' and '.join(read_subset(name, order))} say only together"


def _share(row: Mapping[Hashable, object]) -> str:
    return f"{_source(int(str(row['order'])), str(row['modality']))} {_of_row(row)}"


def _of_row(row: Mapping[Hashable, object]) -> str:
    low, high = float(str(row["ci_low"])), float(str(row["ci_high"]))
    text = "" if np.isnan(low) else f" {interval_text(low, high)}"
    return f"{percent(float(str(row['share'])))}{text}"


def _numbers(rows: pd.DataFrame, position: int) -> str:
    return _of_row(rows.to_dict("records")[position])


def _total(totals: pd.DataFrame, kind: str) -> str:
    rows = totals[(totals["modality"] == ALL_MODALITIES) & (totals["kind"] == kind)]
    return _of_row(rows.to_dict("records")[0])


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
