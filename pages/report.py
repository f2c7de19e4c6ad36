"""Export everything about a run as files, for example for a paper."""

import streamlit as st

from app.loading import dataset_of
from app.sections.report import build_report, built_report, offer, show_table
from app.state.address import list_in_address
from app.state.session import comparable_runs, current_study, run_label
from app.widgets.gate_notice import has_findings
from app.widgets.messages import finished_run, show_errors
from app.widgets.page_head import page_head
from app.widgets.scope_bar import scope_picker
from smurf_core.reporting.citation import BIBTEX
from smurf_core.runs.store import RunInfo


def newest_of_each_model(runs: list[RunInfo], run: RunInfo) -> list[str]:
    """The run and the newest run of each other model."""
    models: dict[str, str] = {run.config.model: run.id}
    for other in runs:
        models.setdefault(other.config.model, other.id)
    return list(models.values())


study = current_study()
page_head()
run = finished_run()
with show_errors():
    dataset = dataset_of(study)
    st.markdown(
        "One page that opens without this app, the paper's tables for LaTeX, figures, every "
        "sample's contributions, the model with its card, and a script that trains it again. "
        "It contains what the other pages show."
    )
    scope = scope_picker(study, dataset)
    has_findings(run, scope)
    finished = {other.id: other for other in comparable_runs(study)}
    columns = f"reported_{run.id}"
    newest = newest_of_each_model(list(finished.values()), run)
    list_in_address("runs", columns, list(finished), newest)
    chosen = st.multiselect(
        "Columns of the tables",
        list(finished),
        format_func=lambda key: run_label(finished[key]),
        key=columns,
        help="Runs side by side, as in the paper's Tables 2 and 5. ↓ and ↑ compare them with "
        "the run that is chosen in the sidebar, which is always included. ⇓ and ⇑: also after "
        "Holm's correction for the number of tests.",
    )
    compared = [run, *(finished[key] for key in chosen if key != run.id)]
    images = st.toggle(
        "Also export figures as SVG, PNG and PDF", value=True, key="report_images",
        help="Takes some seconds and needs Chromium or Chrome where the app runs.",
    )  # fmt: skip
    asked = (*(r.id for r in compared), run.name, run.note, study.name, scope.label, scope.n,
             images)  # fmt: skip
    if st.button("Build the report", key=f"build_{run.id}", type="primary", icon=":material/docs:"):
        build_report(run, compared, dataset, scope, images=images, asked=asked)
    report = built_report(asked)
    if report:
        offer(report, run)
        for table in report.tables:
            show_table(table)
    st.subheader("Citation")
    st.code(BIBTEX, language="latex")
