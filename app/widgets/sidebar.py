"""The sidebar's pickers: the current study, target and run of the whole app."""

from __future__ import annotations

import streamlit as st

from app.state.session import (
    RUN,
    STUDY,
    TARGET,
    gone,
    known_studies,
    known_targets,
    run_label,
    settle,
    settle_address,
    settle_runs_of,
    settle_targets_of,
    study_label,
    workspace,
)
from app.widgets.messages import escaped
from smurf_core.runs import store
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
        targets = _choose_target(study_id)
        target = st.session_state[TARGET]
        if target is None:
            return
        settle_runs_of(study_id, target)
        of_target = store.finished_runs(workspace(), study_id, target)
        runs = _distinct({run.id: run_label(run) for run in of_target})
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
    settle_address(has_targets=len(targets) > 1)
    if run_id := gone(RUN):
        why = why_not_open(workspace(), run_id, study_id, target)
        st.warning(
            f"{escaped(why)} Choose a run in the sidebar.",
            icon=":material/link_off:",
        )


def _choose_target(study_id: str) -> list[str]:
    """The picker of the target, where a study has several; the study's targets."""
    settle_targets_of(study_id)
    targets = list(known_targets(study_id))
    if len(targets) == 1:  # A link may name another one, of before the study was imported again.
        st.session_state[f"next_{TARGET}"] = targets[0]
    settle(TARGET, targets)
    if len(targets) > 1:
        st.selectbox(
            "Target",
            targets,
            index=None if gone(TARGET) else 0,
            key=TARGET,
            placeholder="Choose a target",
            help="What is predicted. Runs, data and all pages are about this target.",
        )
    return targets


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
