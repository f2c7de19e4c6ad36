"""`smurf share` and `smurf audit`: who may see which study, on a server with several persons."""

from __future__ import annotations

from typing import Annotated

import typer

from smurf_core.cli.output import clock, new_table, out
from smurf_core.errors import InputError
from smurf_core.people import members
from smurf_core.people.audit import entries
from smurf_core.people.person import ROLES, Role
from smurf_core.runs.studies import get_study
from smurf_core.runs.workspace import Workspace

_Study = Annotated[str, typer.Argument(help="A study's id.")]


def share(
    study: _Study,
    person: Annotated[
        str | None, typer.Argument(help="The e-mail address with which a person signs in.")
    ] = None,
    role: Annotated[str, typer.Option(help="viewer, editor or owner.")] = "viewer",
    remove: Annotated[bool, typer.Option("--remove", help="Take the person's role.")] = False,
) -> None:
    """Give a person a role in a study, or print who has one.

    This matters where persons sign in to the app: see docs/deploy.md. On one's own machine every
    study is one's own.
    """
    workspace = Workspace.default()
    get_study(workspace, study)
    if person is not None and remove:
        members.unshare(workspace, study, person)
    elif person is not None:
        members.share(workspace, study, person, _role(role))
    table = new_table("person", "role")
    for member in members.members_of(workspace, study):
        table.add_row(member.person, member.role)
    out.print(table)


def audit(
    study: Annotated[str | None, typer.Argument(help="A study's id; default: all.")] = None,
    newest: Annotated[int, typer.Option(help="How many entries are printed.")] = 100,
) -> None:
    """Print who changed, exported, shared or was refused what, the newest last.

    Recorded is what persons do who sign in, and who shares a study. The log names no sample.
    """
    with Workspace.default().connect() as connection:
        found = entries(connection, study, max(newest, 0))
    table = new_table("time", "person", "action", "study", "of")
    for entry in reversed(found):
        table.add_row(
            clock(entry.time), entry.person or "(this machine)", entry.action, entry.study_id,
            entry.subject,
        )  # fmt: skip
    out.print(table)


def _role(text: str) -> Role:
    for role in ROLES:
        if role == text:
            return role
    raise InputError(f"There is no role {text!r}, only {', '.join(ROLES)}.")
