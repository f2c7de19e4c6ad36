"""What several folders of tests share."""

import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from smurf_core.runs.workspace import HOME_VARIABLE, Workspace

# Pages and commands look here unless a test says otherwise: never at the user's own studies.
os.environ[HOME_VARIABLE] = os.devnull


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """Streamlit's test runner leaves its script as `__main__`, which new processes would run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def home(tmp_path, monkeypatch) -> Workspace:
    """An empty workspace, which is also the default one."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return Workspace.default()


@pytest.fixture
def version_1(tmp_path, monkeypatch) -> Workspace:
    """A store that commit bb85866 wrote, before there were versions; also the default one."""
    with zipfile.ZipFile(Path(__file__).parent / "stores" / "version_1.zip") as store:
        store.extractall(tmp_path / "version_1")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "version_1"))
    return Workspace.default()
