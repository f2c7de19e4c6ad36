"""A run's files: JSON, Parquet and safetensors, each written completely or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from smurf_core.configuration import RunConfig
from smurf_core.data.dataset import Folds, MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.fitted import FittedModel
from smurf_core.fold_label import fold_label
from smurf_core.refits import Refits
from smurf_core.results import FittedMember, FoldResult, RunResult
from smurf_core.runs import format_1
from smurf_core.runs.format_1 import below, configuration
from smurf_core.runs.studies import load_study
from smurf_core.runs.workspace import Workspace

FORMAT = 2
_RESULT = "result.json"  # written last: a run is finished when it is there
_SAMPLES = "samples.parquet"  # sample ids and fold roles
_UNITS = "units"
# Of runs that were refitted: which sets of modalities share, and what refits say.
_SHARING, _REFITS = "sharing.parquet", "refits.safetensors"


class RunFiles:
    """The files of one run; also the `ResultCache` from which a stopped run continues.

    `dataset` gives the data that the run was trained on. Only runs of format 1 need it: reading
    their models requires the data.
    """

    def __init__(
        self, folder: Path, dataset: Callable[[], MultimodalDataset] | None = None
    ) -> None:
        self.folder = folder
        self._dataset = dataset

    @classmethod
    def of(cls, workspace: Workspace, run_id: str) -> RunFiles:
        """The files of a run in a workspace."""

        def dataset() -> MultimodalDataset:
            with workspace.connect() as connection:
                row = connection.execute(
                    "SELECT study_id FROM run WHERE id = ?", (run_id,)
                ).fetchone()
            if row is None:
                raise InputError(f"There is no run {run_id!r}.")
            return load_study(workspace, row["study_id"])

        return cls(workspace.run_folder(run_id), dataset)

    @property
    def log(self) -> Path:
        """The output of the worker, for finding errors."""
        return self.folder / "log.txt"

    def stamp(self) -> tuple[int, int] | None:
        """A stamp that changes whenever the result changes; None without a result."""
        try:
            found = (self.folder / _RESULT).stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size

    def load_unit(self, key: str) -> pd.DataFrame | None:
        """The candidates of a finished unit, or None."""
        path = self.folder / _UNITS / f"{key}.parquet"
        return pd.read_parquet(path) if path.exists() else None

    def save_unit(self, key: str, table: pd.DataFrame) -> None:
        """Store the candidates of a finished unit."""
        _write_table(table, self.folder / _UNITS / f"{key}.parquet")

    def load_fold(self, fold: int) -> FoldResult | None:
        """A finished fold, or None; a fold of an earlier format is trained again."""
        description = self._fold_file(fold, "json")
        if not description.exists():
            return None
        found = json.loads(description.read_text(encoding="utf-8"))
        if found.get("format") != FORMAT:
            return None
        arrays = load_file(self._fold_file(fold, "safetensors"))
        return FoldResult(
            fold=fold,
            candidates=pd.read_parquet(self._fold_file(fold, "candidates.parquet")),
            curves=pd.read_parquet(self._fold_file(fold, "curves.parquet")),
            members=tuple(
                _member(description, below(arrays, f"member/{k}"))
                for k, description in enumerate(found["members"])
            ),
            chosen=found["chosen"],
        )

    def save_fold(self, result: FoldResult) -> None:
        """Store a finished fold; its description is written last."""
        arrays: dict[str, npt.NDArray[Any]] = {}
        for k, member in enumerate(result.members):
            arrays[f"member/{k}/values"] = member.values
            arrays |= {f"member/{k}/model/{n}": a for n, a in member.model.arrays().items()}
        _write_arrays(arrays, self._fold_file(result.fold, "safetensors"))
        _write_table(result.candidates, self._fold_file(result.fold, "candidates.parquet"))
        _write_table(result.curves, self._fold_file(result.fold, "curves.parquet"))
        description = {
            "format": FORMAT,
            "chosen": result.chosen,
            "members": [
                {
                    "configuration": asdict(member.configuration),
                    "restart": member.restart,
                    "best_epoch": member.best_epoch,
                    "validation_objective": member.validation_objective,
                    "validation_metric": member.validation_metric,
                    "model": member.model.description(),
                }
                for member in result.members
            ],
        }
        _write_json(description, self._fold_file(result.fold, "json"))

    def write_result(self, result: RunResult) -> None:
        """Store a finished run. Folds that `save_fold` has stored are not written again."""
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
        if result.sharing is not None:
            _write_table(result.sharing, self.folder / _SHARING)
        if result.refits is not None:
            _write_arrays(result.refits.arrays(), self.folder / _REFITS)
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
        """The result that `write_result` wrote, equal in every value.

        Raises
        ------
        InputError
            If a file is missing or damaged, or was written by a later version.
        """
        try:
            return self._read_result()
        except InputError:
            raise
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise InputError(
                f"The result in {self.folder} cannot be read ({type(error).__name__}: "
                f"{str(error).splitlines()[0] if str(error) else 'no details'}): train the run "
                "again, or delete it."
            ) from error

    def _read_result(self) -> RunResult:
        found = json.loads((self.folder / _RESULT).read_text(encoding="utf-8"))
        self._check_format(found["format"])
        config = self._config(found["config"])
        samples = pd.read_parquet(self.folder / _SAMPLES)
        folds = self._folds(found, samples)
        return RunResult(
            config=config,
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
            fold_results=folds,
            data_fingerprint=found["data_fingerprint"],
            device=found["device"],
            versions=found["versions"],
            seconds=found["seconds"],
            sharing=self._optional(_SHARING, pd.read_parquet),
            refits=self._optional(_REFITS, lambda path: Refits.from_arrays(load_file(path))),
        )

    def _optional(self, name: str, read: Callable[[Path], Any]) -> Any:
        path = self.folder / name
        return read(path) if path.exists() else None

    def _config(self, stored: dict[str, Any]) -> RunConfig:
        try:
            return RunConfig.from_dict(stored)
        except InputError as error:
            raise InputError(
                f"The settings of the run in {self.folder} cannot be read: {error}"
            ) from error

    def _check_format(self, found: object) -> None:
        if found not in (1, FORMAT):
            raise InputError(
                f"The run in {self.folder} was written in format {found}; this version reads "
                f"formats 1 and {FORMAT}: open it with a later version."
            )

    def _folds(self, found: Mapping[str, Any], samples: pd.DataFrame) -> tuple[FoldResult, ...]:
        """All folds of a finished run."""
        if found["format"] == 1:
            if self._dataset is None:
                raise InputError(
                    f"The run in {self.folder} is of format 1, which is read with the data of its "
                    "study only: open it in its workspace."
                )
            dataset = self._dataset()
            return tuple(
                format_1.read_fold(
                    self.folder, fold, found, dataset, samples[f"training_{fold}"].to_numpy()
                )
                for fold in range(found["folds"])
            )
        folds = [self.load_fold(fold) for fold in range(found["folds"])]
        missing = [f"{fold_label(fold)}" for fold, result in enumerate(folds) if result is None]
        if missing:
            raise InputError(
                f"The result in {self.folder} lacks the files of fold {', '.join(missing)}: train "
                "the run again, or delete it."
            )
        return tuple(fold for fold in folds if fold is not None)

    def _fold_file(self, fold: int, kind: str) -> Path:
        return self.folder / f"fold_{fold}.{kind}"


def _member(description: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> FittedMember:
    return FittedMember(
        configuration=configuration(description["configuration"]),
        restart=description["restart"],
        best_epoch=description["best_epoch"],
        validation_objective=description["validation_objective"],
        validation_metric=description["validation_metric"],
        model=FittedModel.from_parts(description["model"], below(arrays, "model")),
        values=arrays["values"],
    )


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
    """A temporary name in the same folder, under which a file is written before it is renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name}.{uuid4().hex}")
