"""Runs: their settings, progress and outcome. One run trains at a time."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import pandas as pd

from smurf_core.configuration import RunConfig
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.durable import remove_folder
from smurf_core.errors import InputError
from smurf_core.people.fair_queue import next_of
from smurf_core.people.guard import guarded, machine_only
from smurf_core.people.quotas import Quota
from smurf_core.people.roles import no_run, visible
from smurf_core.runs.entries import (
    BrokenEntry,
    broken,
    choice,
    count,
    moment,
    number,
    or_none,
    parsed,
    readable,
    text,
)
from smurf_core.runs.leases import lease, reconcile
from smurf_core.runs.studies import chosen_target, get_study, load_study, require_study
from smurf_core.runs.workspace import Workspace, is_id, new_id

Status = Literal["queued", "running", "finished", "failed", "cancelled", "crashed"]
ACTIVE: tuple[Status, ...] = ("queued", "running")


@dataclass(frozen=True)
class RunInfo:
    """A run in lists. Times are seconds since 1970, UTC."""

    id: str
    study_id: str
    target: str  # which of the study's targets it predicts
    name: str
    note: str
    status: Status
    config: RunConfig
    jobs: int | None
    progress: float  # 0 to 1
    message: str
    error: str
    device: str
    created: float
    started: float | None
    finished: float | None
    cancel_requested: bool

    @property
    def is_active(self) -> bool:
        """True if it is training or queued."""
        return self.status in ACTIVE

    @property
    def is_finished(self) -> bool:
        """True if the run has finished and has a result."""
        return self.status == "finished"


@guarded("editor")
def create_run(
    workspace: Workspace,
    study_id: str,
    config: RunConfig,
    *,
    target: str = "",
    name: str = "",
    jobs: int | None = None,
    scheduler: str = "",
) -> str:
    """Put a run into the queue and return its id; `launch` starts a worker for it.

    It predicts one of the study's targets, the first one if none is named. It is trained by `jobs`
    processes of this machine, or by the Dask cluster of `scheduler`. Raises `InputError` if there
    is no such study or target, or the acting person has no place left in the queue or on the disk.
    """
    predicted = chosen_target(workspace, get_study(workspace, study_id), target)
    person = workspace.person
    with workspace.transaction() as connection:
        require_study(connection, study_id)
        _check_quota(workspace, connection)
        run_id = enter_run(
            connection, study_id, predicted, config, name=name, jobs=jobs, person=person.name
        )
        if scheduler:
            connection.execute("INSERT INTO scheduler VALUES (?, ?)", (run_id, scheduler))
    return run_id


def _check_quota(workspace: Workspace, connection: sqlite3.Connection) -> None:
    quota = Quota.from_environment()
    quota.check_queue(connection, workspace.person)
    quota.check_disk(connection, workspace.person, workspace.root)


def enter_run(
    connection: sqlite3.Connection,
    study_id: str,
    target: str,
    config: RunConfig,
    *,
    name: str = "",
    jobs: int | None = None,
    created: float | None = None,
    person: str = "",
) -> str:
    """Put a run that predicts a target into the queue, inside a transaction; return its id.

    Runs of one person are trained in the order in which they are entered, persons take turns, and
    runs are listed by `created` (now).
    """
    run_id = new_id()
    title = name.strip() or f"{config.kind.name}, {config.preset}"
    connection.execute(
        "INSERT INTO run (id, study_id, target, name, status, config, jobs, created, person)"
        " VALUES (?, ?, ?, ?, 'queued', ?, ?, ?, ?)",
        (
            run_id,
            study_id,
            target,
            title,
            json.dumps(config.to_dict()),
            jobs,
            created or time.time(),
            person,
        ),
    )
    return run_id


@guarded("viewer", "run")
def get_run(workspace: Workspace, run_id: str) -> RunInfo:
    """The current state of one run; raises `InputError` if it is missing or cannot be read."""
    with workspace.connect() as connection:
        reconcile(connection)
        row = connection.execute(
            "SELECT * FROM run WHERE id = ? AND deleted IS NULL", (run_id,)
        ).fetchone()
        if row is None:
            raise _missing(connection, run_id)
    try:
        return _info(row)
    except InputError as error:
        raise InputError(f"The run {run_id!r} cannot be read. {error}") from error


@guarded("viewer", "run")
def dataset_of_run(workspace: Workspace, run: RunInfo) -> MultimodalDataset:
    """The data that a run was trained on: its study's data set with the run's target."""
    return load_study(workspace, run.study_id, run.target)


def require_alike(run: RunInfo, others: Iterable[RunInfo]) -> None:
    """Raise `InputError` if another run has no result to compare, or predicts something else."""
    for other in (run, *others):
        if not other.is_finished:
            raise InputError(f"Run {other.id} is {other.status}; only finished runs have results.")
        if other.study_id != run.study_id:
            raise InputError(f"Run {other.id} is of another study than {run.id}.")
        if other.target != run.target:
            raise InputError(
                f"Run {other.id} predicts {other.target}, and run {run.id} predicts {run.target}: "
                "only runs of one target can be compared."
            )


def why_not_open(workspace: Workspace, run_id: str, study_id: str, target: str) -> str:
    """Why a study has no finished run of this id that predicts this target, as one sentence."""
    try:
        run = get_run(workspace, run_id)
    except InputError as error:
        return str(error)
    if run.study_id != study_id:
        return f"The run {run.name} ({run_id}) belongs to another study."
    if run.target != target:
        return f"The run {run.name} ({run_id}) predicts {run.target}, and {target} is chosen."
    return f"The run {run.name} ({run_id}) has no result: it is {run.status}."


def _missing(connection: sqlite3.Connection, run_id: str) -> InputError:
    """The error that says why a run is not in the list: it was deleted, or never existed."""
    row = connection.execute("SELECT name FROM run WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        return no_run(run_id)
    return InputError(
        f"This run was deleted: {row['name']} ({run_id}). Nothing was done; choose another one."
    )


def _require(connection: sqlite3.Connection, run_id: str) -> None:
    if not connection.execute(
        "SELECT 1 FROM run WHERE id = ? AND deleted IS NULL", (run_id,)
    ).fetchone():
        raise _missing(connection, run_id)


@guarded("viewer", "run")
def scheduler_of(workspace: Workspace, run_id: str) -> str | None:
    """Address of the Dask scheduler that trains a run; None if this machine trains it."""
    with workspace.connect() as connection:
        row = connection.execute(
            "SELECT address FROM scheduler WHERE run_id = ?", (run_id,)
        ).fetchone()
    return None if row is None else str(row["address"])


def list_runs(workspace: Workspace, study_id: str | None = None) -> list[RunInfo]:
    """All runs that are not deleted and can be read, of one study or of all, newest first."""
    return readable(_rows(workspace, study_id), _info)


def list_broken_runs(workspace: Workspace, study_id: str | None = None) -> list[BrokenEntry]:
    """Runs that are stored but cannot be read, of one study or of all, newest first."""
    return broken(_rows(workspace, study_id), _info)


def _rows(workspace: Workspace, study_id: str | None) -> list[sqlite3.Row]:
    condition, persons = visible(workspace.person)
    with workspace.connect() as connection:
        reconcile(connection)
        return connection.execute(
            "SELECT * FROM run WHERE deleted IS NULL"  # noqa: S608 (constant)
            f" AND (? IS NULL OR study_id = ?) AND {condition} ORDER BY created DESC, rowid DESC",
            (study_id, study_id, *persons),
        ).fetchall()


def finished_runs(
    workspace: Workspace, study_id: str | None = None, target: str | None = None
) -> list[RunInfo]:
    """The runs that have a result, of one study (and target) or of all, newest first."""
    return [
        run
        for run in list_runs(workspace, study_id)
        if run.is_finished and target in (None, run.target)
    ]


@guarded("viewer", "run")
def curves(workspace: Workspace, run_id: str) -> pd.DataFrame:
    """The reports of the worker so far, in their order.

    Columns: fold, unit, epoch, training_objective, validation_objective, validation_metric; the
    values are those of the unit's best member.
    """
    columns = "fold, unit, epoch, training_objective, validation_objective, validation_metric"
    with workspace.connect() as connection:
        rows = connection.execute(
            f"SELECT {columns} FROM curve WHERE run_id = ? ORDER BY rowid",  # noqa: S608 — constant
            (run_id,),
        ).fetchall()
    return pd.DataFrame([tuple(row) for row in rows], columns=columns.split(", "))


@guarded("editor", "run")
def request_cancel(workspace: Workspace, run_id: str) -> None:
    """Stop a run: at once if it is queued, within moments if it is training."""
    with workspace.transaction() as connection:
        _require(connection, run_id)
        connection.execute("UPDATE run SET cancel = 1 WHERE id = ?", (run_id,))
        connection.execute(
            "UPDATE run SET status = 'cancelled', finished = ? WHERE id = ? AND status = 'queued'",
            (time.time(), run_id),
        )


@guarded("editor", "run")
def resume_run(workspace: Workspace, run_id: str) -> None:
    """Queue a stopped run again; it continues after its finished units."""
    run = get_run(workspace, run_id)
    with workspace.transaction() as connection:
        _require(connection, run_id)
        require_study(connection, run.study_id)
        _check_quota(workspace, connection)
        # Another click may have been faster: only a stopped run is queued.
        if not connection.execute(
            "UPDATE run SET status = 'queued', cancel = 0, error = '', message = '',"
            " finished = NULL, pid = NULL, owner = NULL"
            " WHERE id = ? AND status IN ('cancelled', 'failed', 'crashed')",
            (run_id,),
        ).rowcount:
            raise InputError("Only a cancelled, failed or crashed run can be resumed.")


@guarded("editor", "run")
def rename_run(workspace: Workspace, run_id: str, name: str) -> None:
    """Rename a run."""
    if not name.strip():
        raise InputError("A run needs a name: type at least one letter.")
    with workspace.transaction() as connection:
        _require(connection, run_id)
        connection.execute("UPDATE run SET name = ? WHERE id = ?", (name.strip(), run_id))


@guarded("editor", "run")
def annotate_run(workspace: Workspace, run_id: str, note: str) -> None:
    """Save a note for a run."""
    with workspace.transaction() as connection:
        _require(connection, run_id)
        connection.execute("UPDATE run SET note = ? WHERE id = ?", (note, run_id))


@guarded("editor", "run")
def delete_run(workspace: Workspace, run_id: str) -> None:
    """Remove a run from the list and stop it; `restore_run` restores it until it is purged."""
    request_cancel(workspace, run_id)
    with workspace.connect() as connection:
        connection.execute("UPDATE run SET deleted = ? WHERE id = ?", (time.time(), run_id))


@guarded("editor", "run")
def restore_run(workspace: Workspace, run_id: str) -> None:
    """Undo `delete_run`; raises `InputError` if the run or its study was removed meanwhile."""
    with workspace.transaction() as connection:
        row = connection.execute("SELECT study_id FROM run WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise _missing(connection, run_id)
        require_study(connection, row["study_id"])
        connection.execute("UPDATE run SET deleted = NULL WHERE id = ?", (run_id,))


@machine_only
def purge_runs(workspace: Workspace, *, older_than: float) -> int:
    """Remove runs, with their files, that were deleted more than `older_than` seconds ago."""
    with workspace.transaction() as connection:
        gone = [
            row["id"]
            for row in connection.execute(
                "SELECT id FROM run WHERE deleted < ? AND status != 'running'",
                (time.time() - older_than,),
            )
        ]
        for run_id in gone:
            with suppress(OSError):  # What cannot be removed now stays until the next time.
                if is_id(run_id):
                    remove_folder(workspace.run_folder(run_id))
                connection.execute("DELETE FROM run WHERE id = ?", (run_id,))
    return len(gone)


@machine_only
def claim(workspace: Workspace, run_id: str | None = None) -> RunInfo | None:
    """Claim a queued run (or the given one) for this process, if no run is training.

    Persons take turns (`smurf_core.people.fair_queue`); of one person's runs, the oldest is next.
    Returns None if there is nothing to do. Atomic across processes. A queued run that cannot be
    read is marked as failed, so that later ones are trained.
    """
    held = lease(new_id())
    with workspace.transaction() as connection:
        reconcile(connection)
        if connection.execute("SELECT 1 FROM run WHERE status = 'running'").fetchone():
            return None
        waiting = connection.execute(
            "SELECT * FROM run WHERE status = 'queued' AND deleted IS NULL"
            " AND (? IS NULL OR id = ?) ORDER BY rowid",
            (run_id, run_id),
        ).fetchall()
        for entry in broken(waiting, _info):
            connection.execute(
                "UPDATE run SET status = 'failed', finished = ?, error = ? WHERE id = ?",
                (time.time(), entry.reason, entry.id),
            )
        able = readable(waiting, _info)
        if not able:
            return None
        of = {row["id"]: row["person"] for row in waiting}
        served = connection.execute(
            "SELECT person, max(started) FROM run WHERE started IS NOT NULL GROUP BY person"
        )
        claimed = able[next_of([of[run.id] for run in able], dict(map(tuple, served)))].id
        connection.execute(
            "UPDATE run SET status = 'running', started = :now, message = 'starting',"
            " owner = :owner, pid = :pid, pid_started = :pid_started, boot = :boot,"
            " namespace = :namespace, beat = :beat WHERE id = :id",
            {**held, "now": time.time(), "id": claimed},
        )
    return get_run(workspace, claimed)


@machine_only
def owner_of(workspace: Workspace, run_id: str) -> str | None:
    """The token of the worker that has claimed a run; None if none has."""
    with workspace.connect() as connection:
        row = connection.execute("SELECT owner FROM run WHERE id = ?", (run_id,)).fetchone()
    return None if row is None else row["owner"]


@machine_only
def has_work(workspace: Workspace) -> bool:
    """True if a run is queued and none is training."""
    with workspace.connect() as connection:
        reconcile(connection)
        rows = connection.execute(
            "SELECT status FROM run WHERE status IN ('queued', 'running') AND deleted IS NULL"
        ).fetchall()
    states = {row["status"] for row in rows}
    return "queued" in states and "running" not in states


@lru_cache(maxsize=1024)
def _config(text: str) -> RunConfig:
    """The settings in a text. They cannot be changed, so all that ask for a run share them.

    Pages list all runs several times, and reading a run's settings takes a millisecond.
    """
    return RunConfig.from_dict(json.loads(text))


def _info(row: sqlite3.Row) -> RunInfo:
    """The run of a row; raises `InputError` with the reason if it cannot be read."""
    if not is_id(row["id"]):
        raise InputError(f"{row['id']!r} is not an id.")
    return RunInfo(
        id=row["id"],
        study_id=text(row, "study_id"),
        target=text(row, "target"),
        name=text(row, "name"),
        note=text(row, "note"),
        status=choice(row, "status", get_args(Status)),
        config=parsed(row, "config", "Its settings", _config, load=str),
        jobs=or_none(count, row, "jobs"),
        progress=number(row, "progress"),
        message=text(row, "message"),
        error=text(row, "error"),
        device=text(row, "device"),
        created=moment(row, "created"),
        started=or_none(moment, row, "started"),
        finished=or_none(moment, row, "finished"),
        cancel_requested=bool(row["cancel"]),
    )
