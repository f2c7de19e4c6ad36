"""First steps: the next one in the sidebar, until all are done or they are dismissed."""

from __future__ import annotations

import streamlit as st

from app.state.navigation import PageName, page_path
from app.state.session import chosen_study, finished_runs, workspace
from smurf_core.runs.studies import StudyInfo

CHECKLIST = "checklist"  # what the workspace remembers as seen: the end, and each step


def checklist(page: str) -> None:
    """Tick what the user does on the page `page`, and show the next step and a list of all.

    Steps follow the study: training is one where no model is ready, and only a study whose true
    contributions are known has the step that compares with them.
    """
    study = chosen_study()
    if study is None or workspace().has_seen(CHECKLIST):
        return
    has_run = bool(finished_runs(study.id))
    steps = _steps(study, has_run=has_run)
    if page in steps and (has_run or page == "train"):
        _tick(page)
    if has_run:
        _tick("train")
    left = [name for name in steps if not workspace().has_seen(CHECKLIST + name)]
    if not left:
        workspace().mark_seen(CHECKLIST)
        return
    done = f"{len(steps) - len(left)} of {len(steps)}"
    # One line, which is on the first screen below the pickers.
    with st.sidebar.container(horizontal=True, vertical_alignment="center", key="checklist"):
        st.page_link(
            page_path(left[0]), label=steps[left[0]], icon=":material/arrow_forward:",
            width="stretch", help="The next of your first steps.",
        )  # fmt: skip
        with st.popover(done, key="first_steps", help="Your first steps, and which are done."):
            st.markdown(f"First steps: {done} done")
            for name, label in steps.items():
                icon = "radio_button_unchecked" if name in left else "check_circle"
                st.page_link(page_path(name), label=label, icon=f":material/{icon}:")
            if st.button("Dismiss", key="dismiss_checklist", type="tertiary"):
                workspace().mark_seen(CHECKLIST)
                st.rerun()


def _steps(study: StudyInfo, *, has_run: bool) -> dict[PageName, str]:
    """Page → what to do there, in order; none is named `train` with a run that others trained."""
    steps: dict[PageName, str] = {
        "train": "Train a model",
        "findings": "Read what it found",
        "samples": "Look at one sample",
        "missing": "Switch a modality off",
        "report": "Build a report",
    }
    if has_run and study.origin != "recorded":
        steps["verify"] = "Compare with the true factors"
    return steps


def _tick(name: str) -> None:
    if not workspace().has_seen(CHECKLIST + name):
        workspace().mark_seen(CHECKLIST + name)
