"""The layout of a store's database, version by version; `PRAGMA user_version` contains the version.

A store without a version (0) is new, or was written before versions were introduced: the first
migration then adds the tables that are missing. To change the layout, append a function to
`MIGRATIONS` and never edit an older one. `tests/stores` keeps a store of each version.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from smurf_core.errors import InputError

PATIENCE = 60.0  # seconds to wait for other processes that open the same store
LOST = "Study whose entry was lost"

# Table → columns of version 1.
_TABLES = {
    "study": """
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
""",
    "run": """
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
""",
    "curve": """
    run_id TEXT NOT NULL REFERENCES run (id),
    fold INTEGER NOT NULL,
    unit TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    training_objective REAL,
    validation_objective REAL,
    validation_metric REAL
""",
    "scheduler": """
    run_id TEXT PRIMARY KEY REFERENCES run (id),
    address TEXT NOT NULL       -- of the Dask cluster that trains the run
""",
    "media": """
    study_id TEXT PRIMARY KEY REFERENCES study (id),
    settings TEXT NOT NULL      -- JSON object
""",
    "slice": """
    id TEXT PRIMARY KEY,
    study_id TEXT NOT NULL REFERENCES study (id),
    name TEXT NOT NULL,         -- empty: a selection that nobody has named
    origin TEXT NOT NULL,       -- in words: where the selection was made
    count INTEGER NOT NULL,
    sample_ids BLOB NOT NULL,   -- JSON list, compressed by zlib
    created REAL NOT NULL,
    deleted REAL
""",
}


def _version_1(connection: sqlite3.Connection) -> None:
    """The layout of the stores that have no version (commit bb85866 and earlier)."""
    for table, columns in _TABLES.items():
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")


def _version_2(connection: sqlite3.Connection) -> None:
    """Enforce foreign keys: what belongs to a study or a run is removed with it.

    Entries whose study or run is missing are removed. A run without its study's entry is kept,
    because its files contain a result: the study gets an entry that lists show as unreadable.
    """
    connection.execute(
        "INSERT INTO study (id, name, task, origin, samples, modalities, target_name, created,"
        " problems, provenance)"
        " SELECT study_id, ?, '', '', 0, '[]', '', min(created), '[]', '{}' FROM run"
        " WHERE study_id NOT IN (SELECT id FROM study WHERE id IS NOT NULL) GROUP BY study_id",
        (LOST,),
    )
    of_run, of_study = "run_id IN (SELECT id FROM run)", "study_id IN (SELECT id FROM study)"
    kept = {"curve": of_run, "scheduler": of_run, "media": of_study, "slice": of_study}
    for table, old in _TABLES.items():
        columns = old.replace("(id)", "(id) ON DELETE CASCADE")
        columns = columns.replace("PRIMARY KEY", "PRIMARY KEY NOT NULL")
        _rebuild(connection, table, columns, kept.get(table, "TRUE"))
    connection.execute("CREATE INDEX run_of_study ON run (study_id)")
    connection.execute("CREATE INDEX curve_of_run ON curve (run_id)")
    connection.execute("CREATE INDEX slice_of_study ON slice (study_id, name)")


def _version_3(connection: sqlite3.Connection) -> None:
    """Leases of runs (`smurf_core.runs.leases`): who trains a run, and since when."""
    for column in ("owner TEXT", "boot TEXT", "namespace TEXT", "beat REAL"):
        connection.execute(f"ALTER TABLE run ADD COLUMN {column}")


def _version_4(connection: sqlite3.Connection) -> None:
    """Targets of runs: before, every run predicted its study's first target."""
    connection.execute("ALTER TABLE run ADD COLUMN target TEXT NOT NULL DEFAULT ''")
    connection.execute(
        "UPDATE run SET target = coalesce("
        "(SELECT target_name FROM study WHERE study.id = run.study_id), '')"
    )


def _version_5(connection: sqlite3.Connection) -> None:
    """Persons: their roles in studies, who queued a run, and the audit log (no studies needed)."""
    connection.execute(
        "CREATE TABLE member (study_id TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,"
        " person TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (study_id, person))"
    )
    connection.execute("CREATE INDEX member_by_person ON member (person, study_id)")
    connection.execute(
        "CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL,"
        " person TEXT NOT NULL, action TEXT NOT NULL, study_id TEXT NOT NULL,"
        " subject TEXT NOT NULL)"
    )
    connection.execute("ALTER TABLE run ADD COLUMN person TEXT NOT NULL DEFAULT ''")


# The function at position i makes version i + 1 of version i.
MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _version_1, _version_2, _version_3, _version_4, _version_5,
)  # fmt: skip


def prepare(connection: sqlite3.Connection, root: Path) -> None:
    """Bring the database of the store in `root` to this version, and enforce foreign keys.

    This is fast if nothing needs to be done. Several processes may call it at once: one migrates,
    the others wait. Each migration is one transaction, so a process that is killed in the middle
    leaves the store as it was. Raises `InputError` if the store is from a later version.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if _version(connection) != len(MIGRATIONS):
                _migrate(connection, root)
            # A study or run that was shown as stored must not be lost in a power cut.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.OperationalError as error:
            # SQLite does not wait if two processes wait for each other.
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
            is_busy = code & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _migrate(connection: sqlite3.Connection, root: Path) -> None:
    connection.execute(
        "PRAGMA foreign_keys = OFF"
    )  # A table that is rebuilt is missing for a moment.
    connection.execute("PRAGMA journal_mode = WAL")
    while (version := _version(connection)) != len(MIGRATIONS):
        if not 0 <= version < len(MIGRATIONS):
            raise InputError(
                f"The store in {root} was written by a later version of SMURF Studio (store "
                f"version {version}, this program reads up to {len(MIGRATIONS)}): install the "
                "latest version, or set SMURF_HOME to another folder."
            )
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been faster.
            if _version(connection) == version:
                MIGRATIONS[version](connection)
                connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _rebuild(connection: sqlite3.Connection, table: str, columns: str, keep: str) -> None:
    """Replace a table with one that has these columns and the rows to keep, in their order.

    The steps are those of https://www.sqlite.org/lang_altertable.html, section 7.
    """
    connection.execute(f"CREATE TABLE new_{table} ({columns})")
    found = connection.execute(f"PRAGMA table_info(new_{table})").fetchall()
    names = ", ".join(column[1] for column in found)
    # A NULL key is not valid: version 1 allowed it, but nothing ever wrote it.
    connection.execute(
        f"INSERT OR IGNORE INTO new_{table} ({names})"  # noqa: S608 (names from this file)
        f" SELECT {names} FROM {table} WHERE {keep} ORDER BY rowid"
    )
    connection.execute(f"DROP TABLE {table}")
    connection.execute(f"ALTER TABLE new_{table} RENAME TO {table}")
