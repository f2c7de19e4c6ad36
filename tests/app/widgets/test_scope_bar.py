"""One selection for all pages: from charts, in the address, for all numbers."""

import pytest
from streamlit.testing.v1 import AppTest

from smurf_core.runs import slices, store
from tests.studio import undo


def script() -> None:
    import streamlit as st

    from app.loading import contributions_of, dataset_of
    from app.state.selection import (
        pin_sample,
        pinned_sample,
        select_samples,
        settle_selection,
    )
    from app.state.session import current_run, current_study
    from app.widgets.downloads import download_view
    from app.widgets.figures import colour_column_picker
    from app.widgets.scope_bar import scope_picker
    from app.widgets.sidebar import choose_study_and_run

    choose_study_and_run()
    settle_selection()
    if st.button("take", key="take", on_click=lambda: select_samples(["s03", "s01"], "a figure")):
        pin_sample("s4")
    study, run = current_study(), current_run()
    dataset = dataset_of(study)
    contributions = contributions_of(run)
    scope = scope_picker(study, dataset)
    colour_column_picker(dataset, contributions)
    selected = None if scope.sample_ids is None else len(scope.sample_ids)
    kept = scope.apply(contributions)
    download_view(kept.to_frame(), "contributions")
    st.text(f"{scope.label}|{scope.n}|{len(kept)}|{selected}")
    st.text(f"pinned {pinned_sample()}")


def state(page: AppTest) -> str:
    assert not page.exception
    return page.text[0].value


@pytest.fixture
def bar(trained_home):
    def open_(**query: str) -> AppTest:
        page = AppTest.from_string(
            "from tests.app.widgets.test_scope_bar import script\nscript()", default_timeout=60
        )
        for key, value in query.items():
            page.query_params[key] = value
        return page.run()

    return open_


def test_a_selection_is_kept_in_the_address_and_named_as_a_slice(bar, trained_home):
    page = bar()
    assert state(page) == "All samples|80|80|None"
    page.button(key="take").click().run()
    assert state(page) == "Selection|2|2|2"
    unsaved = page.query_params["slice"]
    assert page.query_params["pin"] == "s4"
    assert state(bar(slice=unsaved)) == "Selection|2|2|2"  # A refresh loses nothing.
    page.text_input(key=f"slice_name_{unsaved}").set_value("quiet *ones*").run()
    page.button(key=f"keep_slice_{unsaved}").click().run()
    assert state(page) == "quiet *ones*|2|2|2"
    named = page.query_params["slice"]
    assert named != unsaved
    assert state(bar(slice=named)) == "quiet *ones*|2|2|2"
    study = page.selectbox(key="study").value
    assert [s.count for s in slices.list_slices(trained_home, study)] == [2]


def test_a_slice_is_renamed_deleted_and_brought_back_in_the_bar(bar, trained_home):
    study = store.list_runs(trained_home)[0].study_id
    named = slices.add_slice(trained_home, study, "mine", ["s01", "s02", "s03"], origin="a table")
    page = bar(study=study, slice=named)
    page.text_input(key=f"slice_name_{named}").set_value("All samples").run()
    page.button(key=f"rename_slice_{named}").click().run()
    assert "choose another name" in page.error[0].value
    page.text_input(key=f"slice_name_{named}").set_value("yours").run()
    page.button(key=f"rename_slice_{named}").click().run()
    assert state(page) == "yours|3|3|3"
    page.button(key=f"delete_slice_{named}").click().run()
    assert state(page) == "All samples|80|80|None"
    undo(page, "undo_slice").click().run()
    page.selectbox(key=f"scope_{study}").select("yours · 3").run()
    assert state(page) == "yours|3|3|3"
    page.button(key="clear_selection").click().run()
    assert state(page) == "All samples|80|80|None"
    assert "slice" not in page.query_params


def test_an_old_link_opens_on_all_samples_and_other_studies_have_their_own(bar, trained_home):
    page = bar(slice="gone")
    assert state(page) == "All samples|80|80|None"
    assert "was deleted: all samples are shown" in page.warning[0].value
    page = bar()
    page.button(key="take").click().run()
    first = page.selectbox(key="study").value
    second = next(run.study_id for run in store.list_runs(trained_home) if run.study_id != first)
    page.selectbox(key="study").set_value(second).run()
    assert state(page) == "All samples|80|80|None"
    assert page.text[1].value == "pinned None"
    page.selectbox(key="study").set_value(first).run()
    assert state(page) == "Selection|2|2|2"
    assert page.text[1].value == "pinned s4"
