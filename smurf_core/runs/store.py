"""Runs: what was asked, how far it is, and how it ended. One run trains at a time."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import psutil

from smurf_core.configuration import MODEL_TITLES, RunConfig
from smurf_core.errors import InputError
from smurf_core.runs.studies import get_study
from smurf_core.runs.workspace import Workspace, new_id

Status = Literal["queued", "running", "finished", "failed", "cancelled", "crashed"]
ACTIVE: tuple[Status, ...] = ("queued", "running")


@dataclass(frozen=True)
class RunInfo:
    """What a list of runs shows of one. Times are seconds since 1970, UTC."""

    id: str
    study_id: str
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
        """Whether it trains, or waits to."""
        return self.status in ACTIVE

    @property
    def is_finished(self) -> bool:
        """True if the run came to its end and has a result."""
        return self.status == "finished"


def create_run(
    workspace: Workspace,
    study_id: str,
    config: RunConfig,
    *,
    name: str = "",
    jobs: int | None = None,
    scheduler: str = "",
) -> str:
    """Put a run into the queue and return its id; `launch` starts a worker for it.

    `jobs` processes of this machine train it, or the Dask cluster whose `scheduler` is named.
    """
    get_study(workspace, study_id)
    run_id = new_id()
    model = MODEL_TITLES[config.model].removesuffix(" (extension)")  # Lists are narrow.
    title = name.strip() or f"{model}, {config.preset}"
    with workspace.connect() as connection:
        connection.execute(
            "INSERT INTO run (id, study_id, name, status, config, jobs, created)"
            " VALUES (?, ?, ?, 'queued', ?, ?, ?)",
            (run_id, study_id, title, json.dumps(config.to_dict()), jobs, time.time()),
        )
        if scheduler:
            connection.execute("INSERT INTO scheduler VALUES (?, ?)", (run_id, scheduler))
    return run_id


def get_run(workspace: Workspace, run_id: str) -> RunInfo:
    """One run as it is now; raises `InputError` where there is none."""
    with workspace.connect() as connection:
        reconcile(connection)
        row = connection.execute(
            "SELECT * FROM run WHERE id = ? AND deleted IS NULL", (run_id,)
        ).fetchone()
    if row is None:
        raise InputError(f"There is no run {run_id!r}; `smurf runs` lists those there are.")
    return _info(row)


def scheduler_of(workspace: Workspace, run_id: str) -> str | None:
    """Address of the Dask scheduler that a run is to be trained by; nothing: this machine."""
    with workspace.connect() as connection:
        row = connection.execute(
            "SELECT address FROM scheduler WHERE run_id = ?", (run_id,)
        ).fetchone()
    return None if row is None else str(row["address"])


def list_runs(workspace: Workspace, study_id: str | None = None) -> list[RunInfo]:
    """All runs that are not deleted, of one study or of all, newest first."""
    with workspace.connect() as connection:
        reconcile(connection)
        rows = connection.execute(
            "SELECT * FROM run WHERE deleted IS NULL AND (? IS NULL OR study_id = ?)"
            " ORDER BY created DESC, rowid DESC",
            (study_id, study_id),
        ).fetchall()
    return [_info(row) for row in rows]


def finished_runs(workspace: Workspace, study_id: str | None = None) -> list[RunInfo]:
    """The runs that have a result, of one study or of all, newest first."""
    return [run for run in list_runs(workspace, study_id) if run.is_finished]


def curves(workspace: Workspace, run_id: str) -> pd.DataFrame:
    """What the worker reported so far, in the order in which it came.

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


def request_cancel(workspace: Workspace, run_id: str) -> None:
    """Ask a run to stop: at once if it waits, within moments if it trains."""
    with workspace.connect() as connection:
        connection.execute("UPDATE run SET cancel = 1 WHERE id = ?", (run_id,))
        connection.execute(
            "UPDATE run SET status = 'cancelled', finished = ? WHERE id = ? AND status = 'queued'",
            (time.time(), run_id),
        )


def resume_run(workspace: Workspace, run_id: str) -> None:
    """Queue a stopped run again; it goes on from its finished units."""
    if get_run(workspace, run_id).status in (*ACTIVE, "finished"):
        raise InputError("Only a cancelled, failed or crashed run can be resumed.")
    with workspace.connect() as connection:
        connection.execute(
            "UPDATE run SET status = 'queued', cancel = 0, error = '', message = '',"
            " finished = NULL, pid = NULL WHERE id = ?",
            (run_id,),
        )


def rename_run(workspace: Workspace, run_id: str, name: str) -> None:
    """Give a run another name."""
    if not name.strip():
        raise InputError("A run needs a name: type at least one letter.")
    with workspace.connect() as connection:
        connection.execute("UPDATE run SET name = ? WHERE id = ?", (name.strip(), run_id))


def annotate_run(workspace: Workspace, run_id: str, note: str) -> None:
    """Keep a note with a run."""
    with workspace.connect() as connection:
        connection.execute("UPDATE run SET note = ? WHERE id = ?", (note, run_id))


def delete_run(workspace: Workspace, run_id: str) -> None:
    """Take a run out of the list (and stop it); `restore_run` brings it back until purged."""
    request_cancel(workspace, run_id)
    with workspace.connect() as connection:
        connection.execute("UPDATE run SET deleted = ? WHERE id = ?", (time.time(), run_id))


def restore_run(workspace: Workspace, run_id: str) -> None:
    """Undo `delete_run`."""
    with workspace.connect() as connection:
        connection.execute("UPDATE run SET deleted = NULL WHERE id = ?", (run_id,))


def purge_runs(workspace: Workspace, *, older_than: float) -> int:
    """Remove runs that were deleted more than `older_than` seconds ago, files included."""
    with workspace.connect() as connection:
        gone = [
            row["id"]
            for row in connection.execute(
                "SELECT id FROM run WHERE deleted < ? AND status != 'running'",
                (time.time() - older_than,),
            )
        ]
        for run_id in gone:
            shutil.rmtree(workspace.run_folder(run_id), ignore_errors=True)
            connection.execute("DELETE FROM curve WHERE run_id = ?", (run_id,))
            connection.execute("DELETE FROM scheduler WHERE run_id = ?", (run_id,))
            connection.execute("DELETE FROM run WHERE id = ?", (run_id,))
    return len(gone)


def claim(workspace: Workspace, run_id: str | None = None) -> RunInfo | None:
    """Take the oldest queued run (or the one named) for this process, if none is training.

    Returns nothing where there is nothing to do. Atomic over processes.
    """
    me = psutil.Process()
    with workspace.connect() as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            reconcile(connection)
            busy = connection.execute("SELECT 1 FROM run WHERE status = 'running'").fetchone()
            row = connection.execute(
                "SELECT * FROM run WHERE status = 'queued' AND deleted IS NULL"
                " AND (? IS NULL OR id = ?) ORDER BY created, rowid LIMIT 1",
                (run_id, run_id),
            ).fetchone()
            if busy or row is None:
                return None
            connection.execute(
                "UPDATE run SET status = 'running', started = ?, pid = ?, pid_started = ?,"
                " message = 'starting' WHERE id = ?",
                (time.time(), me.pid, me.create_time(), row["id"]),
            )
        finally:
            connection.execute("COMMIT")
    return get_run(workspace, row["id"])


def has_work(workspace: Workspace) -> bool:
    """Whether a run is queued and none is training."""
    with workspace.connect() as connection:
        reconcile(connection)
        rows = connection.execute(
            "SELECT status FROM run WHERE status IN ('queued', 'running') AND deleted IS NULL"
        ).fetchall()
    states = {row["status"] for row in rows}
    return "queued" in states and "running" not in states


def reconcile(connection: sqlite3.Connection) -> None:
    """Call a run crashed whose process is gone, so that nothing waits for it."""
    for row in connection.execute(
        "SELECT id, pid, pid_started FROM run WHERE status = 'running'"
    ).fetchall():
        if not _is_alive(row["pid"], row["pid_started"]):
            connection.execute(
                "UPDATE run SET status = 'crashed', finished = ?, error = ? WHERE id = ?"
                " AND status = 'running' AND pid = ?",
                (
                    time.time(),
                    "The worker process ended without a word (killed, or the machine ran out of "
                    "memory); resume the run to go on from its finished work.",
                    row["id"],
                    row["pid"],
                ),
            )


def _is_alive(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < 1
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _info(row: sqlite3.Row) -> RunInfo:
    return RunInfo(
        id=row["id"],
        study_id=row["study_id"],
        name=row["name"],
        note=row["note"],
        status=row["status"],
        config=RunConfig.from_dict(json.loads(row["config"])),
        jobs=row["jobs"],
        progress=row["progress"],
        message=row["message"],
        error=row["error"],
        device=row["device"],
        created=row["created"],
        started=row["started"],
        finished=row["finished"],
        cancel_requested=bool(row["cancel"]),
    )
