"""Models side by side, with tests that respect persons and folds (Table 2)."""

import streamlit as st

from app.loading import dataset_of
from app.sections.compare import (
    learning_curves,
    run_titles,
    sample_by_sample,
    side_by_side,
    sweep,
    table_2,
    two_of,
)
from app.state.navigation import page_path
from app.state.session import comparable_runs, current_study
from app.widgets.messages import show_errors
from app.widgets.scope_bar import scope_picker

study = current_study()
st.title("Compare")
finished = comparable_runs(study)
titles = run_titles(finished)
looked_at = finished[:1]
if len(finished) < 2:
    st.info("This page needs two finished runs of this study, for example SMURF and late fusion.")
    st.page_link(page_path("train"), label="Train a model", icon=":material/model_training:")
else:
    with show_errors():
        dataset = dataset_of(study)
        scope = scope_picker(study, dataset)
        with show_errors():
            table_2(finished, titles, scope)
        st.subheader("Two runs side by side")
        first, second = two_of(finished, titles)
        looked_at = [first, second]
        side_by_side(first, second, dataset, scope)
        sample_by_sample(first, second, dataset, scope, study.task)
if finished:
    with show_errors():
        learning_curves(looked_at, titles)
    with show_errors():
        sweep(finished, titles, study.task)
