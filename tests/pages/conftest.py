"""Pages run by Streamlit's own test runner, on a workspace with finished runs."""

import html
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from smurf_core.configuration import Grid, ModelKind, RunConfig
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.processes import worker
from smurf_core.runs import store, studies
from smurf_core.runs.workspace import HOME_VARIABLE, Workspace

ROOT = Path(__file__).resolve().parents[2]
FAST = replace(
    RunConfig.from_preset("quick"),
    preset="custom",
    grid=Grid((2e-2,), ((4,),), (0.0,), (0.5,)),
    max_epochs=15,
    restarts=1,
)


def trained(workspace: Workspace, data: MultimodalDataset, *models: ModelKind) -> str:
    """Add a study with finished runs, the last model's newest; the study's id."""
    study = studies.add_study(workspace, data)
    for model in models:
        store.create_run(workspace, study, replace(FAST, model=model), jobs=1)
    worker.work(workspace)
    return study


@pytest.fixture(scope="session")
def _trained_home(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("trained")
    workspace = Workspace(home)
    trained(workspace, synthetic_additive(samples=80, task="classification"), "smurf")
    trained(workspace, synthetic_additive(samples=80), "late_fusion", "smurf")
    return home


@pytest.fixture
def trained_home(_trained_home, tmp_path, monkeypatch) -> Workspace:
    """A copy of a workspace with one regression and one classification study, both trained."""
    shutil.copytree(_trained_home, tmp_path / "home")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return Workspace.default()


@pytest.fixture
def open_page():
    """Open a page of the app; every exception in it fails the test."""

    def open_(name: str, **query: str) -> AppTest:
        test = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
        for key, value in query.items():
            test.query_params[key] = value
        test.run()
        if name != "study":
            test.switch_page(str(ROOT / "pages" / f"{name}.py")).run()
        assert not test.exception
        return test

    return open_


def facts(page: AppTest) -> dict[str, str]:
    """What a page states in its rows of facts: title → value; of equal titles, the last."""
    found = re.findall(
        r"<dt[^>]*>(.*?)</dt><dd[^>]*>(.*?)</dd>", "".join(m.value for m in page.markdown)
    )
    return {html.unescape(title): html.unescape(value) for title, value in found}
