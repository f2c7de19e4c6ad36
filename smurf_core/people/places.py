"""Which folders of a shared server persons who sign in may name."""

from __future__ import annotations

import os
from pathlib import Path

from smurf_core.errors import InputError
from smurf_core.people.guard import guarded
from smurf_core.runs.workspace import Workspace

VARIABLE = "SMURF_RECORDINGS"


@guarded("viewer")
def check_place(workspace: Workspace, study_id: str, folder: str) -> None:
    """Raise `InputError` if the acting person may not play a study's recordings from a folder.

    The one person of a machine may name every folder. Others may name the study's own folder and
    those of SMURF_RECORDINGS (separated as in PATH), with all that they contain. The sentence is
    the same for folders that do not exist.
    """
    if workspace.person.is_local:
        return
    own = workspace.study_folder(study_id)
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
