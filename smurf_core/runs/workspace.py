"""Where studies and runs are kept: one folder with a database and a folder each."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

HOME_VARIABLE = "SMURF_HOME"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS study (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    task TEXT NOT NULL,
    origin TEXT NOT NULL,
    samples INTEGER NOT NULL,
    modalities TEXT NOT NULL,   -- JSON list
    target_name TEXT NOT NULL,
    created REAL NOT NULL,      -- seconds since 1970, UTC
    problems TEXT NOT NULL,     -- JSON list
    provenance TEXT NOT NULL,   -- JSON object
    deleted REAL
);
CREATE TABLE IF NOT EXISTS run (
    id TEXT PRIMARY KEY,
    study_id TEXT NOT NULL REFERENCES study (id),
    name TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL,
    config TEXT NOT NULL,       -- JSON object
    jobs INTEGER,               -- processes that share the work; NULL: all cores
    progress REAL NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    device TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL,
    started REAL,
    finished REAL,
    cancel INTEGER NOT NULL DEFAULT 0,
    pid INTEGER,
    pid_started REAL,           -- creation time of the process: a reused pid is another process
    deleted REAL
);
CREATE TABLE IF NOT EXISTS curve (
    run_id TEXT NOT NULL REFERENCES run (id),
    fold INTEGER NOT NULL,
    unit TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    training_objective REAL,
    validation_objective REAL,
    validation_metric REAL
);
CREATE TABLE IF NOT EXISTS scheduler (
    run_id TEXT PRIMARY KEY REFERENCES run (id),
    address TEXT NOT NULL       -- of the Dask cluster that trains the run
);
CREATE TABLE IF NOT EXISTS media (
    study_id TEXT PRIMARY KEY REFERENCES study (id),
    settings TEXT NOT NULL      -- JSON object
);
CREATE INDEX IF NOT EXISTS curve_of_run ON curve (run_id);
CREATE TABLE IF NOT EXISTS slice (
    id TEXT PRIMARY KEY,
    study_id TEXT NOT NULL REFERENCES study (id),
    name TEXT NOT NULL,         -- empty: a selection that nobody has named
    origin TEXT NOT NULL,       -- in words: where the selection was made
    count INTEGER NOT NULL,
    sample_ids BLOB NOT NULL,   -- JSON list, compressed by zlib
    created REAL NOT NULL,
    deleted REAL
);
CREATE INDEX IF NOT EXISTS slice_of_study ON slice (study_id, name);
"""

_ID = re.compile(r"[a-z0-9]{1,32}")


def new_id() -> str:
    """A new name for a study or run: never made from what a user typed."""
    return uuid4().hex[:12]


@dataclass(frozen=True)
class Workspace:
    """One folder of studies and runs; safe to use from several processes at once."""

    root: Path

    @classmethod
    def default(cls) -> Workspace:
        """The user's workspace: the folder SMURF_HOME, or `~/.smurf-studio`."""
        return cls(Path(os.environ.get(HOME_VARIABLE) or Path.home() / ".smurf-studio"))

    @property
    def database(self) -> Path:
        """The SQLite file with studies, runs, progress and curves."""
        return self.root / "smurf.sqlite"

    def study_folder(self, study_id: str) -> Path:
        """Where a study's data set lies; raises `ValueError` for what is no id."""
        return self.root / "studies" / _checked(study_id)

    def run_folder(self, run_id: str) -> Path:
        """Where a run's files lie; raises `ValueError` for what is no id."""
        return self.root / "runs" / _checked(run_id)

    def has_seen(self, what: str) -> bool:
        """Whether `mark_seen` was called for this: a tour that is not shown twice."""
        return (self.root / "seen" / _checked(what)).exists()

    def mark_seen(self, what: str) -> None:
        """Remember, for everybody who uses this workspace, that something was shown."""
        path = self.root / "seen" / _checked(what)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    @contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own for one piece of work; every statement commits by itself."""
        self.root.mkdir(parents=True, exist_ok=True)
        is_new = not self.database.exists()
        connection = sqlite3.connect(self.database, timeout=20, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            if is_new:
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_SCHEMA)
            yield connection
        finally:
            connection.close()


def _checked(identifier: str) -> str:
    if not _ID.fullmatch(identifier):
        raise ValueError(f"{identifier!r} is no id of a study or run.")
    return identifier
