"""Two people at once: what one clicks is what was shown to them, or nothing if it is gone."""

import pytest

from smurf_core.runs import slices, store, studies
from smurf_core.runs.store import RunInfo
from tests.app.state.test_gone import said
from tests.studio import undo


@pytest.fixture
def run(trained_home) -> RunInfo:
    return store.list_runs(trained_home)[0]


def other_study(workspace, run: RunInfo) -> str:
    known = {r.study_id for r in store.finished_runs(workspace)}
    return next(iter(known - {run.study_id}))


def test_a_run_that_another_session_deleted_is_not_pinned(open_page, trained_home, run):
    mine, theirs = (open_page("overview", study=run.study_id, run=run.id) for _ in range(2))
    store.delete_run(trained_home, run.id)
    theirs.button(key="pin_run").click().run()
    assert not theirs.exception
    assert "This run was deleted" in said(theirs)
    assert "pin_run" not in theirs.query_params
    assert run.id not in theirs.session_state["pin_run_of_study"].values()
    assert not mine.session_state["pin_run_of_study"][run.study_id]


def test_a_sample_of_a_study_that_another_session_deleted_is_not_pinned(
    open_page, trained_home, run
):
    page = open_page("samples", study=run.study_id, run=run.id, tab="Details")
    studies.delete_study(trained_home, run.study_id)
    page.button(key="pin_sample").click().run()
    assert not page.exception
    assert "This study was deleted" in said(page)
    assert not page.session_state["pin_of_study"][run.study_id]


def test_a_click_means_the_study_that_was_shown_also_with_a_new_choice(
    open_page, trained_home, run
):
    """A click and a choice in the sidebar can reach the server together."""
    page = open_page("overview", study=run.study_id, run=run.id)
    other = other_study(trained_home, run)
    page.selectbox(key="study").set_value(other)
    page.button(key="pin_run").click().run()
    assert not page.exception
    kept = page.session_state["pin_run_of_study"]
    assert kept[run.study_id] == run.id
    assert not kept[other]


def test_clear_means_the_slice_that_was_shown(open_page, trained_home, run):
    names = studies.load_study(trained_home, run.study_id).sample_ids
    first, second = (
        slices.add_slice(trained_home, run.study_id, name, names[:9], origin="a table")
        for name in ("one", "two")
    )
    page = open_page("overview", study=run.study_id, run=run.id, slice=first)
    # The click on *Clear* beside the first slice comes with the choice of the second one.
    page.selectbox(key=f"scope_{run.study_id}").set_value(second)
    page.button(key="clear_selection").click().run()
    assert not page.exception
    assert page.session_state["slice_of_study"][run.study_id] == second
    slices.delete_slice(trained_home, second)
    page.button(key="clear_selection").click().run()
    assert not page.exception
    assert page.session_state["slice_of_study"][run.study_id] == ""


def test_undo_restores_what_it_names_or_reports_that_it_is_gone(open_page, trained_home, run):
    other = store.list_runs(trained_home, run.study_id)[1]
    mine, theirs = (open_page("train", study=run.study_id) for _ in range(2))
    mine.button(key=f"delete_{run.id}").click().run()
    theirs.run()
    theirs.button(key=f"delete_{other.id}").click().run()
    undo(mine, "undo_run").click().run()
    assert [r.id for r in store.list_runs(trained_home, run.study_id)] == [run.id]
    store.purge_runs(trained_home, older_than=-1)
    undo(theirs, "undo_run").click().run()
    assert not theirs.exception
    assert "There is no run" in said(theirs)
    assert [r.id for r in store.list_runs(trained_home, run.study_id)] == [run.id]
    assert not [b for b in theirs.button if (b.key or "").startswith("undo_run")]


def test_undo_of_a_run_whose_study_was_deleted_does_nothing(open_page, trained_home, run):
    page = open_page("train", study=run.study_id)
    page.button(key=f"delete_{run.id}").click().run()
    studies.delete_study(trained_home, run.study_id)
    undo(page, "undo_run").click().run()
    assert "This study was deleted" in said(page)
    studies.restore_study(trained_home, run.study_id)
    assert run.id not in {r.id for r in store.list_runs(trained_home)}


def test_a_link_to_a_sample_that_is_not_listed_is_reported(open_page, trained_home, run):
    page = open_page("samples", study=run.study_id, run=run.id, sample="s_none")
    assert "which is not in this list" in said(page)
    page.run()
    assert "which is not in this list" not in said(page)
