"""Which of a study's targets a command is about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smurf_core.cli.output import out
from smurf_core.data.problems import listing
from smurf_core.errors import InputError
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import chosen_target, get_study, targets_of
from smurf_core.runs.workspace import Workspace


def is_study(data: Sequence[str]) -> bool:
    """True if a command's arguments can only be the id of a study: there is no such file."""
    return len(data) == 1 and not Path(data[0]).exists()


def targets_to_train(
    workspace: Workspace, study_id: str, asked: Sequence[str] | None, *, are_all: bool = False
) -> list[str]:
    """The targets that a command trains: those asked for, all of them, or the first.

    Prints which others there are if nothing was asked for. Raises `InputError` for a target that
    the study does not have.
    """
    study = get_study(workspace, study_id)
    known = list(targets_of(workspace, study))
    if asked and are_all:
        raise InputError("--target and --all-targets were both given: keep one.")
    if asked:
        return [chosen_target(workspace, study, name) for name in dict.fromkeys(asked)]
    if len(known) > 1 and not are_all:
        out.print(
            f"This study has {len(known)} targets; this is about {known[0]}. Name others with "
            f"--target ({listing(known[1:], 6)}), or train all with --all-targets.",
            markup=False,
            soft_wrap=True,
        )
    return known if are_all else known[:1]


def has_several_targets(workspace: Workspace, study_id: str) -> bool:
    """True if a run of this study predicts one of several targets."""
    try:
        return len(targets_of(workspace, get_study(workspace, study_id))) > 1
    except InputError:  # The study was deleted or cannot be read: its runs are listed all the same.
        return False


def target_sentence(workspace: Workspace, run: RunInfo) -> str:
    """Which of its study's targets a run predicts; an empty text if there is only one."""
    if not has_several_targets(workspace, run.study_id):
        return ""
    known = targets_of(workspace, get_study(workspace, run.study_id))
    others = listing([name for name in known if name != run.target], 6)
    return f"It predicts {run.target}; other targets of its study: {others}."
