"""`smurf train`: models on a data set, fold by fold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, get_args

import typer

from smurf_core.cli.configuring import changed_grid, model_kinds, parse_clip, read_config
from smurf_core.cli.options import AuxiliaryWeights, LearningRates, Preset, SelectionRule, choice
from smurf_core.cli.output import out
from smurf_core.cli.progress import watch
from smurf_core.cli.roles import Roles, with_roles
from smurf_core.cli.runs import show_comparison
from smurf_core.cli.studies import study_of
from smurf_core.cli.targets import is_study, targets_to_train
from smurf_core.configuration import (
    Device,
    RunConfig,
    Search,
    Standardisation,
    suggested_clip,
    suggested_standardisation,
)
from smurf_core.errors import InputError
from smurf_core.model_kinds import DEFAULT_MODEL, MODEL_KINDS
from smurf_core.processes.launcher import launch
from smurf_core.runs import store, studies
from smurf_core.runs.workspace import Workspace
from smurf_core.training.suiting import check_suits

_Data = Annotated[
    list[str],
    typer.Argument(
        help="Files or folders with features, a study.yaml with its files beside it, or the id of "
        "a study that was imported before (`synthetic` is always there).",
        show_default=False,
    ),
]


@with_roles
def train(
    data: _Data,
    *,
    roles: Roles,
    model: Annotated[
        list[str] | None,
        choice(MODEL_KINDS, "Model to train; repeat to train several.", show_default=DEFAULT_MODEL),
    ] = None,
    preset: Preset = "quick",
    learning_rate: LearningRates = None,
    layers: Annotated[
        list[str] | None,
        typer.Option(help="Hidden layers as 20-10, or linear; repeat for several."),
    ] = None,
    weight_decay: Annotated[
        list[float] | None, typer.Option(help="L2 weight decay; repeat for several.")
    ] = None,
    auxiliary_weight: AuxiliaryWeights = None,
    selection: SelectionRule = "one_standard_error",
    standardisation: Annotated[
        Standardisation | None,
        choice(
            get_args(Standardisation),
            "How features are standardised. Within person uses that person's unlabelled rows. A "
            "regression target is standardised like the features; the normalised losses always "
            "standardise it.",
            show_default="training_fold, but none for synthetic data, as published",
        ),
    ] = None,
    clip: Annotated[
        str | None,
        typer.Option(
            help="Standardised features are clipped at so many standard deviations, or none: not "
            "at all. Features that are not standardised are not clipped.",
            metavar="[NUMBER|none]",
            show_default="5, but none for presets paper and synthetic and for synthetic data, as "
            "published",
        ),
    ] = None,
    components: Annotated[
        int | None,
        typer.Option(
            help="Train on so many principal components of a modality that has more features, "
            "fitted on the training fold. Contributions are of the features all the same.",
            min=1,
            show_default="all features",
        ),
    ] = None,
    restarts: Annotated[
        int, typer.Option(help="Starts of the chosen configuration; the best objective wins.")
    ] = 3,
    seed: Annotated[int, typer.Option(help="Decides initial weights, batches and folds.")] = 0,
    folds: Annotated[int, typer.Option(help="Folds to make if the data names none.")] = 5,
    device: Annotated[Device, choice(get_args(Device), "Where to train.")] = "auto",
    jobs: Annotated[
        int | None, typer.Option(help="Processes that share the work.", show_default="all cores")
    ] = None,
    scheduler: Annotated[
        str,
        typer.Option(
            help="Dask scheduler, tcp://…, whose workers share the work (docs/cluster.md)."
        ),
    ] = "",
    search: Annotated[
        Search,
        choice(
            get_args(Search),
            "full trains every configuration to its end; halving drops the less promising half of "
            "each λ early, again and again (docs/performance.md).",
        ),
    ] = "full",
    all_targets: Annotated[
        bool,
        typer.Option(
            "--all-targets",
            help="Train every target of the study, one after another; without this option and "
            "--target, the first.",
        ),
    ] = False,
    detach: Annotated[
        bool, typer.Option(help="Do not wait: the runs continue without this command.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(help="A report's config.json: trains exactly that, instead of all options."),
    ] = None,
    expect_data: Annotated[
        str, typer.Option(help="Fingerprint that the data must have, as a report names it.")
    ] = "",
) -> None:
    """Train models on a data set, fold by fold, and print how well they predict.

    Runs are kept and also appear in the app. Ctrl-C cancels the run that trains.
    """
    if config:
        configs = [read_config(config)]
    else:
        configs = [
            RunConfig.from_preset(
                preset, kind, selection=selection, restarts=restarts, seed=seed, device=device,
                fold_count=folds, search=search, components=components,
                **({"standardisation": standardisation} if standardisation else {}),
                **({"clip": parse_clip(clip)} if clip else {}),
            )
            for kind in model_kinds(model or [DEFAULT_MODEL])
        ]  # fmt: skip
        for k, asked in enumerate(configs):
            grid = changed_grid(
                preset, asked.model, learning_rates=learning_rate, layers=layers,
                weight_decays=weight_decay, auxiliary_weights=auxiliary_weight,
            )  # fmt: skip
            if grid:
                configs[k] = replace(asked, preset="custom", grid=grid)
    workspace = Workspace.default()
    study = study_of(workspace, data, roles)
    targets = targets_to_train(
        workspace, study, _asked(workspace, study, data, roles), are_all=all_targets
    )
    if expect_data:
        _check_fingerprint(workspace, study, targets, expect_data)
    if not config:
        origin = studies.get_study(workspace, study).origin
        how = standardisation or suggested_standardisation(preset, origin)
        configs = [replace(asked, standardisation=how) for asked in configs]
        if not clip:
            bound = suggested_clip(preset, origin, standardisation=how)
            configs = [replace(asked, clip=bound) for asked in configs]
    dataset = studies.load_study(workspace, study)
    for asked in configs:
        check_suits(dataset, asked)
    runs = [
        store.create_run(workspace, study, asked, target=target, jobs=jobs, scheduler=scheduler)
        for target in targets
        for asked in configs
    ]
    launch(workspace)
    if detach:
        for run_id in runs:
            out.print(run_id)
        return
    watched(workspace, runs)


def watched(workspace: Workspace, runs: list[str]) -> None:
    """Wait for runs and print how well they predict; a run that failed is an error."""
    ended = watch(workspace, runs)
    finished = [run for run in ended if run.status == "finished"]
    if finished:
        show_comparison(workspace, finished)
    for run in ended:
        if run.status == "failed":
            raise InputError(f"Run {run.id}: {run.error}")
    if len(finished) < len(ended):
        raise typer.Exit(1)


def _asked(workspace: Workspace, study: str, data: list[str], roles: Roles) -> list[str] | None:
    """The targets that were named, as the study calls them."""
    known = studies.targets_of(workspace, studies.get_study(workspace, study))
    if len(known) == 1 and not is_study(data):
        return None  # It was made from these files for this target.
    return [name.strip() for name in roles.target or () if name.strip()]


def _check_fingerprint(workspace: Workspace, study: str, targets: list[str], expected: str) -> None:
    if len(targets) > 1:
        raise InputError("--expect-data is about one target: name it with --target.")
    found = studies.load_study(workspace, study, targets[0]).fingerprint
    if found != expected:
        raise InputError(
            f"This is not the data that was trained on: its fingerprint is {found[:16]}, "
            f"expected {expected[:16]}. Give the same files, unchanged, in the same roles."
        )
