"""Who contributes how much to the predictions of a run."""

import streamlit as st

from app.loading import contributions_of, dataset_of, explained_of
from app.sections.overview import headline, scores, shares
from app.state.navigation import page_path
from app.state.selection import run_pinned_beside
from app.state.session import current_study
from app.widgets.messages import finished_run, show_errors
from app.widgets.scope_bar import scope_picker
from app.widgets.slice_metrics import slice_metrics

study = current_study()
st.title("Overview")
run = finished_run()
with show_errors():
    dataset, contributions = dataset_of(study), contributions_of(run)
    pinned = run_pinned_beside(run)
    headline(study, run, pinned, len(contributions))
    scope = scope_picker(study, dataset)
    scores(run, pinned, scope)
    shares(run, pinned, dataset, scope)
    with st.expander("Scores of every slice"):
        slice_metrics(study, explained_of(run))
    st.page_link(page_path("samples"), label="Look at single samples", icon=":material/search:")
