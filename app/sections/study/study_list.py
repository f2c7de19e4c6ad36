"""All studies as a table, and actions on the current one."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.sections.study.recordings import media_form
from app.state.navigation import page_path
from app.state.session import (
    STUDY,
    current_study,
    moment,
    select_study,
    study_label,
    unselect,
    workspace,
)
from app.widgets.broken import broken_entries
from app.widgets.messages import offer_undo, show_errors
from smurf_core.runs import studies
from smurf_core.runs.entries import BrokenEntry
from smurf_core.runs.slices import delete_slice, list_broken_slices
from smurf_core.runs.store import list_runs
from smurf_core.runs.studies import StudyInfo


def study_list() -> None:
    """The table, whose chosen row becomes the current study; below it, links and actions."""
    known = studies.list_studies(workspace())
    current = None
    with show_errors():
        current = current_study()
    _choose_row(known, current)
    if current is not None:
        _actions(current)
    broken_entries(studies.list_broken_studies(workspace()), "study", _delete)
    if current is not None:
        broken_entries(
            list_broken_slices(workspace(), current.id),
            "slice",
            lambda entry: delete_slice(workspace(), entry.id),
        )
    offer_undo("deleted_study", "undo", _restore)


def _actions(current: StudyInfo) -> None:
    left, middle, recordings, right = st.columns(4)
    left.page_link(page_path("data"), label="View data", icon=":material/table_chart:")
    middle.page_link(page_path("train"), label="Train a model", icon=":material/model_training:")
    with recordings.popover("Audio and video", icon=":material/play_circle:"), show_errors():
        media_form(current)
    with right.popover("Rename or delete", icon=":material/edit:"):
        _rename_or_delete(current)


def _choose_row(known: list[StudyInfo], current: StudyInfo | None) -> None:
    chosen_id = current.id if current else None
    table = pd.DataFrame(
        {
            "": ["●" if study.id == chosen_id else "" for study in known],
            "Study": [study_label(study) for study in known],
            "Task": [study.task for study in known],
            "Target": [study.target_name for study in known],
            "Samples": [study.samples for study in known],
            "Modalities": [", ".join(study.modalities) for study in known],
            "Imported": [moment(study.created) for study in known],
        }
    )
    chosen = st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        # Rows are positions: in a list that has changed, a click would mean another study.
        key=f"study_table_{'_'.join(study.id for study in known)}",
        column_config={"": st.column_config.TextColumn(width=30)},
    )
    rows = chosen["selection"]["rows"]
    picked = known[rows[0]].id if rows and rows[0] < len(known) else None
    if picked not in (None, chosen_id) and picked != st.session_state.get("picked_study"):
        st.session_state["picked_study"] = picked
        select_study(picked)
        st.rerun()
    st.session_state["picked_study"] = picked


def _rename_or_delete(study: StudyInfo) -> None:
    name = st.text_input("Name", study.name, key=f"rename_{study.id}", max_chars=120)
    if st.button("Rename", key=f"rename_now_{study.id}", disabled=not name.strip()):
        with show_errors():
            studies.rename_study(workspace(), study.id, name)
            st.rerun()
    active = sum(run.is_active for run in list_runs(workspace(), study.id))
    stops = bool(active) and st.checkbox(
        f"Stop {active} run{'s' if active > 1 else ''} of this study that train or wait",
        key=f"stop_training_{study.id}",
    )
    if st.button("Delete", key=f"delete_{study.id}", icon=":material/delete:"):
        with show_errors():
            _delete(study, stop_training=stops)
            st.rerun()


def _delete(study: StudyInfo | BrokenEntry, *, stop_training: bool = False) -> None:
    studies.delete_study(workspace(), study.id, stop_training=stop_training)
    unselect(STUDY, study.id)
    st.session_state["deleted_study"] = (study.id, study.name)


def _restore(study_id: str) -> None:
    studies.restore_study(workspace(), study_id)
    select_study(study_id)
