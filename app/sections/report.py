"""Builds a run's report on a click, step by step, and offers its parts for download."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from app.loading import (
    account_of,
    cards_of,
    comparison_of,
    explained_of,
    missing_comparison_of,
    result_of,
    share_intervals_of,
    shares_of,
    tables_of,
    verdicts_of,
)
from app.state.selection import Scope
from app.state.session import workspace
from app.widgets.messages import escaped
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.plot.html_report import report_html, report_state
from smurf_core.plot.report_figures import image_files, report_figures
from smurf_core.reporting.bundle import Files, report_files, run_titles, zipped
from smurf_core.reporting.findings import (
    Findings,
    example_cards,
    examples,
    model_shares,
    report_tables,
)
from smurf_core.reporting.key_findings import findings_first
from smurf_core.reporting.tables import ReportTable
from smurf_core.reporting.witness import comparable_totals
from smurf_core.runs.store import RunInfo
from smurf_core.runs.wording import reported

_MIME = {"html": "text/html", "zip": "application/zip"}
# Session state: the report that was built last, with the choices it was built from.
_BUILT = "built_report"


@dataclass(frozen=True)
class BuiltReport:
    """A finished report; `asked` contains the choices it was built from."""

    asked: tuple[object, ...]
    page: bytes
    files: Files
    tables: tuple[ReportTable, ...]
    without_images: str  # the reason, if there are none


def findings_of(
    run: RunInfo, compared: list[RunInfo], dataset: MultimodalDataset, scope: Scope
) -> Findings:
    """The results that the pages show of a run, from the same cached evaluations.

    Shares, pairs, human judgments and examples are for the scope's samples; performance,
    missing modalities and stability are for all test samples, fold by fold.
    """
    everything = Scope.everything(len(dataset))
    tables = tables_of(run, scope)
    typical = examples(
        result_of(run), scope.apply(explained_of(run)), tables["outlying_samples"],
        verdicts_of(run),
    )  # fmt: skip
    return Findings(
        reference=run.id,
        titles=run_titles(compared),
        comparison=comparison_of(compared, run.id, everything),
        missing=missing_comparison_of(compared, run.id),
        shares=model_shares(result_of(run), shares_of(run, scope)),
        tables=tables,
        typical=typical,
        cards=example_cards(cards_of(run), typical),
        comparable=comparable_totals(run.config.kind, share_intervals_of(run, everything).totals),
        account=account_of(run, scope, "", [other for other in compared if other.id != run.id]),
    )


def build_report(
    run: RunInfo,
    compared: list[RunInfo],
    dataset: MultimodalDataset,
    scope: Scope,
    *,
    images: bool,
    asked: tuple[object, ...],
) -> None:
    """Evaluate, draw and pack everything, showing each step; keeps the report for this session."""
    with st.status("Building the report…", expanded=True) as status:
        st.write("Evaluating: comparison, missing modalities, verdicts…")
        found = findings_of(run, compared, dataset, scope)
        result = result_of(run)
        st.write("Drawing figures…")
        figures = report_figures(found, scope.apply(explained_of(run)), result)
        tables = report_tables(found, dataset)
        state = report_state(run, result, dataset, f"{scope.label}, {scope.n:,} samples")
        worded = reported(workspace(), run.id, findings_first(found))
        page = report_html(state, list(found.sentences), tables, figures, worded).encode()
        st.write("Writing tables, contributions and the model…")
        files = report_files(workspace(), run, result, dataset, found) | {"report.html": page}
        missing = ""
        if images:
            st.write("Saving figures as SVG, PNG and PDF…")
            try:
                drawn = image_files(figures)
            except InputError as error:
                missing, drawn = str(error), {}
            files |= {f"figures/{name}": content for name, content in drawn.items()}
        st.session_state[_BUILT] = BuiltReport(asked, page, files, tables, missing)
        status.update(label="The report is ready.", state="complete", expanded=False)


def built_report(asked: tuple[object, ...]) -> BuiltReport | None:
    """The report that was built last, if it was built from these choices."""
    found = st.session_state.get(_BUILT)
    return found if isinstance(found, BuiltReport) and found.asked == asked else None


def offer(report: BuiltReport, run: RunInfo) -> None:
    """Buttons for the whole report and for its parts."""
    if report.without_images:
        st.info(escaped(report.without_images))
    name = f"smurf-report-{run.id}"
    with st.container(horizontal=True):
        _button("Report (HTML)", f"{name}.html", report.page, primary=True)
        _button("Everything (ZIP)", f"{name}.zip", report.files, primary=True)
    parts = {
        "Tables (CSV, LaTeX)": ("tables/",),
        "Figures (SVG, PNG, PDF)": ("figures/",),
        "Contributions (Parquet)": ("contributions.parquet",),
        "Model and model card": ("model/",),
        "Script that trains it again": ("rerun.sh", "config.json", "study.yaml", "run.json"),
        "Citation (BibTeX)": ("citation.bib",),
    }
    with st.container(horizontal=True):
        for title, starts in parts.items():
            chosen = {k: v for k, v in report.files.items() if k.startswith(starts)}
            if not chosen:
                continue
            if len(chosen) == 1:
                ((path, content),) = chosen.items()
                _button(title, path.rpartition("/")[2], content)
            else:
                part = starts[0].rstrip("/").partition(".")[0]
                _button(title, f"{name}-{part}.zip", chosen)


def _button(title: str, file: str, content: bytes | Files, *, primary: bool = False) -> None:
    st.download_button(
        title,
        content if isinstance(content, bytes) else lambda: zipped(content, file[: -len(".zip")]),
        file,
        _MIME.get(file.rpartition(".")[2], "application/octet-stream"),
        key=f"download_{file}_{title}",
        icon=":material/download:",
        type="primary" if primary else "secondary",
        on_click="ignore",
    )


def show_table(table: ReportTable) -> None:
    """A table as it is exported, with its caption."""
    st.subheader(table.title)
    # Column names must differ; spaces at the end are not seen.
    titles = [
        (title or " ") + " " * table.header[:k].count(title) for k, title in enumerate(table.header)
    ]
    rows = [
        [section.heading, *(cell.text for cell in row)]
        for section in table.sections
        for row in section.rows
    ]
    shown = pd.DataFrame(rows, columns=["What", *titles])
    has_headings = any(section.heading for section in table.sections)
    st.dataframe(
        shown if has_headings else shown.drop(columns="What"),
        hide_index=True,
        width="stretch",
        key=f"report_{table.name}",
    )
    st.markdown(f":small[{escaped(table.caption)}]")
