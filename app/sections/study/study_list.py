"""All studies as cards, and what can be done with the current one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.loading import persons_of, whole_gate_of
from app.sections.study.people import people_panel
from app.sections.study.recordings import media_form
from app.state.navigation import page_path
from app.state.session import (
    STUDY,
    current_study,
    finished_runs,
    select_study,
    study_label,
    unselect,
    why_not,
    workspace,
)
from app.widgets.broken import broken_entries
from app.widgets.messages import escaped, offer_undo, show_errors
from smurf_core.errors import InputError
from smurf_core.reporting.sentences import chance_text, score_text
from smurf_core.runs import studies
from smurf_core.runs.entries import BrokenEntry
from smurf_core.runs.slices import delete_slice, list_broken_slices
from smurf_core.runs.store import RunInfo, list_runs
from smurf_core.runs.studies import StudyInfo

# Cards that are read in full; the data of many studies would have to be opened for more.
_IN_FULL = 8


def study_list() -> None:
    """A card for each study, the current one first, with what can be changed of it."""
    current: str | None = st.session_state.get(STUDY)
    with show_errors():
        current_study()  # Says why, if its data cannot be read; it can be deleted all the same.
    known = studies.list_studies(workspace())
    known.sort(key=lambda study: study.id != current)
    for place, study in enumerate(known):
        _card(study, is_current=study.id == current, in_full=place < _IN_FULL)
    broken_entries(studies.list_broken_studies(workspace()), "study", _delete)
    if current is not None:
        broken_entries(
            list_broken_slices(workspace(), current),
            "slice",
            lambda entry: delete_slice(workspace(), entry.id),
        )
    offer_undo("deleted_study", "undo", _restore)


def _card(study: StudyInfo, *, is_current: bool, in_full: bool) -> None:
    runs = finished_runs(study.id)
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", key=f"card_{study.id}"
    ):
        mark = ":blue-badge[Chosen] " if is_current else ""
        st.markdown(
            f"{mark}**{escaped(study_label(study))}**  \n{escaped(_facts(study, in_full=in_full))}"
            f"  \n{escaped(_best(runs) if in_full else f'{len(runs)} finished runs')}",
            width="stretch",
        )
        if st.button(
            "Open", key=f"choose_{study.id}", type="primary" if is_current else "secondary"
        ):
            select_study(study.id)
            st.switch_page(page_path("findings" if runs else "data"))
        if is_current:
            with st.popover("Change", icon=":material/edit:"):
                with show_errors():
                    media_form(study)
                st.divider()
                _rename_or_delete(study)
            people_panel(study)


def _facts(study: StudyInfo, *, in_full: bool) -> str:
    """Task, target, samples, persons and modalities in one line."""
    persons: int | None = None
    if in_full:
        try:
            persons = persons_of(study)
        except InputError:
            return "Its data cannot be read: open it to see why."
    of = f" of {persons:,} persons" if persons else ""
    what = "regression of" if study.task == "regression" else "classes of"
    return (
        f"{what} {study.target_name} · {study.samples:,} samples{of} · "
        f"{', '.join(study.modalities)}"
    )


def _best(runs: Sequence[RunInfo]) -> str:
    """The run with the highest score of held-out samples, of the newest of each model."""
    newest: dict[str, RunInfo] = {}
    for run in runs:
        newest.setdefault(run.config.model, run)
    if not newest:
        return "no finished run yet"
    try:
        gates = {run.name: whole_gate_of(run) for run in newest.values()}
    except InputError:
        return "a result cannot be read: see Train."
    able = {name: gate for name, gate in gates.items() if gate.is_open}
    if not able:
        return "no run predicts reliably above chance"
    name, gate = max(able.items(), key=lambda item: item[1].value)
    best = f"best of {len(newest)} models" if len(newest) > 1 else "run"
    return f"{best}: {name}, {score_text(gate)} (chance {chance_text(gate)})"


def _rename_or_delete(study: StudyInfo) -> None:
    edits, owns = why_not("editor", study.id), why_not("owner", study.id)
    name = st.text_input("Name", study.name, key=f"rename_{study.id}", max_chars=120)
    if st.button(
        "Rename", key=f"rename_now_{study.id}", disabled=not name.strip() or bool(edits), help=edits
    ):
        with show_errors():
            studies.rename_study(workspace(), study.id, name)
            st.rerun()
    active = sum(run.is_active for run in list_runs(workspace(), study.id))
    stops = bool(active) and st.checkbox(
        f"Stop {active} run{'s' if active > 1 else ''} of this study that train or wait",
        key=f"stop_training_{study.id}",
    )
    if st.button(
        "Delete", key=f"delete_{study.id}", icon=":material/delete:", disabled=bool(owns), help=owns
    ):
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
