"""How late each rater is: cross-correlation with the other raters, or with a given trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.errors import InputError
from smurf_core.ratings.traces.chunks import RATE
from smurf_core.ratings.traces.collected import ClipTraces
from smurf_core.statistics.holm import holm

Array = npt.NDArray[np.float64]
Verdict = Literal["lag", "bound", "no agreement", "still", "alone"]
BOUND = 6.0  # seconds
DRAWS = 999
P_LIMIT = 0.05
_ROUNDS = 10
_AT_ONCE = 2_000_000  # numbers per step of the draws: bounds memory


@dataclass(frozen=True)
class _Pair:
    """A rater's trace of one clip, and what it is compared with, both [t] and without NaN gaps."""

    own: Array
    other: Array


def trace_lags(
    clips: Sequence[ClipTraces],
    *,
    bound: float = BOUND,
    reference: Mapping[str, Array] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """The lag of every rater, over all clips that they rated, where it can be said.

    A rater has one lag. It is where the correlation of the trace with the mean of the *other*
    raters is highest; products are pooled over clips, each centred within its clip. Raters show
    how late they are compared with each other only, so that lags are from −`bound` to `bound`
    around that of the average rater, and found in rounds: in each, the others are first shifted by
    their lags. With a `reference`, such as a course that the clip was made with, lags are from 0
    to `bound` after it.

    A lag is given only if the trace follows the others at all: surrogates have the same spectrum
    as the trace and random phases (Theiler and others, 1992), each takes its own best lag, and p
    is corrected by Holm over raters. Lines from first to last value are taken out before, so that
    slow drift is not taken for agreement; of independent noise and random walks, 1 to 7% of
    collections had a rater with p < 0.05.

    Parameters
    ----------
    clips : sequence of ClipTraces
        At least one with two raters, or with a reference.
    bound : float
        The longest lag, in seconds. A clip counts for lags up to half its length.
    reference : mapping of str to array [t], or None
        Clip → its course on the grid of `ClipTraces`.
    draws, seed : int
        Of the surrogates; there are at least 40 per rater, so that a corrected p can be below 0.05.

    Returns
    -------
    DataFrame
        One row per rater: rater, clips (that count), lag (seconds; NaN unless the verdict is lag),
        r (highest correlation within the bound), p (Holm), reach (the longest lag that the clips'
        lengths and the bound allow, seconds), verdict: `lag`; `bound`, if the best lag lies at the
        end of the range; `no agreement`; `still`, if a trace never moves; `alone`, if nobody else
        rated these clips.

    Raises
    ------
    InputError
        If the bound is not positive, or fewer than two raters gave traces and no reference is
        given.
    """
    if not 0 < bound <= 60:
        raise InputError(f"The bound of lags is {bound:g} s; it must be above 0 and at most 60.")
    raters = sorted({int(r) for clip in clips for r in clip.raters})
    if reference is None and len(raters) < 2:
        raise InputError(
            f"Lags need two raters or a reference, and there is {len(raters) or 'no'} rater."
        )
    low = -bound if reference is None else 0.0
    draws = max(draws, 40 * len(raters))
    filled = [_filled(clip) for clip in clips]
    first = {r: _pairs(filled, r, reference, {}, raters) for r in raters}
    found = [_tested(r, first[r], low, bound, draws, seed) for r in raters]
    table = pd.DataFrame(found)
    table["p"] = holm(table["p"].to_numpy(dtype=np.float64))
    follows = (table["verdict"] == "lag") & (table["p"] < P_LIMIT)
    table.loc[(table["verdict"] == "lag") & ~follows, "verdict"] = "no agreement"
    used = [int(r) for r in table.loc[follows, "rater"]]
    best = {r: _best(first[r], low, bound) for r in used}
    if reference is None and len(used) > 1:
        best = _aligned(filled, used, best, bound)
    for r, peak in best.items():
        columns = ["lag", "r", "verdict"]
        values = [peak.lag if peak.is_inside else np.nan, peak.r]
        table.loc[table["rater"] == r, columns] = [*values, "lag" if peak.is_inside else "bound"]
    return table[["rater", "clips", "lag", "r", "p", "reach", "verdict"]]


@dataclass(frozen=True)
class _Peak:
    lag: float  # seconds
    r: float
    is_inside: bool  # not at the end of the range


def _aligned(
    clips: Sequence[ClipTraces], raters: Sequence[int], best: dict[int, _Peak], bound: float
) -> dict[int, _Peak]:
    """Peaks against the others shifted by their lags, in rounds; lags are 0 on average.

    A step is (n − 1) / n of the way, since the average rater is also part of everybody's own lag.
    """
    share = (len(raters) - 1) / len(raters)
    lags = {r: share * best[r].lag for r in raters}
    for _ in range(_ROUNDS):
        mean = float(np.mean(list(lags.values())))
        lags = {r: lag - mean for r, lag in lags.items()}
        best = {
            r: _best(_pairs(clips, r, None, lags, raters), -bound, bound) for r in raters
        }  # fmt: skip
        steps = {r: share * (best[r].lag - lags[r]) for r in raters}
        lags = {r: lags[r] + steps[r] for r in raters}
        if max(map(abs, steps.values())) < 0.5 / RATE:
            break
    return best


def correlations(pairs: Sequence[tuple[Array, Array]], steps: Sequence[int]) -> Array:
    """Pooled correlation of own(t + lag) with other(t) at each lag in steps of the grid, [lags].

    Each pair of one clip is centred on the part in which both are known. A clip counts at a lag
    if this part is at least half of it; NaN where no clip counts or nothing moves.

    Examples
    --------
    >>> late, early = np.array([0.0, 0, 1, 0, 0, 0]), np.array([0.0, 1, 0, 0, 0, 0])
    >>> correlations([(late, early)], [0, 1, 2]).round(2).tolist()
    [-0.2, 1.0, -0.33]
    """
    at = np.asarray(steps)
    reach = int(np.abs(at).max(initial=0))
    sums = np.zeros((3, len(at)))
    for own, other in pairs:
        padded = np.pad(own, reach, constant_values=np.nan)
        late = np.lib.stride_tricks.sliding_window_view(padded, len(own))[reach + at]  # [lags, t]
        known = np.isfinite(late) & np.isfinite(other)
        count = known.sum(axis=1)
        x, y = np.where(known, late, 0.0), np.where(known, other, 0.0)
        x -= known * (x.sum(axis=1) / np.maximum(count, 1))[:, None]
        y -= known * (y.sum(axis=1) / np.maximum(count, 1))[:, None]
        counts = count >= max(3, len(own) / 2)
        sums += counts * np.array([(x * y).sum(1), (x * x).sum(1), (y * y).sum(1)])
    spread = np.sqrt(sums[1] * sums[2])
    moves = (sums[1] > 1e-12) & (sums[2] > 1e-12)
    return np.where(moves, sums[0] / np.where(moves, spread, 1.0), np.nan)


def shifted(trace: Array, step: int) -> Array:
    """A trace (or several, [r, t]) that comes `step` steps earlier; NaN where it is not known."""
    moved = np.full(trace.shape, np.nan)
    length = trace.shape[-1]
    if abs(step) < length:
        moved[..., max(0, -step) : length - max(0, step)] = trace[
            ..., max(0, step) : length - max(0, -step)
        ]
    return moved


def _best(pairs: Sequence[_Pair], low: float, bound: float) -> _Peak:
    """The highest correlation within the bounds.

    It lies at the bound if it is at the end of the range, unless one step further is lower.
    """
    first, last = round(low * RATE), round(bound * RATE)
    r = correlations([(p.own, p.other) for p in pairs], range(first - 1, last + 2))
    inside = r[1:-1]
    if not np.isfinite(inside).any():
        return _Peak(float("nan"), float("nan"), False)
    k = int(np.nanargmax(inside))
    before, after = r[k], r[k + 2]  # one step to each side of the best one
    return _Peak((first + k) / RATE, float(inside[k]), bool(before < r[k + 1] > after))


def _tested(
    rater: int, pairs: Sequence[_Pair], low: float, bound: float, draws: int, seed: int
) -> dict[str, object]:
    longest = max((len(pair.own) for pair in pairs), default=0) // 2
    row: dict[str, object] = {
        "rater": rater, "clips": len(pairs), "lag": np.nan, "r": np.nan, "p": np.nan,
        "reach": min(bound, longest / RATE),
    }  # fmt: skip
    if not pairs:
        return row | {"verdict": "alone"}
    if not any(np.ptp(pair.own) > 0 for pair in pairs):
        return row | {"verdict": "still"}
    if not any(np.ptp(pair.other) > 0 for pair in pairs):
        return row | {"verdict": "no agreement", "p": 1.0}
    random = np.random.default_rng([seed, rater])
    p = surrogate_p(
        [(pair.own, pair.other) for pair in pairs], low, bound, draws=draws, random=random
    )
    peak = _best(pairs, low, bound)
    return row | {"verdict": "lag", "p": p, "r": peak.r}


def surrogate_p(
    pairs: Sequence[tuple[Array, Array]],
    low: float,
    high: float,
    *,
    draws: int,
    random: np.random.Generator,
) -> float:
    """Share of surrogates whose best circular correlation is at least that of the traces.

    Surrogates have the own trace's spectrum and random phases in each clip. `low` and `high` are
    the range of lags in seconds.
    """
    steps = np.arange(round(low * RATE), round(high * RATE) + 1)
    observed = np.zeros(len(steps))
    drawn = np.zeros((draws, len(steps)))
    for own, other in pairs:
        x, y = _level(own), _level(other)
        length = len(x)
        usable = np.abs(steps) <= length // 2
        cross = np.fft.rfft(x) * np.conj(np.fft.rfft(y))
        at = steps[usable] % length
        observed[usable] += np.fft.irfft(cross, length)[at]
        for start in range(0, draws, some := max(1, _AT_ONCE // length)):
            stop = min(start + some, draws)
            phases = np.exp(2j * np.pi * random.random((stop - start, len(cross))))
            drawn[start:stop, usable] += np.fft.irfft(cross * phases, length, axis=1)[:, at]
    best = observed.max()
    return float((1 + (drawn.max(axis=1) >= best - 1e-12).sum()) / (1 + draws))


def _level(trace: Array) -> Array:
    """A trace less the line from its first to its last value, centred: its ends meet."""
    flat = trace - np.linspace(trace[0], trace[-1], len(trace))
    return np.asarray(flat - flat.mean())


def _pairs(
    clips: Sequence[ClipTraces],
    rater: int,
    reference: Mapping[str, Array] | None,
    lags: Mapping[int, float],
    raters: Sequence[int],
) -> list[_Pair]:
    """A rater's traces, each with the reference or the mean of the other raters after `lags`."""
    found = []
    for clip in clips:
        at = np.flatnonzero(clip.raters == rater)
        if not len(at):
            continue
        own = clip.values[at[0]]
        if reference is not None:
            if clip.clip in reference:
                length = min(len(own), len(reference[clip.clip]))
                found.append(_Pair(own[:length], reference[clip.clip][:length]))
            continue
        others = [k for k, r in enumerate(clip.raters) if r != rater and r in raters]
        if others:
            moved = [
                shifted(clip.values[k], round(lags.get(int(clip.raters[k]), 0.0) * RATE))
                for k in others
            ]
            found.append(_Pair(own, _mean(np.stack(moved))))
    return found


def _mean(traces: Array) -> Array:
    """The mean of centred traces where one is known, so that who is known does not shift it."""
    centred = traces - np.nanmean(traces, axis=1, keepdims=True)
    count = np.isfinite(centred).sum(axis=0)
    return np.where(count > 0, np.nansum(centred, axis=0) / np.maximum(count, 1), np.nan)


def _filled(clip: ClipTraces) -> ClipTraces:
    """The same with its short gaps filled evenly."""
    times = clip.times
    rows = [np.interp(times, times[np.isfinite(row)], row[np.isfinite(row)]) for row in clip.values]
    return ClipTraces(clip.clip, clip.length, clip.raters, np.stack(rows))
