"""A collection with a continuous scale, and traces with known lags."""

from dataclasses import replace

import numpy as np
import pytest

from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.design import Scale
from smurf_core.runs.studies import add_study

PLEASANT = Scale(
    "pleasant", "continuous", "How pleasant is it now?", low=-3.0, high=3.0,
    labels=("unpleasant", "pleasant"), conditions=("everything",),
)  # fmt: skip


@pytest.fixture(scope="session")
def long_affect():
    """A simulated study with clips of 6 to 9 seconds."""
    return simulated_affect(samples=60, persons=10, clip_seconds=(6.0, 9.0))


@pytest.fixture(scope="session")
def traced_design(long_affect):
    made = default_design(long_affect)
    return replace(
        made, scales=(*made.scales, PLEASANT), clips_per_rater=8, attention=1, repeats=1,
        raters_per_cell=3,
    )  # fmt: skip


@pytest.fixture
def traced_study(home, long_affect):
    return add_study(home, long_affect)


@pytest.fixture
def traced(home, traced_study, traced_design, long_affect):
    """A collection for people."""
    clips = long_affect.sample_ids[:8].tolist()
    return create_collection(home, traced_study, traced_design, clips=clips)


def noise(random: np.random.Generator, traces: int, length: int) -> np.ndarray:
    """Slow noise with a standard deviation of about 1, [traces, length]."""
    white = random.normal(size=(traces, length + 40))
    kernel = np.hanning(21) / np.sqrt((np.hanning(21) ** 2).sum())
    return np.stack([np.convolve(row, kernel, "same")[20 : 20 + length] for row in white])
