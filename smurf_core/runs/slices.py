"""Slices: samples that a user selected in a study, stored with a name, or without one for links."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smurf_core.errors import InputError
from smurf_core.people.guard import guarded
from smurf_core.people.roles import no_slice
from smurf_core.runs.entries import BrokenEntry, broken, count, moment, readable, text
from smurf_core.runs.studies import require_study
from smurf_core.runs.workspace import Workspace, new_id

SampleIds = npt.NDArray[np.str_]
# Number of unnamed selections of a study that are stored, so that links to them work.
UNNAMED_KEPT = 200
MAX_NAME = 80
# The app's names for its two other choices; a slice with such a name would look the same.
RESERVED = frozenset({"all samples", "selection"})


@dataclass(frozen=True)
class SliceInfo:
    """A slice in lists."""

    id: str
    study_id: str
    name: str  # empty for an unnamed selection
    origin: str  # a description of where the selection was made
    count: int
    created: float  # seconds since 1970, UTC


@guarded("viewer")
def remember_selection(
    workspace: Workspace, study_id: str, sample_ids: Sequence[str] | SampleIds, *, origin: str
) -> str:
    """Store a selection without a name and return its id for links.

    The id is computed from the samples: the same selection is stored once and has the same link.
    """
    ids = _distinct(sample_ids)
    text = json.dumps([study_id, ids]).encode()
    slice_id = "s" + hashlib.sha256(text).hexdigest()[:15]
    now = time.time()
    with workspace.transaction() as connection:
        require_study(connection, study_id)
        connection.execute(
            "INSERT INTO slice (id, study_id, name, origin, count, sample_ids, created)"
            " VALUES (?, ?, '', ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET origin = excluded.origin, created = excluded.created",
            (slice_id, study_id, origin, len(ids), packed(ids), now),
        )
        connection.execute(
            "DELETE FROM slice WHERE study_id = ? AND name = '' AND id NOT IN"
            " (SELECT id FROM slice WHERE study_id = ? AND name = ''"
            "  ORDER BY created DESC LIMIT ?)",
            (study_id, study_id, UNNAMED_KEPT),
        )
    return slice_id


@guarded("editor")
def add_slice(
    workspace: Workspace,
    study_id: str,
    name: str,
    sample_ids: Sequence[str] | SampleIds,
    *,
    origin: str,
) -> str:
    """Store samples under a name that is new in the study; return the new slice's id."""
    ids = _distinct(sample_ids)
    slice_id = new_id()
    with workspace.transaction() as connection:
        require_study(connection, study_id)
        connection.execute(
            "INSERT INTO slice (id, study_id, name, origin, count, sample_ids, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                slice_id,
                study_id,
                _free_name(connection, study_id, name),
                origin,
                len(ids),
                packed(ids),
                time.time(),
            ),
        )
    return slice_id


@guarded("viewer")
def list_slices(workspace: Workspace, study_id: str) -> list[SliceInfo]:
    """A study's named slices that can be read, oldest first."""
    return readable(_rows(workspace, study_id), _info)


@guarded("viewer")
def list_broken_slices(workspace: Workspace, study_id: str) -> list[BrokenEntry]:
    """A study's named slices that cannot be read, or whose samples cannot be read."""

    def read(row: sqlite3.Row) -> None:
        _info(row)
        _unpacked(row)

    return broken(_rows(workspace, study_id), read)


@guarded("viewer")
def find_slice(workspace: Workspace, study_id: str, slice_id: str) -> SliceInfo | None:
    """A slice of a study, named or not; None where there is none (a link may be old)."""
    with workspace.connect() as connection:
        rows = connection.execute(
            "SELECT id, study_id, name, origin, count, created FROM slice"
            " WHERE id = ? AND study_id = ? AND deleted IS NULL",
            (slice_id, study_id),
        ).fetchall()
    return next(iter(readable(rows, _info)), None)


@guarded("viewer", "slice")
def require_slice(workspace: Workspace, slice_id: str) -> None:
    """Raise `InputError` if the acting person may not see a slice; before what is kept in memory.

    For the one person of a machine, this is nothing.
    """


@guarded("viewer", "slice")
def slice_samples(workspace: Workspace, slice_id: str) -> SampleIds:
    """The sample ids of a slice; raises `InputError` if it is missing or they cannot be read."""
    with workspace.connect() as connection:
        row = connection.execute(
            "SELECT name, sample_ids FROM slice WHERE id = ? AND deleted IS NULL", (slice_id,)
        ).fetchone()
    if row is None:
        raise no_slice(slice_id)
    return _unpacked(row)


@guarded("editor", "slice")
def rename_slice(workspace: Workspace, slice_id: str, name: str) -> None:
    """Rename a slice."""
    with workspace.transaction() as connection:
        row = connection.execute(
            "SELECT study_id FROM slice WHERE id = ? AND deleted IS NULL", (slice_id,)
        ).fetchone()
        if row is None:
            raise InputError(f"There is no slice {slice_id!r}: it was deleted.")
        free = _free_name(connection, row["study_id"], name, but=slice_id)
        connection.execute("UPDATE slice SET name = ? WHERE id = ?", (free, slice_id))


@guarded("editor", "slice")
def delete_slice(workspace: Workspace, slice_id: str) -> None:
    """Remove a slice from the list; `restore_slice` restores it."""
    with workspace.connect() as connection:
        connection.execute("UPDATE slice SET deleted = ? WHERE id = ?", (time.time(), slice_id))


@guarded("editor", "slice")
def restore_slice(workspace: Workspace, slice_id: str) -> None:
    """Undo `delete_slice`; the slice gets a new name if the old one was taken meanwhile."""
    with workspace.transaction() as connection:
        row = connection.execute(
            "SELECT study_id, name FROM slice WHERE id = ?", (slice_id,)
        ).fetchone()
        if row is None:
            raise InputError(f"There is no slice {slice_id!r} to restore.")
        require_study(connection, row["study_id"])
        taken = _names(connection, row["study_id"], but=slice_id)
        name, number = row["name"], 2
        while name.lower() in taken:
            name, number = f"{row['name']} ({number})", number + 1
        connection.execute(
            "UPDATE slice SET deleted = NULL, name = ? WHERE id = ?", (name, slice_id)
        )


def _free_name(connection: sqlite3.Connection, study_id: str, name: str, but: str = "") -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME:
        raise InputError(f"A slice needs a name of 1 to {MAX_NAME} letters.")
    if name.lower() in RESERVED or name.lower() in _names(connection, study_id, but=but):
        raise InputError(f"There is a slice {name!r} in this study: choose another name.")
    return name


def _names(connection: sqlite3.Connection, study_id: str, *, but: str) -> set[str]:
    rows = connection.execute(
        "SELECT name FROM slice WHERE study_id = ? AND name != '' AND deleted IS NULL AND id != ?",
        (study_id, but),
    )
    return {row["name"].lower() for row in rows}


def _distinct(sample_ids: Sequence[str] | SampleIds) -> list[str]:
    ids = sorted({str(sample_id) for sample_id in sample_ids})
    if not ids:
        raise InputError("A slice needs at least one sample: select some first.")
    return ids


def _rows(workspace: Workspace, study_id: str) -> list[sqlite3.Row]:
    with workspace.connect() as connection:
        return connection.execute(
            "SELECT * FROM slice WHERE study_id = ? AND name != '' AND deleted IS NULL"
            " ORDER BY created, rowid",
            (study_id,),
        ).fetchall()


def _info(row: sqlite3.Row) -> SliceInfo:
    """The slice of a row; raises `InputError` with the reason if it cannot be read."""
    return SliceInfo(
        id=text(row, "id"),
        study_id=text(row, "study_id"),
        name=text(row, "name"),
        origin=text(row, "origin"),
        count=count(row, "count"),
        created=moment(row, "created"),
    )


def _unpacked(row: sqlite3.Row) -> SampleIds:
    try:
        ids = json.loads(zlib.decompress(row["sample_ids"]))
        return np.array([str(sample_id) for sample_id in ids], dtype=np.str_)
    except (zlib.error, ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"The samples of the slice {row['name']!r} cannot be read ({type(error).__name__}): "
            "delete it and select them again."
        ) from error


def packed(ids: list[str]) -> bytes:
    """Sample ids as the store keeps them."""
    return zlib.compress(json.dumps(ids).encode(), level=1)
