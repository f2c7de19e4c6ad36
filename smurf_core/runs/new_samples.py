"""Predictions of new samples, kept in the folder of the run that made them."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from smurf_core.contributions import Contributions
from smurf_core.data.problems import Problem, listing
from smurf_core.durable import checksum, write_json, write_whole
from smurf_core.errors import InputError
from smurf_core.people.guard import guarded
from smurf_core.predictions import Predictions
from smurf_core.runs.disk import disk_error
from smurf_core.runs.workspace import Workspace
from smurf_core.terms import Term

_FOLDER, _FORMAT = "new_samples", 1
# The description is written last: predictions are kept when it is there.
_DESCRIPTION, _ARRAYS, _SAMPLES = "predictions.json", "arrays.safetensors", "samples.parquet"
_DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError, SafetensorError)


@dataclass(frozen=True)
class SavedPredictions:
    """One set of new samples that a run has predicted.

    `name` is made of the files' names, `created` is in seconds since 1970, and `samples` counts
    the set's samples.
    """

    id: str
    name: str
    created: float
    samples: int


@guarded("editor", "run")
def save_predictions(
    workspace: Workspace, run_id: str, files: Sequence[str], found: Predictions
) -> SavedPredictions:
    """Keep predictions beside their run, whole or not at all.

    Parameters
    ----------
    workspace, run_id
        Where the run is.
    files
        Names of the files that the samples are from, as the user knows them.
    found
        What `predict_files` returns.

    Raises
    ------
    InputError
        If the disk is full or cannot be written.
    """
    saved = SavedPredictions(uuid4().hex[:12], listing(files, 2), time.time(), len(found))
    folder = _folder(workspace, run_id, saved.id)
    contributions, modalities = found.contributions, found.contributions.modalities
    arrays = {
        "values": contributions.values, "baseline": contributions.baseline,
        "folds": contributions.folds, "spread": found.spread,
        "prediction_spread": found.prediction_spread, "absent": found.absent,
    }  # fmt: skip
    for k, name in enumerate(modalities):
        arrays |= {f"missing/{k}": found.missing[name], f"outside/{k}": found.outside[name]}
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    samples = pd.DataFrame({"sample_id": contributions.sample_ids})
    for name, column in (("person", found.persons), ("outlying", found.marks)):
        if column is not None:
            samples[name] = column
    try:
        sums = {
            _ARRAYS: write_whole(folder / _ARRAYS, lambda p: p.write_bytes(save(whole))),
            _SAMPLES: write_whole(folder / _SAMPLES, samples.to_parquet),
        }
        described = {
            "format": _FORMAT,
            "checksums": sums,
            "name": saved.name,
            "created": saved.created,
            "samples": saved.samples,
            "modalities": list(modalities),
            "outputs": list(contributions.outputs),
            "terms": [term.to_data() for term in contributions.terms],
            "features": [list(found.features[name]) for name in modalities],
            "problems": [asdict(problem) for problem in found.problems],
        }
        write_json(described, folder / _DESCRIPTION)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise disk_error(error, workspace.root) or error from error
    return saved


@guarded("viewer", "run")
def list_predictions(workspace: Workspace, run_id: str) -> list[SavedPredictions]:
    """The sets of new samples that a run has predicted, newest first.

    One whose description is missing or damaged is left out.
    """
    found = []
    for path in (workspace.run_folder(run_id) / _FOLDER).glob(f"*/{_DESCRIPTION}"):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            facts = str(data["name"]), float(data["created"]), int(data["samples"])
        except _DAMAGE:
            continue
        found.append(SavedPredictions(path.parent.name, *facts))
    return sorted(found, key=lambda saved: -saved.created)


@guarded("viewer", "run")
def read_predictions(workspace: Workspace, run_id: str, saved_id: str) -> Predictions:
    """The predictions that `save_predictions` wrote, equal in every value. Nothing is unpickled.

    Raises
    ------
    InputError
        If they were deleted, a file is damaged, or a later version wrote them.
    """
    folder = _folder(workspace, run_id, saved_id)
    try:
        described = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("These predictions were deleted: choose others.") from None
    except _DAMAGE as error:
        raise _damaged(folder) from error
    if not isinstance(described, dict) or described.get("format") != _FORMAT:
        raise InputError(
            f"The predictions in {folder} were written in another format than {_FORMAT}: open them "
            "with a later version, or predict the files again."
        )
    try:
        for name, written in described["checksums"].items():
            if checksum(folder / name) != written:
                raise _damaged(folder)
        return _predictions(described, load_file(folder / _ARRAYS), folder / _SAMPLES)
    except _DAMAGE as error:
        raise _damaged(folder) from error


@guarded("editor", "run")
def delete_predictions(workspace: Workspace, run_id: str, saved_id: str) -> None:
    """Delete one set; nothing happens if it is gone already.

    Raises
    ------
    InputError
        If the disk cannot be written.
    """
    folder = _folder(workspace, run_id, saved_id)
    try:
        (folder / _DESCRIPTION).unlink(missing_ok=True)
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise disk_error(error, workspace.root) or error from error


def _folder(workspace: Workspace, run_id: str, saved_id: str) -> Path:
    if not saved_id.isalnum():
        raise InputError(f"There are no predictions {saved_id[:40]!r}.")
    return workspace.run_folder(run_id) / _FOLDER / saved_id


def _damaged(folder: Path) -> InputError:
    return InputError(
        f"The predictions in {folder} are damaged: delete them, and predict the files again."
    )


def _predictions(described: dict[str, Any], arrays: dict[str, Any], path: Path) -> Predictions:
    samples = pd.read_parquet(path)
    modalities = tuple(described["modalities"])

    def column(name: str) -> Any:
        return samples[name].to_numpy().astype(np.str_) if name in samples else None

    def by_modality(read: Callable[[int], Any]) -> dict[str, Any]:
        return {name: read(k) for k, name in enumerate(modalities)}

    return Predictions(
        contributions=Contributions(
            values=arrays["values"],
            terms=tuple(Term.from_data(term) for term in described["terms"]),
            baseline=arrays["baseline"],
            modalities=modalities,
            outputs=tuple(described["outputs"]),
            sample_ids=column("sample_id"),
            folds=arrays["folds"],
        ),
        spread=arrays["spread"],
        prediction_spread=arrays["prediction_spread"],
        absent=arrays["absent"],
        missing=by_modality(lambda k: arrays[f"missing/{k}"]),
        outside=by_modality(lambda k: arrays[f"outside/{k}"]),
        features=by_modality(lambda k: tuple(described["features"][k])),
        persons=column("person"),
        problems=tuple(Problem(**problem) for problem in described["problems"]),
        marks=column("outlying"),
    )
