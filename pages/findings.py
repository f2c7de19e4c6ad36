"""What a run found: at most five statements, each with its figure and whether to believe it."""

import streamlit as st

from app.loading import contributions_of, key_findings_of
from app.sections.findings import show_finding, whose_findings
from app.sections.overview import MOST_OTHERS
from app.state.navigation import page_path
from app.state.session import current_study, finished_runs, workspace
from app.widgets.messages import finished_run, show_errors
from app.widgets.page_head import page_head
from smurf_core.runs.wording import read_wording

study = current_study()
page_head()
run = finished_run()
with show_errors():
    others = [other for other in finished_runs(study.id) if other.id != run.id][:MOST_OTHERS]
    whose_findings(study, run)
    wording = read_wording(workspace(), run.id)
    for finding in key_findings_of(run, others):
        show_finding(run, finding, wording, contributions_of(run).modalities)
    with st.container(horizontal=True):
        st.page_link(page_path("samples"), label="Look at single samples", icon=":material/search:")
        st.page_link(page_path("report"), label="Put them into a report", icon=":material/docs:")
