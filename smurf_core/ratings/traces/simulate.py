"""Simulated traces with a known lag, for simulated raters of a simulated study."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.media import END_COLUMN, START_COLUMN
from smurf_core.ratings.design import Scale
from smurf_core.ratings.traces.chunks import MOST_SAMPLES, RATE, Chunk

Array = npt.NDArray[np.float64]
_USUAL_LENGTH = 3.0  # seconds, of clips whose times are not known
_SLOWEST = 20.0  # seconds: longest period of what changes within a clip
_STEADINESS = 1.0  # seconds over which a hand's error lasts


def clip_length(dataset: MultimodalDataset, row: int) -> float:
    """The length of a sample's clip by its start and end, in seconds; 3 where they are missing."""
    samples = dataset.samples
    if START_COLUMN in samples and END_COLUMN in samples:
        length = float(samples[END_COLUMN].iloc[row]) - float(samples[START_COLUMN].iloc[row])
        if length > 0:
            return length
    return _USUAL_LENGTH


def course(clip: str, level: float, length: float) -> Array:
    """What a clip shows over time, at 0, 0.1, 0.2, … s: `level` and two waves of the clip's own.

    Equal arguments give equal courses. Unit: that of the level.
    """
    times = np.arange(int(np.floor(length * RATE + 1e-6)) + 1) / RATE
    random = np.random.default_rng(list(hashlib.sha256(clip.encode()).digest()[:8]))
    periods = min(length, _SLOWEST) * random.uniform([0.8, 0.4], [1.2, 0.6])
    phases = random.uniform(0, 2 * np.pi, size=2)
    waves = np.sin(2 * np.pi * times[:, None] / periods + phases)
    return np.asarray(level + waves.sum(axis=1))


def simulated_chunks(
    shown: Array,
    scale: Scale,
    length: float,
    *,
    lag: float,
    bias: float,
    factor: float,
    noise: float,
    random: np.random.Generator,
) -> list[Chunk]:
    """What a rater's page sends for one clip.

    Parameters
    ----------
    shown : array [t]
        `course` of the clip.
    scale : Scale
        Its range cuts the trace.
    length : float
        Of the clip, in seconds.
    lag : float
        Seconds by which the rater is late; until then, the slider is in the middle.
    bias, factor : float
        Added to, and multiplied with, what is shown.
    noise : float
        Standard deviation of the hand's error, which lasts about a second.
    random : Generator
        Of the error and of the play's name.
    """
    times = np.arange(len(shown)) / RATE
    seen = factor * np.interp(times - lag, times, shown) + bias
    values = np.where(
        times < lag, (scale.low + scale.high) / 2, seen + _error(len(shown), random) * noise
    )
    values = np.clip(values, scale.low, scale.high)
    take = random.bytes(8).hex()
    return [
        Chunk(take, k, length, times[at : at + MOST_SAMPLES].tolist(),
              values[at : at + MOST_SAMPLES].tolist())
        for k, at in enumerate(range(0, len(times), MOST_SAMPLES))
    ]  # fmt: skip


def _error(count: int, random: np.random.Generator) -> Array:
    """Noise with standard deviation 1 whose values forget each other within a second or so."""
    keeps = float(np.exp(-1 / (_STEADINESS * RATE)))
    found = random.normal(size=count)
    found[1:] *= np.sqrt(1 - keeps**2)
    for k in range(1, count):
        found[k] += keeps * found[k - 1]
    return np.asarray(found)
