"""What a workspace holds, as a set of entries that can be compared before and after a fault."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np

from smurf_core.data.storage import read_dataset
from smurf_core.errors import InputError
from smurf_core.ratings.catalogue import list_collections, open_collection
from smurf_core.results import RunResult
from smurf_core.runs import slices, store, studies
from smurf_core.runs.files import RunFiles
from smurf_core.runs.new_samples import list_predictions, read_predictions
from smurf_core.runs.wording import read_wording
from smurf_core.runs.workspace import Workspace

Entry = tuple[object, ...]
BYTES = "bytes"  # kind of entries that only what was finished before must share
_seen: dict[str, str] = {}  # bytes of a run's files → its numbers


def contents(workspace: Workspace) -> frozenset[Entry]:
    """All that a user can open, with its numbers; without ids and times, which differ."""
    found: set[Entry] = set()
    for study in studies.list_studies(workspace):
        folder = workspace.study_folder(study.id)
        data = read_dataset(folder)
        given = [a for part in (data.judgments, data.ratings) for a in part.values()]
        found.add(("study", study.name, study.samples, data.fingerprint, sum_of(*given)))
        found.add((BYTES, study.id, *(sum_of(p.read_bytes()) for p in sorted(folder.glob("*.*")))))
        found |= _clips(workspace, study.id)
        for info in slices.list_slices(workspace, study.id):
            ids = slices.slice_samples(workspace, info.id).tolist()
            found.add(("slice", study.name, info.name, *ids))
        for collection in list_collections(workspace, study.id):
            path = open_collection(workspace, study.id, collection.id).path
            found |= _ratings(path, collection.title)
    for run in store.list_runs(workspace):
        found.add(("run", run.name, run.note, run.target, json.dumps(run.config.to_dict())))
        if run.is_finished:
            found |= _result(workspace, run)
    return frozenset(found | _outside(workspace.root.parent / "out"))


def sum_of(*parts: object) -> str:
    """A checksum of arrays and bytes."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).tobytes())
    return found.hexdigest()[:16]


def numbers_of(result: RunResult) -> str:
    """A checksum of what a run has learned and explained."""
    contributions = result.contributions()
    models = [m.model.to_bytes() for fold in result.fold_results for m in fold.members]
    ids = "\n".join(result.sample_ids).encode()
    return sum_of(contributions.values, contributions.baseline, ids, *models)


def _outside(folder: Path) -> set[Entry]:
    """What was exported; of a backup, its members, because a copied database may differ."""
    found: set[Entry] = set()
    for path in (p for p in folder.rglob("[!.]*") if p.is_file()):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts):
            continue  # It was being written.
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                members = json.loads(archive.read("backup.json"))["files"]
            found |= {("backup", n, *m) for n, m in members.items() if not n.endswith(".sqlite")}
        else:
            found.add(("out", str(name), sum_of(path.read_bytes())))
    return found


def _clips(workspace: Workspace, study_id: str) -> set[Entry]:
    try:
        settings = studies.media_of(workspace, study_id)
    except InputError:
        settings = None
    if settings is None:
        return set()
    paths = sorted(Path(settings.folder).iterdir())
    return {("clip", study_id, p.name, sum_of(p.read_bytes())) for p in paths}


def _ratings(path: Path, title: str) -> set[Entry]:
    found: set[Entry] = set()
    with closing(sqlite3.connect(path)) as connection:
        for what, query in {
            "design": "SELECT version, yaml, clips FROM design",
            "rater": "SELECT id, consented IS NULL, slot, withdrawn IS NULL FROM rater",
            "item": "SELECT * FROM item",
            "answer": "SELECT rater, position, answers, revision FROM answer",
        }.items():
            found |= {(what, title, *row) for row in connection.execute(query)}
    names = path.with_name("identities.sqlite")
    if names.exists():
        with closing(sqlite3.connect(names)) as connection:
            found |= {("identity", *row) for row in connection.execute("SELECT * FROM identity")}
    return found


def _result(workspace: Workspace, run: store.RunInfo) -> set[Entry]:
    files = RunFiles.of(workspace, run.id)
    paths = [p for p in sorted(files.folder.rglob("*")) if p.is_file() and p.name != "log.txt"]
    whole = sum_of(*(p.read_bytes() for p in paths))
    if whole not in _seen:
        _seen[whole] = numbers_of(files.read_result())
    wording = read_wording(workspace, run.id)
    found: set[Entry] = {
        (BYTES, run.id, whole),
        ("result", run.name, _seen[whole]),
        ("wording", run.name, tuple(wording.edited.items()), tuple(sorted(wording.left_out))),
    }
    for saved in list_predictions(workspace, run.id):
        values = read_predictions(workspace, run.id, saved.id).contributions.values
        found.add(("predictions", run.name, saved.name, sum_of(values)))
    return found
