"""Everything about a run in one folder or ZIP file: tables, model, script, citation."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence

import yaml

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.fold_label import fold_label
from smurf_core.people.guard import guarded
from smurf_core.reporting.citation import BIBTEX
from smurf_core.reporting.findings import Findings, find, report_tables
from smurf_core.reporting.key_findings import findings_first, findings_table
from smurf_core.reporting.latex import document, tabular
from smurf_core.reporting.model_card import model_card
from smurf_core.reporting.script import CONFIG, MAPPING, rerun_script
from smurf_core.results import RunResult
from smurf_core.runs.exporting import describe_run, run_tables
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import RunInfo, dataset_of_run, require_alike
from smurf_core.runs.studies import get_study, provenance, targets_of
from smurf_core.runs.table_files import csv_text
from smurf_core.runs.wording import WordedFinding, Wording, reported
from smurf_core.runs.workspace import Workspace

Files = dict[str, bytes]
_README = """Contents

report.html          the report, for any browser, without a network
sentences.txt        what may be said of the run's explanation, one sentence per line
figures/             figures as SVG, PNG and PDF (where Chromium is installed)
tables/*.csv         evaluation tables, unrounded; findings.csv: every number of the findings
tables/*.tex         the same in the paper's layout; tables.tex compiles: pdflatex tables.tex
contributions.parquet, predictions.parquet, candidates.parquet
                     one row per sample and contribution, per sample, per configuration
refits.parquet       shares of variance in models of other persons (exclusive kind)
model/               every fold's model (safetensors; smurf_core.fitted.FittedModel.load reads
                     it) and the model card
run.json             configuration, data, device, versions
rerun.sh             trains the run again: ./rerun.sh, see its head
citation.bib         the paper to cite
"""


def table_files(
    found: Findings, dataset: MultimodalDataset, worded: Sequence[WordedFinding] | None = None
) -> Files:
    """The paper's tables as CSV and LaTeX, and all other evaluation tables as CSV.

    `worded` are the findings that come first in LaTeX: all, unless some are given.
    """
    computed = findings_first(found)
    shown = [Wording().of(one) for one in computed] if worded is None else worded
    tables = report_tables(found, dataset)
    files = {f"{table.name}.csv": csv_text(table.numbers) for table in tables}
    files |= {f"{table.name}.tex": tabular(table) for table in tables}
    first = [f"{one.marked} ({one.finding.counted})" for one in shown]
    files["tables.tex"] = document(tables, dataset.name, found.sentences, first)
    files["findings.csv"] = csv_text(findings_table(computed))
    files |= {f"{name}.csv": csv_text(table) for name, table in found.tables.items()}
    return {name: text.encode() for name, text in files.items()}


def model_files(name: str, result: RunResult, dataset: MultimodalDataset, found: Findings) -> Files:
    """The model of each fold (`FittedModel.load` reads it), and the model card."""
    return {
        **{
            f"fold_{fold_label(fold.fold)}.safetensors": fold.model.to_bytes()
            for fold in result.fold_results
        },
        "model_card.md": model_card(name, result, dataset, found).encode(),
    }


@guarded("viewer", "run")
def script_files(
    workspace: Workspace, info: RunInfo, result: RunResult, dataset: MultimodalDataset
) -> Files:
    """The files that train the run again: the script, its configuration and the columns' roles."""
    origin = provenance(workspace, info.study_id)
    several = len(targets_of(workspace, get_study(workspace, info.study_id))) > 1
    script = rerun_script(
        info.name, dataset.name, result, origin, info.study_id,
        target=info.target if several else "",
    )  # fmt: skip
    files = {
        "rerun.sh": script,
        CONFIG: json.dumps(result.config.to_dict(), indent=1),
    }
    if origin.get("sources"):
        files[MAPPING] = yaml.safe_dump(
            origin.get("mapping", {}), sort_keys=False, allow_unicode=True
        )
    return {name: text.encode() for name, text in files.items()}


@guarded("viewer", "run", audited=True)
def report_files(
    workspace: Workspace,
    info: RunInfo,
    result: RunResult,
    dataset: MultimodalDataset,
    found: Findings,
) -> Files:
    """All files of a report that need no figures, by their path in its folder."""
    files = {"README.txt": _README.encode(), "citation.bib": BIBTEX.encode()}
    files["sentences.txt"] = ("\n".join(found.sentences) + "\n").encode()
    worded = reported(workspace, info.id, findings_first(found))
    files |= _below("tables", table_files(found, dataset, worded))
    files |= _below("model", model_files(info.name, result, dataset, found))
    files |= script_files(workspace, info, result, dataset)
    for name, table in run_tables(result, dataset).items():
        files[f"{name}.parquet"] = table.to_parquet(index=False)
    description = describe_run(workspace, info, result)
    files["run.json"] = json.dumps(description, indent=1, ensure_ascii=False).encode()
    return files


# Further files of a report: figures and a page in HTML, which need additional packages.
Extension = Callable[
    [RunInfo, RunResult, MultimodalDataset, Findings, Sequence[WordedFinding]], Files
]


@guarded("viewer", "run")
def report_of(
    workspace: Workspace,
    info: RunInfo,
    others: Sequence[RunInfo] = (),
    extensions: Iterable[Extension] = (),
) -> Files:
    """`report_files` of a finished run, compared with other runs of its study and target."""
    require_alike(info, others)
    runs = {run.id: run for run in (info, *others)}
    dataset = dataset_of_run(workspace, info)
    results = {run_id: RunFiles.of(workspace, run_id).read_result() for run_id in runs}
    found = find(results, run_titles(list(runs.values())), dataset, reference=info.id)
    files = report_files(workspace, info, results[info.id], dataset, found)
    worded = reported(workspace, info.id, findings_first(found))
    for extension in extensions:
        files |= extension(info, results[info.id], dataset, found, worded)
    return files


def run_titles(runs: Sequence[RunInfo]) -> dict[str, str]:
    """The titles of runs in a table: the model's title, or the run's name if two share it."""
    models = [run.config.model for run in runs]
    return {
        run.id: run.config.kind.title
        if models.count(run.config.model) == 1
        else f"{run.name} ({run.id[:4]})"
        for run in runs
    }


def zipped(files: Mapping[str, bytes], folder: str) -> bytes:
    """Files as a ZIP archive with one folder; scripts in it are executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=5) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name.endswith(".sh") else 0o644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _below(folder: str, files: Mapping[str, bytes]) -> Files:
    return {f"{folder}/{name}": content for name, content in files.items()}
