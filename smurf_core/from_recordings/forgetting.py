"""Complete deletion in an extraction that is not a study yet.

A person of the same name in another table may be somebody else. So nothing is removed because a
name is the same: whoever forgets names the extraction, as they name a study.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.codec import to_plain
from smurf_core.data.column_names import PERSON_NAMES, named_thing
from smurf_core.data.media import MEDIA_COLUMN
from smurf_core.durable import is_partial, write_json, write_whole
from smurf_core.errors import InputError
from smurf_core.extraction.features import Kind
from smurf_core.extraction.store import FeatureStore
from smurf_core.from_recordings.jobs import (
    JobFolder,
    feature_table,
    is_running,
    job_folder,
    list_jobs,
    progress_lines,
)
from smurf_core.from_recordings.process import delete_job
from smurf_core.from_recordings.table import ID_COLUMN, Plan
from smurf_core.runs.disk import said_in_words
from smurf_core.runs.workspace import Workspace


def jobs_that_name(workspace: Workspace, words: Sequence[str]) -> list[JobFolder]:
    """The extractions in which a cell is one of these words, or whose table cannot be read."""
    return [found for found in list_jobs(workspace) if _names(found, words)]


def _names(found: JobFolder, words: Sequence[str]) -> bool:
    try:
        return bool(_table(found).isin(list(words)).any(axis=None))
    except InputError:
        return True  # It may.


def forget_in_job(
    workspace: Workspace, job_id: str, *, persons: Sequence[str] = (), samples: Sequence[str] = ()
) -> int:
    """Remove utterances from an extraction for good; returns how many.

    Their rows leave its table, features and progress; recordings that no other row uses are
    deleted, and all kept features (`FeatureStore`), which have no names. An extraction of which
    nothing would be left is deleted. After a cut, the same call completes it.

    Raises
    ------
    InputError
        If the extraction runs or cannot be read, knows no such person or sample, or a disk fails.
    """
    found = job_folder(workspace, job_id)
    if is_running(found):
        raise InputError("This extraction is running: cancel it first.")
    table = _table(found)
    gone = _chosen(table, persons, samples)
    with said_in_words(workspace.root):
        if gone.all():
            delete_job(workspace, job_id)
        else:
            _reduce(found, table, gone)
        FeatureStore.of(workspace.root).clear()
    return int(gone.sum())


def _table(found: JobFolder) -> pd.DataFrame:
    """The utterances, every cell as it is written."""
    try:
        return pd.read_csv(found.table, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"The table of extraction {found.id} cannot be read: delete the extraction."
        ) from error


def _chosen(
    table: pd.DataFrame, persons: Sequence[str], samples: Sequence[str]
) -> npt.NDArray[np.bool_]:
    if not persons and not samples:
        raise InputError("Name at least one person or sample.")
    columns = [name for name in table if named_thing(str(name)) in PERSON_NAMES]
    if persons and not columns:
        raise InputError(
            f"This extraction has no column of persons ({', '.join(PERSON_NAMES[:3])}, …): name "
            "samples, or delete the extraction."
        )
    for what, asked, places in (("person", persons, columns), ("sample", samples, [ID_COLUMN])):
        for word in asked:
            if not table[places].isin([word]).any(axis=None):
                raise InputError(f"There is no {what} {word!r} in this extraction.")
    gone = table[columns].isin(list(persons)).any(axis=1) | table[ID_COLUMN].isin(list(samples))
    return gone.to_numpy(dtype=np.bool_)


def _reduce(found: JobFolder, table: pd.DataFrame, gone: npt.NDArray[np.bool_]) -> None:
    """Remove rows everywhere; from the table last, so that it can be done again after a cut."""
    job, left = found.job(), table[~gone]
    ids = set(table.loc[gone, ID_COLUMN])
    stems = set(table.loc[gone, MEDIA_COLUMN]) - set(left[MEDIA_COLUMN]) - {""}
    for path in (*found.recordings.glob("*"), *found.playable.glob("*")):
        if path.stem in stems:
            path.unlink()
    for path in found.folder.glob(".*"):
        if is_partial(path.name):  # Of a call that was cut off.
            path.unlink()
    for kind in job.kinds:
        if found.features(kind).exists():
            features = feature_table(found, kind)
            kept = features[~features[ID_COLUMN].astype(str).isin(ids)]
            write_whole(found.features(kind), partial(kept.to_parquet, index=False))
    recordings: dict[str, str] = {
        name: of for name, of in job.recordings.items() if Path(name).stem not in stems
    }
    _reduce_progress(
        found.folder / "progress.jsonl",
        ids,
        {of for name, of in job.recordings.items() if name not in recordings},
    )
    found.log.unlink(missing_ok=True)  # It may name them.
    reduced = replace(job, recordings=recordings, totals=_totals(left, job.kinds, job.text))
    write_json(to_plain(reduced), found.folder / "job.json")
    write_whole(found.table, lambda to: left.to_csv(to, index=False))


def _totals(table: pd.DataFrame, kinds: Sequence[Kind], text: str) -> dict[str, int]:
    """Utterances from which features of each kind can be extracted."""
    empty = table.replace("", None)  # As the table was when the job was made.
    left = Plan(empty, {}, text, (), ())
    return {kind: left.total(kind) for kind in kinds}


def _reduce_progress(path: Path, ids: set[str], files: set[str]) -> None:
    """Leave out lines of these utterances, and of recordings that are gone."""
    if not path.exists():
        return
    kept = "".join(
        f"{json.dumps(line, ensure_ascii=False)}\n"
        for line in progress_lines(path)
        if line["sample"] not in ids and line["file"] not in files
    )
    write_whole(path, lambda to: to.write_text(kept, encoding="utf-8"))
