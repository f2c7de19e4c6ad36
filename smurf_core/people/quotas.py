"""What one person may use of a shared server: disk, and places in the queue."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from smurf_core.errors import InputError
from smurf_core.people.person import Person

DISK_VARIABLE, QUEUE_VARIABLE = "SMURF_DISK_GB", "SMURF_QUEUE_RUNS"


@dataclass(frozen=True)
class Quota:
    """Limits for each person who signs in; None: no limit."""

    disk_bytes: float | None = None
    runs: int | None = None  # waiting or training

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Quota:
        """The limits that SMURF_DISK_GB and SMURF_QUEUE_RUNS set."""
        given = os.environ if environment is None else environment
        disk, runs = (_number(given, name) for name in (DISK_VARIABLE, QUEUE_VARIABLE))
        return cls(None if disk is None else disk * 1e9, None if runs is None else int(runs))

    def check_disk(
        self, connection: sqlite3.Connection, person: Person, root: Path, new: int = 0
    ) -> None:
        """Raise `InputError` if what the person has, and `new` bytes, fill their part of the disk.

        Counted are studies, runs, and extractions that are not a study yet.
        """
        if person.is_local or self.disk_bytes is None:
            return
        used = disk_used(connection, person, root) + new
        if used >= self.disk_bytes:
            also = " with what is added" if new else ""
            raise InputError(
                f"Your studies, runs and extractions take {used / 1e9:.2f} GB{also}, and "
                f"{self.disk_bytes / 1e9:g} GB is the limit for one person: delete some, or ask "
                "who runs this server."
            )

    def check_queue(self, connection: sqlite3.Connection, person: Person, new: int = 1) -> None:
        """Raise `InputError` if the person has too many runs that wait or train."""
        if person.is_local or self.runs is None:
            return
        (active,) = connection.execute(
            "SELECT count(*) FROM run WHERE person = ? AND status IN ('queued', 'running')"
            " AND deleted IS NULL",
            (person.name,),
        ).fetchone()
        if active + new > self.runs:
            raise InputError(
                f"{active} of your runs wait or train, and {self.runs} is the limit for one "
                "person: wait until one ends, or cancel one."
            )


def disk_used(connection: sqlite3.Connection, person: Person, root: Path) -> int:
    """Bytes of a person's own studies with their runs, runs elsewhere, and extractions."""
    studies = connection.execute(
        "SELECT study_id FROM member WHERE person = ? AND role = 'owner'", (person.name,)
    ).fetchall()
    runs = connection.execute(
        "SELECT id FROM run WHERE person = ? OR study_id IN"
        " (SELECT study_id FROM member WHERE person = ? AND role = 'owner')",
        (person.name, person.name),
    ).fetchall()
    folders = [root / "studies" / row[0] for row in studies]
    folders += [root / "runs" / row[0] for row in runs]
    folders += [
        path.parent for path in root.glob("extractions/*/job.json") if is_job_of(path, person)
    ]
    return sum(_size(folder) for folder in folders)


def is_job_of(job: Path, person: Person) -> bool:
    """True if a person asked for an extraction, by its `job.json`; not if that cannot be read."""
    try:
        return bool(json.loads(job.read_text(encoding="utf-8"))["person"] == person.name)
    except (OSError, ValueError, LookupError, TypeError):  # Removed meanwhile, or damaged.
        return False


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:  # It was removed meanwhile.
                continue
    return total


def _number(environment: Mapping[str, str], name: str) -> float | None:
    text = environment.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise InputError(f"{name} is {text[:40]!r}: set it to a number of 0 or more.")
    return value
