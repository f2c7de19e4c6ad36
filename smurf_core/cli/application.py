"""The command `smurf`: all its commands, and how errors end it.

To add a command, write its function in a file of this folder, with a docstring as its help, and
name it in `COMMANDS`. After bad input, a command prints one sentence and exits with code 2;
existing files are not changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from smurf_core import __version__
from smurf_core.cli.evaluate import evaluate, show
from smurf_core.cli.explain import explain
from smurf_core.cli.export import export, report
from smurf_core.cli.extract import extract_app
from smurf_core.cli.keeping import backup, doctor, forget, restore
from smurf_core.cli.output import out
from smurf_core.cli.people import audit, share
from smurf_core.cli.predict import predict
from smurf_core.cli.ratings import ratings_app
from smurf_core.cli.reproduce import reproduce
from smurf_core.cli.runs import cancel, list_runs, resume
from smurf_core.cli.simulate import simulate_study
from smurf_core.cli.studies import check, import_study, list_studies
from smurf_core.cli.studio import studio
from smurf_core.cli.train import train
from smurf_core.cli.verify import basins, verify
from smurf_core.errors import InputError
from smurf_core.runs.workspace import HOME_VARIABLE


def version() -> None:
    """Print the version."""
    out.print(__version__)


# Name on the command line → function, in the order of `smurf --help`.
COMMANDS: dict[str, Callable[..., None]] = {
    "check": check,
    "import": import_study,
    "studies": list_studies,
    "train": train,
    "explain": explain,
    "runs": list_runs,
    "cancel": cancel,
    "resume": resume,
    "show": show,
    "evaluate": evaluate,
    "predict": predict,
    "export": export,
    "report": report,
    "simulate-study": simulate_study,
    "verify": verify,
    "basins": basins,
    "doctor": doctor,
    "backup": backup,
    "restore": restore,
    "forget": forget,
    "share": share,
    "audit": audit,
    "reproduce": reproduce,
    "studio": studio,
    "version": version,
}
# Commands that have subcommands.
GROUPS: dict[str, typer.Typer] = {"extract": extract_app, "ratings": ratings_app}

app = typer.Typer(
    help="SMURF: what each modality contributes to a prediction.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)


@app.callback()
def _options(
    home: Annotated[
        Path | None,
        typer.Option(
            help="Folder of studies and runs, shared with the app.",
            envvar=HOME_VARIABLE,
            show_default="~/.smurf-studio",
        ),
    ] = None,
) -> None:
    if home is not None:
        os.environ[HOME_VARIABLE] = str(home)


def main() -> None:
    """Entry point of the command; bad input gives one sentence and exit code 2."""
    try:
        app()
    except InputError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"Error: {error}", markup=False)
        raise SystemExit(2) from None
