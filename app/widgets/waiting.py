"""What is on screen while a study's first model is trained."""

from __future__ import annotations

import streamlit as st

from app.state.session import workspace
from app.widgets.figures_ahead import load_figures_ahead
from smurf_core.errors import InputError
from smurf_core.processes.launcher import launch
from smurf_core.runs.store import list_runs


def waits_for_first_run(study_id: str) -> bool:
    """Show the progress of a study's first run; False, and nothing, if it does not wait for one.

    The whole page runs again when a run has finished.
    """
    runs = list_runs(workspace(), study_id)
    if any(run.is_finished for run in runs) or not any(run.is_active for run in runs):
        return False
    load_figures_ahead()
    st.fragment(_progress, run_every=1.0)(study_id)
    return True


def _progress(study_id: str) -> None:
    try:
        launch(workspace())  # Also in case the worker was killed while runs were waiting.
    except InputError as error:
        st.warning(str(error))
    runs = list_runs(workspace(), study_id)
    active = [run for run in runs if run.is_active]
    if not active or any(run.is_finished for run in runs):
        st.rerun()
    run = next((run for run in active if run.status == "running"), None)
    what = f"training {run.config.kind.title}, {run.message}" if run else "starts in a moment"
    st.progress(
        min(max(run.progress, 0.0), 1.0) if run else 0.0,
        text=f"The first model of this study: {what}. Its findings open when it is ready.",
    )
