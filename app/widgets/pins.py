"""The button that pins a run, to see the next one beside it."""

from __future__ import annotations

import streamlit as st

from app.state.selection import pin_run, pinned_run
from smurf_core.runs.store import RunInfo


def pin_run_button(run: RunInfo) -> None:
    """Keep a run, or let go of it, to see the next one beside it."""
    is_pinned = pinned_run() == run.id
    st.button(
        "Unpin run" if is_pinned else "Pin run", key="pin_run", icon=":material/keep:",
        on_click=pin_run, args=(None if is_pinned else run.id,),
        help="A pinned run's numbers stand beside those of each run that you choose after it: "
        "scores and shares on Overview, a sample's breakdown on Samples, run A on Compare.",
    )  # fmt: skip
