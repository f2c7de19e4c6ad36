"""What becomes of a run's shares when it is solved again, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from smurf_core.evaluation.gate import Gate
from smurf_core.evaluation.verdicts import GOOD
from smurf_core.reporting.numbers import interval_text, percent, term_label
from smurf_core.reporting.sentences import nothing_to_explain, score_text
from smurf_core.terms import spoken

_KEYS = ["order", "modality", "shared_with"]
_NAMED = 3  # persons, and shares outside their intervals


def with_shares_again(
    terms: pd.DataFrame, totals: pd.DataFrame, again: pd.DataFrame, output: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shares of a run with a column `share_without`, of the run that was solved again.

    Parameters
    ----------
    terms, totals
        Of one output, as in `OutputShares`.
    again
        `variance_shares` of the contributions that were solved again.
    output
        The output of `terms`.
    """
    own = again.loc[again["output"] == output, [*_KEYS, "share"]]
    own = own.rename(columns={"share": "share_without"})
    found = terms.drop(columns="share_without", errors="ignore").merge(own, on=_KEYS, how="left")
    summed = own.groupby(["order", "modality"], as_index=False)["share_without"].sum()
    summed = summed.assign(kind="both")
    rest = totals.drop(columns="share_without", errors="ignore")
    return found, rest.merge(summed, on=["order", "modality", "kind"], how="left")


def solved_again_title(left_out: Sequence[str], samples: int, weight: float | None) -> str:
    """What is different: `Solved again without P03 and P07 (24 samples), λ 2 in every fold`."""
    of_weight = "" if weight is None else f"λ {weight:g} in every fold"
    if not left_out:
        return f"Solved with {of_weight}"
    names = list(left_out) if len(left_out) <= _NAMED else [f"{len(left_out)} of them"]
    title = f"Solved again without {spoken(names)} ({samples:,} samples)"
    return f"{title}, {of_weight}" if of_weight else title


def again_sentences(title: str, terms: pd.DataFrame, before: Gate, after: Gate) -> list[str]:
    """What may be said of shares that were solved again.

    Parameters
    ----------
    title
        What is different (`solved_again_title`).
    terms
        Of the first table of `with_shares_again`, with `verdict` of the run.
    before, after
        Of the samples of the run, and of those that are left.

    Returns
    -------
    list of str
        How well the rest is predicted, and which shares leave the intervals of the run. If nothing
        is predicted any more, only this.
    """
    closed = nothing_to_explain(after)
    if closed:
        return [f"{title}: {closed}"]
    said = [f"{title}: {score_text(after)}; in the run, {score_text(before)}."]
    good = terms[terms["verdict"].isin(GOOD) & terms["ci_low"].notna()]
    now = good["share_without"]
    left = good[(now < good["ci_low"]) | (now > good["ci_high"])]
    if good.empty:
        return [*said, "The verdict of no contribution is good: shares are not compared."]
    if left.empty:
        return [*said, "Every share whose verdict is good stays inside its interval of the run."]
    moves = (left["share_without"] - left["share"]).abs().sort_values(ascending=False)
    named = [
        f"{term_label(row['modality'], row['shared_with'])} "
        f"{percent(row['share_without'])} (in the run {percent(row['share'])} "
        f"{interval_text(row['ci_low'], row['ci_high'])})"
        for row in left.loc[moves.index[:_NAMED]].to_dict("records")
    ]
    more = len(left) - len(named)
    others = f" and {more} more" if more else ""
    return [*said, f"Outside of its interval of the run: {'; '.join(named)}{others}."]
