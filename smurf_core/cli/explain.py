"""`smurf explain`: what each modality contributes to the predictions of a given model."""

from __future__ import annotations

from typing import Annotated

import typer

from smurf_core.cli.evaluate import show
from smurf_core.cli.roles import Roles, with_roles
from smurf_core.cli.studies import study_of
from smurf_core.cli.targets import is_study
from smurf_core.cli.train import watched
from smurf_core.configuration import RunConfig, suggested_clip
from smurf_core.errors import InputError
from smurf_core.processes.launcher import launch
from smurf_core.runs import store, studies
from smurf_core.runs.workspace import Workspace


@with_roles
def explain(
    data: Annotated[
        list[str],
        typer.Argument(
            help="Files or folders with features, labels and the model's outputs, or the id of a "
            "study that was imported with --output.",
            show_default=False,
        ),
    ],
    *,
    roles: Roles,
    refits: Annotated[
        int, typer.Option(help="Refits to reweighted persons, for intervals; 0 for none.")
    ] = 200,
    seed: Annotated[int, typer.Option(help="Decides refits and folds.")] = 0,
    folds: Annotated[int, typer.Option(help="Folds to make if the data names none.")] = 5,
) -> None:
    """Explain a late-fusion model that you trained elsewhere, from its outputs of each modality.

    Name them with --output MODALITY=COLUMN (for classes, one column per class). They must be of
    samples that the model was not trained on. Features may be the model's embeddings or its inputs:
    they decide what one modality knows of another. Each modality's output is split into what only
    this modality contributes and what it shares with others; the run appears in the app.
    """
    workspace = Workspace.default()
    study = study_of(workspace, data, roles)
    first = studies.get_study(workspace, study).target_name
    if is_study(data) and set(roles.target or ()) - {first}:
        raise InputError(
            f"The outputs of a given model are about the first target ({first}): leave --target "
            "out."
        )
    if not studies.load_study(workspace, study).given_outputs:
        raise InputError(
            "No outputs of a model are named: add --output MODALITY=COLUMN for each modality."
        )
    clip = suggested_clip("quick", studies.get_study(workspace, study).origin)
    config = RunConfig.from_preset(
        "quick", "explained", clip=clip, refits=refits, seed=seed, fold_count=folds
    )
    run = store.create_run(workspace, study, config)
    launch(workspace)
    watched(workspace, [run])
    show(run)
