"""Exports a run as tables that any program can read."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smurf_core.contributions import Contributions, term_table
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.durable import flush, partial_name, remove_abandoned
from smurf_core.errors import InputError
from smurf_core.evaluation.redundancy import ALL_OUTPUTS
from smurf_core.explained import Explained, explained
from smurf_core.fold_label import fold_label
from smurf_core.people.guard import guarded
from smurf_core.refits import Refits
from smurf_core.results import RunResult
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import RunInfo, dataset_of_run, get_run
from smurf_core.runs.studies import provenance
from smurf_core.runs.table_files import FORMATS, table_bytes
from smurf_core.runs.workspace import Workspace

__all__ = ["FORMATS", "export_run", "run_tables", "table_bytes", "write_folder"]
_R_SCRIPT = "main_table.R"


@guarded("viewer", "run", audited=True)
def export_run(
    workspace: Workspace, run_id: str, folder: Path, format: str, *, every_fold: bool = False
) -> list[Path]:
    """Write a finished run to a new folder and return the files that were written.

    `contributions` is the tidy table of `Contributions.to_frame`, `predictions` one row per sample,
    `candidates` every configuration of every fold's search, `refits` (of the exclusive kind) shares
    in models of other persons, `run.json` everything that determines the numbers: configuration,
    data, device and versions. With `every_fold`, `contributions_by_fold` has every sample as every
    fold's model explains it (`every_fold_table`). With CSV, `main_table.R` repeats the main table.
    """
    if format not in FORMATS:
        raise InputError(f"No format {format!r}; there are {', '.join(FORMATS)}.")
    if folder.exists():
        raise InputError(f"{folder} exists; name a new folder.")
    info = get_run(workspace, run_id)
    if info.status != "finished":
        raise InputError(f"Run {run_id} is {info.status}; only finished runs can be exported.")
    result = RunFiles.of(workspace, run_id).read_result()
    files = {"run.json": _json(describe_run(workspace, info, result))}
    for name, table in run_tables(result, dataset_of_run(workspace, info)).items():
        files[f"{name}.{format}"] = table_bytes(table, format)
    if format == "csv":
        files[_R_SCRIPT] = Path(__file__).with_name(_R_SCRIPT).read_bytes()
    if every_fold:
        files[f"contributions_by_fold.{format}"] = table_bytes(every_fold_table(result), format)
    return write_folder(folder, files)


def every_fold_table(result: RunResult) -> pd.DataFrame:
    """Contributions of all samples by every fold's model, those that trained it included.

    Returns
    -------
    DataFrame
        The columns of `Contributions.to_frame`, and role: `training`, `validation`, `test`, or
        empty for a sample that the fold does not use. A sample with several roles has the last.
    """
    tables = []
    for fold in range(len(result.folds)):
        role = np.full(len(result.sample_ids), "", dtype=object)
        for name in ("training", "validation", "test"):
            role[getattr(result.folds, name)[fold]] = name
        contributions = result.fold_contributions(fold)
        per_sample = len(contributions.terms) * len(contributions.outputs)
        tables.append(contributions.to_frame().assign(role=np.repeat(role, per_sample)))
    return pd.concat(tables, ignore_index=True)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files to a new folder, by their path in it: all of them or none."""
    if folder.exists():
        raise InputError(f"{folder} exists; name a new folder.")
    partial = partial_name(folder)
    try:
        remove_abandoned(folder)
        for name, content in files.items():
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            if path.suffix == ".sh":
                path.chmod(0o755)
            flush(path)
        for place in {(partial / name).parent for name in files} | {partial}:
            flush(place)
        os.rename(partial, folder)
        flush(folder.parent)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def run_tables(result: RunResult, dataset: MultimodalDataset) -> dict[str, pd.DataFrame]:
    """The tables of a run: contributions, predictions, candidates, and refits where there are any.

    With refits, contributions have a column `spread`: the standard deviation of each contribution
    over models of other persons (of classes, less its mean over the classes).
    """
    found = explained(result, dataset)
    contributions = found.contributions.to_frame()
    tables = {
        "contributions": contributions,
        "predictions": prediction_table(found),
        "candidates": candidate_table(result),
    }
    if result.refits is not None:
        tables["contributions"] = contributions.assign(spread=result.refits.spread.reshape(-1))
        tables["refits"] = refit_table(result.refits, found.contributions)
    return tables


@guarded("viewer", "run")
def describe_run(workspace: Workspace, info: RunInfo, result: RunResult) -> dict[str, Any]:
    """Everything that determines a run's numbers, as plain data for JSON."""
    return {
        "run": info.id,
        "name": info.name,
        "note": info.note,
        "target": info.target,
        "config": result.config.to_dict(),
        "data": {"fingerprint": result.data_fingerprint, **provenance(workspace, info.study_id)},
        "device": result.device,
        "versions": dict(result.versions),
        "seconds": result.seconds,
    }


def _json(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, indent=1, ensure_ascii=False).encode()


def prediction_table(explained: Explained) -> pd.DataFrame:
    """The predictions of all samples.

    Returns
    -------
    DataFrame
        One row per sample: sample_id, fold (from 1), person (where known), target, prediction;
        for classes, the logit of each class.
    """
    contributions, dataset = explained.contributions, explained.dataset
    prediction = contributions.prediction()
    table = pd.DataFrame(
        {"sample_id": contributions.sample_ids, "fold": fold_label(contributions.folds)}
    )
    if explained.persons is not None:
        table["person"] = explained.persons
    if dataset.task == "regression":
        return table.assign(target=explained.target, prediction=prediction[:, 0])
    names = pd.Series(dataset.class_names)
    table["target"] = names[explained.target.astype(int)].to_numpy()
    table["prediction"] = names[prediction.argmax(axis=1)].to_numpy()
    for c, name in enumerate(dataset.class_names):
        table[f"logit {name}"] = prediction[:, c]
    return table


def refit_table(refits: Refits, contributions: Contributions) -> pd.DataFrame:
    """Shares of the prediction's variance in every refit to reweighted persons.

    Returns
    -------
    DataFrame
        One row per draw (from 1), term and output (`all` first, for classes): draw, order,
        modality, shared_with, output, share.
    """
    b, t, o = refits.shares.shape
    outputs = list(contributions.outputs)
    outputs = [ALL_OUTPUTS, *outputs] if len(outputs) > 1 else outputs
    names = term_table(contributions.terms)[["order", "modality", "shared_with"]]
    table = names.iloc[np.tile(np.repeat(np.arange(t), o), b)].reset_index(drop=True)
    table.insert(0, "draw", np.repeat(np.arange(1, b + 1), t * o))
    return table.assign(
        output=np.tile(np.asarray(outputs, dtype=str), b * t), share=refits.shares.reshape(-1)
    )


def candidate_table(result: RunResult) -> pd.DataFrame:
    """All configurations of each fold's search, with validation results; folds count from 1."""
    return pd.concat(
        [fold.candidates.assign(fold=fold_label(fold.fold)) for fold in result.fold_results],
        ignore_index=True,
    )
