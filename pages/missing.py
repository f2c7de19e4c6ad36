"""What is left of the predictions when modalities are missing (Table 5)."""

import streamlit as st

from app.loading import contributions_of, dataset_of
from app.sections.missing import dropout, switches, table_5
from app.state.selection import scope_picker
from app.state.session import current_study, workspace
from app.widgets.messages import finished_run, told
from smurf_core.evaluation.metrics import METRIC_TITLES, METRICS
from smurf_core.runs.store import list_runs

study = current_study()
st.title("Missing modalities")
run = finished_run()
with told():
    dataset, contributions = dataset_of(study.id), contributions_of(run)
    scope = scope_picker(study, dataset)
    st.markdown(
        "Switch modalities off. What is left are the remaining modalities' contributions, unique "
        "and redundant; a linear model, fitted on training samples alone, puts them on the scale "
        "of the whole prediction (section 4.4 of the paper)."
    )
    switches(run, scope)
    metric = st.selectbox(
        "Metric", list(METRICS[study.task]), format_func=METRIC_TITLES.__getitem__,
        key=f"missing_metric_{study.task}", width=260,
    )  # fmt: skip
    finished = [r for r in list_runs(workspace(), study.id) if r.status == "finished"]
    table_5(run, finished, metric, scope)
    dropout(run, contributions, metric, scope)
