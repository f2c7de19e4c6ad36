"""A session's samples in their order: what is predicted, what carries it, and what surprises."""

from __future__ import annotations

import streamlit as st

from app.loading import contributions_of, dataset_of
from app.sections.timeline import (
    Shown,
    output_picker,
    session_picker,
    show_timeline,
)
from app.state.session import current_study, workspace
from app.widgets.gate_notice import has_findings
from app.widgets.messages import finished_run, show_callback_error, show_errors
from app.widgets.page_head import page_head
from smurf_core.runs.studies import media_of

study = current_study()
corner = page_head()
run = finished_run()
with show_errors():
    with st.container():  # Keeps the place of what is below it.
        show_callback_error()
        dataset, media = dataset_of(study), None
        with show_errors():  # The folder may have been removed since it was chosen.
            media = media_of(workspace(), study.id)
        with corner:
            kind, session = session_picker(run, media, contributions_of(run).sample_ids)
        is_open = has_findings(run, by_sample=True)
    output = output_picker(run)
    show_timeline(Shown(study, run, dataset, media, kind, session, output, is_open))
