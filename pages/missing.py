"""What is left of the predictions when modalities are missing (Table 5)."""

import streamlit as st

from app.loading import contributions_of, dataset_of
from app.sections.missing import dropout, switches, table_5
from app.state.session import comparable_runs, current_study
from app.widgets.gate_notice import has_findings
from app.widgets.messages import finished_run, show_errors
from app.widgets.scope_bar import scope_picker
from smurf_core.evaluation.metrics import METRIC_TITLES, METRICS

study = current_study()
st.title("Missing modalities")
run = finished_run()
with show_errors():
    dataset, contributions = dataset_of(study), contributions_of(run)
    scope = scope_picker(study, dataset)
    has_findings(run, scope)
    st.markdown(
        "Switch modalities off. The unique and redundant contributions of the other modalities "
        "remain; a linear model, fitted only on training samples, brings them to the scale of the "
        "whole prediction (section 4.4 of the paper)."
    )
    switches(run, scope)
    metric = st.selectbox(
        "Metric", list(METRICS[study.task]), format_func=METRIC_TITLES.__getitem__,
        key=f"missing_metric_{study.task}", width=260,
    )  # fmt: skip
    finished = comparable_runs(study)
    table_5(run, finished, metric, scope)
    dropout(run, contributions, metric, scope)
