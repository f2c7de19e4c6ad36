"""The SQLite file of one collection: its layout, and connections that lose nothing.

A collection has a file of its own, so that many raters who save at once never wait for training,
and so that it can be copied or deleted alone. Names and contacts are in a second file, which no
export reads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smurf_core.errors import InputError
from smurf_core.runs.disk import disk_error

LAYOUT = 2  # PRAGMA user_version; a change of the tables is an entry of `_UPGRADES`
_PATIENCE = 20.0  # seconds to wait for other writers

_TRACES = """
CREATE TABLE trace (             -- rows are added, never changed
    rater INTEGER NOT NULL,
    position INTEGER NOT NULL,
    take TEXT NOT NULL,          -- one play of the clip, drawn by the page
    sequence INTEGER NOT NULL,   -- of the chunk, from 0
    length REAL NOT NULL,        -- of the clip, seconds
    samples BLOB NOT NULL,       -- pairs of time (s) and value, float64, little-endian
    saved REAL NOT NULL,         -- seconds since 1970, UTC
    PRIMARY KEY (rater, position, take, sequence),
    FOREIGN KEY (rater, position) REFERENCES item (rater, position) ON DELETE CASCADE
);
"""
# Layout → what makes the next one of the answers' file; the names' file has not changed.
_UPGRADES = {1: _TRACES}
_TABLES = """
CREATE TABLE fact (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
CREATE TABLE design (
    version INTEGER PRIMARY KEY NOT NULL,
    fingerprint TEXT NOT NULL,
    yaml TEXT NOT NULL,
    clips TEXT NOT NULL,         -- JSON list
    created REAL NOT NULL        -- seconds since 1970, UTC
);
CREATE TABLE rater (
    id INTEGER PRIMARY KEY NOT NULL,
    token_hash TEXT UNIQUE,      -- SHA-256, NULL once withdrawn
    invited REAL NOT NULL,
    consented REAL,              -- NULL: has not begun
    version INTEGER REFERENCES design (version),
    slot INTEGER,                -- NULL: takes over what others left
    left REAL,
    withdrawn REAL,
    excluded REAL
);
CREATE TABLE item (
    rater INTEGER NOT NULL REFERENCES rater (id),
    position INTEGER NOT NULL,   -- from 0
    kind TEXT NOT NULL,
    clip TEXT NOT NULL,
    condition TEXT NOT NULL,
    wanted REAL,                 -- attention: the end that is asked for, 0 or 1
    PRIMARY KEY (rater, position)
);
CREATE TABLE answer (
    rater INTEGER NOT NULL,
    position INTEGER NOT NULL,
    answers TEXT NOT NULL,       -- JSON object: key of a field → number
    revision INTEGER NOT NULL,   -- the higher one is kept
    saved REAL NOT NULL,         -- seconds since 1970, UTC
    seconds REAL,                -- from the end of the first play to the answer
    plays INTEGER,
    PRIMARY KEY (rater, position),
    FOREIGN KEY (rater, position) REFERENCES item (rater, position) ON DELETE CASCADE
);
CREATE TABLE act (
    id INTEGER PRIMARY KEY NOT NULL,
    time REAL NOT NULL,
    what TEXT NOT NULL,
    rater INTEGER,
    why TEXT NOT NULL DEFAULT ''
);
"""
_TABLES += _TRACES
_IDENTITIES = """
CREATE TABLE identity (
    rater INTEGER PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    contact TEXT NOT NULL
);
"""


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the answers of a collection; each statement is committed and on the disk."""
    with _opened(path, _TABLES) as connection:
        yield connection


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection whose statements are committed all or not at all; other writers wait."""
    with connected(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        # After an error, the connection is closed without a commit, which undoes everything.
        connection.execute("COMMIT")


@contextmanager
def identities(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to the names and contacts of raters."""
    with _opened(path, _IDENTITIES) as connection:
        yield connection


def purge_traces(path: Path) -> None:
    """Remove what was deleted from SQLite's log, also."""
    with connected(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _opened(path: Path, tables: str) -> Iterator[sqlite3.Connection]:
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        connection.row_factory = sqlite3.Row
        _prepare(connection, path, tables)
        yield connection
    except (OSError, sqlite3.Error) as error:
        if sentence := disk_error(error, path.parent):
            raise sentence from error
        if isinstance(error, sqlite3.DatabaseError) and type(error) is sqlite3.DatabaseError:
            raise InputError(
                f"The ratings in {path} cannot be read ({error}): restore the file from a backup."
            ) from error
        raise
    finally:
        if connection is not None:
            connection.close()


def _prepare(connection: sqlite3.Connection, path: Path, tables: str) -> None:
    # An answer that was acknowledged must not be lost in a power cut, nor a deleted one stay.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    version = _version(connection)
    if version < LAYOUT:
        if version == 0:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        version = _version(connection)  # Another process may have been faster.
        steps = [tables] if version == 0 else []
        if version and tables == _TABLES:
            steps = [_UPGRADES[layout] for layout in range(version, LAYOUT)]
        for statement in (one for step in steps for one in step.split(";")):
            connection.execute(statement)
        if version < LAYOUT:
            connection.execute(f"PRAGMA user_version = {LAYOUT}")
        connection.execute("COMMIT")
    elif version > LAYOUT:
        raise InputError(
            f"The ratings in {path} were written by a later version of SMURF Studio: install the "
            "latest version."
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
