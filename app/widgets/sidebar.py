"""The sidebar's two pickers: the current study and run of the whole app."""

from __future__ import annotations

import streamlit as st

from app.state.session import (
    RUN,
    STUDY,
    finished_runs,
    gone,
    known_studies,
    run_label,
    settle,
    settle_address,
    settle_runs_of,
    study_label,
    workspace,
)
from app.widgets.messages import escaped
from smurf_core.runs.store import why_not_open


def choose_study_and_run() -> None:
    """Show the pickers; settles what `current_study` and `current_run` return."""
    names = _distinct({study.id: study_label(study) for study in known_studies()})
    settle(STUDY, list(names))
    with st.sidebar:
        study_id = st.selectbox(
            "Study",
            list(names),
            index=None if gone(STUDY) else 0,
            key=STUDY,
            format_func=names.__getitem__,
            placeholder="Choose a study",
        )
        if study_id is None:
            return  # The page shows why; the address stays as it is.
        settle_runs_of(study_id)
        runs = _distinct({run.id: run_label(run) for run in finished_runs(study_id)})
        settle(RUN, list(runs))
        st.selectbox(
            "Run",
            list(runs),
            index=None if gone(RUN) else 0,
            key=RUN,
            format_func=runs.__getitem__,
            placeholder="Choose a run" if runs else "No finished run yet",
            disabled=not runs,
        )
    settle_address()
    if run_id := gone(RUN):
        st.warning(
            f"{escaped(why_not_open(workspace(), run_id, study_id))} Choose a run in the sidebar.",
            icon=":material/link_off:",
        )


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
