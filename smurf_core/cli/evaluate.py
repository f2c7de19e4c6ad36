"""`smurf show` and `evaluate`: a run's results, on the screen and as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from smurf_core.cli.options import Run
from smurf_core.cli.output import name_leftovers, new_table, out
from smurf_core.cli.runs import find_run
from smurf_core.cli.targets import target_sentence
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.complete import evaluation_tables
from smurf_core.evaluation.metrics import METRIC_TITLES, METRICS
from smurf_core.evaluation.performance import fold_performance
from smurf_core.evaluation.redundancy import share_intervals
from smurf_core.evaluation.verdicts import verdicts
from smurf_core.evaluation.verification import mean_recovery
from smurf_core.explained import explained
from smurf_core.fold_label import fold_label
from smurf_core.reporting.evidence import evidence_of
from smurf_core.reporting.key_findings import key_findings
from smurf_core.reporting.sentences import Leader
from smurf_core.reporting.shares import OutputShares
from smurf_core.reporting.statements import account, leader_of
from smurf_core.results import RunResult
from smurf_core.runs.exporting import write_folder
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import dataset_of_run, require_alike
from smurf_core.runs.table_files import table_bytes
from smurf_core.runs.wording import read_wording
from smurf_core.runs.workspace import Workspace
from smurf_core.terms import partner_label


def show(run: Run) -> None:
    """Print a run's findings, its settings, what was selected in each fold, and its results."""
    workspace = Workspace.default()
    info = find_run(workspace, run)
    config = info.config
    out.print(f"{info.id}  {info.name}  ({info.status})", markup=False)
    settings = (
        f"{config.kind.title}, preset {config.preset}, selection {config.selection}, "
        f"standardisation {config.scaling}, {config.restarts} restarts, "
        f"seed {config.seed}"
    )
    if named := target_sentence(workspace, info):
        out.print(named, markup=False)
    if info.status != "finished":
        out.print(settings)
        if info.error:
            out.print(info.error, markup=False)
        return
    dataset = dataset_of_run(workspace, info)
    result = RunFiles.of(workspace, info.id).read_result()
    shown = explained(result, dataset)
    intervals = share_intervals(shown, result.refits)
    verdict_table = verdicts(result, shown)
    said = account(result, shown, intervals=intervals, verdict_table=verdict_table)
    first = tuple(key_findings(said, lambda: evidence_of(result, shown, intervals, verdict_table)))
    wording = read_wording(workspace, info.id)
    for finding in first:
        text = f"{finding.question} {wording.of(finding).marked} ({finding.counted})"
        out.print(text, markup=False, soft_wrap=True)
    out.print(settings)
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    out.print(f"{result.seconds:.1f} s on {result.device}; {versions}")
    out.print(f"data {result.data_fingerprint[:16]}")
    main = next(iter(METRICS[result.task]))
    scores = fold_performance(result, dataset).set_index(["metric", "fold"])["value"]
    chosen = new_table(
        "fold", "chosen configuration", "epoch", "validation", f"test {METRIC_TITLES[main]}"
    )
    is_solved = config.kind.is_solved
    for fold in result.fold_results:
        member = fold.member
        chosen.add_row(
            str(fold_label(fold.fold)),
            member.solved_setting() if is_solved else str(member.configuration),
            "solved" if is_solved else str(member.best_epoch),
            f"{member.validation_metric:.3f}", f"{scores[main, fold_label(fold.fold)]:.3f}",
        )  # fmt: skip
    out.print(chosen)
    if dataset.factors and config.kind.has_redundant_heads:
        found = mean_recovery(shown)
        out.print(f"mean recovery of the true factors (synthetic data): r = {found:.3f}")
    for sentence in said.sentences:
        if not any(sentence in finding.sentence for finding in first):
            out.print(sentence, markup=False, soft_wrap=True)
    if said.shares is None:
        return
    out.print(_share_table(said.shares))


def _share_table(shares: OutputShares) -> Table:
    """Every contribution's share with its interval and verdict, as on the other surfaces."""
    without = [f"share {shares.without}"] if shares.left_out else []
    table = new_table(
        "contribution", "share of variance", *without, "verdict", title="Out-of-fold contributions"
    )
    for row, written in zip(
        shares.terms.to_dict("records"), shares.written().itertuples(index=False), strict=True
    ):
        name = row["modality"]
        if row["kind"] == "redundant":
            name = f"{name}, with {partner_label(row['shared_with'])}"
        table.add_row(*map(Text, (f"{row['kind']} {name}", *written, row["verdict"])))
    return table


def _leader(result: RunResult, dataset: MultimodalDataset) -> Leader | None:
    return leader_of(result, explained(result, dataset))


def evaluate(
    run: Run,
    compare: Annotated[
        list[str] | None, typer.Option(help="Another run of the study to compare with; repeatable.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="New folder.", show_default="smurf-evaluation-RUN")
    ] = None,
    count: Annotated[int, typer.Option(help="Number of typical samples per kind and output.")] = 50,
    permutations: Annotated[
        int, typer.Option(help="Number of permutations in tests between models.")
    ] = 5_000,
) -> None:
    """Write every evaluation of a run as tidy CSV tables: estimates, intervals, n, p-values.

    What may be said of the run is in sentences.txt, and whether it predicts at all in gate.csv.
    Performance, missing modalities, human judgments, informativeness, typical samples, redundancy,
    commonality of late fusion, verdicts, which sets of modalities share (sharing), and recovery
    where the true factors are known. Other runs are tested against RUN.
    """
    workspace = Workspace.default()
    info = find_run(workspace, run)
    infos = [info, *(find_run(workspace, other) for other in compare or ())]
    require_alike(info, infos[1:])
    dataset = dataset_of_run(workspace, info)
    results = {i.id: RunFiles.of(workspace, i.id).read_result() for i in infos}
    result = results[info.id]
    shown = explained(result, dataset)
    intervals = share_intervals(shown, result.refits)
    tables = evaluation_tables(
        results, dataset, reference=info.id, intervals=intervals, count=count,
        permutations=permutations,
    )  # fmt: skip
    files = {f"{name}.csv": table_bytes(table, "csv") for name, table in tables.items()}
    sentences = account(
        result,
        shown,
        intervals=intervals,
        verdict_table=tables["verdicts"],
        others={other.name: _leader(results[other.id], dataset) for other in infos[1:]},
    ).sentences
    files["sentences.txt"] = ("\n".join(sentences) + "\n").encode()
    for sentence in sentences:
        out.print(sentence, markup=False, soft_wrap=True)
    target = folder or Path(f"smurf-evaluation-{info.id}")
    for path in write_folder(target, files):
        rows = f"  {len(tables[path.stem]):,} rows" if path.suffix == ".csv" else ""
        out.print(f"{path}{rows}", markup=False)
    name_leftovers(target)
