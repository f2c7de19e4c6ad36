"""How many raters, clips and persons: what a collection of a given size would show, by simulation.

The model: a target y = s + u, where s is what the shown modalities say and u what only the left-out
modality says; u has the share `unique` of y's variance. Raters who were shown the rest give
s + their own bias + error, so y − mean rating is u plus what the raters' mean is off. The learned
contribution x correlates with u at `r`. Clips of one person are alike: `alike` of the variance of
x, u and s lies between persons. Ratings come from the blocks of `smurf_core.ratings.assignment`,
so raters' biases are balanced as they would be.

Each draw is evaluated by the functions that *Human judgments* uses: Pearson's r,
`correlation_interval` and `clustered_slope`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.codec import check
from smurf_core.errors import InputError
from smurf_core.ratings.assignment import Plan
from smurf_core.statistics.correlation import pearson_r
from smurf_core.statistics.correlation_interval import correlation_interval
from smurf_core.statistics.slopes import clustered_slope

Array = npt.NDArray[np.float64]
ALPHA = 0.05
DRAWS = 400
SHARES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)  # unique shares that `share_table` compares
_SECONDS_PER_HOUR = 3_600.0


@dataclass(frozen=True)
class Expected:
    """What is expected of ratings, from a pilot or as a guess."""

    icc: float = 0.4  # ICC(2,1): of single ratings of what is shown
    bias_share: float = 0.2  # of the variance in which raters differ: bias, the rest is error
    unique: float = 0.25  # share of the target's variance that only the left-out modality has
    r: float = 0.6  # of the learned contribution with what is unique, free of raters' error
    alike: float = 0.1  # share of variances between persons

    def __post_init__(self) -> None:
        check(self)
        for name, low, high in (
            ("icc", 0.01, 1.0), ("bias_share", 0.0, 1.0), ("unique", 0.01, 0.99),
            ("r", -0.99, 0.99), ("alike", 0.0, 0.95),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"{name} is {value:g}; it must be from {low:g} to {high:g}.")


@dataclass(frozen=True)
class Size:
    """The size of a collection."""

    clips: int
    persons: int  # in the clips, with equally many clips (±1)
    raters_per_cell: int
    conditions: int = 4
    clips_per_rater: int = 30

    def __post_init__(self) -> None:
        check(self)
        for name, least in (
            ("clips", 6), ("persons", 5), ("raters_per_cell", 1), ("conditions", 1),
            ("clips_per_rater", 1),
        ):  # fmt: skip
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}; it must be {least} or more.")
        if self.persons > self.clips:
            raise InputError(
                f"{self.clips} clips cannot show {self.persons} persons: plan more clips."
            )


def ceiling(expected: Expected, raters_per_cell: int) -> float:
    """The highest r with y − mean rating that any contribution can reach, from 0 to 1.

    √(u / (u + d / k)): u the unique variance, d the variance in which raters differ, k raters.
    """
    shown = 1 - expected.unique
    differ = shown * (1 - expected.icc) / expected.icc
    return float(np.sqrt(expected.unique / (expected.unique + differ / raters_per_cell)))


def drawn_study(
    expected: Expected, size: Size, random: np.random.Generator, slots: Array | None = None
) -> tuple[Array, Array, Array, npt.NDArray[np.int64]]:
    """One study of this size: learned [n], target [n], ratings [raters, n], persons [n].

    The target has a variance of 1 and contains what is unique and what is shown; ratings are of
    what is shown. `slots` is who rates which clip (`rated_cells`); None: made from the size.
    """
    n = size.clips
    persons = np.arange(n) * size.persons // n
    cells = rated_cells(size) if slots is None else slots

    def alike(scale: float) -> Array:
        between = random.normal(scale=np.sqrt(expected.alike), size=size.persons)[persons]
        within = random.normal(scale=np.sqrt(1 - expected.alike), size=n)
        return np.asarray(scale * (between + within))

    unique = alike(1.0)
    learned = expected.r * unique + np.sqrt(1 - expected.r**2) * alike(1.0)
    shown = alike(np.sqrt(1 - expected.unique))
    differ = (1 - expected.unique) * (1 - expected.icc) / expected.icc
    raters = len(cells)
    bias = random.normal(scale=np.sqrt(expected.bias_share * differ), size=(raters, 1))
    error = random.normal(scale=np.sqrt((1 - expected.bias_share) * differ), size=(raters, n))
    ratings = np.where(cells > 0, shown + bias + error, np.nan)
    return learned, np.sqrt(expected.unique) * unique + shown, ratings, persons


def rated_cells(size: Size) -> Array:
    """Which raters rate which clip in one condition: 1 or 0, [raters, n], from the blocks."""
    clips = tuple(str(k) for k in range(size.clips))
    names = tuple(str(c) for c in range(size.conditions))
    plan = Plan(clips, names, size.raters_per_cell, size.clips_per_rater, 0)
    found = np.zeros((plan.slots, size.clips))
    for slot in range(plan.slots):
        own = [int(cell.clip) for cell in plan.block(slot) if cell.condition == "0"]
        found[slot, own] = 1
    return found[found.any(axis=1)]


def predicted(expected: Expected, size: Size, *, draws: int = DRAWS, seed: int = 0) -> pd.Series:
    """What a collection of this size would show.

    Parameters
    ----------
    expected : Expected
        From a pilot, or a guess.
    size : Size
        Clips, persons, raters.
    draws : int
        Simulated studies. With 400, power is within ±0.05 (two standard errors at worst).
    seed : int
        Equal seeds give equal results.

    Returns
    -------
    Series
        power (share of studies with p < 0.05), power_error (its standard error), r (median), width
        (median, of the 95% interval of r), low and high (medians of its ends), ceiling.
    """
    slots = rated_cells(size)
    rows = np.full((draws, 4), np.nan)
    for draw in range(draws):
        random = np.random.default_rng([seed, draw])
        learned, target, ratings, persons = drawn_study(expected, size, random, slots)
        human = target - np.nanmean(ratings, axis=0)
        who = persons.astype(np.str_)
        ends = correlation_interval(learned, human, who)
        p_value = clustered_slope(learned, human, who).p
        rows[draw] = pearson_r(learned, human), *ends, p_value
    r, low, high, p = rows.T
    power = float((p < ALPHA).mean())
    return pd.Series(
        {
            "power": power,
            "power_error": float(np.sqrt(power * (1 - power) / draws)),
            "r": float(np.median(r)),
            "width": float(np.nanmedian(high - low)),
            "low": float(np.nanmedian(low)),
            "high": float(np.nanmedian(high)),
            "ceiling": ceiling(expected, size.raters_per_cell),
        }
    )


def hours_per_rater(size: Size, *, clip_seconds: float, answer_seconds: float = 8.0) -> float:
    """Time that one rater of this collection spends, breaks not counted, in hours."""
    longest = min(size.clips_per_rater, size.clips)
    return longest * (clip_seconds + answer_seconds) / _SECONDS_PER_HOUR


def power_table(
    expected: Expected,
    size: Size,
    *,
    clips: Iterable[int] = (),
    raters_per_cell: Iterable[int] = (),
    persons: Iterable[int] = (),
    clip_seconds: float = 5.0,
    answer_seconds: float = 8.0,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """`predicted` for every combination of sizes; what is not named is that of `size`.

    Parameters
    ----------
    expected, size : Expected, Size
        See `predicted`.
    clips, raters_per_cell, persons : iterables of int
        Sizes to compare. Combinations with more persons than clips are left out.
    clip_seconds, answer_seconds : float
        Length of a clip, and time to answer.
    draws, seed : int
        See `predicted`.
    progress : function or None
        Called with combinations done and all.

    Returns
    -------
    DataFrame
        One row per combination: clips, persons, raters_per_cell, raters (whom the plan needs),
        hours_per_rater, hours (of all), then the columns of `predicted`.
    """
    sizes = [
        replace(size, clips=c, persons=p, raters_per_cell=k)
        for c in (tuple(clips) or (size.clips,))
        for p in (tuple(persons) or (size.persons,))
        for k in (tuple(raters_per_cell) or (size.raters_per_cell,))
        if p <= c
    ]
    cases = []
    for one in sizes:
        hours = hours_per_rater(one, clip_seconds=clip_seconds, answer_seconds=answer_seconds)
        raters = -(-one.clips // one.clips_per_rater) * one.conditions * one.raters_per_cell
        row = {
            "clips": one.clips, "persons": one.persons, "raters_per_cell": one.raters_per_cell,
            "raters": raters, "hours_per_rater": hours,
            "hours": one.clips * one.conditions * one.raters_per_cell
            * (clip_seconds + answer_seconds) / _SECONDS_PER_HOUR,
        }  # fmt: skip
        cases.append((row, expected, one))
    return _predictions(cases, draws, seed, progress)


def share_table(
    expected: Expected,
    size: Size,
    *,
    shares: Iterable[float] = SHARES,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """`predicted` for one size and several unique shares: how small a share it would find.

    Parameters
    ----------
    expected : Expected
        Its `unique` is replaced by each share; agreement and r stay as they are.
    size : Size
        Clips, persons, raters.
    shares : iterable of float
        Shares of the target's variance, from 0.01 to 0.99.
    draws, seed : int
        See `predicted`.
    progress : function or None
        Called with shares done and all.

    Returns
    -------
    DataFrame
        One row per share, in ascending order: unique, then the columns of `predicted`.
    """
    cases = [
        ({"unique": share}, replace(expected, unique=share), size) for share in sorted(set(shares))
    ]
    return _predictions(cases, draws, seed, progress)


def _predictions(
    cases: Sequence[tuple[dict[str, float], Expected, Size]], draws: int, seed: int,
    progress: Callable[[int, int], None] | None,
) -> pd.DataFrame:  # fmt: skip
    """One row per case: the columns that name it, then what is predicted for it."""
    rows = []
    for done, (row, expected, size) in enumerate(cases, 1):
        rows.append(row | predicted(expected, size, draws=draws, seed=seed).to_dict())
        if progress is not None:
            progress(done, len(cases))
    return pd.DataFrame(rows)


def smallest_share(table: pd.DataFrame, power: float) -> float:
    """The smallest share of a `share_table` that is found with this power, as all larger ones are.

    Power counts less twice its standard error. Raises `InputError` if no share is.
    """
    reached = _has_power(table, power)
    from_here = np.logical_and.accumulate(reached[::-1])[::-1]
    if not from_here.any():
        raise InputError("This size finds none of these shares with the wanted power.")
    return float(table["unique"].iloc[int(np.argmax(from_here))])


def _has_power(table: pd.DataFrame, power: float) -> npt.NDArray[np.bool_]:
    """Rows whose power, less twice its standard error, is as high as wanted."""
    return np.asarray(table["power"] - 2 * table["power_error"] >= power)


def smallest(table: pd.DataFrame, *, power: float | None = None, width: float | None = None) -> int:
    """The row of a `power_table` with the fewest hours that has this power and interval.

    Power counts less twice its standard error. Raises `InputError` if no row has it.
    """
    fits = np.ones(len(table), dtype=bool)
    if power is not None:
        fits &= _has_power(table, power)
    if width is not None:
        fits &= (table["width"] <= width).to_numpy()
    if not fits.any():
        raise InputError("None of these sizes is large enough: compare larger ones.")
    return int(np.nanargmin(np.where(fits, table["hours"], np.nan)))
