"""Sharing: who has which role in a study, and the audit log of it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from smurf_core.errors import InputError
from smurf_core.people import audit
from smurf_core.people.guard import guarded
from smurf_core.people.person import EVERYBODY, ROLES, Person, Role, checked_name
from smurf_core.people.roles import role_in
from smurf_core.runs.studies import require_study
from smurf_core.runs.workspace import Workspace


@dataclass(frozen=True)
class Member:
    """A person with a role in a study."""

    person: str
    role: Role


@guarded("viewer")
def own_role(workspace: Workspace, study_id: str) -> Role:
    """The role of the acting person in a study; the machine's own person owns all."""
    with workspace.connect() as connection:
        return role_in(connection, workspace.person, study_id) or "viewer"


@guarded("viewer")
def members_of(workspace: Workspace, study_id: str) -> list[Member]:
    """Who may see a study, owners first; what the program made for everybody has no members."""
    with workspace.connect() as connection:
        rows = connection.execute(
            "SELECT person, role FROM member WHERE study_id = ? AND person != ?"
            " ORDER BY CASE role WHEN 'owner' THEN 0 WHEN 'editor' THEN 1 ELSE 2 END, person",
            (study_id, EVERYBODY),
        ).fetchall()
    return [Member(row["person"], row["role"]) for row in rows]


@guarded("owner", audited=False)
def share(workspace: Workspace, study_id: str, person: str, role: Role) -> Member:
    """Give a person a role in a study, or another one; returns who was given it.

    Raises
    ------
    InputError
        If this is not a person's name or a role, or no owner would be left.
    """
    name = checked_name(person)
    if role not in ROLES:
        raise InputError(f"There is no role {role!r}, only {', '.join(ROLES)}.")
    with workspace.transaction() as connection:
        require_study(connection, study_id)
        connection.execute(
            "INSERT INTO member (study_id, person, role) VALUES (?, ?, ?)"
            " ON CONFLICT (study_id, person) DO UPDATE SET role = excluded.role",
            (study_id, name, role),
        )
        audit.record(connection, workspace.person, f"share as {role}", study_id, name)
        _require_owner(workspace.person, connection, study_id)
    return Member(name, role)


@guarded("owner", audited=False)
def unshare(workspace: Workspace, study_id: str, person: str) -> None:
    """Take a person's role in a study; raises `InputError` if no owner would be left."""
    name = checked_name(person)
    with workspace.transaction() as connection:
        if not connection.execute(
            "DELETE FROM member WHERE study_id = ? AND person = ?", (study_id, name)
        ).rowcount:
            raise InputError(f"{name} has no role in this study.")
        audit.record(connection, workspace.person, "unshare", study_id, name)
        _require_owner(workspace.person, connection, study_id)


@guarded("owner", audited=False)
def audit_of(workspace: Workspace, study_id: str, newest: int = 200) -> list[audit.Entry]:
    """The newest entries of a study's audit log, the newest first."""
    with workspace.connect() as connection:
        return audit.entries(connection, study_id, newest)


def _require_owner(person: Person, connection: sqlite3.Connection, study_id: str) -> None:
    """The machine's own person may leave a study to itself; others would lose it."""
    if person.is_local:
        return
    if not connection.execute(
        "SELECT 1 FROM member WHERE study_id = ? AND role = 'owner'", (study_id,)
    ).fetchone():
        raise InputError("A study needs an owner: make another person its owner first.")
