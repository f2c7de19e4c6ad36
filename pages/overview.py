"""Who contributes how much to the predictions of a run."""

import streamlit as st

from app.loading import dataset_of, explained_of
from app.sections.overview import scores, shares
from app.state.navigation import page_path
from app.state.selection import run_pinned_beside
from app.state.session import current_study
from app.widgets.messages import finished_run, show_errors
from app.widgets.page_head import page_head
from app.widgets.pins import pin_run_button
from app.widgets.scope_bar import scope_picker
from app.widgets.slice_metrics import slice_metrics

study = current_study()
corner = page_head("overview")
run = finished_run()
with show_errors():
    dataset = dataset_of(study)
    pinned = run_pinned_beside(run)
    with corner:
        scope = scope_picker(study, dataset)
    shares(study, run, pinned, dataset, scope)
    with st.expander("All scores"):
        scores(run, pinned, scope)
    with st.expander("Scores of every slice"):
        slice_metrics(study, explained_of(run))
    with st.container(horizontal=True):
        st.page_link(page_path("samples"), label="Look at single samples", icon=":material/search:")
        pin_run_button(run)
