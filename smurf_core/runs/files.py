"""A run's files: JSON, Parquet and safetensors, each written completely or not at all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from smurf_core.configuration import RunConfig
from smurf_core.data.dataset import Folds, MultimodalDataset
from smurf_core.durable import checksum, is_as_written, write_json, write_whole
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
_SUMS = "checksums"  # of the files that were written before: name → SHA-256
# What reading a torn or foreign file raises.
_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError)
# Of runs that were refitted: which sets of modalities share, and what refits say.
_SHARING, _REFITS = "sharing.parquet", "refits.safetensors"


class RunFiles:
    """The files of one run; also the `ResultCache` from which a stopped run continues.

    `dataset` gives the data that the run was trained on. Only runs of format 1 need it: reading
    their models requires the data. `before_writing` may raise an error: nothing is written then.
    """

    def __init__(
        self,
        folder: Path,
        dataset: Callable[[], MultimodalDataset] | None = None,
        *,
        before_writing: Callable[[], None] | None = None,
    ) -> None:
        self.folder = folder
        self._dataset = dataset
        self._before_writing = before_writing or (lambda: None)

    @classmethod
    def of(
        cls, workspace: Workspace, run_id: str, before_writing: Callable[[], None] | None = None
    ) -> RunFiles:
        """The files of a run in a workspace."""

        def dataset() -> MultimodalDataset:
            with workspace.connect() as connection:
                row = connection.execute(
                    "SELECT study_id, target FROM run WHERE id = ?", (run_id,)
                ).fetchone()
            if row is None:
                raise InputError(f"There is no run {run_id!r}.")
            return load_study(workspace, row["study_id"], row["target"])

        return cls(workspace.run_folder(run_id), dataset, before_writing=before_writing)

    @property
    def log(self) -> Path:
        """When the run began and ended, and where errors came from; it names no sample."""
        return self.folder / "log.txt"

    def note(self, text: str) -> None:
        """Add a line, or several, to the run's log."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {text}\n")

    def last_lines(self, count: int = 200) -> list[str]:
        """The end of the run's log; empty if there is none."""
        try:
            return self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
        except FileNotFoundError:
            return []

    def stamp(self) -> tuple[int, int] | None:
        """A stamp that changes whenever the result changes; None without a result."""
        try:
            found = (self.folder / _RESULT).stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size

    def load_unit(self, key: str) -> pd.DataFrame | None:
        """The candidates of a finished unit; None if there are none that can be trusted."""
        path, sums = self._unit_file(key, "parquet"), self._unit_file(key, "sha256")
        try:
            # Units of earlier versions have no checksum.
            _check_sum(path, sums.read_text(encoding="utf-8") if sums.exists() else None)
            return pd.read_parquet(path)
        except _DAMAGE:
            return None

    def save_unit(self, key: str, table: pd.DataFrame) -> None:
        """Store the candidates of a finished unit."""
        self._before_writing()
        path = self._unit_file(key, "parquet")

        def write(partial: Path) -> None:
            table.to_parquet(partial)
            # First, so that a table never has the checksum of an earlier one.
            found = checksum(partial)
            write_whole(
                self._unit_file(key, "sha256"), lambda p: p.write_text(found, encoding="utf-8")
            )

        write_whole(path, write)

    def damaged(self) -> list[Path]:
        """Units and folds that are kept but cannot be used: a resumed run trains them again."""
        units = self.folder / _UNITS
        bad = [
            units / f"{key}.parquet"
            for key in sorted(path.stem for path in units.glob("[!.]*.parquet"))
            if self.load_unit(key) is None
        ]
        for path in sorted(self.folder.glob("fold_*.json")):
            number = path.stem.removeprefix("fold_")
            try:
                if number.isdecimal():
                    self._read_fold(int(number))
            except _DAMAGE:
                bad.append(path)
        return bad

    def load_fold(self, fold: int) -> FoldResult | None:
        """A finished fold; None if it is not there, damaged, or of an earlier format."""
        try:
            return self._read_fold(fold)
        except _DAMAGE:
            return None

    def _read_fold(self, fold: int) -> FoldResult | None:
        description = self._fold_file(fold, "json")
        if not description.exists():
            return None
        found = _description(description)
        if found.get("format") != FORMAT:
            return None
        for kind, written in found.get(_SUMS, {}).items():
            _check_sum(self._fold_file(fold, kind), written)
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
        self._before_writing()
        arrays: dict[str, npt.NDArray[Any]] = {}
        for k, member in enumerate(result.members):
            arrays[f"member/{k}/values"] = member.values
            arrays |= {f"member/{k}/model/{n}": a for n, a in member.model.arrays().items()}
        tables = {"candidates.parquet": result.candidates, "curves.parquet": result.curves}
        sums = {"safetensors": _write_arrays(arrays, self._fold_file(result.fold, "safetensors"))}
        sums |= {
            kind: _write_table(table, self._fold_file(result.fold, kind))
            for kind, table in tables.items()
        }
        description = {
            "format": FORMAT,
            _SUMS: sums,
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
        write_json(description, self._fold_file(result.fold, "json"))

    def write_result(self, result: RunResult) -> None:
        """Store a finished run. Folds that `save_fold` has stored are not written again."""
        self._before_writing()
        for fold in result.fold_results:
            if self.load_fold(fold.fold) is None:
                self.save_fold(fold)
        roles = {
            f"{role}_{f}": members
            for role in ("training", "validation", "test")
            for f, members in enumerate(getattr(result.folds, role))
        }
        samples = pd.DataFrame({"sample_id": result.sample_ids, **roles})
        sums = {_SAMPLES: _write_table(samples, self.folder / _SAMPLES)}
        if result.sharing is not None:
            sums[_SHARING] = _write_table(result.sharing, self.folder / _SHARING)
        if result.refits is not None:
            sums[_REFITS] = _write_arrays(result.refits.arrays(), self.folder / _REFITS)
        folds = [self._fold_file(fold.fold, "json") for fold in result.fold_results]
        sums |= {path.name: checksum(path) for path in folds}
        description = {
            "format": FORMAT,
            _SUMS: sums,
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
        write_json(description, self.folder / _RESULT)

    def read_result(self) -> RunResult:
        """The result that `write_result` wrote, equal in every value.

        Raises
        ------
        InputError
            If a file is missing or damaged, or was written by a later version.
        """
        try:
            return _checked(self._read_result())
        except InputError as error:
            if str(self.folder) in str(error):
                raise
            raise InputError(
                f"The result in {self.folder} cannot be used: {error} Train the run again, or "
                "delete it."
            ) from error
        except _DAMAGE as error:
            raise InputError(
                f"The result in {self.folder} cannot be read ({type(error).__name__}: "
                f"{str(error).splitlines()[0] if str(error) else 'no details'}): train the run "
                "again, or delete it."
            ) from error

    def _read_result(self) -> RunResult:
        found = _description(self.folder / _RESULT)
        self._check_format(found["format"])
        for name, written in found.get(_SUMS, {}).items():
            _check_sum(self.folder / name, written)
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
        folds = [self._read_fold(fold) for fold in range(found["folds"])]
        missing = [f"{fold_label(fold)}" for fold, result in enumerate(folds) if result is None]
        if missing:
            raise InputError(
                f"The result in {self.folder} lacks the files of fold {', '.join(missing)}: train "
                "the run again, or delete it."
            )
        return tuple(fold for fold in folds if fold is not None)

    def _unit_file(self, key: str, kind: str) -> Path:
        return self.folder / _UNITS / f"{key}.{kind}"

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


def _write_table(table: pd.DataFrame, path: Path) -> str:
    return write_whole(path, table.to_parquet)


def _write_arrays(arrays: Mapping[str, npt.NDArray[Any]], path: Path) -> str:
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    # `save_file` writes to a file with a name of its own, and does not say that a disk is full.
    return write_whole(path, lambda partial: partial.write_bytes(save(whole)))


def _description(path: Path) -> dict[str, Any]:
    """The description in a JSON file; raises an error if it is not what was written."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if not is_as_written(found):
        raise _damaged(path)
    return found


def _damaged(path: Path) -> InputError:
    return InputError(
        f"{path} is damaged (its content is not what was written): train the run again, or delete "
        "it."
    )


def _check_sum(path: Path, written: str | None) -> None:
    """Raise `InputError` if a file is not the one that was written; earlier runs have no sums."""
    if written is not None and checksum(path) != written:
        raise _damaged(path)


def _checked(result: RunResult) -> RunResult:
    """A result whose parts fit together and explain something; raises `InputError` otherwise."""
    n, c = len(result.sample_ids), len(result.outputs)
    for fold in result.fold_results:
        where = f"fold {fold_label(fold.fold)}"
        if not 0 <= fold.chosen < len(fold.members):
            raise InputError(f"{where} has no chosen model.")
        for member in fold.members:
            wanted = (n, len(member.model.terms), c)
            if member.values.shape != wanted:
                raise InputError(
                    f"The contributions of {where} have the shape {member.values.shape}, not "
                    f"{wanted}."
                )
        model, values = fold.member.model, fold.member.values
        bad = int((~np.isfinite(values)).any(axis=(1, 2)).sum())
        if bad or not np.isfinite(model.baseline).all():
            raise InputError(
                f"The contributions of {where} are no numbers for {bad:,} of {n:,} samples."
            )
    if result.refits is not None and not np.isfinite(result.refits.spread).any():
        raise InputError("The intervals of its contributions are no numbers.")
    return result
