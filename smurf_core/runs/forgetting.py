"""Complete deletion: samples of a study, or a person's, leave its data, runs, ratings and clips."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from smurf_core.data.dataset import Features, Folds, FurtherTarget, MultimodalDataset
from smurf_core.data.media import find_clip
from smurf_core.data.storage import read_dataset, write_dataset
from smurf_core.durable import (
    complete_replacement,
    is_partial,
    partial_name,
    remove_folder,
    replace_folder,
    write_json,
)
from smurf_core.errors import InputError
from smurf_core.extraction.store import FeatureStore
from smurf_core.people.guard import guarded, machine_only
from smurf_core.ratings.database import purge_traces, transaction
from smurf_core.results import FoldResult, RunResult
from smurf_core.runs.disk import said_in_words
from smurf_core.runs.files import RunFiles
from smurf_core.runs.slices import packed, slice_samples
from smurf_core.runs.studies import get_study, media_of, removal_file
from smurf_core.runs.workspace import Workspace, is_id

_LEAST = 6  # samples that a study must keep
_MARK = "Trained before {n} samples were removed from the study on {day}."
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Forgotten:
    """What was removed, and what the user must remove."""

    samples: int
    marked: tuple[str, ...]  # runs that were trained with the samples and are kept
    deleted: tuple[str, ...]  # runs
    recordings: tuple[str, ...]  # files outside the workspace, which are not touched


@guarded("owner")
def forget(
    workspace: Workspace,
    study_id: str,
    *,
    persons: Sequence[str] = (),
    samples: Sequence[str] = (),
    delete_runs: bool = False,
) -> Forgotten:
    """Remove samples from a study for good: there is no undo.

    Their rows leave the data set, every run's contributions, slices, and collections of ratings;
    recordings in the workspace are deleted, and all features that `smurf extract` has kept. The
    weights of runs were learned with them: runs are marked in their note, or deleted with
    `delete_runs`. A run that has not finished loses its files and begins anew. What is to be
    removed is noted first: after a cut, the next call, the next worker or `smurf doctor --repair`
    completes it.

    Raises
    ------
    InputError
        If a person or sample is not in the study, too little would be left, a run is active, or a
        disk fails.
    """
    with said_in_words(workspace.root):
        unfinished = _read_plan(workspace, study_id)
        if unfinished is not None:
            done = _carry_out(workspace, unfinished)
            if set(unfinished.asked) == {*persons, *samples}:
                return done
        get_study(workspace, study_id)
        dataset = read_dataset(workspace.study_folder(study_id))
        gone = _chosen(dataset, persons, samples)
        if (~gone).sum() < _LEAST:
            raise InputError("Fewer than 6 samples would be left: delete the whole study instead.")
        runs = tuple(_runs(workspace, study_id)) if delete_runs else ()
        plan = _Plan(
            study=study_id,
            asked=tuple(map(str, (*persons, *samples))),
            samples=tuple(dataset.sample_ids[gone].tolist()),
            runs=runs,
            mark=_MARK.format(n=int(gone.sum()), day=time.strftime("%Y-%m-%d")),
        )
        write_json(asdict(plan), removal_file(workspace, study_id))
        return _carry_out(workspace, plan)


@dataclass(frozen=True)
class _Plan:
    """What is to be removed; it is stored until nothing is left of it."""

    study: str
    asked: tuple[str, ...]  # persons and samples, as the user named them
    samples: tuple[str, ...]
    runs: tuple[str, ...]  # to delete; the others are marked
    mark: str  # for their notes


@machine_only
def unfinished_removals(workspace: Workspace) -> list[str]:
    """The studies in which `forget` was cut off."""
    found = (workspace.root / "forgetting").glob("*.json")
    return sorted(path.stem for path in found if is_id(path.stem))


@machine_only
def finish_forgetting(workspace: Workspace) -> list[str]:
    """Complete every removal that was cut off; returns the studies.

    Raises `InputError` if a disk fails, or if a run of such a study is active.
    """
    found = unfinished_removals(workspace)
    with said_in_words(workspace.root):
        for study_id in found:
            plan = _read_plan(workspace, study_id)
            if plan is not None:
                _carry_out(workspace, plan)
    return found


def _read_plan(workspace: Workspace, study_id: str) -> _Plan | None:
    path = removal_file(workspace, study_id)
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        lists = {name: tuple(found[name]) for name in ("asked", "samples", "runs")}
        return _Plan(study=study_id, mark=str(found["mark"]), **lists)
    except (ValueError, LookupError, TypeError) as error:
        raise InputError(
            f"{path} cannot be read: delete it, and forget the samples again."
        ) from error


def _carry_out(workspace: Workspace, plan: _Plan) -> Forgotten:
    """Remove what is left to remove; every step may have been done before."""
    folder = workspace.study_folder(plan.study)
    complete_replacement(folder, with_folders=True)
    runs = _runs(workspace, plan.study)
    for run in {*runs, *plan.runs}:
        complete_replacement(workspace.run_folder(run))
    dataset = read_dataset(folder)
    gone = np.isin(dataset.sample_ids, plan.samples)
    outside: tuple[str, ...] = ()
    marked: list[str] = []
    if gone.any():
        ids = frozenset(plan.samples)
        words = ids | set(plan.asked)
        outside = _without_clips(workspace, plan.study, dataset, gone)
        _without_ratings(folder, ids)
        left = _part(dataset, ~gone)
        marked = [
            run
            for run, target in runs.items()
            if run not in plan.runs and _reduced(workspace, run, ids, left.with_target(target))
        ]
        _without_entries(workspace, plan, marked, words, len(left))
        for run in plan.runs:
            remove_folder(workspace.run_folder(run))
        _replace_data(left, folder, words)
    for path in (workspace.root / "uploads").glob("*"):
        path.unlink(missing_ok=True)
    (workspace.root / "worker.log").unlink(missing_ok=True)
    # Kept features have no names: which are of these samples cannot be seen.
    FeatureStore.of(workspace.root).clear()
    for place, names in (("studies", (plan.study,)), ("runs", (*runs, *plan.runs))):
        for name in names:  # What was being written, or removed, when it was cut off.
            for path in (workspace.root / place).glob(f".*{name}.*"):
                if is_partial(path.name):
                    shutil.rmtree(path)
    noted = removal_file(workspace, plan.study)
    for path in noted.parent.glob(f".{noted.name}.*"):
        path.unlink(missing_ok=True)
    noted.unlink()
    return Forgotten(len(plan.samples), tuple(marked), plan.runs, outside)


def _runs(workspace: Workspace, study_id: str) -> dict[str, str]:
    """The targets of a study's runs by id; raises `InputError` if one of them is active."""
    with workspace.transaction() as connection:
        _refuse_active(connection, study_id)
        rows = connection.execute("SELECT id, target FROM run WHERE study_id = ?", (study_id,))
        return {str(row["id"]): str(row["target"]) for row in rows if is_id(row["id"])}


def _chosen(dataset: MultimodalDataset, persons: Sequence[str], samples: Sequence[str]) -> Mask:
    if not persons and not samples:
        raise InputError("Name at least one person or sample.")
    if persons and dataset.persons is None:
        raise InputError("This study knows no persons: name samples.")
    known = set() if dataset.persons is None else set(dataset.persons.tolist())
    for what, missing in (
        ("person", set(persons) - known),
        ("sample", set(samples) - set(dataset.sample_ids.tolist())),
    ):
        if missing:
            raise InputError(f"There is no {what} {min(missing)!r} in this study.")
    gone = np.isin(dataset.sample_ids, list(samples))
    if dataset.persons is not None:
        gone |= np.isin(dataset.persons, list(persons))
    return np.asarray(gone, dtype=np.bool_)


def _refuse_active(connection: sqlite3.Connection, study_id: str) -> None:
    if connection.execute(
        "SELECT 1 FROM run WHERE study_id = ? AND status IN ('queued', 'running')", (study_id,)
    ).fetchone():
        raise InputError("A run of this study trains or waits: cancel it first.")


def _part(dataset: MultimodalDataset, keep: Mask) -> MultimodalDataset:
    """The samples to keep, with all that is known of them."""
    rows: dict[str, Any] = {
        name: {key: values[..., keep] for key, values in getattr(dataset, name).items()}
        for name in ("judgments", "ratings", "informativeness", "factors")
    }
    folds = dataset.folds
    return replace(
        dataset,
        features={n: Features(f.values[keep], f.names) for n, f in dataset.features.items()},
        sample_ids=dataset.sample_ids[keep],
        target=dataset.target[keep],
        persons=None if dataset.persons is None else dataset.persons[keep],
        samples=dataset.samples[keep],
        folds=None if folds is None else _fold_part(folds, keep),
        further_targets={
            n: FurtherTarget(t.task, t.values[keep], t.class_names)
            for n, t in dataset.further_targets.items()
        },
        **rows,
    )


def _fold_part(folds: Folds, keep: Mask) -> Folds:
    return Folds(folds.training[:, keep], folds.validation[:, keep], folds.test[:, keep])


def _reduced(
    workspace: Workspace, run_id: str, ids: frozenset[str], left: MultimodalDataset
) -> bool:
    """Take samples out of a run's files; True if it has a result, which was trained with them."""
    files = RunFiles.of(workspace, run_id)
    if files.stamp() is None:
        shutil.rmtree(files.folder, ignore_errors=True)
        return False
    result = files.read_result()
    keep = ~np.isin(result.sample_ids, list(ids))
    if keep.all():  # It may have been done before a cut.
        return result.data_fingerprint == left.fingerprint
    partial = partial_name(files.folder)
    try:
        RunFiles(partial).write_result(_without(result, keep, left))
        replace_folder(partial, files.folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return True


def _without(result: RunResult, keep: Mask, left: MultimodalDataset) -> RunResult:
    tested = result.folds.tested_by() >= 0
    folds: list[FoldResult] = [
        replace(fold, members=tuple(replace(m, values=m.values[keep]) for m in fold.members))
        for fold in result.fold_results
    ]
    refits = result.refits
    return replace(
        result,
        sample_ids=result.sample_ids[keep],
        folds=_fold_part(result.folds, keep),
        fold_results=tuple(folds),
        data_fingerprint=left.fingerprint,
        refits=refits and replace(refits, spread=refits.spread[keep[tested]]),
    )


def _without_clips(
    workspace: Workspace, study_id: str, dataset: MultimodalDataset, gone: Mask
) -> tuple[str, ...]:
    """Delete recordings in the workspace that no other sample uses; return those outside."""
    try:
        settings = media_of(workspace, study_id)
    except InputError:  # The folder is not there (any more).
        return ()
    if settings is None:
        return ()
    mine, others = (_clips(settings, dataset, dataset.sample_ids[m]) for m in (gone, ~gone))
    root, outside = workspace.root.resolve(), []
    for path in sorted(mine - others):
        if path.is_relative_to(root):
            path.unlink(missing_ok=True)
        else:
            outside.append(str(path))
    return tuple(outside)


def _clips(settings: Any, dataset: MultimodalDataset, ids: npt.NDArray[np.str_]) -> set[Path]:
    found = set()
    for sample in ids.tolist():
        try:
            clip = find_clip(settings, dataset, sample)
        except InputError:
            continue
        if clip is not None:
            found.add(clip.path)
    return found


def _without_ratings(folder: Path, ids: frozenset[str]) -> None:
    for path in sorted(folder.glob("ratings/*/ratings.sqlite")):
        with transaction(path) as connection:
            for row in connection.execute("SELECT version, yaml, clips FROM design").fetchall():
                clips = [clip for clip in json.loads(row["clips"]) if clip not in ids]
                text = row["yaml"]
                if any(name in text for name in ids):
                    design = _cleared(yaml.safe_load(text), ids)
                    text = yaml.safe_dump(design, allow_unicode=True, sort_keys=False)
                connection.execute(
                    "UPDATE design SET clips = ?, yaml = ? WHERE version = ?",
                    (json.dumps(clips), text, row["version"]),
                )
            connection.executemany("DELETE FROM item WHERE clip = ?", [(name,) for name in ids])
        purge_traces(path)


def _cleared(found: Any, ids: frozenset[str]) -> Any:
    """Plain data without list items that are one of the ids."""
    if isinstance(found, dict):
        return {key: _cleared(value, ids) for key, value in found.items()}
    if isinstance(found, list):
        return [
            _cleared(item, ids) for item in found if not (isinstance(item, str) and item in ids)
        ]
    return found


def _without_entries(
    workspace: Workspace,
    plan: _Plan,
    marked: Sequence[str],
    words: frozenset[str],
    left: int,
) -> None:
    """Slices, notes on the import, runs to delete and marks; then no trace in SQLite's files."""
    slices, study_id, ids = {}, plan.study, frozenset(plan.samples)
    with workspace.connect() as connection:
        known = connection.execute("SELECT id, name FROM slice WHERE study_id = ?", (study_id,))
        for row in known.fetchall():
            kept = [s for s in slice_samples(workspace, row["id"]).tolist() if s not in ids]
            slices[row["id"]] = (row["name"], kept)
    with workspace.connect() as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        for slice_id, (name, kept) in slices.items():
            if name and kept:
                connection.execute(
                    "UPDATE slice SET sample_ids = ?, count = ? WHERE id = ?",
                    (packed(kept), len(kept), slice_id),
                )
            else:  # The id of a selection without a name is computed from its samples.
                connection.execute("DELETE FROM slice WHERE id = ?", (slice_id,))
        row = connection.execute(
            "SELECT problems, samples FROM study WHERE id = ?", (study_id,)
        ).fetchone()
        problems = [p for p in json.loads(row["problems"]) if not _names(p, words)]
        connection.execute(
            "UPDATE study SET problems = ?, samples = ? WHERE id = ?",
            (json.dumps(problems), left, study_id),
        )
        connection.executemany("DELETE FROM run WHERE id = ?", [(run,) for run in plan.runs])
        connection.executemany(
            "UPDATE run SET note = ltrim(note || ' ' || ?1) WHERE id = ?2 AND instr(note, ?1) = 0",
            [(plan.mark, run) for run in marked],
        )
        connection.execute("COMMIT")
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _names(found: object, words: frozenset[str]) -> bool:
    text = json.dumps(found, ensure_ascii=False)
    return any(word in text for word in words)


def _replace_data(left: MultimodalDataset, folder: Path, words: frozenset[str]) -> None:
    left = replace(left, notes=tuple(note for note in left.notes if not _names(note, words)))
    partial = partial_name(folder)
    try:
        write_dataset(left, partial)
        replace_folder(partial, folder, with_folders=True)  # Ratings and recordings.
    finally:
        shutil.rmtree(partial, ignore_errors=True)
