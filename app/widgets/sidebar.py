"""The sidebar's two pickers: the current study and run of the whole app."""

from __future__ import annotations

import streamlit as st

from app.state.session import (
    RUN,
    STUDY,
    finished_runs,
    known_studies,
    run_label,
    settle,
    settle_address,
    study_label,
)


def choose_study_and_run() -> None:
    """Show the pickers; settles what `current_study` and `current_run` return."""
    names = _distinct({study.id: study_label(study) for study in known_studies()})
    settle(STUDY, list(names))
    with st.sidebar:
        study_id = st.selectbox("Study", list(names), key=STUDY, format_func=names.__getitem__)
        runs = _distinct({run.id: run_label(run) for run in finished_runs(study_id)})
        settle(RUN, list(runs))
        st.selectbox(
            "Run",
            list(runs),
            key=RUN,
            format_func=runs.__getitem__,
            placeholder="No finished run yet",
            disabled=not runs,
        )
    settle_address()


def _distinct(labels: dict[str, str]) -> dict[str, str]:
    """Labels, with a number where they repeat, counted from the oldest (the last).

    Streamlit distinguishes options by their labels.
    """
    seen: dict[str, int] = {}
    found = {}
    for key, label in reversed(labels.items()):
        seen[label] = seen.get(label, 0) + 1
        found[key] = label if seen[label] == 1 else f"{label} ({seen[label]})"
    return {key: found[key] for key in labels}
