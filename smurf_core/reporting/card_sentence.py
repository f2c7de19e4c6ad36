"""The one sentence of a sample's card."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, isnan

from smurf_core.evaluation.gate import Gate
from smurf_core.reporting.numbers import signed
from smurf_core.reporting.sample_card import Part, Row, Shared
from smurf_core.reporting.sentences import nothing_to_explain
from smurf_core.terms import capital, spoken, subset_name

_SMALLEST = 0.1  # standard deviations of the predictions; less is not worth a sentence


def card_sentence(
    rows: Sequence[Row], gate: Gate, *, output: str, far: str, digits: int, unit: float
) -> str:
    """What is most worth saying of a sample, as far as gate, verdicts and intervals allow.

    Parameters
    ----------
    rows
        The card's rows.
    gate
        Of the run.
    output
        The class that is spoken of; empty for regression.
    far
        The modality that lies far outside the training data; nothing is said of it.
    digits
        After the point.
    unit
        The standard deviation of the predictions, which makes contributions comparable.

    Returns
    -------
    str
        One sentence on what is unexpected, or else on the contribution or shared set with the
        highest score; or one that says that nothing can be said, and why.
    """
    nothing = "What each modality contributes to this prediction cannot be said"
    closed = nothing_to_explain(gate)
    if closed:
        return f"{nothing}. {closed}"
    of = f" for {output}" if output else ""
    moved = f"the logit of {output}" if output else "this prediction"
    claims: list[tuple[bool, float, str]] = []
    any_good = False
    for row in rows:
        if len(row.source) > 1 or not row.is_recorded:
            continue
        parts = [row.alone, *(shared.own for shared in row.shared)]
        any_good = any_good or any(part is not None and part.is_good for part in parts)
        if row.name == far:
            continue
        if row.alone is not None and row.alone.is_good and row.alone.is_clear:
            said = signed(row.alone.value, digits)
            claims.append(
                (
                    False,
                    abs(row.alone.value) / unit,
                    f"{row.name} alone moves {moved} by {said}.",
                )
            )
        for shared in row.shared:
            if far and any(far in partner for partner in shared.partners):
                continue
            claim = _claim(shared, digits, of)
            if claim:
                claims.append((shared.relation == "unexpected", shared.score, claim))
    worth = [claim for claim in claims if claim[1] >= _SMALLEST]
    if worth:
        return capital(max(worth, key=lambda claim: claim[:2])[2])
    if far:
        return f"{nothing}: {far} lies far outside the training data."
    if not any_good:
        return f"{nothing}: no contribution that was recorded has a good verdict."
    return (
        "No modality says anything clear of this sample: every contribution with a good verdict "
        "is small or may be zero."
    )


def _claim(shared: Shared, digits: int, of: str) -> str:
    """A sentence on what is shared; an empty text where nothing may be said."""
    own, who = shared.own, subset_name(shared.own.term.source)
    said = signed(own.value, digits)
    there = [other for other in shared.others if other is not None]
    if not own.is_clear or not all(side.is_good for side in (own, *there)):
        return ""
    if shared.relation == "agree":
        names = spoken([subset_name(other.term.source) for other in there])
        values = spoken([signed(other.value, digits) for other in there])
        if not all(other.is_clear for other in there):
            return ""
        return f"{who} and {names} say the same{of}: {said} and {values}."
    if shared.relation == "unexpected":
        # The side that says most leads to the expectation.
        other = max(there, key=lambda side: abs(side.value - own.value))
        if abs(other.value) > abs(own.value) or not _is_apart(own, other):
            return ""
        name = subset_name(other.term.source)
        return (
            f"from {who}, one would expect {name} to say {said}{of}; {name} says "
            f"{signed(other.value, digits)}."
        )
    if shared.relation == "not recorded" and not there:
        names = spoken([subset_name(partner) for partner in shared.partners])
        was = "was" if len(shared.partners) == 1 else "were"
        return (
            f"from {who}, one would expect {names} to say {said}{of}; {names} {was} not recorded."
        )
    return ""


def _is_apart(one: Part, other: Part) -> bool:
    joint = hypot(one.half_width, other.half_width)
    return isnan(joint) or abs(one.value - other.value) > joint
