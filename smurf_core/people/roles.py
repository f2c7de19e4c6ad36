"""Which role a person has in a study, as the store's database says, and what is refused.

A study that a person may not see is, for that person, one that does not exist: the same error with
the same sentence, found by the same query.
"""

from __future__ import annotations

import sqlite3

from smurf_core.errors import InputError
from smurf_core.people.person import EVERYBODY, ROLES, Person, Role, includes


class Refused(InputError):
    """A person sees a study, and their role does not allow what was asked."""


def no_study(study_id: object) -> InputError:
    """The error for a study that does not exist, or that the person may not see."""
    return InputError(f"There is no study {study_id!r}; choose one from the list of studies.")


def no_run(run_id: object) -> InputError:
    """The error for a run that does not exist, or that the person may not see."""
    return InputError(f"There is no run {run_id!r}; `smurf runs` lists all runs.")


def no_slice(slice_id: object) -> InputError:
    """The error for a slice that does not exist, or that the person may not see."""
    return InputError(f"There is no slice {slice_id!r}: it was deleted, or the link is wrong.")


# What is asked for → the query for its study, with the error if there is none.
_STUDY_OF = {
    "study": ("SELECT id FROM study WHERE id = ?", no_study),
    "run": ("SELECT study_id FROM run WHERE id = ?", no_run),
    "slice": ("SELECT study_id FROM slice WHERE id = ?", no_slice),
}


def visible(person: Person, column: str = "study_id") -> tuple[str, tuple[str, ...]]:
    """A condition for rows of studies that a person may see, and its parameters."""
    if person.is_local:
        return "TRUE", ()
    mine = "SELECT study_id FROM member WHERE person IN (?, ?)"
    return f"{column} IN ({mine})", (person.name, EVERYBODY)


def add_member(connection: sqlite3.Connection, study_id: str, person: str, role: Role) -> None:
    """Give a person a first role in a study; one that is there already stays."""
    connection.execute("INSERT OR IGNORE INTO member VALUES (?, ?, ?)", (study_id, person, role))


def role_in(connection: sqlite3.Connection, person: Person, study_id: str) -> Role | None:
    """The highest role that a person has in a study; None without one, or without the study."""
    if person.is_local:
        return "owner"
    rows = connection.execute(
        "SELECT role FROM member WHERE study_id = ? AND person IN (?, ?)",
        (study_id, person.name, EVERYBODY),
    ).fetchall()
    given = [role for role in ROLES if role in {row[0] for row in rows}]
    return given[-1] if given else None


def require(
    connection: sqlite3.Connection, person: Person, needed: Role, kind: str, identifier: object
) -> str:
    """The study of a study's, run's or slice's id, if the person has the role there.

    Raises
    ------
    InputError
        If there is none that the person may see.
    Refused
        If the person's role is too low.
    """
    query, missing = _STUDY_OF[kind]
    known = identifier if isinstance(identifier, str) else ""
    try:
        row = connection.execute(query, (known,)).fetchone()
    except UnicodeEncodeError:  # Half a character of UTF-16 cannot be an id.
        row = None
    study_id = "" if row is None else str(row[0])
    role = role_in(connection, person, study_id)  # Also asked if there is none: the same work.
    if row is None or role is None:
        raise missing(identifier)
    if not includes(role, needed):
        raise Refused(refusal(role, needed))
    return study_id


def refusal(role: Role, needed: Role) -> str:
    """Why a role does not allow what another one is needed for, as one sentence."""
    return f"This needs the role {needed}, and yours in this study is {role}: ask an owner of it."
