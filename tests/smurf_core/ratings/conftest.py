"""A small simulated study with a collection of ratings."""

from dataclasses import replace

import pytest

from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.defaults import default_design
from smurf_core.runs.studies import add_study


@pytest.fixture(scope="session")
def affect():
    return simulated_affect(samples=60, persons=10)


@pytest.fixture
def study(home, affect):
    return add_study(home, affect)


@pytest.fixture
def design(affect):
    return replace(
        default_design(affect), clips_per_rater=5, raters_per_cell=1, attention=1, repeats=1,
        practice=("p10_u0060",),
    )  # fmt: skip


@pytest.fixture
def collection(home, study, design, affect):
    return create_collection(home, study, design, clips=affect.sample_ids[:10].tolist())
