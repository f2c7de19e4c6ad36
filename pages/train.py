"""Choose a model and a search, start training, watch it, and review earlier runs."""

import streamlit as st

from app.loading import dataset_of
from app.sections.train.last_result import last_result
from app.sections.train.live_run import live_runs
from app.sections.train.run_form import ask_configuration
from app.sections.train.run_table import run_table
from app.sections.train.targets import ask_targets
from app.state.session import current_study, workspace
from app.widgets.messages import show_errors
from app.widgets.page_head import page_head
from smurf_core.processes.launcher import launch
from smurf_core.runs.store import create_run

study = current_study()
page_head("train")
with show_errors():
    dataset = dataset_of(study)
    config, targets = None, []
    with show_errors():
        targets = ask_targets(study)
        config = ask_configuration(dataset)
    if st.button(
        "Start training",
        type="primary",
        key=f"start_{study.id}",
        icon=":material/play_arrow:",
        disabled=config is None,
    ):
        for target in targets:
            create_run(workspace(), study.id, config, target=target)
        launch(workspace())
    live_runs(study.id)
    st.subheader("Runs")
    run_table()
    last_result(study)
