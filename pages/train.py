"""Choose a model and a search, start training, watch it, and review earlier runs."""

import streamlit as st

from app.loading import dataset_of
from app.sections.train.last_result import last_result
from app.sections.train.live_run import live_runs
from app.sections.train.run_form import ask_configuration, paper_configurations
from app.sections.train.run_table import run_table
from app.sections.train.targets import ask_targets
from app.state.session import current_study, why_not, workspace
from app.widgets.messages import show_errors
from app.widgets.page_head import page_head
from smurf_core.processes.launcher import launch
from smurf_core.runs.store import create_run

study = current_study()
page_head()
with show_errors():
    dataset = dataset_of(study)
    config, targets = None, []
    with show_errors():
        targets = ask_targets(study)
        config = ask_configuration(dataset)
    asked = []
    forbidden = why_not("editor", study.id)
    with st.container(horizontal=True):
        if st.button(
            "Start training", type="primary", key=f"start_{study.id}",
            icon=":material/play_arrow:", help=forbidden,
            disabled=config is None or bool(forbidden),
        ):  # fmt: skip
            asked = [config]
        if st.button(
            "Train what the paper compares", key=f"start_paper_{study.id}",
            icon=":material/table_chart:",
            disabled=config is None or bool(dataset.given_outputs) or bool(forbidden),
            help=forbidden or "Late fusion, e-HGR, SMURF without auxiliary losses and SMURF "
            "(Table 2), with the search and settings above.",
        ):  # fmt: skip
            asked = paper_configurations(config)
    for target in targets:
        for one in asked:
            create_run(workspace(), study.id, one, target=target)
    if asked:
        launch(workspace())
    live_runs(study.id)
    st.subheader("Runs")
    run_table()
    last_result(study)
