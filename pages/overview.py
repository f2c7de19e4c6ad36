"""Who contributes how much to the predictions of a run."""

import streamlit as st

from app.loading import dataset_of, explained_of
from app.sections.mistakes import mistaken_classes, residuals
from app.sections.overview import scores, shares
from app.sections.shapes import feature_shapes
from app.sections.solved_again import solve_again
from app.state.navigation import page_path
from app.state.selection import run_pinned_beside
from app.state.session import current_study
from app.widgets.messages import finished_run, show_errors
from app.widgets.page_head import page_head
from app.widgets.pins import pin_run_button
from app.widgets.scope_bar import scope_picker
from app.widgets.slice_metrics import slice_metrics
from app.widgets.tabs import tabs

study = current_study()
corner = page_head()
run = finished_run()
with show_errors():
    dataset = dataset_of(study)
    pinned = run_pinned_beside(run)
    with corner:
        scope = scope_picker(study, dataset)
    with st.container():  # Keeps the place of what is below it.
        shares(study, run, pinned, dataset, scope)
    wrong = mistaken_classes if dataset.task == "classification" else residuals
    parts = {
        "All scores": lambda: scores(run, pinned, scope),
        "Mistakes" if wrong is mistaken_classes else "Residuals": lambda: wrong(run, scope),
        "Features": lambda: feature_shapes(run),
        "Scores of every slice": lambda: slice_metrics(study, explained_of(run)),
    }
    if run.config.kind.is_solved:
        parts["Solve again"] = lambda: solve_again(run)
    tabs("overview_tab", parts)
    with st.container(horizontal=True):
        st.page_link(page_path("samples"), label="Look at single samples", icon=":material/search:")
        pin_run_button(run)
