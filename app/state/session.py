"""The study and the run that the whole app looks at: in the address bar, so that links work."""

from __future__ import annotations

import time
from datetime import datetime

import streamlit as st

from smurf_core.runs.store import RunInfo, list_runs
from smurf_core.runs.studies import StudyInfo, ensure_synthetic_study, list_studies, restore_study
from smurf_core.runs.workspace import Workspace

# Keys of the sidebar's widgets, and names of the query parameters.
_STUDY, _RUN = "study", "run"


def workspace() -> Workspace:
    """Where this server keeps studies and runs."""
    return Workspace.default()


def choose_study_and_run() -> None:
    """The sidebar's two pickers; settles what `current_study` and `current_run` return."""
    synthetic = ensure_synthetic_study(workspace())
    studies = list_studies(workspace())
    if not studies:  # The last one was deleted: something must be there to look at.
        restore_study(workspace(), synthetic)
        studies = list_studies(workspace())
    latest = [run.study_id for run in list_runs(workspace())[:1]]
    studies.sort(key=lambda study: study.id not in latest)  # Where work was left comes first.
    names = _distinct({study.id: study_label(study) for study in studies})
    _settle(_STUDY, list(names))
    with st.sidebar:
        study_id = st.selectbox("Study", list(names), key=_STUDY, format_func=names.__getitem__)
        finished = [r for r in list_runs(workspace(), study_id) if r.status == "finished"]
        runs = _distinct({run.id: run_label(run) for run in finished})
        _settle(_RUN, list(runs))
        st.selectbox(
            "Run",
            list(runs),
            key=_RUN,
            format_func=runs.__getitem__,
            placeholder="No finished run yet",
            disabled=not runs,
        )
    for key in (_STUDY, _RUN):
        if st.session_state.get(key):
            st.query_params[key] = st.session_state[key]
        elif key in st.query_params:
            del st.query_params[key]


def _distinct(labels: dict[str, str]) -> dict[str, str]:
    """Labels, with a number where they repeat, counted from the oldest (the last).

    Streamlit tells options apart by what is shown of them.
    """
    seen: dict[str, int] = {}
    found = {}
    for key, label in reversed(labels.items()):
        seen[label] = seen.get(label, 0) + 1
        found[key] = label if seen[label] == 1 else f"{label} ({seen[label]})"
    return {key: found[key] for key in labels}


def _settle(key: str, known: list[str]) -> None:
    """Give a picker its value: what was just asked for, what it had, the address, the first."""
    wanted = [
        st.session_state.pop(f"next_{key}", None),
        st.session_state.get(key),
        st.query_params.get(key),
        *known[:1],
    ]
    st.session_state[key] = next((value for value in wanted if value in known), None)


def select_study(study_id: str) -> None:
    """Look at another study from the next rerun on."""
    st.session_state[f"next_{_STUDY}"] = study_id


def select_run(run_id: str) -> None:
    """Look at another run from the next rerun on."""
    st.session_state[f"next_{_RUN}"] = run_id


def current_study() -> StudyInfo:
    """The study that is looked at."""
    return next(s for s in list_studies(workspace()) if s.id == st.session_state[_STUDY])


def current_run() -> RunInfo | None:
    """The finished run that is looked at, if its study has one."""
    run_id = st.session_state.get(_RUN)
    return next((run for run in list_runs(workspace()) if run.id == run_id), None)


def study_label(study: StudyInfo) -> str:
    """A study as a list names it; synthetic data is called so."""
    marked = "" if study.origin in study.name.lower() else f" ({study.origin})"
    mark = "" if study.origin == "recorded" else marked
    return f"{study.name}{mark}"


def run_label(run: RunInfo) -> str:
    """A run as a list names it."""
    return f"{run.name} · {moment(run.created)}"


def moment(seconds: float) -> str:
    """A time for reading: the clock for today, the date otherwise."""
    when = datetime.fromtimestamp(seconds)
    is_today = when.date() == datetime.fromtimestamp(time.time()).date()
    return when.strftime("%H:%M" if is_today else "%d %b %Y %H:%M")
