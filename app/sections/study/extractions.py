"""Extractions of the workspace: progress, failures, and the import of one that is finished."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.sections.study.import_form import import_form
from app.state.callbacks import callback
from app.state.session import moment, workspace
from app.widgets.downloads import download_table
from app.widgets.messages import escaped, show_callback_error, show_errors
from app.widgets.status import status_badge
from smurf_core.data.importing.assembly import Assembly
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.errors import InputError
from smurf_core.from_recordings.jobs import (
    Job,
    JobFolder,
    JobState,
    Part,
    changed,
    feature_table,
    is_running,
    list_jobs,
    state_of,
)
from smurf_core.from_recordings.process import cancel, delete_job, start
from smurf_core.from_recordings.study import job_mapping, job_problems, job_sources, study_of_job
from smurf_core.runs.studies import media_of

_TITLES = {"audio": "Sound", "text": "Words", "video": "Face", "playback": "Playback"}
_CHOSEN = "extraction"  # the session's key of the one whose import is open


def extractions(*, is_open: bool) -> None:
    """Every extraction that is not a study yet; below, the import of a finished one."""
    jobs = list_jobs(workspace())
    if not jobs:
        return
    st.subheader("Extractions")
    is_active = any(is_running(job) for job in jobs)
    chosen = _chosen(jobs)
    live = st.fragment(_live, run_every=1.0 if is_active else None)
    live(was_active=is_active, chosen=chosen)
    if is_open and chosen is not None:
        _import(chosen)


def _live(*, was_active: bool, chosen: JobFolder | None) -> None:
    show_callback_error()
    jobs = list_jobs(workspace())
    for found in jobs:
        with st.container(border=True, key=f"extraction_{found.id}"), show_errors():
            try:
                _card(found, found.job(), state_of(found), is_chosen=found == chosen)
            except InputError:
                _delete(found)
                raise
    if was_active != any(is_running(job) for job in jobs):
        st.rerun()  # The whole page once: it looks again and again, or the import opens.


def _card(found: JobFolder, job: Job, state: JobState, *, is_chosen: bool) -> None:
    title, buttons = st.columns([3, 1], vertical_alignment="center")
    title.markdown(
        f"**{escaped(job.name)}** · {len(job.recordings):,} recordings · {moment(job.created)} "
        f"{status_badge(state.status)}  \n{escaped(state.sentence)}"
    )
    with buttons.container(horizontal=True, horizontal_alignment="right"):
        _buttons(found, state, is_chosen=is_chosen)
    for part in state.parts:
        _progress(part)
    if state.failures:
        count = len(state.failures)
        st.markdown(f"**{count:,} failure{'s' if count > 1 else ''}**")
        table = state.failure_table()
        table["kind"] = table["kind"].map(_TITLES)
        titles = {"sample": "Sample", "file": "Recording", "kind": "Features", "problem": "Why"}
        st.dataframe(
            table.rename(columns=titles), hide_index=True, width="stretch",
            height="content" if count < 8 else 300, key=f"failures_{found.id}",
            column_config={"Why": st.column_config.TextColumn(width="large")},
        )  # fmt: skip

    if state.status == "finished":
        with st.container(horizontal=True):
            for kind in state.done:
                download_table(
                    _TITLES[kind], partial(feature_table, found, kind), kind,
                    help="The table that `smurf extract` writes.", key=f"{kind}_{found.id}",
                )  # fmt: skip


def _progress(part: Part) -> None:
    title = _TITLES[part.kind]
    if part.problem:
        st.warning(escaped(f"{title}: {part.problem}"))
        return
    failed = f", {part.failed:,} failed" if part.failed else ""
    last = f" · {part.last}" if part.last and not part.is_over else ""
    share = min(part.done / part.total, 1.0) if part.total else 0.0
    what = f"{title}: {part.done:,} of {part.total:,} utterances{failed}{last}"
    st.progress(share, text=escaped(what))


def _buttons(found: JobFolder, state: JobState, *, is_chosen: bool) -> None:
    if state.is_active:
        st.button(
            "Cancel", key=f"cancel_{found.id}", on_click=_cancel, args=(found.id,),
            disabled=state.status == "cancelling",
        )  # fmt: skip
        return
    if state.status == "finished":
        if not is_chosen and st.button("Make a study", key=f"make_study_{found.id}"):
            st.session_state[_CHOSEN] = found.id
            st.rerun()
    else:
        st.button(
            "Continue", key=f"continue_{found.id}", on_click=_continue, args=(found.id,),
            type="primary",
        )  # fmt: skip
    _delete(found)


def _delete(found: JobFolder) -> None:
    with st.popover("Delete", key=f"delete_extraction_{found.id}"):
        st.markdown("Delete this extraction with its uploaded recordings? Your own files stay.")
        st.button(
            "Delete it", key=f"delete_now_{found.id}", type="primary", on_click=_delete_now,
            args=(found.id,),
        )  # fmt: skip


def _chosen(jobs: list[JobFolder]) -> JobFolder | None:
    """The finished extraction whose import is open: the chosen one, or the newest."""
    finished = []
    for found in jobs:
        with show_errors():
            if state_of(found).status == "finished":
                finished.append(found)
    wanted = st.session_state.get(_CHOSEN)
    return next((job for job in finished if job.id == wanted), next(iter(finished), None))


def _import(found: JobFolder) -> None:
    place = st.container()
    with show_errors(place):
        st.subheader(f"Make a study of {escaped(found.job().name)}")

        def keep(assembly: Assembly, _: StudyMapping) -> tuple[str, str]:
            study = study_of_job(workspace(), found, assembly)
            played = "" if media_of(workspace(), study) is None else "Its recordings are played."
            return study, played

        # The tables differ after each end of the job.
        key = f"extraction_{found.id}_{changed(found):.0f}"
        import_form(
            job_sources(found), job_mapping(found), key, keep=keep, unread=job_problems(found),
            prefix="extracted_",
        )  # fmt: skip


@callback
def _cancel(job_id: str) -> None:
    cancel(workspace(), job_id)


@callback
def _continue(job_id: str) -> None:
    start(workspace(), job_id)


@callback
def _delete_now(job_id: str) -> None:
    delete_job(workspace(), job_id)
