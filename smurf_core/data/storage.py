"""Data sets on disk: a folder of Parquet and JSON files that is written once."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from smurf_core.data.dataset import Features, Folds, FurtherTarget, MultimodalDataset, Task
from smurf_core.durable import (
    checksum,
    flush,
    is_as_written,
    partial_name,
    write_json,
    write_whole,
)
from smurf_core.errors import InputError

FORMAT = 1
_DESCRIPTION = "dataset.json"
_COLUMNS = "columns.parquet"  # one row per sample: id, target, person, fold roles, ratings, factors
_SAMPLES = "samples.parquet"
# What raters said since the import (`write_judgments`), in one file so that it is whole or absent.
_JUDGMENTS = "judgments.parquet"
_SUMS = "checksums"  # of the files that were written before the description
_ROLES = ("training", "validation", "test")


def write_dataset(dataset: MultimodalDataset, folder: Path) -> None:
    """Write a data set to a new folder; other processes see all of it or nothing.

    Files are named by position because users choose the names of modalities. NaN stays NaN.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} exists; a data set is written once.")
    partial = partial_name(folder)
    partial.mkdir(parents=True)
    try:
        for position, features in enumerate(dataset.features.values()):
            _write_table(
                dict(enumerate(features.values.T)),
                partial / _features_file(position),
                features.names,
            )
            np.save(partial / _mapped_file(position), np.ascontiguousarray(features.values))
        _write_table(_columns(dataset), partial / _COLUMNS)
        dataset.samples.to_parquet(partial / _SAMPLES)
        sums = {path.name: checksum(path) for path in sorted(partial.iterdir())}
        write_json({**_description(dataset), _SUMS: sums}, partial / _DESCRIPTION)
        for path in (*partial.iterdir(), partial):
            flush(path)
        os.rename(partial, folder)
        flush(folder.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_dataset(folder: Path) -> MultimodalDataset:
    """The data set that `write_dataset` wrote, equal in every value and name."""
    try:
        return _read(folder)
    except InputError:
        raise
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        what = f"cannot be read ({type(error).__name__})"
        raise InputError(f"The study in {folder} {what}: import its files again.") from error


def read_targets(folder: Path) -> dict[str, Task]:
    """The targets of a stored data set with their tasks, the first one first, without its arrays.

    Raises `InputError` if the folder's description is missing or cannot be read.
    """
    try:
        found = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
        first: dict[str, Task] = {str(found["target_name"]): found["task"]}
        return first | {str(t["name"]): t["task"] for t in found.get("further_targets", ())}
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"cannot be read ({type(error).__name__})"
        raise InputError(f"The study in {folder} {what}: import its files again.") from error


def _read(folder: Path) -> MultimodalDataset:
    description = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
    if description["format"] != FORMAT:
        raise InputError(
            f"The study in {folder} was written in format {description['format']}, "
            f"this version reads format {FORMAT}: import the files again."
        )
    sums = description.get(_SUMS, {})  # Data sets of earlier versions have only a fingerprint.
    if not is_as_written(description) or any(
        checksum(folder / name) != written for name, written in sums.items()
    ):
        raise _damaged(folder)
    dataset = _restore({**description, _SUMS: sums}, folder)
    if dataset.fingerprint != description["fingerprint"]:
        raise _damaged(folder)
    return _with_judgments(dataset, folder / _JUDGMENTS)


def _damaged(folder: Path) -> InputError:
    return InputError(
        f"The study in {folder} is not the one that was written: import its files again."
    )


def write_judgments(
    folder: Path,
    sample_ids: npt.NDArray[np.str_],
    *,
    judgments: Mapping[frozenset[str], npt.NDArray[np.float32]],
    ratings: Mapping[frozenset[str], npt.NDArray[np.float32]],
    informativeness: Mapping[str, npt.NDArray[np.int64]],
    note: str,
    source: Mapping[str, Any],
) -> None:
    """Add judgments to a stored data set: every `read_dataset` from now on has them.

    `source` says where they come from, in JSON, for `judgments_source`.

    They replace judgments of the same modalities, and the others stay. Neither features nor the
    fingerprint change, so runs stay valid. Written again, the earlier ones are gone.
    """
    columns: dict[str, npt.NDArray[Any]] = {"sample_id": sample_ids}
    columns |= {f"judgments_{i}": values for i, values in enumerate(judgments.values())}
    columns |= {f"informativeness_{i}": values for i, values in enumerate(informativeness.values())}
    for i, given in enumerate(ratings.values()):
        columns |= {f"ratings_{i}_{rater}": values for rater, values in enumerate(given)}
    description = {
        "judgments": [sorted(shown) for shown in judgments],
        "ratings": [[sorted(shown), len(given)] for shown, given in ratings.items()],
        "informativeness": list(informativeness),
        "note": note,
        "source": source,
    }
    arrays = [pa.array(column, from_pandas=False) for column in columns.values()]
    table = pa.Table.from_arrays(arrays, names=list(columns))
    table = table.replace_schema_metadata({_JUDGMENTS: json.dumps(description)})
    write_whole(folder / _JUDGMENTS, lambda partial: pq.write_table(table, partial))


def remove_judgments(folder: Path) -> None:
    """Undo `write_judgments`: the data set is again as it was imported."""
    (folder / _JUDGMENTS).unlink(missing_ok=True)


def judgments_source(folder: Path) -> Mapping[str, Any] | None:
    """Where `write_judgments` had them from; None without added judgments, or of version 0.2."""
    path = folder / _JUDGMENTS
    if not path.exists():
        return None
    found = json.loads(pq.read_schema(path).metadata[_JUDGMENTS.encode()])
    source: Mapping[str, Any] | None = found.get("source")
    return source


def judgments_stamp(folder: Path) -> tuple[int, int] | None:
    """A stamp that changes whenever `write_judgments` wrote; None without added judgments."""
    return _file_stamp(folder / _JUDGMENTS)


def dataset_stamp(folder: Path) -> tuple[tuple[int, int] | None, ...]:
    """A stamp of a stored data set: it changes with the judgments, and if samples are forgotten."""
    return _file_stamp(folder / _DESCRIPTION), _file_stamp(folder / _JUDGMENTS)


def _file_stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


def _with_judgments(dataset: MultimodalDataset, path: Path) -> MultimodalDataset:
    if not path.exists():
        return dataset
    table = _read_table(path)
    found = json.loads(table.schema.metadata[_JUDGMENTS.encode()])
    if table.column("sample_id").to_pylist() != dataset.sample_ids.tolist():
        raise InputError(
            f"The judgments in {path} are of other samples: remove this file, and use the ratings "
            "again."
        )

    def values(name: str) -> npt.NDArray[Any]:
        return np.asarray(table.column(name).to_numpy())

    judgments = {frozenset(s): values(f"judgments_{i}") for i, s in enumerate(found["judgments"])}
    ratings = {
        frozenset(shown): np.stack([values(f"ratings_{i}_{k}") for k in range(raters)])
        for i, (shown, raters) in enumerate(found["ratings"])
    }
    kept = {s: given for s, given in dataset.ratings.items() if s not in judgments}
    levels = {m: values(f"informativeness_{i}") for i, m in enumerate(found["informativeness"])}
    return replace(
        dataset,
        judgments={**dataset.judgments, **judgments},
        ratings={**kept, **ratings},
        informativeness={**dataset.informativeness, **levels},
        notes=(*dataset.notes, found["note"]),
    )


def _features_file(position: int) -> str:
    return f"features_{position}.parquet"


def _mapped_file(position: int) -> str:
    """The same features as an array that processes map into memory instead of copying it."""
    return f"features_{position}.npy"


def _write_table(
    columns: dict[Any, npt.NDArray[Any]], path: Path, names: tuple[str, ...] | None = None
) -> None:
    arrays = [pa.array(column, from_pandas=False) for column in columns.values()]
    table = pa.Table.from_arrays(arrays, names=list(columns) if names is None else list(names))
    pq.write_table(table, path, compression="zstd")


def _read_table(path: Path) -> pa.Table:
    """One file's table; unlike `pq.read_table`, it accepts repeated column names."""
    with pq.ParquetFile(path) as file:
        return file.read()


def _description(dataset: MultimodalDataset) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": dataset.name,
        "task": dataset.task,
        "target_name": dataset.target_name,
        "class_names": dataset.class_names,
        "origin": dataset.origin,
        "notes": dataset.notes,
        "modalities": [
            {"name": name, "features": features.names}
            for name, features in dataset.features.items()
        ],
        "has_groups": dataset.persons is not None,
        "folds": None if dataset.folds is None else len(dataset.folds),
        "judgments": [sorted(shown) for shown in dataset.judgments],
        "ratings": [[sorted(shown), len(given)] for shown, given in dataset.ratings.items()],
        "informativeness": list(dataset.informativeness),
        "factors": list(dataset.factors),
        "given_outputs": {name: list(own) for name, own in dataset.given_outputs.items()},
        "further_targets": [
            {"name": name, "task": further.task, "class_names": further.class_names}
            for name, further in dataset.further_targets.items()
        ],
        "fingerprint": dataset.fingerprint,
    }


def _columns(dataset: MultimodalDataset) -> dict[str, npt.NDArray[Any]]:
    columns: dict[str, npt.NDArray[Any]] = {
        "sample_id": dataset.sample_ids,
        "target": dataset.target,
    }
    if dataset.persons is not None:
        columns["group"] = dataset.persons
    if dataset.folds is not None:
        for role in _ROLES:
            for fold, members in enumerate(getattr(dataset.folds, role)):
                columns[f"{role}_{fold}"] = members
    for what in ("judgments", "informativeness", "factors"):
        for position, values in enumerate(getattr(dataset, what).values()):
            columns[f"{what}_{position}"] = values
    for position, further in enumerate(dataset.further_targets.values()):
        columns[f"further_target_{position}"] = further.values
    for position, given in enumerate(dataset.ratings.values()):
        for rater, values in enumerate(given):
            columns[f"ratings_{position}_{rater}"] = values
    return columns


def _restore(description: dict[str, Any], folder: Path) -> MultimodalDataset:
    table = _read_table(folder / _COLUMNS)

    def numbers(name: str) -> npt.NDArray[Any]:
        return np.asarray(table.column(name).to_numpy())

    def texts(name: str) -> npt.NDArray[np.str_]:
        return np.array(table.column(name).to_pylist(), dtype=np.str_)

    def mapping(what: str) -> dict[Any, npt.NDArray[Any]]:
        return {key: numbers(f"{what}_{i}") for i, key in enumerate(description[what])}

    folds = None
    if description["folds"] is not None:
        folds = Folds(
            *(
                np.stack([numbers(f"{role}_{fold}") for fold in range(description["folds"])])
                for role in _ROLES
            )
        )
    return MultimodalDataset(
        name=description["name"],
        task=description["task"],
        features={
            modality["name"]: _read_features(
                folder, i, modality["features"], is_mapped=_mapped_file(i) in description[_SUMS]
            )
            for i, modality in enumerate(description["modalities"])
        },
        sample_ids=texts("sample_id"),
        target=numbers("target"),
        target_name=description["target_name"],
        class_names=tuple(description["class_names"]),
        persons=texts("group") if description["has_groups"] else None,
        folds=folds,
        samples=_read_table(folder / _SAMPLES).to_pandas(),
        judgments={
            frozenset(shown): numbers(f"judgments_{i}")
            for i, shown in enumerate(description["judgments"])
        },
        # Studies written before single raters were stored have none.
        ratings={
            frozenset(shown): np.stack([numbers(f"ratings_{i}_{k}") for k in range(raters)])
            for i, (shown, raters) in enumerate(description.get("ratings", ()))
        },
        informativeness=mapping("informativeness"),
        factors=mapping("factors"),
        # Studies written before a given model could be explained have none.
        given_outputs={
            name: tuple(own) for name, own in description.get("given_outputs", {}).items()
        },
        # Studies written before a study could have several targets have none.
        further_targets={
            further["name"]: FurtherTarget(
                further["task"], numbers(f"further_target_{i}"), tuple(further["class_names"])
            )
            for i, further in enumerate(description.get("further_targets", ()))
        },
        origin=description["origin"],
        notes=tuple(description["notes"]),
    )


def _read_features(folder: Path, position: int, names: list[str], *, is_mapped: bool) -> Features:
    """Features mapped from their file; of studies written before there was one, copied."""
    if is_mapped:
        # Pages are shared between processes; what one of them changes stays its own ("c").
        mapped = np.load(folder / _mapped_file(position), mmap_mode="c")
        return Features(np.asarray(mapped), tuple(names))
    table = _read_table(folder / _features_file(position))
    values = np.empty((table.num_rows, len(names)), dtype=np.float32)
    for position in range(len(names)):
        values[:, position] = table.column(position).to_numpy()
    return Features(values, tuple(names))
