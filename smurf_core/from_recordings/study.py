"""What a job extracted becomes a study, through the import of all other files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from smurf_core.data.importing.assembly import Assembly
from smurf_core.data.importing.mapping import FileRole, StudyMapping
from smurf_core.data.media import (
    END_COLUMN,
    MEDIA_COLUMN,
    MEDIA_TYPES,
    START_COLUMN,
    suggested_media,
)
from smurf_core.data.problems import Problem
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError
from smurf_core.from_recordings.jobs import JobFolder, state_of
from smurf_core.from_recordings.process import delete_job
from smurf_core.from_recordings.table import ID_COLUMN
from smurf_core.runs.disk import disk_error
from smurf_core.runs.studies import add_study, set_media
from smurf_core.runs.workspace import Workspace

_WHAT: Mapping[str, str] = {"audio": "sound", "text": "words", "video": "face"}


def job_sources(found: JobFolder) -> tuple[SourceFile, ...]:
    """The files of an import: the table of utterances, and one table per kind of features."""
    tables = (found.features(kind) for kind in state_of(found).done)
    return (
        SourceFile(f"{found.job().name}.csv", found.table),
        *(SourceFile(path.name, path) for path in tables),
    )


def job_mapping(found: JobFolder) -> StudyMapping:
    """The roles that are known; target and person are guessed as for any other file."""
    job = found.job()
    files: dict[str, FileRole] = {
        found.features(kind).name: "modality" for kind in state_of(found).done
    }
    return StudyMapping(
        name=job.name,
        files=files,
        id=ID_COLUMN,
        media=MEDIA_COLUMN,
        transcript=job.text,
        start=START_COLUMN if job.start else "",
        end=END_COLUMN if job.end else "",
    )


def job_problems(found: JobFolder) -> tuple[Problem, ...]:
    """The job's failures, for the list of problems of the study."""
    state = state_of(found)
    whole = [
        Problem("warning", f"No features of {part.kind} were extracted. {part.problem}")
        for part in state.parts
        if part.problem
    ]
    return (
        *whole,
        *(
            Problem(
                "warning",
                f"{failure.sample}: {failure.problem}" if failure.sample else failure.problem,
                file=failure.file,
                remedy=f"Its {_WHAT[failure.kind]} counts as not recorded."
                if failure.kind in _WHAT
                else "It is not played.",
            )
            for failure in state.failures
        ),
    )


def study_of_job(workspace: Workspace, found: JobFolder, assembly: Assembly) -> str:
    """Store a job's data set as a study with its recordings, delete the job; the study's id.

    Raises `InputError` if the disk is full or cannot be written.
    """
    study = add_study(
        workspace,
        assembly.dataset,
        problems=assembly.problems,
        provenance=assembly.provenance(),
    )
    folder = workspace.study_folder(study) / "media"
    try:
        folder.mkdir()
        # A recording without a sample of the study could not be forgotten with a person.
        wanted = set(assembly.dataset.samples[MEDIA_COLUMN].dropna())
        for stem, path in _played(found).items():
            if stem in wanted:
                os.replace(path, folder / path.name)
    except OSError as error:
        raise disk_error(error, workspace.root) or InputError(
            "The recordings could not be moved to the study; it was made without them."
        ) from error
    set_media(workspace, study, suggested_media(str(folder.resolve()), assembly.dataset.samples))
    delete_job(workspace, found.id)
    return study


def _played(found: JobFolder) -> dict[str, Path]:
    """The one file of each clip that is played: a video before its sound."""
    paths = [*found.recordings.glob("*"), *found.playable.glob("[!.]*")]
    order = {suffix: k for k, suffix in enumerate(MEDIA_TYPES)}
    able = [path for path in paths if path.suffix in order]
    return {p.stem: p for p in sorted(able, key=lambda path: order[path.suffix], reverse=True)}
