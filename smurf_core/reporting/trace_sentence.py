"""What traces show in one sentence: whether raters agree over time, and how late they are."""

from __future__ import annotations

from smurf_core.ratings.traces.account import TraceAccount
from smurf_core.reporting.numbers import bounds, plain
from smurf_core.terms import spoken


def trace_sentence(account: TraceAccount, clip: str | None = None) -> str:
    """Agreement of all traces of a scale, gated by `TraceAccount.is_agreed`.

    With a `clip` whose own agreement has an interval, it is added.
    """
    traces = account.traces
    name, clips = traces.scale.name, len(traces.clips)
    who = "simulated raters" if traces.is_simulated else "raters"
    if account.lags is None or account.agreement is None:
        return f"Agreement on {name} over time cannot be said: no clip has traces of two {who}."
    found = account.agreement
    over = f"{clips} clips" if clips > 1 else f"one clip of {found.seconds:.0f} s"
    if not account.is_agreed:
        reason = (
            f"of {account.raters} {who}, {account.followers} follow the others"
            if account.followers < 2
            else f"mean r of pairs {plain(found.r, 2)}{bounds(found.low, found.high)}"
        )
        return f"No agreement on {name} over time is found in {over}: {reason}."
    parts = [
        f"{account.followers} of {account.raters} {who} agree on {name} over time: mean r of pairs "
        f"{plain(found.r, 2)}{bounds(found.low, found.high)} in {over}.",
        _lags(account),
    ]
    own = None if clip is None or clips == 1 else account.agreement_in(clip)
    if own is not None and own.low == own.low:
        parts.append(f"In this clip it is {plain(own.r, 2)}{bounds(own.low, own.high)}.")
    return " ".join(part for part in parts if part)


def lag_sentences(account: TraceAccount) -> list[str]:
    """What can be said of each rater's lag, one sentence per rater."""
    if account.lags is None:
        return []
    found = []
    for rater, lag, reach, verdict in account.lags[["rater", "lag", "reach", "verdict"]].itertuples(
        index=False
    ):
        text = {
            "lag": f"{plain(abs(lag), 1)} s {'after' if lag >= 0 else 'before'} the average rater",
            "bound": f"cannot be said: the best lag lies at the bound of {plain(reach, 1)} s",
            "no agreement": "cannot be said: the traces do not follow the others' within "
            f"{plain(reach, 1)} s",
            "still": "cannot be said: the slider was never moved",
            "alone": "cannot be said: nobody else rated these clips",
        }[verdict]
        found.append(f"Lag of rater {rater}: {text}.")
    return found


def _lags(account: TraceAccount) -> str:
    """What was done about lags."""
    if account.lags is None:
        return ""
    known = account.lags[account.lags["verdict"] == "lag"]
    parts = []
    if len(known):
        low, high = known["lag"].min(), known["lag"].max()
        parts.append(
            f"Lags from {plain(low, 1)} to {plain(high, 1)} s around the average rater are taken "
            "out."
        )
    at_bound = account.lags[account.lags["verdict"] == "bound"]
    if len(at_bound):
        names = spoken([str(rater) for rater in at_bound["rater"]])
        reach = plain(at_bound["reach"].max(), 1)
        parts.append(
            f"The lag of rater {names} cannot be said: the best lag lies at the bound of {reach} s."
        )
    return " ".join(parts)
