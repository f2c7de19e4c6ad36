"""The check before every function of the store: does the acting person's role allow it?

Each function that reads or changes a study, run or slice carries one of these decorators; a test
finds those that carry none. For the one person of a machine they cost nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, TypeVar, cast

from smurf_core.errors import InputError
from smurf_core.people.audit import record
from smurf_core.people.person import Role
from smurf_core.people.roles import Refused, require

F = TypeVar("F", bound=Callable[..., Any])
Subject = Literal["study", "run", "slice", "collection"]


@dataclass(frozen=True)
class Guard:
    """What a guarded function needs."""

    function: str  # its name, which the audit log shows
    needed: Role | None  # None: the machine's own person
    subject: Subject | None  # what the second parameter names


# Module and name of a function → its guard. `guarded` and `machine_only` fill it.
GUARDS: dict[str, Guard] = {}


def guarded(
    needed: Role, subject: Subject = "study", *, audited: bool | None = None
) -> Callable[[F], F]:
    """Let only persons with a role call a function `(workspace, subject, ...)`.

    The subject is an id, or an object with the id (of a study, a run or a collection of ratings).
    What changes something is written to the audit log before it is done, unless `audited` says
    otherwise; what is refused for a lack of rights is written there as well.
    """
    is_audited = needed != "viewer" if audited is None else audited

    def decorate(function: F) -> F:
        guard = _register(function, needed, subject)
        first, second = list(inspect.signature(function).parameters)[:2]

        @wraps(function)
        def checked(*arguments: Any, **named: Any) -> Any:
            workspace = arguments[0] if arguments else named[first]
            if not workspace.person.is_local:
                about = arguments[1] if len(arguments) > 1 else named[second]
                check(workspace, guard, about, is_audited=is_audited)
            return function(*arguments, **named)

        return cast(F, checked)

    return decorate


def machine_only(function: F) -> F:
    """Let only the machine's own person, or the program itself, call a function."""
    _register(function, None, None)

    @wraps(function)
    def checked(*arguments: Any, **named: Any) -> Any:
        for given in (*arguments, *named.values()):
            person = getattr(given, "person", None)
            if person is not None and not person.is_local:
                raise Refused("Only who has an account on this server's machine may do this.")
        return function(*arguments, **named)

    return cast(F, checked)


def check(workspace: Any, guard: Guard, about: Any, *, is_audited: bool) -> None:
    """Raise an error unless the acting person may do this to a study, run, slice or collection."""
    kind, identifier = _named(guard.subject or "study", about)
    with workspace.connect() as connection:
        try:
            study = require(connection, workspace.person, guard.needed or "owner", kind, identifier)
        except Refused:
            seen = require(connection, workspace.person, "viewer", kind, identifier)
            record(connection, workspace.person, f"refused: {guard.function}", seen, identifier)
            raise
        if is_audited:
            record(connection, workspace.person, guard.function, study, identifier)


def _named(subject: Subject, about: Any) -> tuple[str, Any]:
    if subject == "collection":
        return "study", about.fact("study")
    return subject, getattr(about, "id", about)


def _register(function: Callable[..., Any], needed: Role | None, subject: Subject | None) -> Guard:
    name = f"{function.__module__}.{function.__qualname__}"
    if name in GUARDS:
        raise InputError(f"{name} is guarded twice.")
    GUARDS[name] = guard = Guard(function.__name__, needed, subject)
    return guard
