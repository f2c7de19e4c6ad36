"""A run's files: its result as JSON, Parquet and safetensors. Written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors.numpy import load_file, save_file

from smurf_core.configuration import Configuration, RunConfig
from smurf_core.data.dataset import Folds
from smurf_core.errors import InputError
from smurf_core.results import FittedMember, FoldResult, RunResult, Scaler
from smurf_core.runs.workspace import Workspace

FORMAT = 1
_RESULT = "result.json"  # written last: a run is finished when it is there
_SAMPLES = "samples.parquet"  # sample ids and fold roles
_UNITS = "units"


class RunFiles:
    """The files of one run; also the `ResultCache` from which a stopped run goes on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of(cls, workspace: Workspace, run_id: str) -> RunFiles:
        """The files of a run in a workspace."""
        return cls(workspace.run_folder(run_id))

    @property
    def log(self) -> Path:
        """What the worker printed; for whoever has to find an error."""
        return self.folder / "log.txt"

    def stamp(self) -> tuple[int, int] | None:
        """Changes whenever the result does; nothing while there is none."""
        try:
            found = (self.folder / _RESULT).stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size

    def load_unit(self, key: str) -> pd.DataFrame | None:
        """The candidates of a finished unit, or nothing."""
        path = self.folder / _UNITS / f"{key}.parquet"
        return pd.read_parquet(path) if path.exists() else None

    def save_unit(self, key: str, table: pd.DataFrame) -> None:
        """Keep the candidates of a finished unit."""
        _write_table(table, self.folder / _UNITS / f"{key}.parquet")

    def load_fold(self, fold: int) -> FoldResult | None:
        """A finished fold, or nothing."""
        description = self._fold_file(fold, "json")
        if not description.exists():
            return None
        found = json.loads(description.read_text(encoding="utf-8"))
        arrays = load_file(self._fold_file(fold, "safetensors"))
        scaler = found["scaler"]
        return FoldResult(
            fold=fold,
            candidates=pd.read_parquet(self._fold_file(fold, "candidates.parquet")),
            curves=pd.read_parquet(self._fold_file(fold, "curves.parquet")),
            members=tuple(
                _member(description, _below(arrays, f"member/{k}"))
                for k, description in enumerate(found["members"])
            ),
            chosen=found["chosen"],
            scaler=Scaler(
                feature_means=_below(arrays, "means"),
                feature_sds=_below(arrays, "sds"),
                target_mean=scaler["target_mean"],
                target_sd=scaler["target_sd"],
            ),
        )

    def save_fold(self, result: FoldResult) -> None:
        """Keep a finished fold; its description is written last."""
        arrays = {f"means/{name}": a for name, a in result.scaler.feature_means.items()}
        arrays |= {f"sds/{name}": a for name, a in result.scaler.feature_sds.items()}
        for k, member in enumerate(result.members):
            arrays |= {f"member/{k}/{name}": a for name, a in _member_arrays(member).items()}
        _write_arrays(arrays, self._fold_file(result.fold, "safetensors"))
        _write_table(result.candidates, self._fold_file(result.fold, "candidates.parquet"))
        _write_table(result.curves, self._fold_file(result.fold, "curves.parquet"))
        description = {
            "chosen": result.chosen,
            "scaler": {
                "target_mean": result.scaler.target_mean,
                "target_sd": result.scaler.target_sd,
            },
            "members": [
                {
                    "configuration": asdict(member.configuration),
                    "restart": member.restart,
                    "best_epoch": member.best_epoch,
                    "validation_objective": member.validation_objective,
                    "validation_metric": member.validation_metric,
                }
                for member in result.members
            ],
        }
        _write_json(description, self._fold_file(result.fold, "json"))

    def write_result(self, result: RunResult) -> None:
        """Keep a finished run. Folds that `save_fold` has kept are not written again."""
        for fold in result.fold_results:
            if not self._fold_file(fold.fold, "json").exists():
                self.save_fold(fold)
        roles = {
            f"{role}_{f}": members
            for role in ("training", "validation", "test")
            for f, members in enumerate(getattr(result.folds, role))
        }
        samples = pd.DataFrame({"sample_id": result.sample_ids, **roles})
        _write_table(samples, self.folder / _SAMPLES)
        description = {
            "format": FORMAT,
            "config": result.config.to_dict(),
            "task": result.task,
            "modalities": result.modalities,
            "outputs": result.outputs,
            "folds": len(result.folds),
            "data_fingerprint": result.data_fingerprint,
            "device": result.device,
            "versions": dict(result.versions),
            "seconds": result.seconds,
        }
        _write_json(description, self.folder / _RESULT)

    def read_result(self) -> RunResult:
        """The result that `write_result` wrote, equal in every value."""
        path = self.folder / _RESULT
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["format"] != FORMAT:
                raise InputError(
                    f"The run in {self.folder} was written in format {found['format']}, this "
                    f"version reads format {FORMAT}: train it again."
                )
            samples = pd.read_parquet(self.folder / _SAMPLES)
            folds = [self.load_fold(fold) for fold in range(found["folds"])]
        except (OSError, ValueError, KeyError) as error:
            raise InputError(
                f"The result in {self.folder} cannot be read ({type(error).__name__}): "
                "train the run again."
            ) from error
        return RunResult(
            config=RunConfig.from_dict(found["config"]),
            task=found["task"],
            modalities=tuple(found["modalities"]),
            outputs=tuple(found["outputs"]),
            sample_ids=samples["sample_id"].to_numpy().astype(np.str_),
            folds=Folds(
                *(
                    np.stack([samples[f"{role}_{f}"].to_numpy() for f in range(found["folds"])])
                    for role in ("training", "validation", "test")
                )
            ),
            fold_results=tuple(fold for fold in folds if fold is not None),
            data_fingerprint=found["data_fingerprint"],
            device=found["device"],
            versions=found["versions"],
            seconds=found["seconds"],
        )

    def _fold_file(self, fold: int, kind: str) -> Path:
        return self.folder / f"fold_{fold}.{kind}"


def _member_arrays(member: FittedMember) -> dict[str, npt.NDArray[Any]]:
    weights = {f"weights/{name}": array for name, array in member.weights.items()}
    orders = {f"interactions/{order}": array for order, array in member.interactions.items()}
    return {"values": member.values, "baseline": member.baseline, **weights, **orders}


def _member(description: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> FittedMember:
    configuration = dict(description["configuration"])
    configuration["hidden_layers"] = tuple(configuration["hidden_layers"])
    return FittedMember(
        configuration=Configuration(**configuration),
        restart=description["restart"],
        best_epoch=description["best_epoch"],
        validation_objective=description["validation_objective"],
        validation_metric=description["validation_metric"],
        values=arrays["values"],
        baseline=arrays["baseline"],
        weights=_below(arrays, "weights"),
        interactions={int(order): a for order, a in _below(arrays, "interactions").items()},
    )


def _below(arrays: Mapping[str, npt.NDArray[Any]], prefix: str) -> dict[str, npt.NDArray[Any]]:
    """Arrays whose name starts with a prefix and a slash, by the rest of their name."""
    start = f"{prefix}/"
    return {key.removeprefix(start): a for key, a in arrays.items() if key.startswith(start)}


def _write_json(data: Mapping[str, Any], path: Path) -> None:
    partial = _partial(path)
    partial.write_text(json.dumps(data, indent=1, ensure_ascii=False), encoding="utf-8")
    os.replace(partial, path)


def _write_table(table: pd.DataFrame, path: Path) -> None:
    partial = _partial(path)
    table.to_parquet(partial)
    os.replace(partial, path)


def _write_arrays(arrays: Mapping[str, npt.NDArray[Any]], path: Path) -> None:
    partial = _partial(path)
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, partial)
    os.replace(partial, path)


def _partial(path: Path) -> Path:
    """A new name beside a file, under which it is written before it is renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.{uuid4().hex}")
