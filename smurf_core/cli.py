"""The command `smurf`: train, watch, look into and export runs without the app.

Bad input is told in one sentence and ends with exit code 2; nothing that was there is lost.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, get_args

import numpy as np
import pandas as pd
import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from smurf_core import __version__
from smurf_core.configuration import (
    PRESETS,
    Device,
    Grid,
    RunConfig,
    Search,
    Selection,
    Standardisation,
    parse_layers,
    suggested_standardisation,
)
from smurf_core.data.dataset import Task
from smurf_core.data.importing.assembly import Assembly, assemble, guess_mapping
from smurf_core.data.importing.mapping import (
    StudyMapping,
    mapped_sources,
    media_settings,
    read_mapping,
    write_mapping,
)
from smurf_core.data.media import check_media
from smurf_core.data.problems import listing
from smurf_core.data.sources import find_sources
from smurf_core.errors import InputError
from smurf_core.evaluation.metrics import METRIC_TITLES, METRICS
from smurf_core.evaluation.performance import chance_performance, fold_performance, performance
from smurf_core.evaluation.redundancy import variance_shares
from smurf_core.evaluation.verification import mean_recovery
from smurf_core.explained import explained
from smurf_core.extraction.command_line import extract_app
from smurf_core.model_kinds import DEFAULT_MODEL, MODEL_KINDS, ModelKind
from smurf_core.processes.launcher import launch
from smurf_core.reporting.bundle import report_of
from smurf_core.runs import store, studies
from smurf_core.runs.exporting import FORMATS, export_run, write_folder
from smurf_core.runs.files import RunFiles
from smurf_core.runs.workspace import HOME_VARIABLE, Workspace

app = typer.Typer(
    help="SMURF: what each modality contributes to a prediction.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(extract_app, name="extract")
# A file or a pipe has no width: tables are not squeezed into 80 columns there.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 160)

_Data = Annotated[
    list[str],
    typer.Argument(
        help="Files or folders with features, or the id of a study that was imported before "
        "(`synthetic` is always there).",
        show_default=False,
    ),
]
_Run = Annotated[str, typer.Argument(help="A run's id, the start of it, or `last`.")]
_MODELS = ", ".join(MODEL_KINDS)
_RATES = "In place of the preset's; repeat for several."
_LAMBDAS = "λ of equation 4; repeat for several."


@app.callback()
def _options(
    home: Annotated[
        Path | None,
        typer.Option(
            help="Folder of studies and runs, shared with the app.",
            envvar=HOME_VARIABLE,
            show_default="~/.smurf-studio",
        ),
    ] = None,
) -> None:
    if home is not None:
        os.environ[HOME_VARIABLE] = str(home)


def _mapping(
    names: list[str], file: Path | None, changes: dict[str, str], modalities: list[str]
) -> StudyMapping:
    given: dict[str, Any] = {key: value for key, value in changes.items() if value}
    parts = [text.partition("=") for text in modalities]
    for text, (name, _, columns) in zip(modalities, parts, strict=True):
        if not name.strip() or not columns.strip():
            raise InputError(f"--modality {text!r}: write NAME=COLUMN,COLUMN or NAME=START*.")
    if modalities:
        given["modalities"] = {
            name.strip(): tuple(c.strip() for c in columns.split(",")) for name, _, columns in parts
        }
    mapping = replace(read_mapping(file) if file else StudyMapping(), **given)
    # What is told comes first: ratings, for one, are looked for by the target's name.
    return mapping if file else guess_mapping(find_sources(map(Path, names)), mapping)


def _import(
    workspace: Workspace, names: list[str], mapping_file: Path | None, changes: dict[str, str],
    modalities: list[str],
) -> str:  # fmt: skip
    """Import files as a study, or find the one that was made of them before; its id."""
    if len(names) == 1 and not Path(names[0]).exists():
        studies.ensure_synthetic_study(workspace)
        if names[0] in {study.id for study in studies.list_studies(workspace)}:
            if mapping_file or modalities or any(changes.values()):
                raise InputError(
                    f"{names[0]!r} is an imported study; its columns' roles are settled."
                )
            return names[0]
    assembly = assemble(
        find_sources(map(Path, names)), _mapping(names, mapping_file, changes, modalities)
    )
    provenance = assembly.provenance()
    known = studies.find_study(workspace, provenance)
    _tell(assembly)
    return known or studies.add_study(
        workspace, assembly.dataset, problems=assembly.problems, provenance=provenance
    )


def _tell(assembly: Assembly) -> None:
    dataset = assembly.dataset
    counts = ", ".join(f"{name} {f.values.shape[1]}" for name, f in dataset.features.items())
    persons = f", {len(np.unique(dataset.groups))} persons" if dataset.groups is not None else ""
    what = (
        f"{len(dataset.class_names)} classes of {dataset.target_name}"
        if dataset.task == "classification"
        else f"regression of {dataset.target_name}"
    )
    out.print(f"{dataset.name}: {len(dataset)} samples{persons}, {what}; features: {counts}")
    for problem in assembly.problems:
        out.print(f"  {problem.severity}: {problem}", markup=False)


# The roles of columns, the same for `train` and `check`.
_Mapping = Annotated[
    Path | None, typer.Option("--mapping", help="YAML file that gives columns their roles.")
]
_Name = Annotated[str, typer.Option(help="What to call the study.")]
_Target = Annotated[str, typer.Option(help="Column to predict.")]
_Id = Annotated[str, typer.Option(help="Column with sample ids, the same in every table.")]
_Person = Annotated[str, typer.Option(help="Column with the person of each sample.")]
_Fold = Annotated[str, typer.Option(help="Column with the number of each sample's test fold.")]
_Split = Annotated[str, typer.Option(help="Column with train, validation, test.")]
_Modality = Annotated[
    list[str] | None,
    typer.Option(help="NAME=FILE, NAME=COLUMN,COLUMN or NAME=START*; repeat for each modality."),
]
_Task = Annotated[str, typer.Option(help=f"auto, {' or '.join(get_args(Task))}.")]


@app.command()
def check(
    data: Annotated[list[str], typer.Argument(help="Files or folders with features.")],
    mapping: _Mapping = None,
    name: _Name = "",
    target: _Target = "",
    id: _Id = "",
    person: _Person = "",
    fold: _Fold = "",
    split: _Split = "",
    task: _Task = "",
    modality: _Modality = None,
    write: Annotated[
        Path | None, typer.Option(help="Write the columns' roles to this YAML file, to edit it.")
    ] = None,
) -> None:
    """Read files and tell what is in them and what is wrong. Keeps nothing."""
    changes = {
        "name": name, "target": target, "id": id, "person": person, "fold": fold,
        "split": split, "task": task,
    }  # fmt: skip
    assembly = assemble(
        find_sources(map(Path, data)), _mapping(data, mapping, changes, modality or [])
    )
    _tell(assembly)
    if write:
        write_mapping(assembly.mapping, write)


@app.command("import")
def import_study(
    data: Annotated[
        list[str],
        typer.Argument(
            help="A study.yaml, whose files lie beside it; or files and folders, whose columns' "
            "roles are guessed."
        ),
    ],
    name: _Name = "",
    media: Annotated[
        Path | None, typer.Option(help="Folder of the samples' sound and video.")
    ] = None,
) -> None:
    """Make a study of files, for the app and for `smurf train`, and tell what is wrong with them.

    The study's id is printed last. The same files are imported once.
    """
    workspace = Workspace.default()
    paths = [Path(text) for text in data]
    is_mapped = len(paths) == 1 and paths[0].suffix.lower() in (".yaml", ".yml")
    if is_mapped:
        mapping = read_mapping(paths[0])
        sources = mapped_sources(mapping, paths[0].parent)
        mapping = guess_mapping(sources, mapping)
    else:
        sources = find_sources(paths)
        mapping = guess_mapping(sources)
    mapping = replace(
        mapping,
        name=name or mapping.name,
        media_folder=str(media.resolve()) if media else mapping.media_folder,
    )
    assembly = assemble(sources, mapping)
    folder = paths[0].parent if is_mapped else Path()
    settings = media_settings(mapping, folder, assembly.dataset.samples)
    recordings = check_media(settings, assembly.dataset) if settings else ""
    _tell(assembly)
    for join in assembly.joins if len(assembly.joins) > 1 else ():
        out.print(f"  {join.table}: {join.matched} of {join.rows} rows match", markup=False)
        for what, ids, count in (
            ("samples without a row there", join.absent_ids, join.absent),
            ("rows without a sample", join.extra_ids, join.extra),
        ):
            if count:
                out.print(f"    {count} {what}: {listing(ids, 20)}", markup=False, soft_wrap=True)
    if recordings:
        out.print(f"  {recordings}", markup=False)
    provenance = assembly.provenance()
    study = studies.find_study(workspace, provenance) or studies.add_study(
        workspace, assembly.dataset, problems=assembly.problems, provenance=provenance
    )
    if settings:
        studies.set_media(workspace, study, settings)
    out.print(study)


@app.command()
def train(
    data: _Data,
    mapping: _Mapping = None,
    name: _Name = "",
    target: _Target = "",
    id: _Id = "",
    person: _Person = "",
    fold: _Fold = "",
    split: _Split = "",
    task: _Task = "",
    modality: _Modality = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help=f"{_MODELS}; repeat to train several.", show_default=DEFAULT_MODEL),
    ] = None,
    preset: Annotated[str, typer.Option(help=f"Grid to search: {', '.join(PRESETS)}.")] = "quick",
    learning_rate: Annotated[list[float] | None, typer.Option(help=_RATES)] = None,
    layers: Annotated[
        list[str] | None,
        typer.Option(help="Hidden layers as 20-10, or linear; repeat for several."),
    ] = None,
    weight_decay: Annotated[
        list[float] | None, typer.Option(help="L2 weight decay; repeat for several.")
    ] = None,
    auxiliary_weight: Annotated[list[float] | None, typer.Option(help=_LAMBDAS)] = None,
    selection: Annotated[
        str, typer.Option(help=f"Which configuration wins: {', '.join(get_args(Selection))}.")
    ] = "one_standard_error",
    standardisation: Annotated[
        str,
        typer.Option(
            help=f"How features are standardised: {', '.join(get_args(Standardisation))}. "
            "Within person uses that person's unlabelled rows. A regression target goes along; "
            "the normalised losses always standardise it. "
            "Default: training_fold, but none for synthetic data, as published."
        ),
    ] = "",
    restarts: Annotated[
        int, typer.Option(help="Starts of the chosen configuration; the best objective wins.")
    ] = 3,
    seed: Annotated[int, typer.Option(help="Decides initial weights, batches and folds.")] = 0,
    folds: Annotated[int, typer.Option(help="Folds to make where the data names none.")] = 5,
    device: Annotated[str, typer.Option(help=f"{', '.join(get_args(Device))}.")] = "auto",
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
        str,
        typer.Option(
            help="full trains every configuration to its end; halving drops the less promising "
            "half of each λ early, again and again (docs/performance.md)."
        ),
    ] = "full",
    detach: Annotated[
        bool, typer.Option(help="Do not wait: the runs go on by themselves.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(help="A report's config.json: trains exactly that, in place of all options."),
    ] = None,
    expect_data: Annotated[
        str, typer.Option(help="Fingerprint that the data must have, as a report names it.")
    ] = "",
) -> None:
    """Train models on a data set, fold by fold, and print how well they predict.

    Runs are kept and appear in the app, too. Ctrl-C cancels the one that trains.
    """
    configs = [_read_config(config)] if config else [
        _config(
            kind, preset, _grid(preset, learning_rate, layers, weight_decay, auxiliary_weight),
            selection, standardisation, restarts, seed, folds, device, search,
        )
        for kind in model or [DEFAULT_MODEL]
    ]  # fmt: skip
    workspace = Workspace.default()
    changes = {
        "name": name, "target": target, "id": id, "person": person, "fold": fold,
        "split": split, "task": task,
    }  # fmt: skip
    study = _import(workspace, data, mapping, changes, modality or [])
    if expect_data:
        found = studies.load_study(workspace, study).fingerprint
        if found != expect_data:
            raise InputError(
                f"This is not the data that was trained on: its fingerprint is {found[:16]}, "
                f"expected {expect_data[:16]}. Give the same files, unchanged, in the same roles."
            )
    if not standardisation and not config:
        origin = studies.get_study(workspace, study).origin
        suggested = suggested_standardisation(preset, origin)
        configs = [replace(config, standardisation=suggested) for config in configs]
    runs = [
        store.create_run(workspace, study, config, jobs=jobs, scheduler=scheduler)
        for config in configs
    ]
    launch(workspace)
    if detach:
        for run_id in runs:
            out.print(run_id)
        return
    ended = _watch(workspace, runs)
    finished = [run for run in ended if run.status == "finished"]
    if finished:
        out.print(_comparison(workspace, finished))
    for run in ended:
        if run.status == "failed":
            raise InputError(f"Run {run.id}: {run.error}")
    if len(finished) < len(ended):
        raise typer.Exit(1)


def _grid(
    preset: str,
    learning_rates: list[float] | None,
    layers: list[str] | None,
    weight_decays: list[float] | None,
    auxiliary_weights: list[float] | None,
) -> Grid | None:
    """The preset's grid with what was given in place of its own; nothing where nothing was."""
    if preset not in PRESETS:
        raise InputError(f"No preset {preset!r}; there are {', '.join(PRESETS)}.")
    given = {
        "learning_rates": tuple(learning_rates or ()),
        "hidden_layers": tuple(parse_layers(text, f"--layers {text!r}") for text in layers or ()),
        "weight_decays": tuple(weight_decays or ()),
        "auxiliary_weights": tuple(auxiliary_weights or ()),
    }
    changes = {key: values for key, values in given.items() if values}
    return replace(PRESETS[preset], **changes) if changes else None  # type: ignore[arg-type]


def _config(
    model: str, preset: str, grid: Grid | None, selection: str, standardisation: str,
    restarts: int, seed: int, folds: int, device: str, search: str = "full",
) -> RunConfig:  # fmt: skip
    for option, value, known in (
        ("model", model, tuple(MODEL_KINDS)),
        ("selection", selection, get_args(Selection)),
        ("standardisation", standardisation, ("", *get_args(Standardisation))),
        ("device", device, get_args(Device)),
        ("search", search, get_args(Search)),
    ):
        if value not in known:
            names = ", ".join(name for name in known if name)
            raise InputError(f"--{option} {value!r} is not known; there are {names}.")
    kind: ModelKind = next(known for known in MODEL_KINDS if known == model)
    config = RunConfig.from_preset(
        preset, kind, selection=selection, restarts=restarts, seed=seed, device=device,
        fold_count=folds, search=search,
        **({"standardisation": standardisation} if standardisation else {}),
    )  # fmt: skip
    return replace(config, preset="custom", grid=grid) if grid else config


def _read_config(path: Path) -> RunConfig:
    """The configuration that a report keeps in `config.json`."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be opened: {error.strerror}.") from error
    except ValueError as error:
        raise InputError(f"{path} is no configuration of a run: take a report's.") from error
    return RunConfig.from_dict(plain)


def _watch(workspace: Workspace, run_ids: list[str]) -> list[store.RunInfo]:
    """Show a bar a run until all have ended; Ctrl-C cancels those that have not."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(), TextColumn("{task.fields[message]}"),
    )  # fmt: skip
    runs = [store.get_run(workspace, run_id) for run_id in run_ids]
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {
            run.id: bars.add_task(run.config.kind.title, total=1.0, message="queued", start=False)
            for run in runs
        }
        while True:
            try:
                runs = [store.get_run(workspace, run_id) for run_id in run_ids]
                for run in runs:
                    if run.started and not bars.tasks[tasks[run.id]].started:
                        bars.start_task(tasks[run.id])
                    if not run.is_active:
                        bars.stop_task(tasks[run.id])
                    bars.update(
                        tasks[run.id], completed=run.progress, message=run.message or run.status
                    )
                if not any(run.is_active for run in runs):
                    return runs
                launch(workspace)  # In case the worker was killed.
                time.sleep(0.2)
            except KeyboardInterrupt:
                for run_id in run_ids:
                    store.request_cancel(workspace, run_id)


def _comparison(workspace: Workspace, runs: list[store.RunInfo]) -> Table:
    """One row a run: every metric as mean ± standard deviation over folds."""
    dataset = studies.load_study(workspace, runs[0].study_id)
    names = tuple(METRICS[dataset.task])
    table = _table("run", "model", *(METRIC_TITLES[name] for name in names), "seconds")
    chance = pd.DataFrame()
    for run in runs:
        result = RunFiles.of(workspace, run.id).read_result()
        found = performance(result, dataset)
        table.add_row(
            run.id, run.config.kind.title,
            *(_spread(mean, sd) for mean, sd in zip(found["mean"], found["sd"], strict=True)),
            f"{result.seconds:.1f}",
        )  # fmt: skip
        chance = chance_performance(result, dataset)
    scores = [chance.loc[chance["metric"] == name, "value"] for name in names]
    table.add_row(
        "", "majority class" if dataset.task == "classification" else "mean of training fold",
        *(_spread(values.mean(), values.std()) for values in scores), "",
    )  # fmt: skip
    return table


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(*columns, title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    return table


def _spread(mean: float, sd: float) -> str:
    if np.isnan(mean):
        return "–"
    return f"{mean:.3f}" if np.isnan(sd) else f"{mean:.3f} ± {sd:.3f}"


@app.command()
def runs(
    study: Annotated[str, typer.Option(help="Only runs of this study.")] = "",
) -> None:
    """List runs, newest first."""
    workspace = Workspace.default()
    table = _table("run", "name", "study", "status", "progress", "device", "started")
    for run in store.list_runs(workspace, study or None):
        started = "–" if run.started is None else _time(run.started)
        table.add_row(
            run.id, run.name, run.study_id, run.status, f"{run.progress:.0%}", run.device or "–",
            started,
        )  # fmt: skip
    broken = store.list_broken_runs(workspace, study or None)
    for entry in broken:
        table.add_row(entry.id, entry.name, "–", "unreadable", "–", "–", "–")
    out.print(table)
    for entry in broken:
        out.print(f"{entry.id} cannot be read. {entry.reason}", markup=False)


@app.command("studies")
def list_studies() -> None:
    """List data sets that were imported, newest first."""
    workspace = Workspace.default()
    studies.ensure_synthetic_study(workspace)
    table = _table("study", "name", "task", "target", "samples", "modalities", "imported")
    for study in studies.list_studies(workspace):
        table.add_row(
            study.id, study.name, study.task, study.target_name, str(study.samples),
            ", ".join(study.modalities), _time(study.created),
        )  # fmt: skip
    out.print(table)


@app.command("simulate-study")
def simulate_study(
    samples: Annotated[int, typer.Option(help="Utterances.")] = 600,
    persons: Annotated[int, typer.Option(help="Persons who speak them.")] = 30,
    seed: Annotated[int, typer.Option(help="Decides everything that is drawn.")] = 2024,
    files: Annotated[
        Path | None,
        typer.Option(
            help="Write tables and clips to this new folder, to try the import with, "
            "in place of a study.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Make a simulated affect study on which every page can be tried; it is no data of people."""
    from smurf_core.runs.simulated import add_simulated_study, write_simulated_files

    if files is not None:
        for path in write_simulated_files(files, samples=samples, persons=persons, seed=seed):
            out.print(str(path), markup=False)
        return
    study = add_simulated_study(Workspace.default(), samples=samples, persons=persons, seed=seed)
    out.print(f"{study}: simulated; train on it with: smurf train {study}", markup=False)


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _find_run(workspace: Workspace, text: str) -> store.RunInfo:
    known = store.list_runs(workspace)
    found = known[:1] if text == "last" else [run for run in known if run.id.startswith(text)]
    if not found:
        raise InputError(f"There is no run {text!r}; `smurf runs` lists those there are.")
    if len(found) > 1:
        raise InputError(f"{len(found)} runs start with {text!r}; write more of the id.")
    return found[0]


@app.command()
def show(run: _Run) -> None:
    """Print what a run was asked, what it chose in every fold, and what it found."""
    workspace = Workspace.default()
    info = _find_run(workspace, run)
    config = info.config
    out.print(f"{info.id}  {info.name}  ({info.status})", markup=False)
    out.print(
        f"{config.kind.title}, preset {config.preset}, selection {config.selection}, "
        f"standardisation {config.standardisation}, {config.restarts} restarts, "
        f"seed {config.seed}"
    )
    if info.error:
        out.print(info.error, markup=False)
    if info.status != "finished":
        return
    dataset = studies.load_study(workspace, info.study_id)
    result = RunFiles.of(workspace, info.id).read_result()
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    out.print(f"{result.seconds:.1f} s on {result.device}; {versions}")
    out.print(f"data {result.data_fingerprint[:16]}")
    main = next(iter(METRICS[result.task]))
    scores = fold_performance(result, dataset).set_index(["metric", "fold"])["value"]
    chosen = _table(
        "fold", "chosen configuration", "epoch", "validation", f"test {METRIC_TITLES[main]}"
    )
    for fold in result.fold_results:
        member = fold.member
        chosen.add_row(
            str(fold.fold), str(member.configuration), str(member.best_epoch),
            f"{member.validation_metric:.3f}", f"{scores[main, fold.fold]:.3f}",
        )  # fmt: skip
    out.print(chosen)
    if dataset.factors and config.kind.has_redundant_heads:
        found = mean_recovery(explained(result, dataset))
        out.print(f"mean recovery of the true factors (synthetic data): r = {found:.3f}")
    shares = variance_shares(result.contributions())
    # Late fusion has no redundant terms: they are zero everywhere.
    shares = shares[(shares["output"] == shares["output"].iloc[0]) & (shares["sd"] > 0)]
    table = _table("contribution", "share of variance", title="Out-of-fold contributions")
    for row in shares.itertuples():
        name = row.modality if row.kind == "unique" else f"{row.modality}, with {row.shared_with}"
        table.add_row(f"{row.kind} {name}", f"{row.share:+.3f}")
    out.print(table)


@app.command()
def export(
    run: _Run,
    folder: Annotated[
        Path | None, typer.Option(help="New folder to write.", show_default="smurf-RUN")
    ] = None,
    format: Annotated[str, typer.Option(help=f"{' or '.join(FORMATS)}.")] = "csv",
) -> None:
    """Write a run's contributions, scores, candidates and configuration as tables."""
    workspace = Workspace.default()
    info = _find_run(workspace, run)
    target = folder or Path(f"smurf-{info.id}")
    for path in export_run(workspace, info.id, target, format):
        out.print(str(path), markup=False)


@app.command()
def evaluate(
    run: _Run,
    compare: Annotated[
        list[str] | None, typer.Option(help="Another run of the study to stand beside; repeat.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="New folder.", show_default="smurf-evaluation-RUN")
    ] = None,
    count: Annotated[int, typer.Option(help="Typical samples of each kind and output.")] = 50,
    permutations: Annotated[int, typer.Option(help="Swaps of the tests between models.")] = 5_000,
) -> None:
    """Write every evaluation of a run as tidy CSV tables: estimates, intervals, n, p-values.

    Performance, missing modalities, human judgments, informativeness, typical samples, redundancy,
    stability, and recovery where the true factors are known. Other runs are tested against RUN.
    """
    from smurf_core.evaluation.complete import evaluation_tables

    workspace = Workspace.default()
    info = _find_run(workspace, run)
    infos = [info, *(_find_run(workspace, other) for other in compare or ())]
    for other in infos:
        if other.status != "finished":
            raise InputError(f"Run {other.id} is {other.status}; only finished runs have results.")
        if other.study_id != info.study_id:
            raise InputError(f"Run {other.id} is of another study than {info.id}.")
    dataset = studies.load_study(workspace, info.study_id)
    results = {i.id: RunFiles.of(workspace, i.id).read_result() for i in infos}
    tables = evaluation_tables(
        results, dataset, reference=info.id, count=count, permutations=permutations
    )
    files = {f"{name}.csv": table.to_csv(index=False).encode() for name, table in tables.items()}
    for path in write_folder(folder or Path(f"smurf-evaluation-{info.id}"), files):
        out.print(f"{path}  {len(tables[path.stem]):,} rows", markup=False)


@app.command()
def report(
    run: _Run,
    output: Annotated[
        Path | None, typer.Option(help="New folder to write.", show_default="smurf-report-RUN")
    ] = None,
    compare: Annotated[
        list[str] | None,
        typer.Option(help="Another run of the study, as a column of its tables; repeat."),
    ] = None,
) -> None:
    """Write a run's tables (CSV, LaTeX), model and model card, and a script that trains it again.

    Figures and a report in HTML come with it; images of figures need Chromium.
    """
    from smurf_core.plot.html_report import figure_files  # Plotly takes a while to load.

    workspace = Workspace.default()
    info = _find_run(workspace, run)
    others = [_find_run(workspace, other) for other in compare or ()]
    files = report_of(workspace, info, others, [figure_files])
    for path in write_folder(output or Path(f"smurf-report-{info.id}"), files):
        out.print(str(path), markup=False)


@app.command()
def cancel(run: _Run) -> None:
    """Stop a run; what it has finished is kept."""
    workspace = Workspace.default()
    store.request_cancel(workspace, _find_run(workspace, run).id)


@app.command()
def resume(run: _Run) -> None:
    """Take a stopped run up again from its finished work."""
    workspace = Workspace.default()
    info = _find_run(workspace, run)
    store.resume_run(workspace, info.id)
    launch(workspace)
    (ended,) = _watch(workspace, [info.id])
    if ended.status != "finished":
        raise InputError(f"Run {ended.id} {ended.status}. {ended.error}")
    out.print(_comparison(workspace, [ended]))


@app.command()
def verify(
    seeds: Annotated[int, typer.Option(help="Data sets and starts.")] = 20,
    samples: Annotated[int, typer.Option(help="Samples of each data set.")] = 5000,
    model: Annotated[str, typer.Option(help=_MODELS)] = "smurf",
    selection: Annotated[str, typer.Option(help=f"{', '.join(get_args(Selection))}.")] = (
        "one_standard_error"
    ),
    setting: Annotated[
        list[str] | None,
        typer.Option(
            help="bimodal, trimodal, four or five (modalities), classes (three), none, partial or "
            "only (redundancy), noisy, non_additive (with an MRO model); repeat for several.",
            show_default="bimodal, trimodal",
        ),
    ] = None,
    learning_rate: Annotated[list[float] | None, typer.Option(help=_RATES)] = None,
    auxiliary_weight: Annotated[list[float] | None, typer.Option(help=_LAMBDAS)] = None,
    jobs: Annotated[int, typer.Option(help="Seeds that train at the same time.")] = (
        os.cpu_count() or 1
    ),
) -> None:
    """Train on synthetic data and print how well the true factors were found again."""
    # Torch takes seconds to import: only where this process trains.
    from smurf_core.experiments.recovery import PAPER_RECOVERY, SETTINGS, recover_factors

    asked = setting or ["bimodal", "trimodal"]
    unknown = [name for name in asked if name not in SETTINGS]
    if unknown:
        raise InputError(f"No setting {', '.join(unknown)}; there are {', '.join(SETTINGS)}.")
    settings = [known for known in SETTINGS if known in asked]

    grid = _grid("synthetic", learning_rate, None, None, auxiliary_weight)
    config = _config(
        model, "synthetic", grid, selection, "", restarts=1, seed=0, folds=5, device="cpu"
    )
    rows = []
    columns = ("setting", "seed", "r", "r, visible", "recovery", "lowest", "invented")
    out.print("  ".join(f"{name:>12}" for name in columns) + "  chosen")
    for row in recover_factors(
        settings=settings, seeds=seeds, samples=samples, model=config.model,
        selection=config.selection, grid=grid, jobs=jobs,
    ):  # fmt: skip
        rows.append(row)
        cells = [row.setting, str(row.seed), f"{row.prediction_r:.4f}", f"{row.visible_r:.5f}"]
        cells += [f"{row.recovery:.4f}", f"{row.lowest:.4f}", _or_dash(row.invented)]
        out.print(
            "  ".join(f"{cell:>12}" for cell in cells) + f"  {row.configuration}", soft_wrap=True
        )
    table = pd.DataFrame(rows)
    for name in settings:
        group = table[table["setting"] == name]
        paper = f" (paper {PAPER_RECOVERY[name]:.3f})" if name in PAPER_RECOVERY else ""
        invented = group["invented"].max()
        zero = "" if np.isnan(invented) else f"; largest sd of what should be zero {invented:.4f}"
        out.print(
            f"{name}: mean recovery {group['recovery'].mean():.4f}, lowest "
            f"{group['recovery'].min():.4f} of {len(group)} seeds{paper}, "
            f"lowest of one contribution {group['lowest'].min():.4f}; "
            f"lowest r with what is visible {group['visible_r'].min():.5f}{zero}",
            soft_wrap=True,
        )


def _or_dash(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.4f}"


@app.command()
def basins(
    modalities: Annotated[int, typer.Option(help="2 is the paper's bimodal setting.")] = 3,
    starts: Annotated[int, typer.Option(help="Initial weights of each scale.")] = 20,
    samples: Annotated[int, typer.Option(help="Samples of the synthetic data set.")] = 1000,
    epochs: Annotated[int, typer.Option(help="Epochs of each start.")] = 1000,
    lines: Annotated[
        bool, typer.Option("--lines", help="Print each start as a line of JSON when it is done.")
    ] = False,
) -> None:
    """Show the objective's sign-flipped basins, which no score reveals (synthetic data)."""
    from smurf_core.experiments.basins import find_basins

    if lines:
        for start in find_basins(
            modalities=modalities, starts=starts, samples=samples, epochs=epochs, at_once=2
        ):
            print(json.dumps(asdict(start)), flush=True)
        return
    table = _table(
        "initial output weights", "right basin", "r of prediction, lowest", "objective, right",
        "objective, wrong", "recovery, right", "recovery, wrong",
    )  # fmt: skip
    found = list(find_basins(modalities=modalities, starts=starts, samples=samples, epochs=epochs))
    for scale in dict.fromkeys(start.output_scale for start in found):
        there = [start for start in found if start.output_scale == scale]
        right, wrong = ([s for s in there if s.is_right is which] for which in (True, False))
        table.add_row(
            f"{scale:g} of the usual",
            f"{len(right)} of {len(there)}",
            f"{min(s.prediction_r for s in there):.4f}",
            *(_range([s.objective for s in part]) for part in (right, wrong)),
            *(_range([s.recovery for s in part]) for part in (right, wrong)),
        )
    out.print(table)


def _range(values: list[float]) -> str:
    return f"{min(values):.3f} to {max(values):.3f}" if values else "–"


@app.command()
def reproduce(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with the authors' caches.", show_default="only what is fetched"),
    ] = None,
    fetch: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=URL#sha256=CHECKSUM of a cache to download, as vreed=https://…; repeat. "
            "The checksums of toy, natoy and vreed are known."
        ),
    ] = None,
    preset: Annotated[
        str, typer.Option(help="Grid for recorded data; synthetic data has its own.")
    ] = "standard",
    only: Annotated[
        list[str] | None,
        typer.Option(help="A cache without its suffix, as vreed; repeat.", show_default="all"),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this model, beside the one compared with; repeat for several.",
            show_default="the paper's and ours",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Initial weights to average over.")] = 5,
    selection: Annotated[str, typer.Option(help=f"{', '.join(get_args(Selection))}.")] = (
        "one_standard_error"
    ),
    output: Annotated[Path, typer.Option(help="Folder for tables as Markdown and CSV.")] = Path(
        "results"
    ),
    jobs: Annotated[int, typer.Option(help="Processes that share the work.")] = os.cpu_count() or 1,
) -> None:
    """Train the paper's models on its data and write Tables 2 and 5 beside the paper's.

    What is finished is kept in the workspace: the same command goes on where it was stopped.
    """
    from smurf_core.experiments.fetching import fetch_cache
    from smurf_core.experiments.reproduce import as_markdown
    from smurf_core.experiments.reproduce import reproduce as run_all

    configs = [
        _config(kind, preset, None, selection, "", 3, 0, 5, "auto") for kind in model or ["smurf"]
    ]
    start = time.perf_counter()
    keep = Workspace.default().root / "reproduce"
    fetched = [fetch_cache(text, keep / "caches") for text in fetch or ()]
    if data is None and not fetched:
        raise InputError("Name a folder with the authors' caches (--data), or what to --fetch.")
    found = run_all(
        [*([data] if data else []), *fetched], preset=preset, only=only or (), seeds=seeds,
        models=[config.model for config in configs] if model else (),
        selection=configs[0].selection, jobs=jobs, keep=keep, tell=out.print,
    )  # fmt: skip
    where = f"--data {data} " if data else ""
    where += "".join(f"--fetch {text} " for text in fetch or ())
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    chosen = "".join(f"--only {name} " for name in only or ())
    chosen += "".join(f"--model {kind} " for kind in model or ())
    output.mkdir(parents=True, exist_ok=True)
    for name in ("performance", "single", "recovery"):
        getattr(found, name).to_csv(output / f"{name}.csv", index=False, float_format="%.6g")
    (output / "README.md").write_text(
        "# The paper's tables, reproduced\n\n"
        f"`smurf reproduce {where}--preset {preset} {chosen}--seeds {seeds} "
        f"--selection {selection} --output {output}`\n\n"
        f"{seeds} seeds of initial weights; mean ± standard deviation over folds, [lowest, highest "
        "seed]; ↓ ↑ differs from SMURF by the permutation test on persons, α = 0.05; ▲ ▼ ours lies "
        "above or below the paper's figure, which is outside both our mean ± standard deviation "
        "and the range of our seeds. Synthetic "
        f"data is searched with the synthetic preset, recorded data with {preset}. smurf-studio "
        f"{__version__}, {versions}; {time.perf_counter() - start:.0f} s for what was not kept "
        "from before.\n\n" + as_markdown(found),
        encoding="utf-8",
    )
    out.print(f"{output / 'README.md'}", markup=False)


@app.command()
def version() -> None:
    """Print the version."""
    out.print(__version__)


def main() -> None:
    """Entry of the command; bad input is one sentence and exit code 2."""
    try:
        app()
    except InputError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"Error: {error}", markup=False)
        raise SystemExit(2) from None
