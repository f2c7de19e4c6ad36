"""Who acts: the one person of a machine, or a person whom a sign-in names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from smurf_core.errors import InputError

Role = Literal["viewer", "editor", "owner"]
# Each role may do what those before it may.
ROLES: tuple[Role, ...] = get_args(Role)
EVERYBODY = "*"  # a member in place of all persons: what the program itself made
LONGEST = 254  # characters of an e-mail address


@dataclass(frozen=True)
class Person:
    """Who acts in a workspace, by the name that a sign-in gave (an e-mail address)."""

    name: str

    def __post_init__(self) -> None:
        if self.name != checked_name(self.name):
            raise InputError(f"{self.name[:80]!r} is not the name of a person.")

    @property
    def is_local(self) -> bool:
        """True for who has the machine itself: may do everything, as its files are theirs."""
        return not self.name


def checked_name(name: str) -> str:
    """A person's name as it is stored, in small letters; raises `InputError` if it is none."""
    plain = name.strip().lower()
    if (
        not plain
        or len(plain) > LONGEST
        or plain == EVERYBODY
        or not plain.isprintable()
        or any(mark.isspace() for mark in plain)
    ):
        raise InputError(
            f"{name[:80]!r} is not the name of a person: write the e-mail address with which they "
            "sign in."
        )
    return plain


def _local() -> Person:
    person = object.__new__(Person)
    object.__setattr__(person, "name", "")  # No sign-in can give an empty name.
    return person


LOCAL = _local()


def includes(role: Role, needed: Role) -> bool:
    """True if who has a role may do what another one is needed for."""
    return ROLES.index(role) >= ROLES.index(needed)
