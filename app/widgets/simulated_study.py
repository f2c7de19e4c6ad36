"""The button that makes the simulated affect study, and the word *simulated* on every page."""

from __future__ import annotations

import streamlit as st

from app.state.navigation import page_path
from app.state.session import current_study, select_study, workspace
from app.widgets.messages import told
from smurf_core.data.dataset import Origin
from smurf_core.runs.simulated import add_simulated_study

_MARKS: dict[Origin, str] = {
    "simulated": "Simulated data: made by a program, it says nothing about people.",
    "synthetic": "Synthetic data: made from formulas, its true contributions are known.",
}


def origin_mark() -> None:
    """Say above the page that what it shows was recorded from nobody, where that is so."""
    origin = current_study().origin
    if origin in _MARKS:
        icon = ":material/science:"
        st.badge(origin.capitalize(), icon=icon, color="orange", help=_MARKS[origin])


def offer_simulated_study() -> None:
    """Make the simulated affect study, or go to the one that was made before."""
    st.subheader("An affect study, simulated")
    st.markdown(
        "600 utterances of 30 persons with audio, text and vision features, valence, transcripts, "
        "sound clips, ratings of those who saw only some modalities, and recordings that failed: "
        "what every page can show. Simulated by a program; it says nothing about people."
    )
    if st.button("Make simulated affect study", key="simulate", icon=":material/theater_comedy:"):
        with told():
            with st.spinner("Simulating utterances and their sound clips…"):
                study = add_simulated_study(workspace())
            select_study(study)
            st.switch_page(page_path("data"))
