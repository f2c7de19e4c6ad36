"""Which folders of a shared server persons who sign in may name."""

from __future__ import annotations

import os
from pathlib import Path

from smurf_core.errors import InputError
from smurf_core.people.person import Person

VARIABLE = "SMURF_RECORDINGS"


def check_place(person: Person, folder: str, own: Path) -> None:
    """Raise `InputError` if a person may not play recordings from a folder.

    The one person of a machine may name every folder. Others may name the study's `own` folder and
    those of SMURF_RECORDINGS (separated as in PATH), with all that they contain. The sentence is
    the same for folders that do not exist.
    """
    if person.is_local:
        return
    allowed = [own, *map(Path, filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)))]
    try:
        place = Path(folder).resolve()
        is_allowed = any(place.is_relative_to(one.resolve()) for one in allowed)
    except (OSError, ValueError, RuntimeError):
        is_allowed = False
    if not is_allowed:
        raise InputError(
            "Recordings can be played from the folders that this server's operator lists in "
            f"{VARIABLE}, and {folder[:80]!r} is not in one of them: ask the operator."
        )
