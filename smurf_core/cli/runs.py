"""`smurf runs`, `cancel` and `resume`, and how other commands find a run."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
import typer
from rich.table import Table

from smurf_core.cli.options import Run
from smurf_core.cli.output import clock, new_table, out, spread
from smurf_core.cli.progress import watch
from smurf_core.cli.targets import has_several_targets
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.baseline import against_baseline
from smurf_core.evaluation.gate import gate
from smurf_core.evaluation.metrics import METRIC_TITLES, METRICS
from smurf_core.evaluation.performance import chance_performance, performance
from smurf_core.explained import explained
from smurf_core.processes.launcher import launch
from smurf_core.reporting.influence_sentences import worse_than_baseline
from smurf_core.reporting.sentences import nothing_to_explain
from smurf_core.results import RunResult
from smurf_core.runs import store
from smurf_core.runs.files import RunFiles
from smurf_core.runs.workspace import Workspace


def list_runs(
    study: Annotated[str, typer.Option(help="Only runs of this study.")] = "",
) -> None:
    """List runs, newest first."""
    workspace = Workspace.default()
    runs = store.list_runs(workspace, study or None)
    ids = {run.study_id for run in runs}
    extra = ["target"] if any(has_several_targets(workspace, one) for one in ids) else []
    table = new_table("run", "name", "study", *extra, "status", "progress", "device", "started")
    for run in runs:
        table.add_row(
            run.id, run.name, run.study_id, *([run.target] if extra else []), run.status,
            f"{run.progress:.0%}", run.device or "–", clock(run.started),
        )  # fmt: skip
    broken = store.list_broken_runs(workspace, study or None)
    for entry in broken:
        unknown = ["–"] * (len(extra) + 1)
        table.add_row(entry.id, entry.name, *unknown, "unreadable", "–", "–", "–")
    out.print(table)
    for entry in broken:
        out.print(f"{entry.id} cannot be read. {entry.reason}", markup=False)


def cancel(run: Run) -> None:
    """Stop a run; its finished work is kept."""
    workspace = Workspace.default()
    store.request_cancel(workspace, find_run(workspace, run).id)


def resume(run: Run) -> None:
    """Continue a stopped run from its finished work."""
    workspace = Workspace.default()
    info = find_run(workspace, run)
    store.resume_run(workspace, info.id)
    launch(workspace)
    (ended,) = watch(workspace, [info.id])
    if ended.status != "finished":
        raise InputError(f"Run {ended.id} {ended.status}. {ended.error}")
    show_comparison(workspace, [ended])


def find_run(workspace: Workspace, text: str) -> store.RunInfo:
    """Find a run by its id, the start of its id, or `last`."""
    known = store.list_runs(workspace)
    found = known[:1] if text == "last" else [run for run in known if run.id.startswith(text)]
    if not found:
        raise InputError(f"There is no run {text!r}; `smurf runs` lists all runs.")
    if len(found) > 1:
        raise InputError(f"The ids of {len(found)} runs start with {text!r}; write more of the id.")
    return found[0]


def show_comparison(workspace: Workspace, runs: list[store.RunInfo]) -> None:
    """Print `comparison` for each target, and which runs predict nothing, or less than a constant.

    All runs are of one study.
    """
    by_target: dict[str, list[store.RunInfo]] = {}
    for run in runs:
        by_target.setdefault(run.target, []).append(run)
    for of_target in by_target.values():
        _show_comparison_of_one_target(workspace, of_target)


def _show_comparison_of_one_target(workspace: Workspace, runs: list[store.RunInfo]) -> None:
    if has_several_targets(workspace, runs[0].study_id):
        out.print(f"Target {runs[0].target}:", markup=False)
    out.print(comparison(workspace, runs))
    dataset = store.dataset_of_run(workspace, runs[0])
    for run in runs:
        result = RunFiles.of(workspace, run.id).read_result()
        worse = worse_than_baseline(against_baseline(result, dataset))
        for sentence in filter(None, (why_closed(result, dataset), worse)):
            out.print(f"{run.id}: {sentence}", markup=False)


def why_closed(result: RunResult, dataset: MultimodalDataset) -> str:
    """Why there is nothing to explain in a run; an empty text where there is something."""
    return nothing_to_explain(gate(explained(result, dataset)))


def warn_if_closed(workspace: Workspace, run: store.RunInfo) -> None:
    """Print that there is nothing to explain in a run whose contributions are being written."""
    result = RunFiles.of(workspace, run.id).read_result()
    sentence = why_closed(result, store.dataset_of_run(workspace, run))
    if sentence:
        out.print(sentence, markup=False, soft_wrap=True)


def comparison(workspace: Workspace, runs: list[store.RunInfo]) -> Table:
    """One row per run of one target: every metric as mean ± standard deviation over folds."""
    dataset = store.dataset_of_run(workspace, runs[0])
    names = tuple(METRICS[dataset.task])
    table = new_table("run", "model", *(METRIC_TITLES[name] for name in names), "seconds")
    chance = pd.DataFrame()
    for run in runs:
        result = RunFiles.of(workspace, run.id).read_result()
        found = performance(result, dataset)
        table.add_row(
            run.id, run.config.kind.title,
            *(spread(mean, sd) for mean, sd in zip(found["mean"], found["sd"], strict=True)),
            f"{result.seconds:.1f}",
        )  # fmt: skip
        chance = chance_performance(result, dataset)
    scores = [chance.loc[chance["metric"] == name, "value"] for name in names]
    table.add_row(
        "", "majority class" if dataset.task == "classification" else "mean of training fold",
        *(spread(values.mean(), values.std()) for values in scores), "",
    )  # fmt: skip
    return table
