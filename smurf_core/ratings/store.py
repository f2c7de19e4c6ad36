"""One collection of ratings: raters, what they are to rate, and their answers.

Every method is one transaction on the collection's file and may be called from several processes.
An answer is on the disk when `save` returns; saving it again changes nothing.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from smurf_core.errors import InputError
from smurf_core.ratings.answers import (
    AnswerField,
    ItemKind,
    checked_answer,
    item_fields,
    traced_scale,
)
from smurf_core.ratings.assignment import Cell, next_cells, rater_items
from smurf_core.ratings.database import connected, identities, purge_traces, transaction
from smurf_core.ratings.design import Design, Scale, design_text
from smurf_core.ratings.rows import (
    VALID,
    DesignVersion,
    find_rater,
    item_row,
    known_rater,
    next_position,
    parsed_version,
    record,
    require_open,
    require_rater,
    token_hash,
    version_of,
    wanted_answer,
)
from smurf_core.ratings.traces.chunks import complete_take

_ANSWERS, _IDENTITIES = "ratings.sqlite", "identities.sqlite"


@dataclass(frozen=True)
class Invitation:
    """A new rater; the token is known here only, because the collection keeps its hash."""

    rater: int
    token: str  # for the rater's link


@dataclass(frozen=True)
class ItemView:
    """One item of a rater's list, as the rater's page shows it."""

    position: int  # from 0
    total: int  # items of this rater
    kind: ItemKind
    clip: str  # sample id
    condition: str
    fields: tuple[AnswerField, ...]
    traced: Scale | None  # the continuous scale, which is moved while the clip plays
    has_trace: bool  # the clip was played to its end meanwhile
    wanted: Mapping[str, float] | None  # attention: the answer that is asked for
    answer: Mapping[str, float] | None  # if it was answered before
    revision: int | None  # of that answer
    version: int  # of the design that this rater has


@dataclass(frozen=True)
class RaterState:
    """Where a rater is."""

    rater: int
    has_consented: bool
    answered: int
    total: int  # 0 before consent
    next: int | None  # position of the first item without an answer; None: all are answered
    is_done: bool
    version: int | None  # of the design that this rater has; None before consent


@dataclass(frozen=True)
class Saved:
    """The acknowledgement of an answer: it is on the disk."""

    position: int
    answer: Mapping[str, float]  # as it is stored
    revision: int
    saved: float  # seconds since 1970, UTC
    next: int | None  # position of the first item without an answer


class Collection:
    """The ratings in one folder; `smurf_core.ratings.catalogue` makes and finds collections."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / _ANSWERS

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the file open meanwhile, so that SQLite does not tidy up after every save.

        For what saves often, such as a server: with 20 raters at once on a busy machine, 95% of
        saves took 27 ms or less, and 161 ms without. What is stored, and when, is the same.
        """
        with connected(self.path):
            yield

    @property
    def id(self) -> str:
        """The collection's id, which is its folder's name."""
        return self.folder.name

    def fact(self, name: str) -> str:
        """A fact about the collection: study, created, is_open, is_simulated."""
        with connected(self.path) as connection:
            row = connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return str(row["value"])

    @cached_property
    def is_simulated(self) -> bool:
        """True if a program made the ratings."""
        return self.fact("is_simulated") == "1"

    @property
    def is_open(self) -> bool:
        """True if raters can begin and answer."""
        return self.fact("is_open") == "1"

    def set_open(self, is_open: bool) -> None:
        """Open or close the collection; what was saved stays."""
        with transaction(self.path) as connection:
            connection.execute(
                "UPDATE fact SET value = ? WHERE name = 'is_open'", (str(int(is_open)),)
            )
            record(connection, "opened" if is_open else "closed")

    # Design

    def design_version(self, number: int | None = None) -> DesignVersion:
        """A version of the design; None: the newest."""
        with connected(self.path) as connection:
            return version_of(connection, number)

    def design_versions(self) -> list[DesignVersion]:
        """All versions, oldest first."""
        with connected(self.path) as connection:
            rows = connection.execute("SELECT * FROM design ORDER BY version").fetchall()
        return [parsed_version(row) for row in rows]

    def revise(self, design: Design, clips: Sequence[str]) -> DesignVersion:
        """Change the design: a new version once a rater has begun, else in place of the old one.

        Raters who have begun keep their list. An equal design with equal clips changes nothing.
        `smurf_core.ratings.design.check_design` says whether it fits the study.
        """
        with transaction(self.path) as connection:
            newest = version_of(connection)
            same = newest.design == design and newest.clips == tuple(clips)
            if same:
                return newest
            has_begun = connection.execute(
                "SELECT 1 FROM rater WHERE consented IS NOT NULL"
            ).fetchone()
            number = newest.number + 1 if has_begun else newest.number
            connection.execute(
                "INSERT OR REPLACE INTO design VALUES (?, ?, ?, ?, ?)",
                (
                    number, design.fingerprint, design_text(design), json.dumps(list(clips)),
                    time.time(),
                ),
            )  # fmt: skip
            record(connection, "design", why=f"version {number}")
            return DesignVersion(number, design, tuple(clips))

    # Raters

    def invite(self, *, name: str = "", contact: str = "") -> Invitation:
        """Add a rater and return the token of their link; a name is kept apart from all answers."""
        token = f"{self.id}-{secrets.token_urlsafe(32)}"
        with transaction(self.path) as connection:
            rater = connection.execute(
                "INSERT INTO rater (token_hash, invited) VALUES (?, ?)",
                (token_hash(token), time.time()),
            ).lastrowid
        if rater is None:
            raise InputError("The rater could not be added: try again.")
        if name or contact:
            with identities(self.folder / _IDENTITIES) as connection:
                connection.execute("INSERT INTO identity VALUES (?, ?, ?)", (rater, name, contact))
        return Invitation(rater, token)

    def knows(self, token: str) -> bool:
        """True if the token is a rater's of this collection."""
        with connected(self.path) as connection:
            return find_rater(connection, token) is not None

    def identities(self) -> pd.DataFrame:
        """Who the raters are: rater, name, contact. Never part of an export of ratings."""
        rows: list[tuple[int, str, str]] = []
        if (self.folder / _IDENTITIES).exists():
            with identities(self.folder / _IDENTITIES) as connection:
                found = connection.execute("SELECT * FROM identity ORDER BY rater").fetchall()
            rows = [(row["rater"], row["name"], row["contact"]) for row in found]
        return pd.DataFrame(rows, columns=["rater", "name", "contact"])

    def consent(self, token: str) -> RaterState:
        """Record that a rater agrees, and give them their list; again, it changes nothing."""
        with transaction(self.path) as connection:
            rater = known_rater(connection, token)
            if rater["consented"] is None:
                require_open(connection)
                _begin(connection, int(rater["id"]))
        return self.state(token)

    def state(self, token: str) -> RaterState:
        """Where a rater is; raises `InputError` if the token is not valid."""
        with connected(self.path) as connection:
            rater = known_rater(connection, token)
            answered, total = connection.execute(
                "SELECT count(answer.position), count(*) FROM item LEFT JOIN answer"
                " USING (rater, position) WHERE item.rater = ?",
                (rater["id"],),
            ).fetchone()
            following = next_position(connection, rater["id"])
        has_consented = rater["consented"] is not None
        return RaterState(
            int(rater["id"]), has_consented, answered, total, following,
            has_consented and following is None, rater["version"],
        )  # fmt: skip

    def item(self, token: str, position: int) -> ItemView:
        """An item of a rater's own list; raises `InputError` for any other."""
        with connected(self.path) as connection:
            rater = known_rater(connection, token)
            row = item_row(connection, rater["id"], position)
            design = version_of(connection, rater["version"]).design
            (total,) = connection.execute(
                "SELECT count(*) FROM item WHERE rater = ?", (rater["id"],)
            ).fetchone()
            found = connection.execute(
                "SELECT answers, revision FROM answer WHERE rater = ? AND position = ?",
                (rater["id"], position),
            ).fetchone()
            has_trace = complete_take(connection, rater["id"], position) is not None
        return ItemView(
            position=position,
            total=total,
            kind=row["kind"],
            clip=row["clip"],
            condition=row["condition"],
            fields=item_fields(design, row["condition"], row["kind"]),
            traced=traced_scale(design, row["condition"], row["kind"]),
            has_trace=has_trace,
            wanted=wanted_answer(design, row["condition"], row["wanted"]),
            answer=json.loads(found["answers"]) if found else None,
            revision=found["revision"] if found else None,
            version=rater["version"],
        )

    def save(
        self,
        token: str,
        position: int,
        clip: str,
        values: Mapping[str, object],
        *,
        revision: int = 0,
        seconds: float | None = None,
        plays: int | None = None,
    ) -> Saved:
        """Store the answer to an item; it is on the disk when this returns.

        Saving the same answer again, in any order and from any device, changes nothing and
        returns what is stored. A rater who changes an answer sends a higher `revision`.

        Parameters
        ----------
        token : str
            Of the rater's link.
        position, clip : int, str
            The item: an answer for another clip than the one at this position is refused.
        values : mapping of str to number or str
            See `smurf_core.ratings.answers.checked_answer`.
        revision : int
            0 for the first answer; the highest is kept.
        seconds : float or None
            From the end of the first play to the answer.
        plays : int or None
            How often the clip was played.

        Raises
        ------
        InputError
            If the token, the item or the answer is not valid, the clip of a continuous scale was
            not played to its end, or the collection is closed.
        """
        with transaction(self.path) as connection:
            rater = known_rater(connection, token)
            require_open(connection)
            row = item_row(connection, rater["id"], position, clip)
            design = version_of(connection, rater["version"]).design
            is_traced = traced_scale(design, row["condition"], row["kind"]) is not None
            if is_traced and complete_take(connection, rater["id"], position) is None:
                raise InputError("Play the clip to its end while you move the slider.")
            answer = checked_answer(item_fields(design, row["condition"], row["kind"]), values)
            connection.execute(
                "INSERT INTO answer VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (rater, position) DO UPDATE SET answers = excluded.answers,"
                " revision = excluded.revision, saved = excluded.saved,"
                " seconds = excluded.seconds, plays = excluded.plays"
                " WHERE excluded.revision > answer.revision",
                (
                    rater["id"], position, json.dumps(answer), int(revision), time.time(),
                    seconds, plays,
                ),
            )  # fmt: skip
            stored = connection.execute(
                "SELECT * FROM answer WHERE rater = ? AND position = ?", (rater["id"], position)
            ).fetchone()
            following = next_position(connection, rater["id"])
        return Saved(
            position, json.loads(stored["answers"]), stored["revision"], stored["saved"], following
        )

    def withdraw(self, token: str) -> None:
        """Delete everything of a rater, for good; their share of the plan is given to others."""
        with connected(self.path) as connection:
            rater = int(known_rater(connection, token)["id"])
        if (self.folder / _IDENTITIES).exists():
            with identities(self.folder / _IDENTITIES) as connection:
                connection.execute("DELETE FROM identity WHERE rater = ?", (rater,))
            purge_traces_of_names(self.folder / _IDENTITIES)
        with transaction(self.path) as connection:
            connection.execute("DELETE FROM item WHERE rater = ?", (rater,))
            # The entry stays without a trace of the person: it keeps the slot taken.
            connection.execute(
                "UPDATE rater SET token_hash = NULL, withdrawn = ?, invited = 0 WHERE id = ?",
                (time.time(), rater),
            )
            connection.execute("UPDATE act SET why = '' WHERE rater = ?", (rater,))
            record(connection, "withdrew", rater)
        purge_traces(self.path)

    def leave(self, rater: int, why: str = "") -> None:
        """Give what a rater has not answered to others; their answers stay."""
        with transaction(self.path) as connection:
            require_rater(connection, rater)
            connection.execute(
                "DELETE FROM item WHERE rater = ? AND position NOT IN"
                " (SELECT position FROM answer WHERE rater = ?)",
                (rater, rater),
            )
            connection.execute("UPDATE rater SET left = ? WHERE id = ?", (time.time(), rater))
            record(connection, "left", rater, why)

    def exclude(self, rater: int, why: str) -> None:
        """Leave a rater's answers out of everything; they stay stored, and the act is recorded."""
        if not why.strip():
            raise InputError("Say why the rater is excluded: the reason is part of the export.")
        self._mark(rater, time.time(), "excluded", why)

    def include(self, rater: int, why: str = "") -> None:
        """Undo `exclude`; this is recorded, also."""
        self._mark(rater, None, "included", why)

    def _mark(self, rater: int, excluded: float | None, what: str, why: str) -> None:
        with transaction(self.path) as connection:
            require_rater(connection, rater)
            connection.execute("UPDATE rater SET excluded = ? WHERE id = ?", (excluded, rater))
            record(connection, what, rater, why)


def purge_traces_of_names(path: Path) -> None:
    """Remove deleted names from SQLite's log, also."""
    with identities(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _begin(connection: sqlite3.Connection, rater: int) -> None:
    """Give a rater a list, and record the consent."""
    version = version_of(connection)
    plan = version.plan
    taken = [
        row["slot"]
        for row in connection.execute(
            "SELECT slot FROM rater WHERE slot IS NOT NULL AND version = ?", (version.number,)
        )
    ]
    needed = Counter(cell for slot in taken for cell in plan.block(slot))
    needed.subtract(
        Cell(row["clip"], row["condition"])
        for row in connection.execute(
            "SELECT clip, condition FROM item JOIN rater ON rater.id = item.rater"  # noqa: S608
            f" WHERE kind = 'clip' AND version = ? AND {VALID}",
            (version.number,),
        )
    )
    left = [cell for cell, missing in needed.items() for _ in range(missing)]
    slot, cells = next_cells(plan, taken, left, rater)
    number = rater if slot is None else slot
    connection.executemany(
        "INSERT INTO item VALUES (?, ?, ?, ?, ?, ?)",
        [
            (rater, position, item.kind, item.clip, item.condition, item.wanted)
            for position, item in enumerate(rater_items(version.design, cells, number))
        ],
    )
    connection.execute(
        "UPDATE rater SET consented = ?, version = ?, slot = ? WHERE id = ?",
        (time.time(), version.number, slot, rater),
    )
