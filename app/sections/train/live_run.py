"""A running training, refreshed once per second without the rest of the page."""

from __future__ import annotations

import streamlit as st

from app.state.session import workspace
from app.widgets.messages import escaped
from smurf_core.plot.training import live_curve
from smurf_core.processes.launcher import launch
from smurf_core.runs.store import curves, list_runs, request_cancel, resume_run

_COLOURS = {"finished": "green", "failed": "red", "crashed": "red", "cancelled": "orange"}


def live_runs(study_id: str) -> None:
    """Every active run of a study with progress, curve and a button that cancels it."""
    is_active = any(run.is_active for run in list_runs(workspace(), study_id))
    st.fragment(_live, run_every=1.0 if is_active else None)(study_id, is_active)


def _live(study_id: str, was_active: bool) -> None:
    active = [run for run in list_runs(workspace(), study_id) if run.is_active]
    launch(workspace())  # In case the worker was killed while runs were waiting.
    for run in reversed(active):
        with st.container(border=True):
            title, button = st.columns([5, 1], vertical_alignment="center")
            what = "Cancelling…" if run.cancel_requested else run.message or run.status
            title.markdown(f"**{escaped(run.name)}** · {what} · {run.device or 'device not known'}")
            button.button(
                "Cancel",
                key=f"cancel_{run.id}",
                on_click=request_cancel,
                args=(workspace(), run.id),
                disabled=run.cancel_requested,
                width="stretch",
            )
            st.progress(min(max(run.progress, 0.0), 1.0), text=f"{run.progress:.0%}")
            points = curves(workspace(), run.id)
            if len(points):
                st.altair_chart(live_curve(points), key=f"curve_{run.id}")
    if was_active and not active:
        st.rerun()  # The whole page once, so that tables and pickers show the end.


def status_badge(status: str) -> str:
    """A run's status as a coloured word, in Markdown."""
    return f":{_COLOURS.get(status, 'blue')}-badge[{status}]"


def resume(run_id: str) -> None:
    """Continue a stopped run."""
    resume_run(workspace(), run_id)
    launch(workspace())
