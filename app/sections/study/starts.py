"""The two ways to begin: look around in the demo, or bring one's own data."""

from __future__ import annotations

import streamlit as st

from app.state.callbacks import callback
from app.state.navigation import page_path
from app.state.session import select_study, workspace
from app.widgets.messages import show_errors
from app.widgets.waiting import waits_for_first_run
from smurf_core.runs.demo import ensure_demo
from smurf_core.runs.own_studies import ensure_synthetic_study
from smurf_core.runs.studies import restore_study

# The tabs of the page *Study*, and the session's key of the open one.
TABS = ("Your studies", "Upload", "From recordings", "Make synthetic data")
TAB = "study_tab"


def starts(study_id: str | None) -> None:
    """Two large starts, and the progress of a study whose first model is being trained."""
    demo, own = st.columns(2)
    with demo.container(border=True, height="stretch"):
        st.subheader("Explore the demo")
        st.markdown(
            "A simulated affect study: 600 utterances of 30 persons with sound, transcripts, faces "
            "as numbers, and ratings. A program made it, so it says nothing about people."
        )
        if st.button(
            "Explore the demo", type="primary", key="explore_demo", icon=":material/explore:"
        ):
            with show_errors():
                with st.spinner("Simulating utterances and their sound clips…"):
                    select_study(ensure_demo(workspace()))
                st.switch_page(page_path("findings"))
    with own.container(border=True, height="stretch"):
        st.subheader("Use my data")
        st.markdown(
            "Tables, openSMILE, OpenFace, arrays or feature caches: one row per sample, at least "
            "two modalities. Or recordings, from which features are extracted. They stay on this "
            "machine."
        )
        with st.container(horizontal=True):
            st.button(
                "Use my data", key="use_my_data", icon=":material/upload:", on_click=_open_tab,
                args=(TABS[1],),
            )  # fmt: skip
            st.button(
                "From recordings", key="from_recordings", icon=":material/mic:", on_click=_open_tab,
                args=(TABS[2],),
            )  # fmt: skip
    with st.container():  # Keeps the place of what is below it.
        if study_id is not None:
            waits_for_first_run(study_id)


@callback
def _open_tab(title: str) -> None:
    st.session_state[TAB] = title


def offer_synthetic_study(key: str) -> None:
    """A button that opens the synthetic study A, B, C, whose true contributions are known."""
    if st.button("Open the synthetic study A, B, C", key=key, icon=":material/science:"):
        with show_errors():
            study = ensure_synthetic_study(workspace())
            restore_study(workspace().as_machine(), study)
            select_study(study)
            st.switch_page(page_path("train"))
