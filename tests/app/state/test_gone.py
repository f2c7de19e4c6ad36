"""Two people use one store: what one deletes, the other one's click never takes for another."""

import pytest

from smurf_core.runs import store, studies
from smurf_core.runs.store import RunInfo


@pytest.fixture
def run(trained_home) -> RunInfo:
    return store.list_runs(trained_home)[0]


def said(page) -> str:
    """The errors and warnings of a page."""
    return " ".join(e.value for e in (*page.error, *page.warning)).replace("\\", "")


def everything(workspace) -> list[tuple[object, ...]]:
    """The studies and runs of a store."""
    with workspace.connect() as connection:
        return [
            tuple(row)
            for table in ("study", "run")
            for row in connection.execute(f"SELECT * FROM {table}")  # noqa: S608 (constants)
        ]


# Page → start of the key of a button that acts on the study that is shown.
ACTIONS = [("study", "delete_"), ("study", "rename_now_"), ("train", "start_")]


@pytest.mark.parametrize(("name", "key"), ACTIONS)
def test_a_click_on_a_study_that_was_deleted_does_nothing_and_is_reported(
    open_page, trained_home, run, name, key
):
    page = open_page(name, study=run.study_id)
    studies.delete_study(trained_home, run.study_id)
    before = everything(trained_home)
    page.button(key=f"{key}{run.study_id}").click().run()
    assert not page.exception
    assert everything(trained_home) == before
    assert "This study was deleted" in said(page)
    assert page.selectbox(key="study").value is None
    other = studies.list_studies(trained_home)[0].id
    page.selectbox(key="study").set_value(other).run()  # Another choice goes on as usual.
    assert not said(page)
    assert page.query_params["study"] == [other] or page.query_params["study"] == other


def test_a_page_that_shows_a_deleted_run_shows_no_other_one(open_page, trained_home, run):
    page = open_page("report", study=run.study_id, run=run.id)
    store.delete_run(trained_home, run.id)
    page.button(key=f"build_{run.id}").click().run()
    assert not page.exception
    assert "This run was deleted" in said(page)
    assert page.selectbox(key="run").value is None
    assert [button.key for button in page.button] == ["dismiss_checklist"]
    left = store.finished_runs(trained_home, run.study_id)[0].id
    page.selectbox(key="run").set_value(left).run()
    assert not said(page)
    assert page.button(key=f"build_{left}")


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"study": "gone"}, "There is no study 'gone'"),
        ({"run": "gone"}, "There is no run 'gone'"),
    ],
)
def test_a_link_to_what_is_gone_is_reported_on_every_visit(open_page, trained_home, link, sentence):
    page = open_page("overview", **link)
    assert sentence in said(page)
    (key,) = link
    assert page.selectbox(key=key).value is None
    assert sentence in said(page.run())


def test_what_a_user_deletes_makes_room_for_another_one(open_page, trained_home, run):
    page = open_page("train", study=run.study_id, run=run.id)
    page.button(key=f"delete_{run.id}").click().run()
    assert not said(page)
    assert page.selectbox(key="run").value not in (None, run.id)


def test_another_study_has_other_runs(open_page, trained_home, run):
    other = next(s.id for s in studies.list_studies(trained_home) if s.id not in
                 (run.study_id, "synthetic"))  # fmt: skip
    page = open_page("overview", study=run.study_id, run=run.id)
    page.selectbox(key="study").set_value(other).run()
    assert not said(page)
    assert page.selectbox(key="run").value == store.finished_runs(trained_home, other)[0].id


def test_no_action_reaches_what_is_deleted(trained_home, run):
    store.delete_run(trained_home, run.id)
    for act in (
        lambda: store.rename_run(trained_home, run.id, "x"),
        lambda: store.annotate_run(trained_home, run.id, "x"),
        lambda: store.resume_run(trained_home, run.id),
        lambda: store.request_cancel(trained_home, run.id),
        lambda: store.delete_run(trained_home, run.id),
    ):
        with pytest.raises(ValueError, match="This run was deleted"):
            act()
    studies.delete_study(trained_home, run.study_id)
    for act in (
        lambda: studies.rename_study(trained_home, run.study_id, "x"),
        lambda: studies.set_media(trained_home, run.study_id, None),
        lambda: store.create_run(trained_home, run.study_id, run.config),
    ):
        with pytest.raises(ValueError, match="This study was deleted"):
            act()


def test_an_error_of_a_button_is_a_sentence(open_page, trained_home, run):
    stopped = store.create_run(trained_home, run.study_id, run.config)
    store.request_cancel(trained_home, stopped)
    page = open_page("train", study=run.study_id)
    store.delete_run(trained_home, stopped)
    page.button(key=f"resume_{stopped}").click().run()
    assert not page.exception
    assert "This run was deleted" in said(page)


def test_deleting_a_study_asks_about_its_training(open_page, trained_home, run):
    waiting = store.create_run(trained_home, run.study_id, run.config)
    with pytest.raises(ValueError, match="agree to stop"):
        studies.delete_study(trained_home, run.study_id)
    page = open_page("study", study=run.study_id)
    page.button(key=f"delete_{run.study_id}").click().run()
    assert "agree to stop" in said(page)
    page.checkbox(key=f"stop_training_{run.study_id}").check().run()
    page.button(key=f"delete_{run.study_id}").click().run()
    assert not said(page)
    assert store.get_run(trained_home, waiting).status == "cancelled"
