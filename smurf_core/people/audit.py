"""The audit log: which person changed what, and when; it names no sample and no content."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass

from smurf_core.people.person import Person

KEPT = 100_000  # entries; older ones are removed


@dataclass(frozen=True)
class Entry:
    """One line of the log; `time` is in seconds since 1970, UTC."""

    time: float
    person: str  # empty: the machine's own
    action: str
    study_id: str
    subject: str  # the run or slice, or the person with whom a study was shared


def record(
    connection: sqlite3.Connection, person: Person, action: str, study_id: str, subject: object
) -> None:
    """Add an entry."""
    detail = "" if subject == study_id else str(subject)[:300]
    cursor = connection.execute(
        "INSERT INTO audit (time, person, action, study_id, subject) VALUES (?, ?, ?, ?, ?)",
        (time.time(), person.name, action, study_id, detail),
    )
    connection.execute("DELETE FROM audit WHERE id <= ?", ((cursor.lastrowid or 0) - KEPT,))


def entries(connection: sqlite3.Connection, study_id: str | None, newest: int) -> list[Entry]:
    """The newest entries, of one study or of all, the newest first."""
    rows = connection.execute(
        "SELECT time, person, action, study_id, subject FROM audit"
        " WHERE ? IS NULL OR study_id = ? ORDER BY id DESC LIMIT ?",
        (study_id, study_id, newest),
    ).fetchall()
    return [Entry(*tuple(row)) for row in rows]
