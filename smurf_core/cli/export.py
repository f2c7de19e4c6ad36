"""`smurf export` and `report`: a run as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smurf_core.cli.options import Run, choice
from smurf_core.cli.output import name_written, out
from smurf_core.cli.runs import find_run, warn_if_closed
from smurf_core.cli.targets import target_sentence
from smurf_core.reporting.bundle import report_of
from smurf_core.runs.exporting import FORMATS, export_run, write_folder
from smurf_core.runs.store import RunInfo
from smurf_core.runs.workspace import Workspace


def export(
    run: Run,
    folder: Annotated[
        Path | None, typer.Option(help="New folder to write.", show_default="smurf-RUN")
    ] = None,
    format: Annotated[str, choice(FORMATS, "Format of the tables.")] = "csv",
    every_fold: Annotated[
        bool,
        typer.Option(
            "--every-fold",
            help="Also write every sample as every fold's model explains it, training samples "
            "included.",
        ),
    ] = False,
) -> None:
    """Write a run's contributions, scores, candidates and configuration as tables."""
    workspace = Workspace.default()
    info = find_run(workspace, run)
    target = folder or Path(f"smurf-{info.id}")
    written = export_run(workspace, info.id, target, format, every_fold=every_fold)
    _name_target(workspace, info)
    warn_if_closed(workspace, info)
    name_written(target, written)


def report(
    run: Run,
    output: Annotated[
        Path | None, typer.Option(help="New folder to write.", show_default="smurf-report-RUN")
    ] = None,
    compare: Annotated[
        list[str] | None,
        typer.Option(help="Another run of the study, as a column of the tables; repeatable."),
    ] = None,
) -> None:
    """Write a run's tables (CSV, LaTeX), model and model card, and a script that trains it again.

    It also writes a report in HTML and figures; images of figures need Chromium.
    """
    from smurf_core.plot.html_report import figure_files  # Plotly takes a while to load.

    workspace = Workspace.default()
    info = find_run(workspace, run)
    others = [find_run(workspace, other) for other in compare or ()]
    files = report_of(workspace, info, others, [figure_files])
    _name_target(workspace, info)
    target = output or Path(f"smurf-report-{info.id}")
    name_written(target, write_folder(target, files))


def _name_target(workspace: Workspace, info: RunInfo) -> None:
    if named := target_sentence(workspace, info):
        out.print(named, markup=False, soft_wrap=True)
