"""Options and arguments that several commands share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, get_args

import typer

from smurf_core.configuration import PRESETS, Selection
from smurf_core.model_kinds import MODEL_KINDS

_WIDEST = 45  # maximum characters of names next to an option; longer lists are in its help


def choice(names: Iterable[str], help: str, *, show_default: bool | str = True) -> Any:
    """An option that takes one of several names, which its help lists and which are checked.

    Pass the table or the `get_args` of the Literal that the library uses, so that no name is
    defined twice.
    """
    known = tuple(names)

    def check(text: str) -> str:
        if text not in known:
            raise typer.BadParameter(f"{text!r} is not one of {', '.join(known)}.")
        return text

    metavar = f"[{'|'.join(known)}]"
    if len(metavar) > _WIDEST:
        metavar, help = "NAME", f"{help} One of {', '.join(known)}."
    return typer.Option(help=help, metavar=metavar, parser=check, show_default=show_default)


Run = Annotated[str, typer.Argument(help="A run's id, the start of it, or `last`.")]
Preset = Annotated[str, choice(PRESETS, "Grid of hyper-parameters to search.")]
Model = Annotated[str, choice(MODEL_KINDS, "Model to train.")]
SelectionRule = Annotated[
    Selection, choice(get_args(Selection), "Rule that selects the configuration.")
]
LearningRates = Annotated[
    list[float] | None,
    typer.Option(help="Learning rate instead of the preset's; repeatable."),
]
AuxiliaryWeights = Annotated[
    list[float] | None,
    typer.Option(help="λ of equation 4 instead of the preset's; repeatable."),
]
