"""What is left of the predictions when modalities are missing (Table 5)."""

import streamlit as st

from app.loading import contributions_of, dataset_of, own_gate_of
from app.sections.missing import dropout, losses, switches, table_5
from app.state.address import in_address
from app.state.session import comparable_runs, current_study
from app.widgets.gate_notice import has_findings, where_open
from app.widgets.messages import finished_run, show_errors
from app.widgets.page_head import page_head
from app.widgets.scope_bar import scope_picker
from app.widgets.tabs import tabs
from smurf_core.evaluation.metrics import METRIC_TITLES, METRICS

study = current_study()
corner = page_head()
run = finished_run()
with show_errors():
    dataset, contributions = dataset_of(study), contributions_of(run)
    with corner:
        scope = scope_picker(study, dataset)
    with st.container():  # Keeps the place of what is below it.
        off = losses(run, scope) if has_findings(run, scope) else None

    def metric() -> str:
        """The metric of the open tab."""
        key, metrics = f"missing_metric_{study.task}", list(METRICS[study.task])
        in_address("metric", key, metrics, metrics[0])
        return st.selectbox(
            "Metric", metrics, format_func=METRIC_TITLES.__getitem__, key=key, width=260
        )

    tabs(
        "missing_tab",
        {"Switch modalities off": lambda: switches(run, scope, off)}
        | where_open(
            own_gate_of(run, scope).has_enough,
            {
                "Every subset": lambda: table_5(run, comparable_runs(study), metric(), scope),
                "Sensors that fail": lambda: dropout(run, contributions, metric(), scope),
            },
        ),
    )
