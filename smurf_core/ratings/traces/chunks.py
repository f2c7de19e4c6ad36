"""Chunks of a trace: a few seconds of one play, checked, stored once, and put together again."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smurf_core.errors import InputError
from smurf_core.ratings.design import Scale

Array = npt.NDArray[np.float64]
RATE = 10.0  # samples per second of the clip
LONGEST_GAP = 0.5  # seconds between samples over which the slider is taken to have moved evenly
COVERED = 0.95  # share of a clip from which it counts as rated
MOST_SAMPLES = 600  # of one chunk
MOST_CHUNKS, MOST_TAKES = 5_000, 50
LONGEST_CLIP = 4 * 3600.0  # seconds
_TAKE = re.compile(r"[0-9a-f]{8,32}")
_SLACK = 0.05  # seconds by which a player may report more than the clip's length
_PAIR = np.dtype("<f8")


@dataclass(frozen=True)
class Chunk:
    """Some seconds of one play of a clip.

    `take` names the play and is drawn by the page; `sequence` counts its chunks from 0. `length` is
    the clip's, `times` are the player's, both in seconds; `values` are in the scale's unit. Raises
    `InputError` if times do not rise within the clip, or a number is none.
    """

    take: str
    sequence: int
    length: float
    times: Sequence[float]
    values: Sequence[float]

    def __post_init__(self) -> None:
        if not _TAKE.fullmatch(self.take):
            raise InputError("The trace has no name of a play: load the page again.")
        if not 0 <= self.sequence < MOST_CHUNKS:
            raise InputError(f"A trace has at most {MOST_CHUNKS:,} parts: load the page again.")
        if not 0 < self.length <= LONGEST_CLIP:
            raise InputError(f"The clip's length must be above 0 s and at most {LONGEST_CLIP:g} s.")
        times = self.samples[:, 0]
        if not 1 <= len(times) <= MOST_SAMPLES:
            raise InputError(f"A part of a trace has 1 to {MOST_SAMPLES} samples.")
        is_inside = times[0] >= 0 and times[-1] <= self.length + _SLACK
        if not np.isfinite(self.samples).all() or not is_inside or (np.diff(times) <= 0).any():
            raise InputError("The times of a trace must rise from 0 to the clip's length.")

    @property
    def samples(self) -> Array:
        """Times and values, [n, 2]."""
        try:
            return np.array([self.times, self.values], dtype=np.float64).T
        except (ValueError, TypeError) as error:
            raise InputError("A trace needs a number as value at each time.") from error


@dataclass(frozen=True)
class Take:
    """One play of a clip: its length and times in seconds [n], and the slider's values [n]."""

    length: float
    times: Array
    values: Array

    @property
    def coverage(self) -> float:
        """Share of the clip with samples at most half a second apart, from 0 to 1."""
        at = np.concatenate([[0.0], np.clip(self.times, 0, self.length), [self.length]])
        gaps = np.diff(at)
        return float(gaps[gaps <= LONGEST_GAP].sum() / self.length)

    @property
    def is_complete(self) -> bool:
        """True if the clip was played to its end: 95% of its length is covered."""
        return self.coverage >= COVERED


def insert_chunk(
    connection: sqlite3.Connection, rater: int, position: int, scale: Scale, chunk: Chunk
) -> Take:
    """Add a chunk and return what is stored of its play; one that is there stays as it is.

    Raises `InputError` if its values leave the scale, its length is another one, its times do not
    follow those of the chunks before it, or the item has more than 50 plays.
    """
    values = chunk.samples[:, 1]
    slack = 1e-6 * (scale.high - scale.low)
    if values.min() < scale.low - slack or values.max() > scale.high + slack:
        raise InputError(
            f"The values of {scale.name!r} must be from {scale.low:g} to {scale.high:g}."
        )
    key = (rater, position, chunk.take)
    rows = connection.execute(
        "SELECT sequence, length, samples FROM trace WHERE rater = ? AND position = ? AND take = ?"
        " ORDER BY sequence",
        key,
    ).fetchall()
    parts = {row["sequence"]: _unpacked(row["samples"]) for row in rows}
    if chunk.sequence in parts:
        return _take(parts, rows[0]["length"])
    if rows and abs(rows[0]["length"] - chunk.length) > _SLACK:
        raise InputError("The clip's length changed while it played: load the page again.")
    if not rows:
        (takes,) = connection.execute(
            "SELECT count(DISTINCT take) FROM trace WHERE rater = ? AND position = ?",
            (rater, position),
        ).fetchone()
        if takes >= MOST_TAKES:
            raise InputError(f"This clip was rated {MOST_TAKES} times, which is the most.")
    parts[chunk.sequence] = chunk.samples
    whole = _take(parts, chunk.length)
    if (np.diff(whole.times) <= 0).any():
        raise InputError("The times of a trace must rise from each part to the next.")
    connection.execute(
        "INSERT INTO trace VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *key, chunk.sequence, chunk.length, chunk.samples.astype(_PAIR).tobytes(), time.time(),
        ),
    )  # fmt: skip
    return whole


def stored_takes(
    connection: sqlite3.Connection, rater: int, position: int
) -> dict[str, tuple[Take, float]]:
    """The plays of an item, oldest first: name → (play, when its first chunk was saved)."""
    rows = connection.execute(
        "SELECT * FROM trace WHERE rater = ? AND position = ? ORDER BY rowid",
        (rater, position),
    ).fetchall()
    found = {}
    for take in dict.fromkeys(row["take"] for row in rows):
        own = [row for row in rows if row["take"] == take]
        parts = {row["sequence"]: _unpacked(row["samples"]) for row in own}
        found[take] = (_take(parts, own[0]["length"]), float(own[0]["saved"]))
    return found


def complete_take(connection: sqlite3.Connection, rater: int, position: int) -> str | None:
    """The play that counts: the newest in which the clip was played to its end; None if none."""
    takes = stored_takes(connection, rater, position)
    return next((name for name in reversed(takes) if takes[name][0].is_complete), None)


def _take(parts: dict[int, Array], length: float) -> Take:
    samples = np.concatenate([parts[sequence] for sequence in sorted(parts)])
    return Take(float(length), samples[:, 0], samples[:, 1])


def _unpacked(samples: bytes) -> Array:
    return np.frombuffer(samples, dtype=_PAIR).astype(np.float64).reshape(-1, 2)
