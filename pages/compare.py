"""Models side by side, with tests that respect persons and folds (Table 2)."""

from functools import partial

import streamlit as st

from app.loading import dataset_of
from app.sections.compare import (
    chosen_runs,
    conclusions,
    learning_curves,
    sample_by_sample,
    score_bars,
    side_by_side,
    sweep,
    table_2,
    two_of,
)
from app.state.navigation import page_path
from app.state.session import comparable_runs, current_study
from app.widgets.messages import show_errors
from app.widgets.page_head import page_head
from app.widgets.scope_bar import scope_picker
from app.widgets.tabs import tabs
from smurf_core.reporting.bundle import run_titles

study = current_study()
corner = page_head()
finished = comparable_runs(study)
titles = run_titles(finished)
parts = {}
if len(finished) < 2:
    st.info("This page needs two finished runs of this study, for example SMURF and late fusion.")
    st.page_link(page_path("train"), label="Train a model", icon=":material/model_training:")
    parts["Learning curves"] = lambda: learning_curves(finished, titles)
else:
    with show_errors():
        dataset = dataset_of(study)
        with corner:
            scope = scope_picker(study, dataset)
        above, below = st.container(), st.container()
        with below:
            compared, metric = chosen_runs(finished, titles, scope, study.task)
            if compared is not None:
                table_2(compared, titles, metric)
                parts["Scores"] = partial(score_bars, compared, titles, metric)
        first, second = two_of(finished, titles)
        if compared is not None:
            with above:
                conclusions(compared, titles, (first, second), study.task, scope)
        parts |= {
            "Runs A and B": lambda: side_by_side(first, second, dataset, scope),
            "Sample by sample": lambda: sample_by_sample(first, second, dataset, scope, study.task),
            "Learning curves": lambda: learning_curves([first, second], titles),
        }
if finished:
    parts["What factorising costs"] = lambda: sweep(finished, titles, study.task)
    with show_errors():
        tabs("compare_tab", parts)
