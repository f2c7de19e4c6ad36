"""First steps: one line with the next thing to do, until the user has seen all steps."""

from __future__ import annotations

import streamlit as st

from app.state.navigation import PageName, page_path
from app.state.session import finished_runs, workspace

_TOUR = "tour"
_SEEN = "tour_pages"
# Page → what to do there. Training comes first, because all others need a run.
_STEPS: dict[PageName, tuple[str, str]] = {
    "train": (
        "Train",
        "Press *Start training*: the study is synthetic with known true contributions, and a "
        "model is ready in a minute.",
    ),
    "overview": ("Overview", "Which modality carries the prediction, alone and with others?"),
    "samples": ("Samples", "What is one prediction made of? Choose a row."),
    "verify": ("Verify", "Did the model find the true factors?"),
    "report": ("Report", "Export everything: page, tables, figures, model."),
    "study": ("Study", "Upload your own features, or make a simulated affect study to explore."),
}


def tour(page: str) -> None:
    """Show the next step on the page `page`; nothing after the tour is finished or dismissed."""
    if workspace().has_seen(_TOUR):
        return
    has_run = bool(finished_runs())
    seen: set[str] = st.session_state.setdefault(_SEEN, set())
    if has_run:
        seen |= {"train", page}
    left = [name for name in _STEPS if name not in seen]
    here = next((name for name in _STEPS if name == page and (has_run or page == "train")), None)
    step = here or (left[0] if left else None)
    if step is None:
        workspace().mark_seen(_TOUR)
        return
    title, what = _STEPS[step]
    number = list(_STEPS).index(step) + 1
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="tour"):
        st.markdown(
            f":material/explore: **First steps, {number} of {len(_STEPS)}: {title}.** {what}",
            width="stretch",
        )
        following = left[0] if left else None
        if step != page:
            st.page_link(page_path(step), label=f"Go to {title}", icon=":material/arrow_forward:")
        elif following and has_run:
            st.page_link(
                page_path(following), label=f"Next: {_STEPS[following][0]}",
                icon=":material/arrow_forward:",
            )  # fmt: skip
        if st.button("Dismiss", key="dismiss_tour", icon=":material/close:"):
            workspace().mark_seen(_TOUR)
            st.rerun()
