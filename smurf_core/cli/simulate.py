"""`smurf simulate-study`: makes a study for trying out the app and all commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smurf_core.cli.output import out
from smurf_core.runs.workspace import Workspace


def simulate_study(
    samples: Annotated[int, typer.Option(help="Utterances.")] = 600,
    persons: Annotated[int, typer.Option(help="Number of persons who speak them.")] = 30,
    seed: Annotated[int, typer.Option(help="Seed of all random draws.")] = 2024,
    files: Annotated[
        Path | None,
        typer.Option(
            help="Write tables and clips to this new folder, to try the import, "
            "instead of making a study.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make a simulated affect study, with which every page can be tried; no data of real people."""
    from smurf_core.runs.simulated import add_simulated_study, write_simulated_files

    if files is not None:
        for path in write_simulated_files(files, samples=samples, persons=persons, seed=seed):
            out.print(str(path), markup=False)
        return
    study = add_simulated_study(Workspace.default(), samples=samples, persons=persons, seed=seed)
    out.print(f"{study}: simulated; train on it with: smurf train {study}", markup=False)
