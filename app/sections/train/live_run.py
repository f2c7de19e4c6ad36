"""A running training, refreshed twice per second without the rest of the page."""

from __future__ import annotations

import streamlit as st

from app.state.callbacks import callback
from app.state.session import known_targets, why_not, workspace
from app.widgets.figures_ahead import load_figures_ahead
from app.widgets.messages import escaped, show_callback_error, show_errors
from smurf_core.plot.training import live_curve, live_objectives
from smurf_core.processes.launcher import launch
from smurf_core.runs.store import curves, list_runs, request_cancel, resume_run


def live_runs(study_id: str) -> None:
    """Every active run of a study with progress, curve and a button that cancels it."""
    is_active = any(run.is_active for run in list_runs(workspace(), study_id))
    has_targets = len(known_targets(study_id)) > 1
    if is_active:
        load_figures_ahead()
    live = st.fragment(_live, run_every=0.5 if is_active else None)
    live(study_id, is_active, has_targets=has_targets)


def _live(study_id: str, was_active: bool, *, has_targets: bool) -> None:
    show_callback_error()
    active = [run for run in list_runs(workspace(), study_id) if run.is_active]
    waiting = [run.id for run in reversed(list_runs(workspace())) if run.status == "queued"]
    is_training = any(run.status == "running" for run in list_runs(workspace()))
    with show_errors():
        launch(workspace())  # In case the worker was killed while runs were waiting.
    forbidden = why_not("editor", study_id) if active else None
    for run in reversed(active):
        with st.container(border=True):
            title, button = st.columns([5, 1], vertical_alignment="center")
            what = "Cancelling…" if run.cancel_requested else run.message or run.status
            if run.id in waiting:
                what = place_in_queue(waiting.index(run.id), is_training=is_training)
                if not workspace().person.is_local:  # Others' runs cannot be seen or counted.
                    what = "waits: one run of the server trains at a time, and persons take turns"
            target = f" · {escaped(run.target)}" if has_targets else ""
            title.markdown(
                f"**{escaped(run.name)}**{target} · {what} · {run.device or 'device not known'}"
            )
            button.button(
                "Cancel",
                key=f"cancel_{run.id}",
                on_click=_cancel,
                args=(run.id,),
                disabled=run.cancel_requested or bool(forbidden),
                help=forbidden,
                width="stretch",
            )
            st.progress(min(max(run.progress, 0.0), 1.0), text=f"{run.progress:.0%}")
            points = curves(workspace(), run.id)
            if len(points):
                st.vega_lite_chart(live_objectives(points), live_curve(), key=f"curve_{run.id}")
    if was_active and not active:
        st.rerun()  # The whole page once, so that tables and pickers show the end.


def place_in_queue(before: int, *, is_training: bool) -> str:
    """Why a run waits: one run of the whole store trains at a time, the oldest first."""
    if before == 0 and not is_training:
        return "starts in a moment"
    runs = before + is_training
    return f"waits for {runs} earlier run{'s' if runs > 1 else ''} of all studies"


@callback
def _cancel(run_id: str) -> None:
    request_cancel(workspace(), run_id)


@callback
def resume(run_id: str) -> None:
    """Continue a stopped run."""
    resume_run(workspace(), run_id)
    launch(workspace())
