"""The current study and run of the whole app, kept in the address so that links work."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import streamlit as st

from app.state.address import leads, linked, write
from app.state.people import current_person
from smurf_core.data.dataset import Task
from smurf_core.people.members import own_role
from smurf_core.people.person import Role, includes
from smurf_core.people.roles import refusal
from smurf_core.runs import store
from smurf_core.runs.demo import ensure_demo
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import (
    StudyInfo,
    chosen_target,
    get_study,
    list_studies,
    targets_of,
)
from smurf_core.runs.workspace import Workspace

# Keys of the sidebar's pickers, and names of the query parameters.
STUDY, TARGET, RUN = "study", "target", "run"
_ANY = ""  # a request for the first one of the list


def workspace() -> Workspace:
    """Where this server keeps studies and runs, in which the session's person acts."""
    return Workspace.default().acting_as(current_person())


def why_not(needed: Role, study_id: str) -> str | None:
    """Why the person's role in a study does not allow something, as one sentence; None if it does.

    For the help of a disabled button; the store refuses it all the same.
    """
    space = workspace()
    if space.person.is_local:
        return None
    role = own_role(space, study_id)
    return None if includes(role, needed) else refusal(role, needed)


def known_studies() -> list[StudyInfo]:
    """All studies, the one with the newest run first; there is always at least one: the demo."""
    studies = list_studies(workspace())
    if not studies:  # The first start, or the last study was deleted.
        with st.spinner("Making the demo: a simulated affect study with sound clips…"):
            ensure_demo(workspace())
        studies = list_studies(workspace())
    latest = [run.study_id for run in store.list_runs(workspace())[:1]]
    studies.sort(key=lambda study: study.id not in latest)
    return studies


def finished_runs(study_id: str | None = None) -> list[RunInfo]:
    """The finished runs of a study, or of all, newest first, whatever they predict."""
    return store.finished_runs(workspace(), study_id)


def comparable_runs(of: StudyInfo | RunInfo) -> list[RunInfo]:
    """The finished runs of a study's target, or of a run's, newest first."""
    if isinstance(of, RunInfo):
        return store.finished_runs(workspace(), of.study_id, of.target)
    return store.finished_runs(workspace(), of.id, of.target_name)


def known_targets(study_id: str) -> dict[str, Task]:
    """A study's targets with their tasks, the first one first."""
    return targets_of(workspace(), get_study(workspace(), study_id))


def with_chosen_target(study: StudyInfo) -> StudyInfo:
    """A study as the pages show it: its target and task are those that the user has chosen.

    Raises `InputError` if the chosen or linked target does not exist.
    """
    if wrong := gone(TARGET):
        chosen_target(workspace(), study, wrong)
    chosen = st.session_state.get(TARGET) or study.target_name
    if chosen == study.target_name:
        return study
    task = targets_of(workspace(), study).get(chosen, study.task)
    return replace(study, target_name=chosen, task=task)


def settle(key: str, known: Sequence[str]) -> None:
    """Set a picker to what was just requested, its last value, the address, or the first.

    If what was chosen or linked is gone, nothing takes its place, because a click was meant for it:
    the picker is empty until the user chooses, and `gone` returns the id.
    """
    wanted: str | None = st.session_state.pop(f"next_{key}", None)
    if wanted is None:
        own = () if leads(key) else (st.session_state.get(key), gone(key))
        wanted = next((value for value in (*own, linked(key)) if value), _ANY)
    if wanted == _ANY:
        wanted = next(iter(known), None)
    st.session_state[key] = wanted if wanted in known else None
    st.session_state[f"gone_{key}"] = None if wanted in known else wanted


def gone(key: str) -> str | None:
    """The id of what was chosen or linked and is not in the list any more, until a new choice."""
    identifier: str | None = st.session_state.get(f"gone_{key}")
    return identifier


def settle_targets_of(study_id: str) -> None:
    """Forget the chosen target if the user has switched to another study; follow a linked run."""
    _forget_if_changed(TARGET, study_id)
    run_id = st.session_state.get(f"next_{RUN}")
    if run_id is None and not any((st.session_state.get(TARGET), gone(TARGET))):
        run_id = None if linked(TARGET) else linked(RUN)
    of_study = store.list_runs(workspace(), study_id) if run_id else []
    if run := next((run for run in of_study if run.id == run_id), None):
        st.session_state[f"next_{TARGET}"] = run.target


def settle_runs_of(study_id: str, target: str | None) -> None:
    """Forget the chosen run if the user has switched to another study or target."""
    _forget_if_changed(RUN, (study_id, target))


def _forget_if_changed(key: str, whose: object) -> None:
    """Forget what a picker says if it was about another study or target."""
    owner = f"{key}s_of"
    if st.session_state.get(owner) not in (None, whose):
        for name in (key, f"gone_{key}"):
            st.session_state.pop(name, None)
        if not leads(key):
            write(key, None)
    st.session_state[owner] = whose


def settle_address(*, has_targets: bool) -> None:
    """Write study, target and run into the address; a link to what is gone stays as it is.

    The target is written only if the study has several.
    """
    for key in (STUDY, TARGET, RUN):
        value = st.session_state.get(key) or gone(key)
        write(key, value if value and (key != TARGET or has_targets) else None)


def unselect(key: str, identifier: str) -> None:
    """Choose another study or run at the next rerun if this one is chosen: the user deleted it."""
    if identifier in (st.session_state.get(key), gone(key)):
        st.session_state[f"next_{key}"] = _ANY


def select_study(study_id: str) -> None:
    """Switch to another study at the next rerun."""
    st.session_state[f"next_{STUDY}"] = study_id


def select_target(target: str) -> None:
    """Switch to another target of the study at the next rerun."""
    st.session_state[f"next_{TARGET}"] = target


def select_run(run_id: str) -> None:
    """Switch to another run at the next rerun."""
    st.session_state[f"next_{RUN}"] = run_id


def chosen_study() -> StudyInfo | None:
    """The current study; None if the chosen one is gone and no other one was chosen yet."""
    study_id = st.session_state.get(STUDY)
    return get_study(workspace(), study_id) if study_id else None


def current_study() -> StudyInfo:
    """The current study with the chosen target as its target, and this target's task.

    Raises `InputError` with the reason if the study is gone or has no such target.
    """
    study_id = st.session_state.get(STUDY) or gone(STUDY) or ""
    return with_chosen_target(get_study(workspace(), study_id))


def current_run() -> RunInfo | None:
    """The current finished run, if the study has one and the chosen one is not gone."""
    run_id = st.session_state.get(RUN)
    return next((run for run in store.list_runs(workspace()) if run.id == run_id), None)


def study_label(study: StudyInfo) -> str:
    """A study's label in lists; simulated and synthetic data are marked."""
    marked = "" if study.origin in study.name.lower() else f" ({study.origin})"
    mark = "" if study.origin == "recorded" else marked
    return f"{study.name}{mark}"


def run_label(run: RunInfo) -> str:
    """A run's label in lists."""
    return f"{run.name} · {moment(run.created)}"


def moment(seconds: float) -> str:
    """A time as short text: with its day unless that is today, with its year unless that is now."""
    when, now = datetime.fromtimestamp(seconds), datetime.fromtimestamp(time.time())
    if when.date() == now.date():
        return when.strftime("%H:%M")
    return when.strftime("%d %b %H:%M" if when.year == now.year else "%d %b %Y %H:%M")
