"""What a run found, in sentences that are computed from its numbers."""

from __future__ import annotations

import pandas as pd

from smurf_core.evaluation.redundancy import ALL_MODALITIES
from smurf_core.reporting.numbers import interval_text, percent, term_label
from smurf_core.terms import read_subset

# Verdict of `stability` → what is wrong with contributions that have it.
_WARNINGS = {
    "unstable": "restarts or folds disagree on {it}",
    "not separated": "unique and redundant parts of {it} move together, or the two sides of a "
    "pair do not",
}


def overview_sentences(
    shares: pd.DataFrame,
    stability: pd.DataFrame,
    totals: pd.DataFrame | None = None,
    output: str = "",
) -> list[str]:
    """Three sentences: what carries the prediction, how much is shared, what is reliable.

    `shares` is one output's part of `variance_shares`, `stability` what `stability` returns, and
    `totals` the same output's `share_intervals(…).totals`, for intervals in the sentences.
    `output` names the class that is spoken of, where it is one.
    """
    of = f"the prediction of {output}" if output else "the prediction"
    if shares["share"].isna().any():
        return [f"There is nothing to divide: {of} is the same for every sample shown."]
    redundant = shares[shares["kind"] == "redundant"]
    separates = bool((redundant["sd"] > 0).any())
    by_source = shares.groupby(["order", "modality"], sort=False)["share"].sum().reset_index()
    by_source = by_source.sort_values("share", ascending=False, kind="stable")
    sources = [
        (int(order), str(name), float(share))
        for order, name, share in by_source.itertuples(index=False)
    ]
    first = sources[0][:2]
    first_total = _interval(totals, first[1], "both", order=first[0])
    sentence = (
        f"{_source(*first)} carries most of {of}: {percent(sources[0][2])}{first_total} of its "
        "variance"
    )
    if separates:
        is_first = (shares["order"] == first[0]) & (shares["modality"] == first[1])
        mine = shares[is_first].groupby("kind")["share"].sum()
        unique, shared = (float(mine.get(kind, 0.0)) for kind in ("unique", "redundant"))
        sentence += f", {percent(unique)} alone and {percent(shared)} shared with others"
        everything = shares.groupby("kind")["share"].sum()
        unique, shared = (float(everything.get(kind, 0.0)) for kind in ("unique", "redundant"))
        second = (
            f"Over all modalities, {percent(unique)}{_interval(totals, ALL_MODALITIES, 'unique')} "
            f"of the variance is unique to one of them and {percent(shared)}"
            f"{_interval(totals, ALL_MODALITIES, 'redundant')} redundant"
        )
    else:
        others = sources[1:]
        listed = ", ".join(f"{name} with {percent(share)}" for _, name, share in others)
        second = (
            f"{'Then come' if len(others) > 1 else 'Then comes'} {listed}; this model does not "
            "separate what modalities have in common"
        )
    against = [_source(order, name) for order, name, share in sources if share < -0.005]
    if against:
        verb = "works" if len(against) == 1 else "work"
        second += f"; {', '.join(against)} {verb} against the rest (below zero)"
    return [f"{sentence}.", f"{second}.", _believe(stability)]


def _believe(stability: pd.DataFrame) -> str:
    if (stability["verdict"] == "too small to tell").all():
        return "Every contribution is too small to tell whether restarts and folds agree on it."
    warnings = []
    for verdict, why in _WARNINGS.items():
        rows = stability[stability["verdict"] == verdict]
        names = [
            term_label(i, j) for i, j in zip(rows["modality"], rows["shared_with"], strict=True)
        ]
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            it = "it" if len(names) == 1 else "them"
            warnings.append(f"Do not rely on {'; '.join(names[:3])}{more}: {why.format(it=it)}.")
    if warnings:
        return " ".join(warnings)
    return "Restarts and folds agree on every contribution that is large enough."


def _source(order: int, name: str) -> str:
    if order == 1:
        return name
    return f"What {' and '.join(read_subset(name, order))} say only together"


def _interval(totals: pd.DataFrame | None, modality: str, kind: str, order: int = 0) -> str:
    """The interval of a total in brackets, after a space; nothing where there is none."""
    if totals is None:
        return ""
    row = totals[
        (totals["order"] == order) & (totals["modality"] == modality) & (totals["kind"] == kind)
    ].iloc[0]
    text = interval_text(float(row["ci_low"]), float(row["ci_high"]))
    return f" {text}" if text else ""
