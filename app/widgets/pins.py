"""The button that pins a run, to compare it with the next one."""

from __future__ import annotations

import streamlit as st

from app.state.selection import pin_run, pinned_run
from smurf_core.runs.store import RunInfo


def pin_run_button(run: RunInfo) -> None:
    """Pin or unpin a run, to compare it with the next one."""
    is_pinned = pinned_run() == run.id
    st.button(
        "Unpin run" if is_pinned else "Pin run", key="pin_run", icon=":material/keep:",
        on_click=pin_run, args=(None if is_pinned else run.id,),
        help="A pinned run's numbers are shown next to those of each run that you choose later: "
        "scores and shares on Overview, a sample's breakdown on Samples, run A on Compare.",
    )  # fmt: skip
