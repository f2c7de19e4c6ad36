from dataclasses import replace

import pytest

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs.studies import add_study
from smurf_core.runs.workspace import Workspace


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def study(workspace) -> str:
    return add_study(workspace, synthetic_additive(samples=60))


@pytest.fixture
def config() -> RunConfig:
    """Trains in a moment."""
    grid = Grid((5e-3, 2e-2), ((), (4,)), (0.0,), (0.5,))
    return replace(
        RunConfig.from_preset("quick"), preset="custom", grid=grid, max_epochs=20, restarts=2
    )


@pytest.fixture
def long_config(config) -> RunConfig:
    """Trains for minutes, unless it is stopped; its first units take a moment."""
    return replace(config, max_epochs=200_000, patience=None)
