"""Every page without data, with data, in every state, and with names that look like markup."""

from dataclasses import replace

import numpy as np
import pytest

from app.state.navigation import HEADINGS
from smurf_core.data.generated.synthetic import synthetic_additive, synthetic_interactions
from smurf_core.runs import slices, store, studies
from tests.studio import PAGES, text, trained

# These need a finished run.
EXPLORING = (
    "overview", "redundancy", "samples", "timeline", "missing", "new_samples", "verify", "report",
)  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_on_a_study_without_a_run(open_page, home, name):
    page = open_page(name)
    assert not page.error
    assert [study.id for study in studies.list_studies(home)] == ["synthetic"]
    if name in EXPLORING:
        assert "no finished run yet" in text(page)
    if name == "compare":
        assert "two finished runs" in text(page)
    if name == "judgments":
        assert "no human judgments" in text(page)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_every_page_opens_on_a_trained_study(open_page, read_home, name, task):
    study = next(s for s in studies.list_studies(read_home) if s.task == task)
    page = open_page(name, study=study.id)
    assert not page.error
    assert page.selectbox(key="study").value == study.id
    assert "None" not in text(page)
    assert "nan" not in text(page).split()


@pytest.mark.parametrize("state", ["two", "five", "interactions", "judged", "absent", "subsets"])
def test_every_page_opens_in_every_state(open_page, home, state):
    random = np.random.default_rng(0)
    if state == "interactions":
        study = trained(home, synthetic_interactions(samples=80), "mro_smurf")
    elif state == "subsets":
        data = synthetic_additive(samples=80, task="classification")
        study = trained(home, data, "mro_smurf_subsets", "e_hgr")
    else:
        count = {"two": 2, "five": 5}.get(state, 3)
        data = synthetic_additive(samples=80, modalities=count)
        if state == "judged":
            ratings = {
                frozenset(shown): (data.target + random.normal(size=80)).astype(np.float32)
                for shown in ("AB", "C")
            }
            levels = {"A": random.integers(-1, 3, size=80)}
            people = np.repeat([f"p{i}" for i in range(16)], 5)
            data = replace(data, judgments=ratings, informativeness=levels, persons=people)
        if state == "absent":
            values = data.features["B"].values.copy()
            values[:20] = np.nan
            features = {**data.features, "B": replace(data.features["B"], values=values)}
            data = replace(data, features=features, factors={})
        study = trained(home, data, "late_fusion", "smurf")
    for name in PAGES:
        page = open_page(name, study=study)
        assert not page.error, name


def test_text_of_users_is_never_markup(open_page, home):
    data = synthetic_additive(samples=80)
    study = trained(home, data, "smurf")
    studies.rename_study(home, study, "<b>[x](http://evil)</b> **bold** $x$ :red[y]")
    for name in PAGES:
        page = open_page(name, study=study)
        shown = "\n".join(element.value for element in (*page.markdown, *page.info, *page.success))
        assert "[x](http" not in shown
        assert "**bold**" not in shown


@pytest.mark.parametrize("name", ["samples", "judgments"])
def test_pages_hold_for_a_slice_of_two_samples(open_page, judged, home, name):
    study = store.list_runs(home)[0].study_id
    two = slices.add_slice(home, study, "two", ["s40", "s41"], origin="a test")
    page = open_page(name, slice=two)
    assert not page.error
    assert "nan" not in text(page).split()
    if name == "judgments":
        assert "fewer than 3" in text(page)
        assert "Selected samples (2)" in text(page)
        page.button(key="open_sample").click().run()
        assert page.title[0].value == HEADINGS["Samples"]
        assert "Sample s40" in text(page)
