"""A store that commit bb85866 wrote: every page shows its runs."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from smurf_core.runs import slices, store, studies
from tests.studio import PAGES

ROOT = Path(__file__).resolve().parents[2]


def test_all_studies_runs_and_slices_are_there(version_1):
    assert len(studies.list_studies(version_1)) == 3
    assert len(store.list_runs(version_1)) == 19
    assert store.list_broken_runs(version_1) == []
    assert studies.list_broken_studies(version_1) == []
    for study in studies.list_studies(version_1):
        assert len(studies.load_study(version_1, study.id)) == study.samples == 60
        assert slices.list_broken_slices(version_1, study.id) == []


@pytest.mark.parametrize("name", ["regression", "classification", "regression with gaps"])
def test_every_page_shows_a_run_of_an_old_store(version_1, name):
    study = next(s for s in studies.list_studies(version_1) if s.name == name)
    run = next(
        r for r in store.list_runs(version_1, study.id) if r.config.model == "smurf_normalised"
    )
    page = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=60)
    page.query_params["study"], page.query_params["run"] = study.id, run.id
    page.run()
    for opened in PAGES:
        page.switch_page(str(ROOT / "pages" / f"{opened}.py")).run()
        assert not page.exception, opened
        assert not page.error, opened
        assert (page.selectbox(key="study").value, page.selectbox(key="run").value) == (
            study.id,
            run.id,
        )
