"""`smurf predict`: predictions of a run's models for new samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smurf_core.cli.options import Run, choice
from smurf_core.cli.output import name_written, out
from smurf_core.cli.runs import find_run, warn_if_closed
from smurf_core.data.readers.registry import find_sources, unread
from smurf_core.runs.exporting import FORMATS, table_bytes, write_folder
from smurf_core.runs.predicting import predict_files
from smurf_core.runs.workspace import Workspace


def predict(
    run: Run,
    files: Annotated[
        list[Path],
        typer.Argument(help="Files or folders like those of the study; no target is needed."),
    ],
    output: Annotated[
        Path | None, typer.Option(help="New folder to write.", show_default="smurf-predict-RUN")
    ] = None,
    format: Annotated[str, choice(FORMATS, "Format of the tables.")] = "csv",
    fold: Annotated[
        int | None,
        typer.Option(
            help="Use only the model of this fold, counted from 1.",
            show_default="mean of all folds",
        ),
    ] = None,
) -> None:
    """Predict and explain new samples with a finished run.

    Writes `predictions` (one row per sample: prediction, spread over the folds' models, absent
    modalities, features that are missing or outside the training range, a mark of samples far from
    the training data) and `contributions`.
    """
    workspace = Workspace.default()
    info = find_run(workspace, run)
    found = predict_files(
        workspace, info.id, find_sources(files), fold=None if fold is None else fold - 1
    )
    for problem in (*unread(files), *found.problems):
        out.print(str(problem), markup=False)
    tables = {"predictions": found.to_frame(), "contributions": found.contribution_frame()}
    target = output or Path(f"smurf-predict-{info.id}")
    written = write_folder(
        target,
        {f"{name}.{format}": table_bytes(each, format) for name, each in tables.items()},
    )
    out.print(found.summary(), markup=False)
    warn_if_closed(workspace, info)
    name_written(target, written)
