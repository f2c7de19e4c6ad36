"""The mean trace of a clip with its interval, and how far raters agree over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # whose parts load when used

from smurf_core.errors import InputError
from smurf_core.ratings.traces.chunks import RATE
from smurf_core.ratings.traces.collected import ClipTraces
from smurf_core.ratings.traces.lag import shifted
from smurf_core.statistics.percentile_bootstrap import percentile_interval

Array = npt.NDArray[np.float64]
WINDOW = 5.0  # seconds
BLOCK = 5.0  # seconds that are drawn together
FEWEST_BLOCKS = 8  # of fewer, no interval is given
DRAWS = 1_000
_NAN = float("nan")


@dataclass(frozen=True)
class MeanTrace:
    """The lag-corrected traces of a clip and their mean, all on its grid.

    `lines` are those of each rater [r, t]; `mean`, `low`, `high` [t] their mean and its 95%
    interval over raters (Student's t), NaN where fewer than two are known.
    """

    clip: str
    length: float
    raters: npt.NDArray[np.int64]
    times: Array
    lines: Array
    mean: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class TraceAgreement:
    """Mean correlation of all pairs of raters, with its 95% interval (NaN for too few blocks)."""

    r: float
    low: float
    high: float
    pairs: int
    blocks: int
    seconds: float  # of the clips that two raters rated

    @property
    def is_agreed(self) -> bool:
        """True if the interval is above 0."""
        return self.low > 0


def known_lags(lags: pd.DataFrame) -> dict[int, float]:
    """Rater → lag in seconds of those whose lag can be said (`trace_lags`)."""
    known = lags[lags["verdict"] == "lag"]
    return {int(rater): float(lag) for rater, lag in zip(known["rater"], known["lag"], strict=True)}


def without_lag(clip: ClipTraces, lags: Mapping[int, float]) -> ClipTraces:
    """The traces of a clip, each moved by its rater's lag; raters without one stay."""
    steps = [round(lags.get(int(rater), 0.0) * RATE) for rater in clip.raters]
    moved = [shifted(row, step) for row, step in zip(clip.values, steps, strict=True)]
    return ClipTraces(clip.clip, clip.length, clip.raters, np.stack(moved))


def mean_trace(clip: ClipTraces, lags: Mapping[int, float]) -> MeanTrace:
    """The mean over raters at each time, after each rater's lag is taken out.

    Parameters
    ----------
    clip : ClipTraces
        Of one rater or more.
    lags : mapping of int to float
        Rater → lag in seconds (`known_lags`).
    """
    lines = without_lag(clip, lags).values
    count = np.isfinite(lines).sum(axis=0)
    mean = np.where(count > 0, np.nansum(lines, axis=0) / np.maximum(count, 1), np.nan)
    squares = np.nansum((lines - mean) ** 2, axis=0)
    freedom = np.maximum(count - 1, 1)
    half = scipy.stats.t.ppf(0.975, freedom) * np.sqrt(squares / freedom / np.maximum(count, 1))
    half = np.where(count > 1, half, np.nan)
    return MeanTrace(
        clip.clip, clip.length, clip.raters, clip.times, lines, mean, mean - half, mean + half
    )


def trace_agreement(
    clips: Sequence[ClipTraces],
    lags: Mapping[int, float],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> TraceAgreement:
    """How far raters agree on what changes within clips: the mean correlation of their pairs.

    A pair's products are centred within each clip and pooled over the clips that both rated, after
    lags are taken out. So levels of raters and of clips do not count. The interval is a percentile
    bootstrap over blocks of five seconds, or whole clips where these are shorter.

    Parameters
    ----------
    clips : sequence of ClipTraces
        One clip, or several.
    lags : mapping of int to float
        Rater → lag in seconds (`known_lags`).
    draws, seed : int
        Of the bootstrap.

    Raises
    ------
    InputError
        If no clip was rated by two raters.
    """
    shared = [without_lag(clip, lags) for clip in clips if len(clip.raters) > 1]
    if not shared:
        raise InputError("Agreement needs a clip that two raters traced; none has two traces.")
    pairs: dict[tuple[int, int], Array] = {}
    starts = np.concatenate([[0], np.cumsum([_blocks(clip) for clip in shared])])
    for clip, start in zip(shared, starts, strict=False):
        for i, j in combinations(range(len(clip.raters)), 2):
            key = (int(clip.raters[i]), int(clip.raters[j]))
            sums = pairs.setdefault(key, np.zeros((3, starts[-1])))
            sums[:, start : start + _blocks(clip)] += _sums(clip, i, j)
    blocks = int(starts[-1])
    stacked = np.stack(list(pairs.values()))  # [pairs, 3, blocks]
    r = float(_mean_r(stacked, np.ones((1, blocks)))[0])
    low, high = _NAN, _NAN
    if blocks >= FEWEST_BLOCKS and np.isfinite(r):
        random = np.random.default_rng(seed)
        weights = random.multinomial(blocks, np.full(blocks, 1 / blocks), size=draws)
        drawn = _mean_r(stacked, weights.astype(np.float64))
        low, high = (float(end) for end in percentile_interval(drawn[np.isfinite(drawn)]))
    return TraceAgreement(
        r, low, high, len(pairs), blocks, float(sum(clip.length for clip in shared))
    )


def agreement_over_time(
    clip: ClipTraces, lags: Mapping[int, float], *, window: float = WINDOW, step: float = 1.0
) -> pd.DataFrame:
    """Mean correlation of the pairs of raters in windows that slide over a clip.

    Returns
    -------
    DataFrame
        One row per window: time (its middle, seconds), r, low, high (95%, jackknife over raters;
        NaN for fewer than three), raters (that move in it). r is NaN where fewer than two do.

    Raises
    ------
    InputError
        If fewer than two raters traced the clip, or it is shorter than a window.
    """
    if len(clip.raters) < 2:
        raise InputError(f"Clip {clip.clip!r} has one trace; agreement needs two raters.")
    if window < 1 or step < 1 / RATE:
        raise InputError("Windows must last at least 1 s, and move by 0.1 s or more.")
    width = round(window * RATE)
    values = without_lag(clip, lags).values
    if values.shape[1] < width:
        raise InputError(
            f"Clip {clip.clip!r} lasts {clip.length:.1f} s, which is less than a window of "
            f"{window:g} s."
        )
    rows = []
    for start in range(0, values.shape[1] - width + 1, round(step * RATE)):
        part = values[:, start : start + width]
        part = part[np.isfinite(part).all(axis=1)]
        part = part[np.ptp(part, axis=1) > 0]
        r, low, high = _window(part)
        rows.append(((start + (width - 1) / 2) / RATE, r, low, high, len(part)))
    return pd.DataFrame(rows, columns=["time", "r", "low", "high", "raters"])


def _window(part: Array) -> tuple[float, float, float]:
    n = len(part)
    if n < 2:
        return _NAN, _NAN, _NAN
    table = np.atleast_2d(np.corrcoef(part))
    r = _off_diagonal(table)
    if n < 3:
        return r, _NAN, _NAN
    left = np.array([_off_diagonal(np.delete(np.delete(table, k, 0), k, 1)) for k in range(n)])
    error = np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())
    half = float(scipy.stats.t.ppf(0.975, n - 1) * error)
    return r, max(-1.0, r - half), min(1.0, r + half)


def _off_diagonal(table: Array) -> float:
    n = len(table)
    return float((table.sum() - np.trace(table)) / (n * (n - 1)))


def _blocks(clip: ClipTraces) -> int:
    return max(1, int(len(clip.times) // (BLOCK * RATE)))


def _sums(clip: ClipTraces, i: int, j: int) -> Array:
    """Products and squares of two raters in each block of a clip, [3, blocks]."""
    x, y = clip.values[i], clip.values[j]
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 3:
        return np.zeros((3, _blocks(clip)))
    x, y = (np.where(known, v - v[known].mean(), 0.0) for v in (x, y))
    parts = np.array_split(np.arange(len(x)), _blocks(clip))
    return np.array([[(a[p] * b[p]).sum() for p in parts] for a, b in ((x, y), (x, x), (y, y))])


def _mean_r(sums: Array, weights: Array) -> Array:
    """Mean over pairs of r in each draw: sums [pairs, 3, blocks], weights [draws, blocks]."""
    xy, xx, yy = (sums[:, k] @ weights.T for k in range(3))
    spread = np.sqrt(xx * yy)
    moves = spread > 1e-12
    r = np.where(moves, xy / np.where(moves, spread, 1.0), np.nan)
    count = moves.sum(axis=0)
    return np.where(count > 0, np.nansum(r, axis=0) / np.maximum(count, 1), np.nan)
