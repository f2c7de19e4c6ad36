"""Predictions for samples that a run has never seen, with their parts."""

from __future__ import annotations

import streamlit as st

from app.sections.new_samples import drop_files, saved_sets, set_picker, settle_set, show_set
from app.state.session import current_study
from app.widgets.gate_notice import has_findings
from app.widgets.messages import finished_run, show_errors
from app.widgets.page_head import answer, page_head

current_study()  # Says why, if it cannot be read.
corner = page_head()
run = finished_run()
with show_errors():
    saved = saved_sets(run)
    settle_set()
    with corner:
        chosen = set_picker(saved)
    is_open = has_findings(run)
    with st.container():  # Keeps the place of what is below it.
        if chosen is None:
            answer("Drop files of samples that this run has never seen: it predicts each of them.")
            st.markdown(
                "You get each sample's prediction"
                + (" and the parts that it is made of" if is_open else "")
                + ", and marks where a modality is absent or a sample is outside of what the run "
                "was trained on. They are kept beside the run until you delete them."
            )
        else:
            with show_errors():
                show_set(run, chosen, is_open=is_open)
    drop_files(run, is_first=chosen is None)
