"""Reads and writes single rows of a collection's file, inside the transactions of `store`."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from dataclasses import dataclass
from functools import lru_cache

from smurf_core.errors import InputError
from smurf_core.ratings.answers import answer_fields
from smurf_core.ratings.assignment import Plan
from smurf_core.ratings.design import Design, parse_design

# Raters whose answers count.
VALID = "consented IS NOT NULL AND withdrawn IS NULL AND excluded IS NULL"


@dataclass(frozen=True)
class DesignVersion:
    """A version of a collection's design, with the clips that it chose."""

    number: int  # from 1
    design: Design
    clips: tuple[str, ...]

    @property
    def plan(self) -> Plan:
        """The blocks of this version."""
        return Plan.of(self.design, self.clips)


def wanted_answer(design: Design, condition: str, wanted: float | None) -> dict[str, float] | None:
    """The answer that an attention item asks for: an end of the first field; None for others."""
    if wanted is None:
        return None
    first = answer_fields(design, condition)[0]
    return {first.key: first.high if wanted > 0.5 else first.low}


def version_of(connection: sqlite3.Connection, number: int | None = None) -> DesignVersion:
    """A version of the design, the newest for None; raises `InputError` if there is none."""
    row = connection.execute(
        "SELECT * FROM design WHERE ? IS NULL OR version = ? ORDER BY version DESC LIMIT 1",
        (number, number),
    ).fetchone()
    if row is None:
        raise InputError(f"There is no version {number} of this design.")
    return parsed_version(row)


def parsed_version(row: sqlite3.Row) -> DesignVersion:
    """The version in a row of the table of designs."""
    return DesignVersion(row["version"], _design(row["yaml"]), tuple(json.loads(row["clips"])))


@lru_cache(maxsize=64)
def _design(text: str) -> Design:
    return parse_design(text, "The design of this collection")


def token_hash(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def find_rater(connection: sqlite3.Connection, token: str) -> sqlite3.Row | None:
    """The row of the rater with this token, or None."""
    found: sqlite3.Row | None = connection.execute(
        "SELECT * FROM rater WHERE token_hash = ?", (token_hash(token),)
    ).fetchone()
    return found


def known_rater(connection: sqlite3.Connection, token: str) -> sqlite3.Row:
    """The row of the rater with this token; raises `InputError` if there is none."""
    found = find_rater(connection, token)
    if found is None:
        raise InputError("This link is not valid: ask the person who sent it for another one.")
    return found


def require_rater(connection: sqlite3.Connection, rater: int) -> None:
    """Raise `InputError` if there is no such rater, or they withdrew."""
    if not connection.execute(
        "SELECT 1 FROM rater WHERE id = ? AND withdrawn IS NULL", (rater,)
    ).fetchone():
        raise InputError(f"There is no rater {rater} in this collection, or they withdrew.")


def require_open(connection: sqlite3.Connection) -> None:
    """Raise `InputError` unless raters can begin and answer."""
    row = connection.execute("SELECT value FROM fact WHERE name = 'is_open'").fetchone()
    if row["value"] != "1":
        raise InputError(
            "This collection is closed; ask the person who sent the link to open it again."
        )


def item_row(
    connection: sqlite3.Connection, rater: int, position: int, clip: str | None = None
) -> sqlite3.Row:
    """The row of an item; raises `InputError` if the rater has none, or one of another clip."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM item WHERE rater = ? AND position = ?", (rater, position)
    ).fetchone()
    if row is None:
        raise InputError(f"There is no item {position} in your list: load the page again.")
    if clip is not None and row["clip"] != clip:
        raise InputError("This answer is of another clip: load the page again.")
    return row


def next_position(connection: sqlite3.Connection, rater: int) -> int | None:
    """The position of the first item without an answer, or None."""
    found: int | None = connection.execute(
        "SELECT min(item.position) FROM item LEFT JOIN answer USING (rater, position)"
        " WHERE item.rater = ? AND answer.position IS NULL",
        (rater,),
    ).fetchone()[0]
    return found


def record(
    connection: sqlite3.Connection, what: str, rater: int | None = None, why: str = ""
) -> None:
    """Record an act in the same transaction."""
    connection.execute(
        "INSERT INTO act (time, what, rater, why) VALUES (?, ?, ?, ?)",
        (time.time(), what, rater, why.strip()),
    )
