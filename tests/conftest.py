"""What several folders of tests share."""

import os

import pytest

from smurf_core.runs.workspace import HOME_VARIABLE, Workspace

# Pages and commands look here unless a test says otherwise: never at the user's own studies.
os.environ[HOME_VARIABLE] = os.devnull


@pytest.fixture
def home(tmp_path, monkeypatch) -> Workspace:
    """An empty workspace, which is also the default one."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return Workspace.default()
