"""Studies: data sets that were imported and stored, with the problems found at import."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from smurf_core.data.dataset import MultimodalDataset, Origin, Task
from smurf_core.data.media import MediaSettings
from smurf_core.data.problems import Problem
from smurf_core.data.storage import read_dataset, read_targets, write_dataset
from smurf_core.durable import is_partial, remove_folder
from smurf_core.errors import InputError
from smurf_core.extraction.store import FeatureStore
from smurf_core.people.audit import record
from smurf_core.people.guard import guarded, machine_only
from smurf_core.people.places import check_place
from smurf_core.people.quotas import Quota
from smurf_core.people.roles import add_member, no_study, visible
from smurf_core.runs.disk import said_in_words
from smurf_core.runs.entries import (
    BrokenEntry,
    broken,
    choice,
    count,
    moment,
    parsed,
    readable,
    text,
)
from smurf_core.runs.workspace import Workspace, is_id, new_id

SYNTHETIC_STUDY = "synthetic"
_CUT_OFF = (
    "Removing samples from this study was cut off: run `smurf doctor --repair`, which completes it."
)


@dataclass(frozen=True)
class StudyInfo:
    """A study in lists."""

    id: str
    name: str
    task: Task
    origin: Origin
    samples: int
    modalities: tuple[str, ...]
    target_name: str  # the first one; `targets_of` names all
    created: float  # seconds since 1970, UTC
    problems: tuple[Problem, ...]


def add_study(
    workspace: Workspace,
    dataset: MultimodalDataset,
    *,
    problems: Iterable[Problem] = (),
    provenance: Mapping[str, Any] | None = None,
) -> str:
    """Store a data set as a study and return its id; `provenance` says where it came from.

    Who acts becomes its owner. Raises `InputError` if their part of the disk is full, or if the
    disk cannot be changed or fails: nothing is stored then.
    """
    study_id = new_id()
    folder = workspace.as_machine().study_folder(study_id)
    with workspace.connect() as connection:
        Quota.from_environment().check_disk(connection, workspace.person, workspace.root)
    with said_in_words(workspace.root):
        try:
            write_dataset(dataset, folder)
            with workspace.transaction() as connection:
                enter_study(connection, study_id, dataset, problems, provenance or {})
                if not workspace.person.is_local:
                    add_member(connection, study_id, workspace.person.name, "owner")
                    record(connection, workspace.person, "add_study", study_id, study_id)
        except BaseException:
            with suppress(OSError):  # A kill leaves it: see `recover_studies`.
                remove_folder(folder)
            raise
    return study_id


@machine_only
def recover_studies(workspace: Workspace, *, older_than: float) -> list[str]:
    """Take up what a cut-off import left more than `older_than` seconds ago; return new entries.

    A complete data set without an entry becomes a study; what is not complete is removed.
    """
    adopted = []
    for folder in sorted((workspace.root / "studies").glob("*")):
        with workspace.transaction() as connection:
            if (
                connection.execute("SELECT 1 FROM study WHERE id = ?", (folder.name,)).fetchone()
                or not folder.is_dir()
                or time.time() - folder.stat().st_mtime < older_than
            ):
                continue
            dataset = _complete(folder)
            if dataset is not None:
                enter_study(connection, folder.name, dataset, (), {})
                adopted.append(folder.name)
            elif is_id(folder.name) or is_partial(folder.name):  # Other names are not ours.
                shutil.rmtree(folder, ignore_errors=True)
    return adopted


def _complete(folder: Path) -> MultimodalDataset | None:
    """The data set in a study's folder; None if it was not written to the end."""
    if is_id(folder.name):
        with suppress(InputError):
            return read_dataset(folder)
    return None


def list_studies(workspace: Workspace) -> list[StudyInfo]:
    """All studies that are not deleted and can be read, newest first."""
    return readable(_rows(workspace), study_of_row)


def list_broken_studies(workspace: Workspace) -> list[BrokenEntry]:
    """Studies that are stored but whose entry cannot be read, newest first."""
    return broken(_rows(workspace), study_of_row)


@guarded("viewer")
def get_study(workspace: Workspace, study_id: str) -> StudyInfo:
    """One study; raises `InputError` if there is none, or if it cannot be read."""
    with workspace.connect() as connection:
        row = connection.execute(
            "SELECT * FROM study WHERE id = ? AND deleted IS NULL", (study_id,)
        ).fetchone()
        if row is None:
            raise missing_study(connection, study_id)
    try:
        return study_of_row(row)
    except InputError as error:
        raise InputError(f"The study {study_id!r} cannot be read. {error}") from error


def missing_study(connection: sqlite3.Connection, study_id: str) -> InputError:
    """The error that says why a study is not in the list: it was deleted, or never existed."""
    row = connection.execute("SELECT name FROM study WHERE id = ?", (study_id,)).fetchone()
    if row is None:
        return no_study(study_id)
    return InputError(
        f"This study was deleted: {row['name']} ({study_id}). Nothing was done; choose another "
        "one from the list of studies."
    )


def require_study(connection: sqlite3.Connection, study_id: str) -> None:
    """Raise `InputError` if a study is missing or deleted; for use inside a transaction."""
    if not connection.execute(
        "SELECT 1 FROM study WHERE id = ? AND deleted IS NULL", (study_id,)
    ).fetchone():
        raise missing_study(connection, study_id)


def find_study(workspace: Workspace, provenance: Mapping[str, Any]) -> str | None:
    """The newest study made from the same files in the same way that may be seen, or None."""
    condition, persons = visible(workspace.person, "id")
    with workspace.connect() as connection:
        row = connection.execute(
            "SELECT id FROM study WHERE provenance = ? AND deleted IS NULL"  # noqa: S608 (constant)
            f" AND {condition} ORDER BY created DESC LIMIT 1",
            (json.dumps(dict(provenance)), *persons),
        ).fetchone()
    return row["id"] if row else None


@guarded("viewer")
def provenance(workspace: Workspace, study_id: str) -> dict[str, Any]:
    """Where a study's data came from, as its importer recorded it."""
    with workspace.connect() as connection:
        row = connection.execute(
            "SELECT provenance FROM study WHERE id = ?", (study_id,)
        ).fetchone()
    return parsed(row, "provenance", "Where this study came from", dict) if row else {}


@guarded("viewer")
def load_study(workspace: Workspace, study_id: str, target: str = "") -> MultimodalDataset:
    """A study's data set, which predicts one of its targets; the first one if none is named.

    Raises `InputError` if there is no such study or target. For the data of a run, see
    `smurf_core.runs.store.dataset_of_run`.
    """
    get_study(workspace, study_id)
    try:
        dataset = read_dataset(workspace.study_folder(study_id))
    except InputError:
        if removal_file(workspace, study_id).exists():
            raise InputError(_CUT_OFF) from None
        raise
    return dataset.with_target(target) if target else dataset


def removal_file(workspace: Workspace, study_id: str) -> Path:
    """Where `smurf_core.runs.forgetting` notes what it is about to remove from a study."""
    return workspace.root / "forgetting" / f"{study_id}.json"


@guarded("viewer")
def targets_of(workspace: Workspace, study: StudyInfo) -> dict[str, Task]:
    """A study's targets with their tasks, the first one first.

    If the study's files cannot be read, only the first one, which its entry names: what reads the
    data says why it cannot be read.
    """
    with suppress(InputError):
        return read_targets(workspace.study_folder(study.id))
    return {study.target_name: study.task}


@guarded("viewer")
def chosen_target(workspace: Workspace, study: StudyInfo, target: str) -> str:
    """The target of a study that this name means; an empty text means the first target.

    Raises `InputError` with the targets that exist if there is no such target.
    """
    known = targets_of(workspace, study) if target else {study.target_name: study.task}
    name = target or study.target_name
    if name not in known:
        raise InputError(
            f"The study {study.name} has no target {name!r}, only {', '.join(known)}: choose one "
            "of these."
        )
    return name


@guarded("viewer")
def media_of(workspace: Workspace, study_id: str) -> MediaSettings | None:
    """Where a study's recordings are, if this was set; raises an error if the folder is missing."""
    with workspace.connect() as connection:
        row = connection.execute(
            "SELECT settings FROM media WHERE study_id = ?", (study_id,)
        ).fetchone()
    if row is None:
        return None
    return parsed(row, "settings", "Where this study's recordings are", MediaSettings.from_dict)


@guarded("editor")
def set_media(workspace: Workspace, study_id: str, settings: MediaSettings | None) -> None:
    """Set where a study's recordings are, or that it has none."""
    if settings is not None:
        check_place(workspace, study_id, settings.folder)
    with workspace.transaction() as connection:
        require_study(connection, study_id)
        enter_media(connection, study_id, settings)


def enter_media(
    connection: sqlite3.Connection, study_id: str, settings: MediaSettings | None
) -> None:
    """`set_media` inside a transaction."""
    connection.execute("DELETE FROM media WHERE study_id = ?", (study_id,))
    if settings is not None:
        connection.execute(
            "INSERT INTO media (study_id, settings) VALUES (?, ?)",
            (study_id, json.dumps(settings.to_dict())),
        )


@guarded("editor")
def rename_study(workspace: Workspace, study_id: str, name: str) -> None:
    """Rename a study."""
    if not name.strip():
        raise InputError("A study needs a name: type at least one letter.")
    with workspace.transaction() as connection:
        require_study(connection, study_id)
        connection.execute("UPDATE study SET name = ? WHERE id = ?", (name.strip(), study_id))


@guarded("owner")
def delete_study(workspace: Workspace, study_id: str, *, stop_training: bool = False) -> None:
    """Remove a study from the list; `restore_study` restores it until it is purged.

    A study that cannot be read is deleted like any other. Raises `InputError` if runs of the study
    are training or waiting, unless they may be stopped.
    """
    with workspace.transaction() as connection:
        require_study(connection, study_id)
        active = "study_id = ? AND status IN ('queued', 'running') AND deleted IS NULL"
        (count_active,) = connection.execute(
            f"SELECT count(*) FROM run WHERE {active}",  # noqa: S608 (constant)
            (study_id,),
        ).fetchone()
        if count_active and not stop_training:
            runs = "1 run of this study is" if count_active == 1 else f"{count_active} runs are"
            raise InputError(
                f"{runs} training or waiting: agree to stop training, or wait until it ends."
            )
        connection.execute(f"UPDATE run SET cancel = 1 WHERE {active}", (study_id,))  # noqa: S608
        connection.execute(
            "UPDATE run SET status = 'cancelled', finished = ?"
            " WHERE study_id = ? AND status = 'queued'",
            (time.time(), study_id),
        )
        connection.execute("UPDATE study SET deleted = ? WHERE id = ?", (time.time(), study_id))


@guarded("owner")
def restore_study(workspace: Workspace, study_id: str) -> None:
    """Undo `delete_study`; raises `InputError` if the study was removed for good meanwhile."""
    with workspace.connect() as connection:
        if not connection.execute(
            "UPDATE study SET deleted = NULL WHERE id = ?", (study_id,)
        ).rowcount:
            raise missing_study(connection, study_id)


@machine_only
def purge_studies(workspace: Workspace, *, older_than: float) -> int:
    """Remove studies, with runs and files, that were deleted more than `older_than` seconds ago.

    With a study of recorded data go all features that `smurf extract` has kept: which are of its
    recordings cannot be seen.
    """
    with workspace.transaction() as connection:
        rows = connection.execute(
            "SELECT id, origin FROM study WHERE deleted < ?", (time.time() - older_than,)
        ).fetchall()
        gone = [row["id"] for row in rows]
        if any(row["origin"] == "recorded" for row in rows):
            FeatureStore.of(workspace.root).clear()
        for study_id in gone:
            runs = connection.execute("SELECT id FROM run WHERE study_id = ?", (study_id,))
            folders = [workspace.run_folder(row["id"]) for row in runs if is_id(row["id"])]
            if is_id(study_id):
                folders.append(workspace.study_folder(study_id))
            with suppress(OSError):  # What cannot be removed now stays until the next time.
                for folder in folders:
                    remove_folder(folder)
                connection.execute("DELETE FROM study WHERE id = ?", (study_id,))
    return len(gone)


def enter_study(
    connection: sqlite3.Connection,
    study_id: str,
    dataset: MultimodalDataset,
    problems: Iterable[Problem],
    provenance: Mapping[str, Any],
) -> None:
    """Write a study's entry; an existing one is replaced and keeps its runs."""
    entry = {
        "id": study_id,
        "name": dataset.name,
        "task": dataset.task,
        "origin": dataset.origin,
        "samples": len(dataset),
        "modalities": json.dumps(dataset.modalities),
        "target_name": dataset.target_name,
        "created": time.time(),
        "problems": json.dumps([asdict(problem) for problem in problems]),
        "provenance": json.dumps(dict(provenance)),
    }
    columns, values = ", ".join(entry), ", ".join(f":{column}" for column in entry)
    changes = ", ".join(f"{column} = excluded.{column}" for column in entry)
    connection.execute(
        f"INSERT INTO study ({columns}) VALUES ({values})"  # noqa: S608 (names from this function)
        f" ON CONFLICT (id) DO UPDATE SET {changes}",
        entry,
    )


def _rows(workspace: Workspace) -> list[sqlite3.Row]:
    condition, persons = visible(workspace.person, "id")
    with workspace.connect() as connection:
        return connection.execute(
            f"SELECT * FROM study WHERE deleted IS NULL AND {condition}"  # noqa: S608 (constant)
            " ORDER BY created DESC, rowid DESC",
            persons,
        ).fetchall()


def study_of_row(row: sqlite3.Row) -> StudyInfo:
    """The study of a row; raises `InputError` with the reason if it cannot be read."""
    if not is_id(row["id"]):
        raise InputError(f"{row['id']!r} is not an id.")
    return StudyInfo(
        id=row["id"],
        name=text(row, "name"),
        task=choice(row, "task", get_args(Task)),
        origin=choice(row, "origin", get_args(Origin)),
        samples=count(row, "samples"),
        modalities=parsed(row, "modalities", "Its list of modalities", _names),
        target_name=text(row, "target_name"),
        created=moment(row, "created"),
        problems=parsed(
            row,
            "problems",
            "Its list of findings",
            lambda found: tuple(Problem(**problem) for problem in found),
        ),
    )


def _names(found: object) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise InputError("A list of names is needed.")
    return tuple(found)
