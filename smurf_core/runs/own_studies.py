"""Studies that the program makes itself, under fixed ids: the synthetic one and the demo."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.data.storage import read_dataset, write_dataset
from smurf_core.errors import InputError
from smurf_core.people.person import EVERYBODY
from smurf_core.people.roles import add_member
from smurf_core.runs.disk import said_in_words
from smurf_core.runs.entries import readable
from smurf_core.runs.studies import SYNTHETIC_STUDY, enter_study, study_of_row
from smurf_core.runs.workspace import Workspace


def ensure_synthetic_study(workspace: Workspace) -> str:
    """Make the synthetic study with three modalities A, B, C (eq. 16-19); return its id."""
    return ensure_own_study(workspace, SYNTHETIC_STUDY, lambda: synthetic_additive(samples=1_000))


def ensure_own_study(
    workspace: Workspace,
    study_id: str,
    make: Callable[[], MultimodalDataset],
    *,
    provenance: Mapping[str, Any] | None = None,
    furnish: Callable[[sqlite3.Connection, MultimodalDataset], None] = lambda *_: None,
) -> str:
    """Make a study that the program can make itself, under a fixed id; return the id.

    Only missing parts are made: its entry, its folder, or both. `furnish` adds what else belongs to
    it before the entry can be seen: a start that is cut short leaves a study whole or not at all.
    Everybody who signs in may look at it.
    """
    signed_in, workspace = not workspace.person.is_local, workspace.as_machine()
    origin = json.dumps(dict(provenance or {}))
    folder = workspace.study_folder(study_id)
    with workspace.connect() as connection:
        is_there = _has_entry(connection, study_id, origin) and folder.exists()
    if not is_there:
        with said_in_words(workspace.root), workspace.transaction() as connection:
            # Another process may have been faster.
            if not (_has_entry(connection, study_id, origin) and folder.exists()):
                dataset = _folder_of(workspace, study_id, make)
                if not _has_entry(connection, study_id, origin):
                    enter_study(connection, study_id, dataset, (), provenance or {})
                furnish(connection, dataset)
    if signed_in:
        with workspace.connect() as connection:
            add_member(connection, study_id, EVERYBODY, "viewer")
    return study_id


def _has_entry(connection: sqlite3.Connection, study_id: str, origin: str) -> bool:
    """True if a study has an entry, which was not taken up from a start that was cut off."""
    rows = connection.execute("SELECT * FROM study WHERE id = ?", (study_id,)).fetchall()
    is_taken_up = origin != "{}" and any(row["provenance"] == "{}" for row in rows)
    return bool(readable(rows, study_of_row)) and not is_taken_up


def _folder_of(
    workspace: Workspace, study_id: str, make: Callable[[], MultimodalDataset]
) -> MultimodalDataset:
    folder = workspace.study_folder(study_id)
    try:
        return read_dataset(folder)
    except InputError:  # There is no folder, or its content cannot be used.
        shutil.rmtree(folder, ignore_errors=True)
        dataset = make()
        write_dataset(dataset, folder)
        return dataset
