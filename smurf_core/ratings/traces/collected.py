"""Traces of a collection: saved as they come, and as one trace per rater and clip on a grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.errors import InputError
from smurf_core.ratings.answers import traced_scale
from smurf_core.ratings.database import connected, transaction
from smurf_core.ratings.design import Design, Scale
from smurf_core.ratings.rows import item_row, known_rater, require_open, version_of
from smurf_core.ratings.store import Collection
from smurf_core.ratings.traces.chunks import (
    LONGEST_GAP,
    RATE,
    Chunk,
    Take,
    complete_take,
    insert_chunk,
    stored_takes,
)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ClipTraces:
    """The traces of one clip on a common grid.

    Parameters
    ----------
    clip : str
        Sample id.
    length : float
        Of the clip, in seconds.
    raters : array of int [r]
        Their numbers.
    values : array [r, t]
        Each rater's trace at 0, 0.1, 0.2, … s, in the scale's unit; NaN where it has a gap.
    """

    clip: str
    length: float
    raters: npt.NDArray[np.int64]
    values: Array

    @property
    def times(self) -> Array:
        """The grid, in seconds, [t]."""
        return np.arange(self.values.shape[1]) / RATE


@dataclass(frozen=True)
class TraceSet:
    """All traces that count of one continuous scale."""

    scale: Scale
    condition: str
    clips: tuple[ClipTraces, ...]
    is_simulated: bool  # a program made them


def save_chunk(collection: Collection, token: str, position: int, clip: str, chunk: Chunk) -> Take:
    """Store a part of a trace; it is on the disk when this returns, with what its play has so far.

    Saving the same part again changes nothing. Raises `InputError` if the token, the item or the
    part is not valid, the item has no continuous scale, or the collection is closed.
    """
    with transaction(collection.path) as connection:
        rater = known_rater(connection, token)
        require_open(connection)
        row = item_row(connection, rater["id"], position, clip)
        design = version_of(connection, rater["version"]).design
        scale = traced_scale(design, row["condition"], row["kind"])
        if scale is None:
            raise InputError("This clip is not rated while it plays: load the page again.")
        return insert_chunk(connection, rater["id"], position, scale, chunk)


def has_traces(design: Design) -> bool:
    """True if a design has a continuous scale."""
    return any(scale.is_continuous for scale in design.scales)


def trace_table(collection: Collection) -> pd.DataFrame:
    """One row per stored sample, in the order of raters, positions, plays and times.

    Columns: rater, version, position, kind, clip, condition, scale, take (number of the play, from
    1), counts (the newest complete play of a clip that was answered, by a rater who is not
    excluded; practice and repeats do not count), length, time (s), value, excluded, saved.
    """
    columns = [
        "rater", "version", "position", "kind", "clip", "condition", "scale", "take", "counts",
        "length", "time", "value", "excluded", "saved",
    ]  # fmt: skip
    parts = [_rows(found) for found in _stored(collection)]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return table[columns].astype({"counts": bool, "excluded": bool, "time": float, "value": float})


def trace_sets(collection: Collection) -> tuple[TraceSet, ...]:
    """The traces that count, one set per continuous scale of the newest design that has any.

    Traces of older versions count if scale and condition are as they were.
    """
    design = collection.design_version().design
    found: dict[str, dict[str, list[tuple[int, Take]]]] = {}
    for one in _stored(collection):
        is_same = (
            one.scale in design.scales and one.design.condition(one.condition) in design.conditions
        )
        if one.counts and is_same:
            clips = found.setdefault(one.scale.name, {})
            clips.setdefault(one.clip, []).append((one.rater, one.take))
    return tuple(
        TraceSet(
            scale := design.scale(name),
            next(c.name for c in design.conditions if scale.is_asked_in(c.name)),
            tuple(clip_traces(clip, takes) for clip, takes in clips.items()),
            collection.is_simulated,
        )
        for name, clips in found.items()
    )


def clip_traces(clip: str, takes: list[tuple[int, Take]]) -> ClipTraces:
    """The plays of one clip by some raters on the grid of the longest one."""
    length = max(take.length for _, take in takes)
    values = np.stack([resampled(take.times, take.values, length) for _, take in takes])
    return ClipTraces(clip, length, np.array([rater for rater, _ in takes]), values)


def resampled(times: Array, values: Array, length: float) -> Array:
    """A trace at 0, 0.1, 0.2, … s up to the clip's length, [t]: linear between its samples.

    Where samples are more than half a second apart, or the clip's ends are as far from the first
    or last sample, the trace is not known (NaN).

    Examples
    --------
    >>> resampled(np.array([0.0, 0.2]), np.array([1.0, 3.0]), 0.3).tolist()
    [1.0, 2.0, 3.0, 3.0]
    """
    grid = np.arange(int(np.floor(length * RATE + 1e-6)) + 1) / RATE
    found = np.interp(grid, times, values)
    after = np.searchsorted(times, grid - 1e-9)
    next_time = np.append(times, np.inf)[after]
    last_time = np.insert(times, 0, -np.inf)[after]
    gap = np.where(
        after == 0, times[0] - grid, np.where(after == len(times), grid - times[-1],
                                              next_time - last_time)
    )  # fmt: skip
    is_sample = np.isclose(next_time, grid)
    return np.where((gap <= LONGEST_GAP + 1e-9) | is_sample, found, np.nan)


@dataclass(frozen=True)
class _Stored:
    """A play, and where it belongs."""

    rater: int
    version: int
    design: Design
    position: int
    kind: str
    clip: str
    condition: str
    scale: Scale
    number: int
    counts: bool
    is_excluded: bool
    take: Take
    saved: float


def _stored(collection: Collection) -> Iterator[_Stored]:
    versions = {v.number: v.design for v in collection.design_versions()}
    with connected(collection.path) as connection:
        items = connection.execute(
            "SELECT DISTINCT trace.rater, trace.position, kind, clip, condition, version, excluded,"
            " answer.position IS NOT NULL AS answered FROM trace JOIN item USING (rater, position)"
            " JOIN rater ON rater.id = trace.rater LEFT JOIN answer"
            " ON answer.rater = trace.rater AND answer.position = trace.position"
            " ORDER BY trace.rater, trace.position"
        ).fetchall()
        for row in items:
            design = versions[row["version"]]
            scale = traced_scale(design, row["condition"], row["kind"])
            if scale is None:
                continue
            counted = complete_take(connection, row["rater"], row["position"])
            is_excluded = row["excluded"] is not None
            can_count = row["kind"] == "clip" and bool(row["answered"]) and not is_excluded
            takes = stored_takes(connection, row["rater"], row["position"])
            for number, (name, (take, saved)) in enumerate(takes.items(), 1):
                yield _Stored(
                    row["rater"], row["version"], design, row["position"], row["kind"],
                    row["clip"], row["condition"], scale, number, can_count and name == counted,
                    is_excluded, take, saved,
                )  # fmt: skip


def _rows(one: _Stored) -> pd.DataFrame:
    same: dict[str, Any] = {
        "rater": one.rater, "version": one.version, "position": one.position, "kind": one.kind,
        "clip": one.clip, "condition": one.condition, "scale": one.scale.name, "take": one.number,
        "counts": one.counts, "length": one.take.length, "excluded": one.is_excluded,
        "saved": one.saved,
    }  # fmt: skip
    return pd.DataFrame({"time": one.take.times, "value": one.take.values}).assign(**same)
