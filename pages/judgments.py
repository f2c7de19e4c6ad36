"""What is unique to a modality, for people and for the model (Figure 3, Tables 3 and 4)."""

import streamlit as st

from app.loading import dataset_of, sample_table_of
from app.sections.judgments import (
    agreement_table,
    conclusion,
    disagreements,
    human_scatter,
    informativeness,
    why_no_judgments,
)
from app.sections.ratings import follow_ratings
from app.state.address import end_page
from app.state.navigation import page_path
from app.state.session import current_study
from app.widgets.gate_notice import has_findings, where_open
from app.widgets.messages import finished_run, show_errors
from app.widgets.page_head import page_head
from app.widgets.scope_bar import scope_picker
from app.widgets.selected_samples import selected_samples
from app.widgets.tabs import tabs

study = current_study()
corner = page_head()
with show_errors():
    dataset = dataset_of(study)
    if not dataset.judgments and not dataset.informativeness:
        st.info(why_no_judgments(study))
        st.page_link(page_path("ratings"), label="Collect ratings", icon=":material/hearing:")
        end_page()
    follow_ratings(study)
    run = finished_run()
    with corner:
        scope = scope_picker(study, dataset)
    with st.container():  # Keeps the place of what is below it.
        is_open = has_findings(run, scope)
        if is_open and dataset.judgments:
            conclusion(run, scope)
    parts = {}
    if dataset.judgments:

        def scatter() -> None:
            """Figure 3 and what is selected in it."""
            draw = human_scatter(run, dataset, scope, has_numbers=is_open)
            selected_samples(scope, sample_table_of(run), dataset)
            draw()

        parts["People against model"] = scatter
        parts |= where_open(
            is_open,
            {
                "Where they differ": lambda: disagreements(run, scope),
                "All modalities": lambda: agreement_table(run, scope),
            },
        )
    if dataset.informativeness:
        parts |= where_open(
            is_open, {"Informativeness": lambda: informativeness(run, dataset, scope)}
        )
    tabs("judgments_tab", parts)
