"""`smurf doctor`: is everything in a workspace as it was written, and what can be corrected?

Repairs lose nothing. What does not belong, or cannot be used, is moved to `lost+found` with its
path, where the user may look at it or delete it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from smurf_core import __version__
from smurf_core.data.storage import read_dataset
from smurf_core.durable import is_abandoned
from smurf_core.errors import InputError
from smurf_core.from_recordings.jobs import JobFolder, changed, folder_of, is_running
from smurf_core.people.guard import machine_only
from smurf_core.runs.files import RunFiles
from smurf_core.runs.forgetting import finish_forgetting, unfinished_removals
from smurf_core.runs.leases import is_alive
from smurf_core.runs.migrations import MIGRATIONS
from smurf_core.runs.store import list_broken_runs
from smurf_core.runs.studies import list_broken_studies, recover_studies, removal_file
from smurf_core.runs.workspace import Workspace, is_id

LOST = "lost+found"
_ROOM = 1e9  # bytes that should be free
_OLD = 3600.0  # seconds after which nobody is still making a folder
_FORGOTTEN = 7 * 24 * 3600.0  # seconds after which an extraction counts as left
_BACKUP = "Restore it from a backup (`smurf restore`), or delete it."


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be."""

    where: str  # a path within the workspace, or a run or study
    what: str  # one sentence
    remedy: str  # what the user, or --repair, can do
    done: str = ""  # what a repair did
    correct: Callable[[], str] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Examination:
    """What an examination found."""

    facts: tuple[str, ...]  # version, space and numbers, one sentence each
    problems: tuple[Problem, ...]


@machine_only
def examine(workspace: Workspace, *, repair: bool = False) -> Examination:
    """Check databases, checksums, leases, what belongs to nothing, and the disk.

    Without `repair`, nothing is changed. Raises `InputError` if there is no workspace.
    """
    if not workspace.database.is_file():
        raise InputError(f"There are no studies in {workspace.root}: nothing to check.")
    lost = workspace.root / LOST / time.strftime("%Y%m%d-%H%M%S")
    version, problems = _databases(workspace)
    if not problems:  # Nothing else can be judged without the store.
        if version == len(MIGRATIONS):
            problems += _leases(workspace)
            removals = [_removal(workspace, study) for study in unfinished_removals(workspace)]
            if repair:  # First: what is half removed can be judged afterwards.
                problems, removals = [_corrected(p) for p in (*problems, *removals)], []
            problems += removals
            problems += _entries(workspace)
            if not removals:
                problems += _runs(workspace, lost)
                problems += _studies(workspace)
            problems += _left_over(workspace, lost)
            problems += _extractions(workspace, lost)
        else:
            problems.append(_other_version(workspace, version))
    free = shutil.disk_usage(workspace.root).free
    if free < _ROOM:
        what = f"Only {free / 1e9:.2f} GB of the disk are free."
        remedy = "Free some space: a training on a full disk fails."
        problems.append(Problem(str(workspace.root), what, remedy))
    facts = (
        f"Workspace {workspace.root}, store version {version}, SMURF Studio {__version__}.",
        f"{free / 1e9:.1f} GB of the disk are free.",
    )
    if repair:
        problems = [_corrected(problem) for problem in problems]
    return Examination(facts, tuple(problems))


def _other_version(workspace: Workspace, version: int) -> Problem:
    known = len(MIGRATIONS)
    what = f"The store has version {version}; this program uses {known}."
    remedy = "Install the latest version."
    if version < known:
        remedy = "Open it once with this program (`smurf studies`), then check again."
    return Problem(workspace.database.name, what, remedy)


def _corrected(problem: Problem) -> Problem:
    if problem.correct is None or problem.done:
        return problem
    try:
        return replace(problem, done=problem.correct())
    except (OSError, InputError) as error:
        return replace(problem, remedy=f"The repair failed: {error}")


def _databases(workspace: Workspace) -> tuple[int, list[Problem]]:
    """The store's version, and every SQLite file that is damaged."""
    version, problems = 0, []
    found = sorted(workspace.root.glob("studies/*/ratings/*/*.sqlite"))
    for path in (workspace.database, *found):
        try:
            address = f"{path.resolve().as_uri()}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=20)) as connection:
                said = connection.execute("PRAGMA integrity_check").fetchone()[0]
                loose = connection.execute("PRAGMA foreign_key_check").fetchall()
                if path == workspace.database:
                    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        except sqlite3.Error as error:
            said, loose = str(error), []
        name = str(path.relative_to(workspace.root))
        if said != "ok":
            problems.append(Problem(name, f"The database is damaged: {said[:80]}.", _BACKUP))
        elif loose and (path != workspace.database or version >= 2):
            what = f"{len(loose)} entries belong to nothing."
            problems.append(Problem(name, what, _BACKUP))
    return version, problems


def _leases(workspace: Workspace) -> Iterator[Problem]:
    for row in _rows(workspace, "SELECT * FROM run WHERE status = 'running'"):
        if not is_alive(row):
            yield Problem(
                f"run {row['id']}", "It is called running, but its worker is gone.",
                "--repair calls it crashed: then it can be resumed.",
                correct=partial(_reconciled, workspace),
            )  # fmt: skip


def _removal(workspace: Workspace, study_id: str) -> Problem:
    def complete() -> str:
        finish_forgetting(workspace)
        return "Completed."

    return Problem(
        f"study {study_id}", "Removing samples from it (`smurf forget`) was cut off.",
        "--repair completes it.", correct=complete,
    )  # fmt: skip


def _reconciled(workspace: Workspace) -> str:
    list_broken_runs(workspace)  # Whoever lists runs marks those without a worker.
    return "Called crashed; resume it to continue."


def _entries(workspace: Workspace) -> Iterator[Problem]:
    for kind, entries in (
        ("study", list_broken_studies(workspace)), ("run", list_broken_runs(workspace)),
    ):  # fmt: skip
        for entry in entries:
            yield Problem(f"{kind} {entry.id}", entry.reason, "Delete it in the app.")


def _runs(workspace: Workspace, lost: Path) -> Iterator[Problem]:
    rows = _rows(workspace, "SELECT id, status FROM run WHERE status != 'running'")
    for run_id, status in ((row["id"], row["status"]) for row in rows):
        if not is_id(run_id):
            continue  # Listed as an entry that cannot be read.
        files = RunFiles.of(workspace, run_id)
        damaged = files.damaged()
        if status == "finished":
            try:
                files.read_result()
            except InputError as error:
                yield Problem(
                    f"run {run_id}", str(error),
                    "--repair moves what is damaged to lost+found: then the run can be resumed.",
                    correct=partial(_reopened, workspace, run_id, damaged, lost),
                )  # fmt: skip
                continue
        for path in damaged:
            yield Problem(
                str(path.relative_to(workspace.root)), "It cannot be used (damaged, or foreign).",
                "--repair moves it to lost+found; a resumed run makes it again.",
                correct=partial(_moved, workspace, [path], lost),
            )  # fmt: skip


def _reopened(workspace: Workspace, run_id: str, damaged: list[Path], lost: Path) -> str:
    """Move a finished run's damaged files away, and let it be resumed from the others."""
    result = workspace.run_folder(run_id) / "result.json"
    done = _moved(workspace, [path for path in (result, *damaged) if path.exists()], lost)
    with workspace.transaction() as connection:
        connection.execute(
            "UPDATE run SET status = 'crashed', error = ? WHERE id = ? AND status = 'finished'",
            ("Its result was damaged; resume the run to make it again.", run_id),
        )
    return f"{done} Resume the run."


def _studies(workspace: Workspace) -> Iterator[Problem]:
    for row in _rows(workspace, "SELECT id, deleted FROM study"):
        is_removed = row["deleted"] is not None and not _is_there(workspace, row["id"])
        if is_id(row["id"]) and not is_removed:
            try:
                read_dataset(workspace.study_folder(row["id"]))
            except InputError as error:
                yield Problem(f"study {row['id']}", str(error), _BACKUP)


def _is_there(workspace: Workspace, study_id: str) -> bool:
    """False if a deleted study's files are gone, and only its entry waits to be removed."""
    return is_id(study_id) and workspace.study_folder(study_id).exists()


def _left_over(workspace: Workspace, lost: Path) -> Iterator[Problem]:
    """Temporary files of what was cut off, and folders of studies and runs without an entry."""
    for folder, names, files in os.walk(workspace.root):
        if Path(folder) == workspace.root:
            names[:] = [name for name in names if name not in (LOST, "uploads")]
        for name in (*names, *files):
            path = Path(folder) / name
            if is_abandoned(path):
                yield _orphan(workspace, path, "It was being written when a program ended.", lost)
        names[:] = [name for name in names if not name.startswith(".")]
    # A restore writes beside the workspace.
    for path in workspace.root.parent.glob(f".{workspace.root.name}.*"):
        if is_abandoned(path):
            yield _orphan(workspace, path, "It was being restored when a program ended.", lost)
    for table, place in (("run", "runs"), ("study", "studies")):
        known = {row["id"] for row in _rows(workspace, f"SELECT id FROM {table}")}  # noqa: S608
        for path in sorted((workspace.root / place).glob("[!.]*")):
            if path.name in known or not path.is_dir() or not _is_old(path):
                continue
            if table == "study" and _is_complete(path):
                yield Problem(
                    str(path.relative_to(workspace.root)), "A data set without an entry.",
                    "--repair lists it as a study again.",
                    correct=partial(_adopted, workspace),
                )  # fmt: skip
            else:
                yield _orphan(workspace, path, f"A folder that belongs to no {table}.", lost)


def _extractions(workspace: Workspace, lost: Path) -> Iterator[Problem]:
    """Extractions that cannot be read, and those that nobody continued or made a study of."""
    for path in sorted(folder_of(workspace).glob("[!.]*")):
        found = JobFolder(path)
        try:
            found.job()
        except InputError:
            if _is_old(path):
                yield _orphan(workspace, path, "An extraction that cannot be read.", lost)
            continue
        age = time.time() - changed(found)
        if age > _FORGOTTEN and not is_running(found):
            what = f"An extraction that was left {age / 86_400:.0f} days ago, with its recordings."
            yield replace(
                _orphan(workspace, path, what, lost),
                remedy="Continue, import or delete it on Study; --repair moves it to lost+found.",
            )


def _is_complete(path: Path) -> bool:
    try:
        read_dataset(path)
    except InputError:
        return False
    return is_id(path.name)


def _adopted(workspace: Workspace) -> str:
    return f"Listed again: {', '.join(recover_studies(workspace, older_than=_OLD)) or 'already'}."


def _orphan(workspace: Workspace, path: Path, what: str, lost: Path) -> Problem:
    if path.parent == removal_file(workspace, "").parent:  # It names whom to forget.
        return Problem(
            _within(workspace, path), what, "--repair deletes it.", correct=partial(_deleted, path)
        )
    return Problem(
        _within(workspace, path), what, "--repair moves it to lost+found.",
        correct=partial(_moved, workspace, [path], lost),
    )  # fmt: skip


def _deleted(path: Path) -> str:
    path.unlink()
    return "Deleted."


def _moved(workspace: Workspace, paths: list[Path], lost: Path) -> str:
    for path in paths:
        to = lost / _within(workspace, path)
        to.parent.mkdir(parents=True, exist_ok=True)
        os.rename(path, to)
    names = ", ".join(path.name for path in paths) or "nothing"
    return f"Moved to {lost.relative_to(workspace.root)}: {names}."


def _within(workspace: Workspace, path: Path) -> str:
    """A path in the workspace; of what is beside it, the name."""
    is_inside = path.is_relative_to(workspace.root)
    return str(path.relative_to(workspace.root)) if is_inside else path.name


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > _OLD


def _rows(workspace: Workspace, query: str) -> list[sqlite3.Row]:
    """Rows of the store, without marking runs whose worker is gone."""
    with workspace.connect() as connection:
        return connection.execute(query).fetchall()
