"""`smurf doctor`, `backup`, `restore` and `forget`: to keep a workspace whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smurf_core.cli.output import clock, name_leftovers, new_table, out
from smurf_core.from_recordings.forgetting import forget_in_job, jobs_that_name
from smurf_core.from_recordings.jobs import list_jobs
from smurf_core.runs.archive import back_up
from smurf_core.runs.archive import restore as restore_backup
from smurf_core.runs.doctor import examine
from smurf_core.runs.forgetting import forget as forget_samples
from smurf_core.runs.workspace import Workspace

_File = Annotated[Path, typer.Argument(help="The backup, a ZIP file.")]


def doctor(
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Correct what can be corrected; what is removed goes into lost+found."
        ),
    ] = False,
) -> None:
    """Check studies, runs, ratings and the disk, and print what is wrong and what to do.

    Without --repair nothing is changed. Exits with code 1 if something is still wrong.
    """
    found = examine(Workspace.default(), repair=repair)
    for line in found.facts:
        out.print(line, markup=False)
    if found.problems:
        table = new_table("where", "what", "done" if repair else "what to do")
        for problem in found.problems:
            table.add_row(problem.where, problem.what, problem.done or problem.remedy)
        out.print(table)
    else:
        out.print("No problems found.")
    if any(not problem.done for problem in found.problems):
        raise typer.Exit(1)


def backup(file: _File) -> None:
    """Write all studies, runs and ratings to one file, also while runs train, and verify it."""
    made = back_up(Workspace.default(), file)
    out.print(f"{file}: {made.files:,} files, {made.size / 1e6:,.1f} MB, verified.", markup=False)
    if made.links:
        out.print(f"{len(made.links)} links were not followed: {made.links[0]} …", markup=False)
    name_leftovers(file)
    out.print("Recordings outside the workspace are not part of it: back them up yourself.")


def restore(
    file: _File,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace a workspace; it is kept under another name."),
    ] = False,
) -> None:
    """Make the workspace (SMURF_HOME) of a backup, which is verified first."""
    workspace = Workspace.default()
    made = restore_backup(file, workspace, force=force)
    out.print(
        f"{workspace.root}: {made.files:,} files of {clock(made.created)}, verified.", markup=False
    )


def forget(
    study: Annotated[
        str, typer.Argument(help="The id of a study, or of an extraction that is not one yet.")
    ],
    person: Annotated[
        list[str] | None, typer.Option(help="A person whose samples are removed; repeatable.")
    ] = None,
    sample: Annotated[list[str] | None, typer.Option(help="A sample's id; repeatable.")] = None,
    runs: Annotated[
        bool, typer.Option("--runs", help="Also delete the study's runs, which learned from them.")
    ] = False,
) -> None:
    """Remove a person or samples from a study, its runs, ratings and clips. There is no undo."""
    workspace, persons, samples = Workspace.default(), person or (), sample or ()
    if study in {job.id for job in list_jobs(workspace)}:
        count = forget_in_job(workspace, study, persons=persons, samples=samples)
        out.print(f"{count:,} utterances were removed from the extraction.")
        return
    found = forget_samples(workspace, study, persons=persons, samples=samples, delete_runs=runs)
    out.print(f"{found.samples:,} samples were removed.")
    if found.marked:
        out.print(f"Trained with them, and marked: {', '.join(found.marked)}", markup=False)
    if found.deleted:
        out.print(f"Deleted runs: {', '.join(found.deleted)}", markup=False)
    for path in found.recordings:
        out.print(f"Delete this recording yourself: {path}", markup=False)
    for job in jobs_that_name(workspace, (*persons, *samples)):
        out.print(
            f"Extraction {job.id} is not a study yet and has the same name in it, or cannot be "
            f"read. If it is the same person or sample: smurf forget {job.id} …",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    out.print("Original files, exports, backups and lost+found are not touched.")
