"""The folder of all studies and runs, with a database and a folder for each of them."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

from smurf_core.errors import InputError
from smurf_core.people.person import LOCAL, Person
from smurf_core.people.roles import require
from smurf_core.runs.disk import can_write, disk_error, said_in_words
from smurf_core.runs.migrations import prepare

HOME_VARIABLE = "SMURF_HOME"

_ID = re.compile(r"[a-z0-9]{1,32}")


def new_id() -> str:
    """A new id for a study or run, never made from user input."""
    return uuid4().hex[:12]


@dataclass(frozen=True)
class Workspace:
    """One folder of studies and runs; safe to use from several processes at once.

    `person` is who acts: what it may not see does not exist for what is called with this workspace.
    """

    root: Path
    person: Person = field(default=LOCAL)

    @classmethod
    def default(cls) -> Workspace:
        """The user's workspace: the folder SMURF_HOME, or `~/.smurf-studio`."""
        return cls(Path(os.environ.get(HOME_VARIABLE) or Path.home() / ".smurf-studio"))

    def acting_as(self, person: Person) -> Workspace:
        """The same workspace, in which this person acts."""
        return replace(self, person=person)

    def as_machine(self) -> Workspace:
        """The same workspace for what the program does by itself, such as training."""
        return self.acting_as(LOCAL)

    @property
    def database(self) -> Path:
        """The SQLite file with studies, runs, progress and curves."""
        return self.root / "smurf.sqlite"

    def study_folder(self, study_id: str) -> Path:
        """The folder of a study's data set; raises `ValueError` if this is not an id.

        Raises `InputError` if the acting person may not see the study.
        """
        self._require_sight("study", study_id)
        return self.root / "studies" / _checked(study_id)

    def run_folder(self, run_id: str) -> Path:
        """The folder of a run's files; raises `ValueError` if this is not an id.

        Raises `InputError` if the acting person may not see the run's study.
        """
        self._require_sight("run", run_id)
        return self.root / "runs" / _checked(run_id)

    def _require_sight(self, kind: str, identifier: str) -> None:
        if not self.person.is_local:
            with self.connect() as connection:
                require(connection, self.person, "viewer", kind, identifier)

    def has_seen(self, what: str) -> bool:
        """True if `mark_seen` was called for this, for example for a tour that is shown once."""
        return (self.root / "seen" / _checked(what)).exists()

    def mark_seen(self, what: str) -> None:
        """Remember that something was shown, for all users of this workspace."""
        path = self.root / "seen" / _checked(what)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    @contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """A new connection for one task; each statement is committed separately.

        The store is made or migrated to this version if needed. Raises `InputError` if it cannot be
        opened, or if its disk is full, cannot be changed, or fails.
        """
        connection: sqlite3.Connection | None = None
        try:
            try:
                connection = self._opened()
            except (OSError, sqlite3.DatabaseError) as error:
                raise disk_error(error, self.root) or InputError(
                    f"The store in {self.root} cannot be opened ({error}): check the folder and "
                    f"its file {self.database.name}, or set {HOME_VARIABLE} to another folder."
                ) from error
            connection.row_factory = sqlite3.Row
            connection.text_factory = _text
            with said_in_words(self.root):
                yield connection
        finally:
            if connection is not None:
                connection.close()

    def _opened(self) -> sqlite3.Connection:
        if self.database.exists() and not can_write(self.root):
            # SQLite otherwise makes files beside the database, even to read it.
            address = f"{self.database.resolve().as_uri()}?mode=ro&immutable=1"
            connection = sqlite3.connect(address, uri=True, isolation_level=None)
            connection.execute("PRAGMA query_only = ON")
        else:
            self.root.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.database, timeout=20, isolation_level=None)
        try:
            prepare(connection, self.root)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection whose statements are committed all or not at all; other writers wait."""
        with self.connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            # After an error, the connection is closed without a commit, which undoes everything.
            connection.execute("COMMIT")


def is_id(identifier: object) -> bool:
    """True if this can be the id of a study or run, and therefore the name of a folder."""
    return isinstance(identifier, str) and _ID.fullmatch(identifier) is not None


def _checked(identifier: str) -> str:
    if not is_id(identifier):
        raise ValueError(f"{identifier!r} is not the id of a study or run.")
    return identifier


def _text(stored: bytes) -> str:
    """Text of the database; bytes that are not UTF-8 must not make a whole list unreadable."""
    return stored.decode("utf-8", "replace")
