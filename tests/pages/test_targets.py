"""Several targets of one study in the app: form, training, and switching on every page."""

from dataclasses import replace

import pytest

from app.state.navigation import HEADINGS
from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.readers.registry import find_sources
from smurf_core.processes import worker
from smurf_core.runs import own_studies, slices, store, studies
from smurf_core.runs.workspace import Workspace
from tests.studio import FAST, PAGES, opened_tab, plain_text
from tests.two_targets import WITHOUT_MOOD, N, table


@pytest.fixture(scope="module")
def _both(tmp_path_factory):
    """The study of the form, with two runs of each target, in a workspace that tests copy."""
    folder = tmp_path_factory.mktemp("both")
    table().to_csv(folder / "study.csv", index=False)
    sources = find_sources([folder])
    known = StudyMapping(target="valence", targets=("mood",))
    assembly = assemble(sources, guess_mapping(sources, known))
    workspace = Workspace(folder / "home")
    study = studies.add_study(workspace, assembly.dataset)
    for target in ("valence", "mood"):
        for model in ("late_fusion", "smurf"):
            store.create_run(workspace, study, replace(FAST, model=model), target=target, jobs=1)
    worker.work(workspace)
    return workspace.root


@pytest.fixture
def both(_both, copied_home) -> Workspace:
    return copied_home(_both)


@pytest.fixture
def read_both(_both, shared_home) -> Workspace:
    """The workspace itself, for tests that only read."""
    return shared_home(_both)


def runs_of(workspace: Workspace, target: str) -> list[str]:
    study = store.list_runs(workspace)[0].study_id
    return [run.id for run in store.finished_runs(workspace, study, target)]


def test_the_form_offers_further_targets_and_one_click_trains_all(open_page, home):
    page = open_page("study")
    content = table().to_csv(index=False).encode()
    page.file_uploader[0].upload("study.csv", content).run()
    (offered,) = [box for box in page.multiselect if box.label == "Further targets"]
    assert (offered.options, offered.value) == (["mood"], [])
    offered.set_value(["mood"]).run()
    page.button(key="import").click().run()
    assert not page.exception
    study = studies.list_studies(home)[0]
    assert list(studies.targets_of(home, study)) == ["valence", "mood"]
    page = open_page("train", study=study.id)
    assert page.multiselect(key=f"train_targets_{study.id}").value == ["valence", "mood"]
    page.selectbox(key="model").set_value("late_fusion").run()
    page.button(key=f"start_{study.id}").click().run()
    assert not page.exception
    queued = store.list_runs(home)
    assert [run.target for run in queued] == ["mood", "valence"]
    assert len({run.study_id for run in queued}) == 1
    (runs,) = [frame.value for frame in page.dataframe if "Target" in frame.value]
    assert list(runs["Target"]) == ["mood", "valence"]
    for run in queued:
        store.request_cancel(home, run.id)


def test_no_target_is_chosen_to_train(open_page, both):
    page = open_page("train")
    study = page.selectbox(key="study").value
    page.multiselect(key=f"train_targets_{study}").set_value([]).run()
    assert "choose at least one" in page.error[0].value
    assert page.button(key=f"start_{study}").disabled
    page.multiselect(key=f"train_targets_{study}").set_value(["mood"]).run()
    assert not page.error
    assert not page.button(key=f"start_{study}").disabled


@pytest.mark.parametrize("name", PAGES)
def test_targets_are_switched_on_every_page(open_page, read_both, name):
    page = open_page(name)
    assert not page.error
    for target in ("valence", "mood", "valence"):
        page.selectbox(key="target").set_value(target).run()
        assert not page.exception
        assert not page.error, page.error[0].value
        runs = runs_of(read_both, target)
        assert page.selectbox(key="run").value == runs[0]
        assert len(page.selectbox(key="run").options) == len(runs) == 2
        assert page.query_params["target"] in (target, [target])
        for box in page.multiselect:  # Columns of reports and tables: only runs of this target.
            if "run" in str(box.key) or "reported" in str(box.key) or "compared" in str(box.key):
                assert len(box.options) == 2


def test_the_target_comes_back_with_the_address(open_page, both):
    page = open_page("overview", target="mood")
    assert page.selectbox(key="target").value == "mood"
    assert page.selectbox(key="run").value == runs_of(both, "mood")[0]
    assert f"study · mood · SMURF: {N - WITHOUT_MOOD} samples" in plain_text(page)


def test_a_link_to_a_run_alone_shows_its_target(open_page, both):
    other = runs_of(both, "valence")[1]
    page = open_page("overview", run=other)
    assert (page.selectbox(key="target").value, page.selectbox(key="run").value) == (
        "valence",
        other,
    )
    mood = runs_of(both, "mood")[1]
    page = open_page("overview", run=mood)
    assert (page.selectbox(key="target").value, page.selectbox(key="run").value) == ("mood", mood)


def test_a_link_whose_run_predicts_another_target_is_reported(open_page, both):
    page = open_page("overview", target="valence", run=runs_of(both, "mood")[0])
    assert "predicts mood, and valence is chosen" in page.warning[0].value
    assert page.selectbox(key="run").value is None


def test_a_link_to_a_target_that_the_study_lacks_is_reported(open_page, both):
    page = open_page("overview", target="joy")
    assert "has no target 'joy', only valence, mood" in page.error[0].value.replace("\\", "")
    assert page.selectbox(key="target").value is None
    page.selectbox(key="target").set_value("mood").run()
    assert not page.error
    assert page.selectbox(key="run").value == runs_of(both, "mood")[0]


def test_human_judgments_are_about_the_first_target(open_page, both):
    page = open_page("judgments", target="mood")
    assert "are about valence, its first target, and not about mood" in plain_text(page)
    page.selectbox(key="target").set_value("valence").run()
    assert "first target" not in plain_text(page)
    assert not page.error


def test_a_pinned_run_is_beside_runs_of_its_target_only(open_page, both):
    valence = runs_of(both, "valence")
    page = open_page("overview", target="valence", run=valence[1])
    page.button(key="pin_run").click().run()
    page.selectbox(key="run").set_value(valence[0]).run()
    assert "Pinned for comparison" in plain_text(page)
    page.selectbox(key="target").set_value("mood").run()
    assert "Pinned for comparison" not in plain_text(page)


def test_the_table_of_runs_opens_a_run_of_another_target(open_page, both):
    page = open_page("train", target="valence")
    newest = store.list_runs(both)[0]
    assert newest.target == "mood"
    page.button(key=f"open_{newest.id}").click().run()
    assert not page.exception
    assert page.selectbox(key="target").value == "mood"
    assert page.selectbox(key="run").value == newest.id
    assert page.title[0].value == HEADINGS["Overview"]


def test_a_slice_counts_the_samples_that_have_the_target(open_page, both):
    study = store.list_runs(both)[0].study_id
    without = [f"c{k:02d}" for k in range(WITHOUT_MOOD)]
    none = slices.add_slice(both, study, "none", without, origin="a test")
    some = slices.add_slice(both, study, "some", [*without, "c30", "c31", "c32"], origin="a test")
    page = open_page("overview", target="mood", slice=some)
    assert not page.error
    assert "some · 3" in page.selectbox(key=f"scope_{study}").options
    page = open_page("samples", target="mood", slice=none)
    assert not page.error
    assert "None of these 10 samples has the target mood: all samples are shown" in plain_text(page)
    opened_tab(page, "samples_tab", "Details")
    page.toggle(key="by_slice").set_value(True).run()
    assert not page.exception


def test_a_study_with_one_target_has_no_picker_and_ignores_a_linked_target(open_page, home):
    study = own_studies.ensure_synthetic_study(home)
    page = open_page("train", study=study, target="mood")
    assert not page.error
    assert [box.key for box in page.selectbox if box.key == "target"] == []
    assert "target" not in page.query_params
