"""Studies: data sets that were read once and are kept, with what their reader had to say."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from smurf_core.data.dataset import MultimodalDataset, Origin, Task
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.data.media import MediaSettings
from smurf_core.data.problems import Problem
from smurf_core.data.storage import read_dataset, write_dataset
from smurf_core.errors import InputError
from smurf_core.runs.workspace import Workspace, new_id

SYNTHETIC_STUDY = "synthetic"


@dataclass(frozen=True)
class StudyInfo:
    """What a list of studies shows of one."""

    id: str
    name: str
    task: Task
    origin: Origin
    samples: int
    modalities: tuple[str, ...]
    target_name: str
    created: float  # seconds since 1970, UTC
    problems: tuple[Problem, ...]


def add_study(
    workspace: Workspace,
    dataset: MultimodalDataset,
    *,
    problems: Iterable[Problem] = (),
    provenance: Mapping[str, Any] | None = None,
    study_id: str | None = None,
) -> str:
    """Keep a data set as a study and return its id; `provenance` says where it came from."""
    study_id = study_id or new_id()
    write_dataset(dataset, workspace.study_folder(study_id))
    with workspace.connect() as connection:
        connection.execute(
            "INSERT INTO study (id, name, task, origin, samples, modalities, target_name, created,"
            " problems, provenance) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                study_id,
                dataset.name,
                dataset.task,
                dataset.origin,
                len(dataset),
                json.dumps(dataset.modalities),
                dataset.target_name,
                time.time(),
                json.dumps([asdict(problem) for problem in problems]),
                json.dumps(dict(provenance or {})),
            ),
        )
    return study_id


def list_studies(workspace: Workspace) -> list[StudyInfo]:
    """All studies that are not deleted, newest first."""
    with workspace.connect() as connection:
        rows = connection.execute(
            "SELECT * FROM study WHERE deleted IS NULL ORDER BY created DESC"
        ).fetchall()
    return [_info(row) for row in rows]


def get_study(workspace: Workspace, study_id: str) -> StudyInfo:
    """One study; raises `InputError` where there is none."""
    with workspace.connect() as connection:
        row = connection.execute(
            "SELECT * FROM study WHERE id = ? AND deleted IS NULL", (study_id,)
        ).fetchone()
    if row is None:
        raise InputError(f"There is no study {study_id!r}; choose one from the list of studies.")
    return _info(row)


def find_study(workspace: Workspace, provenance: Mapping[str, Any]) -> str | None:
    """The newest study made of the same files in the same way, or nothing."""
    text = json.dumps(dict(provenance))
    with workspace.connect() as connection:
        row = connection.execute(
            "SELECT id FROM study WHERE provenance = ? AND deleted IS NULL"
            " ORDER BY created DESC LIMIT 1",
            (text,),
        ).fetchone()
    return row["id"] if row else None


def provenance(workspace: Workspace, study_id: str) -> dict[str, Any]:
    """Where a study's data came from, as its importer wrote it down."""
    with workspace.connect() as connection:
        row = connection.execute(
            "SELECT provenance FROM study WHERE id = ?", (study_id,)
        ).fetchone()
    found: dict[str, Any] = json.loads(row["provenance"]) if row else {}
    return found


def load_study(workspace: Workspace, study_id: str) -> MultimodalDataset:
    """A study's data set."""
    get_study(workspace, study_id)
    return read_dataset(workspace.study_folder(study_id))


def media_of(workspace: Workspace, study_id: str) -> MediaSettings | None:
    """Where a study's recordings lie, if somebody said so; refuses a folder that is gone."""
    with workspace.connect() as connection:
        row = connection.execute(
            "SELECT settings FROM media WHERE study_id = ?", (study_id,)
        ).fetchone()
    return MediaSettings.from_dict(json.loads(row["settings"])) if row else None


def set_media(workspace: Workspace, study_id: str, settings: MediaSettings | None) -> None:
    """Say where a study's recordings lie, or that it has none."""
    get_study(workspace, study_id)
    with workspace.connect() as connection:
        connection.execute("DELETE FROM media WHERE study_id = ?", (study_id,))
        if settings is not None:
            connection.execute(
                "INSERT INTO media (study_id, settings) VALUES (?, ?)",
                (study_id, json.dumps(settings.to_dict())),
            )


def rename_study(workspace: Workspace, study_id: str, name: str) -> None:
    """Give a study another name."""
    if not name.strip():
        raise InputError("A study needs a name: type at least one letter.")
    get_study(workspace, study_id)
    with workspace.connect() as connection:
        connection.execute("UPDATE study SET name = ? WHERE id = ?", (name.strip(), study_id))


def delete_study(workspace: Workspace, study_id: str) -> None:
    """Take a study out of the list; `restore_study` brings it back until it is purged."""
    get_study(workspace, study_id)
    with workspace.connect() as connection:
        connection.execute("UPDATE study SET deleted = ? WHERE id = ?", (time.time(), study_id))


def restore_study(workspace: Workspace, study_id: str) -> None:
    """Undo `delete_study`."""
    with workspace.connect() as connection:
        connection.execute("UPDATE study SET deleted = NULL WHERE id = ?", (study_id,))


def purge_studies(workspace: Workspace, *, older_than: float) -> int:
    """Remove deleted studies for good, and their runs' files, `older_than` seconds after."""
    with workspace.connect() as connection:
        gone = [
            row["id"]
            for row in connection.execute(
                "SELECT id FROM study WHERE deleted < ?", (time.time() - older_than,)
            )
        ]
        for study_id in gone:
            for row in connection.execute("SELECT id FROM run WHERE study_id = ?", (study_id,)):
                shutil.rmtree(workspace.run_folder(row["id"]), ignore_errors=True)
                connection.execute("DELETE FROM curve WHERE run_id = ?", (row["id"],))
            connection.execute("DELETE FROM run WHERE study_id = ?", (study_id,))
            connection.execute("DELETE FROM media WHERE study_id = ?", (study_id,))
            connection.execute("DELETE FROM slice WHERE study_id = ?", (study_id,))
            connection.execute("DELETE FROM study WHERE id = ?", (study_id,))
            shutil.rmtree(workspace.study_folder(study_id), ignore_errors=True)
    return len(gone)


def ensure_synthetic_study(workspace: Workspace) -> str:
    """The synthetic study that every workspace starts with (eq. 16-19); its id."""
    with workspace.connect() as connection:
        known = connection.execute(
            "SELECT 1 FROM study WHERE id = ?", (SYNTHETIC_STUDY,)
        ).fetchone()
    if not known:
        # Another process may be faster.
        with suppress(FileExistsError, sqlite3.IntegrityError):
            add_study(workspace, synthetic_additive(samples=1_000), study_id=SYNTHETIC_STUDY)
    return SYNTHETIC_STUDY


def _info(row: sqlite3.Row) -> StudyInfo:
    return StudyInfo(
        id=row["id"],
        name=row["name"],
        task=row["task"],
        origin=row["origin"],
        samples=row["samples"],
        modalities=tuple(json.loads(row["modalities"])),
        target_name=row["target_name"],
        created=row["created"],
        problems=tuple(Problem(**problem) for problem in json.loads(row["problems"])),
    )
