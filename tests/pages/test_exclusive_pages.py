"""Every page with runs whose sets the data select: none, pairs, and a set of three."""

import shutil
from pathlib import Path

import pytest

from smurf_core.data.generated.families import simulate
from smurf_core.processes import worker
from smurf_core.runs import store, studies
from smurf_core.runs.workspace import HOME_VARIABLE, Workspace
from tests.shared_sets import CONFIG, SIZES
from tests.studio import FAST, PAGES, text


@pytest.fixture(scope="module")
def _solved_home(tmp_path_factory) -> Path:
    """One study per family, each with a trained run and, newest, a solved one."""
    home = tmp_path_factory.mktemp("solved")
    workspace = Workspace(home)
    for family, samples in SIZES.items():
        study = studies.add_study(workspace, simulate(family, samples=samples))
        store.create_run(workspace, study, FAST, jobs=1)
        store.create_run(workspace, study, CONFIG, jobs=1)
    worker.work(workspace)
    return home


@pytest.fixture
def solved_home(_solved_home, tmp_path, monkeypatch) -> Workspace:
    shutil.copytree(_solved_home, tmp_path / "home")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return Workspace.default()


def study_of(home: Workspace, family: str) -> str:
    (found,) = [s for s in studies.list_studies(home) if s.name == f"Simulated, {family}"]
    return found.id


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("family", SIZES)
def test_every_page_opens_on_a_solved_run(open_page, solved_home, name, family):
    page = open_page(name, study=study_of(solved_home, family))
    assert not page.error
    assert "None" not in text(page)
    assert "nan" not in text(page).lower().replace(",", " ").split()
