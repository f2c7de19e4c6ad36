"""An extraction as a folder of the workspace: what was asked, how far it is, what came out.

`job.json` is what was asked; it is written last, so a job is whole or absent. `lease.json` names
the process that extracts, `progress.jsonl` has a line for each utterance that is done, and
`end.json` says how it ended. Whoever looks reads these files; nothing is in a session.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from smurf_core.codec import check, from_plain, to_plain
from smurf_core.durable import is_as_written, partial_name, write_json
from smurf_core.errors import InputError
from smurf_core.extraction.features import Kind
from smurf_core.extraction.text import DEFAULT_MODEL
from smurf_core.from_recordings.table import Plan
from smurf_core.people.quotas import Quota, is_job_of
from smurf_core.runs.disk import disk_error
from smurf_core.runs.leases import boot, is_alive, namespace
from smurf_core.runs.workspace import Workspace, is_id, new_id

Status = Literal["running", "cancelling", "finished", "failed", "cancelled", "stopped"]
ENDS: tuple[Status, ...] = ("finished", "failed", "cancelled")
PLAYBACK = "playback"  # the kind of a failure to make a recording playable
_DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError)


@dataclass(frozen=True)
class Job:
    """What was asked: `recordings` is the stored name → the user's, `totals` counts utterances."""

    name: str
    created: float  # seconds since 1970, UTC
    kinds: tuple[Kind, ...]
    totals: Mapping[str, int]
    recordings: Mapping[str, str]
    text: str = ""  # column of transcripts
    start: bool = False  # the table has a column of starts
    end: bool = False
    model: str = DEFAULT_MODEL
    person: str = ""  # who asked, on a server with sign-in; nobody else sees it

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class JobFolder:
    """The files of a job."""

    folder: Path

    @property
    def id(self) -> str:
        """The job's id, which is its folder's name."""
        return self.folder.name

    @property
    def table(self) -> Path:
        """One row per utterance; see `Plan.table`."""
        return self.folder / "utterances.csv"

    @property
    def recordings(self) -> Path:
        """The uploaded recordings, under generated names."""
        return self.folder / "recordings"

    @property
    def playable(self) -> Path:
        """Copies of recordings that browsers would not play."""
        return self.folder / "playable"

    @property
    def log(self) -> Path:
        """What the process printed."""
        return self.folder / "log.txt"

    def features(self, kind: Kind) -> Path:
        """The table of features of a kind."""
        return self.folder / f"{kind}.parquet"

    def job(self) -> Job:
        """What was asked; raises `InputError` if it cannot be read."""
        try:
            data = json.loads((self.folder / "job.json").read_text(encoding="utf-8"))
            if not is_as_written(data):
                raise InputError("This extraction was changed on the disk: delete it.")
            data.pop("checksum", None)
        except _DAMAGE as error:
            raise InputError("This extraction cannot be read: delete it.") from error
        return from_plain(Job, data, "The extraction")


@dataclass(frozen=True)
class Failure:
    """An utterance without features of a kind, or a recording that cannot be played."""

    kind: str
    sample: str
    file: str  # as the user named it
    problem: str  # a sentence


@dataclass(frozen=True)
class Part:
    """How far the features of one kind are."""

    kind: Kind
    total: int  # utterances
    done: int = 0
    failed: int = 0
    last: str = ""  # the sample that was done last
    features: int = 0  # columns; 0 until all utterances are done
    problem: str = ""  # why there are none at all

    @property
    def is_over(self) -> bool:
        """True if nothing more will be done of it."""
        return bool(self.features or self.problem or self.done == self.total)


@dataclass(frozen=True)
class JobState:
    """How far a job is, as its files say."""

    status: Status
    parts: tuple[Part, ...]
    failures: tuple[Failure, ...]
    problem: str = ""  # why it failed as a whole

    @property
    def is_active(self) -> bool:
        """True if a process works on it."""
        return self.status in ("running", "cancelling")

    @property
    def sentence(self) -> str:
        """What became of the job, and what can be done."""
        if self.status == "running":
            return "Features are being extracted; you can leave this page."
        if self.status == "cancelling":
            return "Cancelling…"
        kept = "Utterances that are done are kept: continue, or delete it."
        if self.status == "cancelled":
            return f"Cancelled. {kept}"
        if self.status == "stopped":
            return (
                "The process ended without a message (killed, or the machine ran out of memory). "
                f"{kept}"
            )
        if self.status == "failed":
            return self.problem or "Nothing could be extracted."
        failed = sum(failure.kind != PLAYBACK for failure in self.failures)
        missing = f" {failed:,} failed: they count as not recorded." if failed else ""
        return f"Features of {' and '.join(self.done)} were extracted.{missing}"

    @property
    def done(self) -> tuple[Kind, ...]:
        """Kinds whose features were extracted for at least one utterance."""
        return tuple(part.kind for part in self.parts if part.features)

    def failure_table(self) -> pd.DataFrame:
        """One row per failure: sample, file, kind, problem."""
        rows = [(f.sample, f.file, f.kind, f.problem) for f in self.failures]
        return pd.DataFrame(rows, columns=["sample", "file", "kind", "problem"])


def folder_of(workspace: Workspace) -> Path:
    """Where a workspace keeps its extractions."""
    return workspace.root / "extractions"


def job_folder(workspace: Workspace, job_id: str) -> JobFolder:
    """The folder of a job; raises `InputError` if there is none that the person may see."""
    if is_id(job_id):
        found = JobFolder(folder_of(workspace) / job_id)
        if found.folder.is_dir() and _is_own(workspace, found):
            return found
    raise InputError("This extraction was deleted, or became a study.")


def _is_own(workspace: Workspace, found: JobFolder) -> bool:
    """True if the acting person asked for a job, or has the machine itself."""
    person = workspace.person
    return person.is_local or is_job_of(found.folder / "job.json", person)


def create_job(
    workspace: Workspace, name: str, plan: Plan, kinds: Sequence[Kind], *, model: str = ""
) -> JobFolder:
    """Make a job of uploads, which are moved into its folder; it is not started.

    Raises
    ------
    InputError
        If nothing is to be extracted, the person's part of the disk or the disk itself is full, or
        it cannot be written.
    """
    if not kinds:
        raise InputError("Choose at least one kind of features.")
    size = sum(source.path.stat().st_size for source in plan.recordings.values())
    with workspace.connect() as connection:
        Quota.from_environment().check_disk(connection, workspace.person, workspace.root, size)
    folder = folder_of(workspace) / new_id()
    job = Job(
        name, time.time(), tuple(kinds), {kind: plan.total(kind) for kind in kinds},
        {stored: source.name for stored, source in plan.recordings.items()}, plan.text,
        start="start" in plan.table, end="end" in plan.table, model=model or DEFAULT_MODEL,
        person=workspace.person.name,
    )  # fmt: skip
    partial = partial_name(folder)
    made = JobFolder(partial)
    try:
        made.recordings.mkdir(parents=True)
        plan.table.to_csv(made.table, index=False)
        write_json(to_plain(job), partial / "job.json")
        for stored, source in plan.recordings.items():
            shutil.move(source.path, made.recordings / stored)
        os.rename(partial, folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise disk_error(error, workspace.root) or error from error
    return JobFolder(folder)


def list_jobs(workspace: Workspace) -> list[JobFolder]:
    """The person's extractions that are not studies yet, newest first."""
    every = [JobFolder(path) for path in folder_of(workspace).glob("*") if is_id(path.name)]
    found = [job for job in every if _is_own(workspace, job)]
    made = {job.id: _made(job.folder) for job in found}
    return sorted((job for job in found if made[job.id]), key=lambda job: -made[job.id])


def _made(folder: Path) -> float:
    with suppress(OSError):
        return (folder / "job.json").stat().st_mtime
    return 0.0


def state_of(found: JobFolder) -> JobState:
    """How far a job is: its files as they are now.

    Raises `InputError` if the job cannot be read.
    """
    job = found.job()
    end = _json(found.folder / "end.json")
    summaries = end.get("parts", {})
    done = dict.fromkeys(job.kinds, 0)
    failed, last = dict(done), dict.fromkeys(job.kinds, "")
    failures = []
    for line in progress_lines(found.folder / "progress.jsonl"):
        kind, sample, problem = line["kind"], line["sample"], line["problem"]
        if kind in done:
            done[kind] += 1
            last[kind] = sample
            failed[kind] += bool(problem)
        if problem:
            failures.append(Failure(kind, sample, line["file"], problem))
    parts = tuple(
        Part(
            kind, job.totals[kind], min(done[kind], job.totals[kind]), failed[kind], last[kind],
            int(summaries.get(kind, {}).get("features", 0)),
            str(summaries.get(kind, {}).get("problem", "")),
        )
        for kind in job.kinds
    )  # fmt: skip
    return JobState(_status(found, end), parts, tuple(failures), str(end.get("problem", "")))


def _status(found: JobFolder, end: Mapping[str, Any]) -> Status:
    is_cancelled = (found.folder / "cancel").exists()
    if is_running(found):
        return "cancelling" if is_cancelled else "running"
    if end.get("status") in ENDS:
        ended: Status = end["status"]
        return ended
    return "cancelled" if is_cancelled else "stopped"


def is_running(found: JobFolder) -> bool:
    """True if a process works on a job."""
    lease = _json(found.folder / "lease.json")
    names = ("pid", "pid_started", "boot", "namespace", "beat")
    return bool(lease) and is_alive({name: lease.get(name) for name in names})


def visible_pid(found: JobFolder) -> int | None:
    """The process that works on a job, if it is one that this process can see."""
    lease = _json(found.folder / "lease.json")
    is_here = (lease.get("boot"), lease.get("namespace")) == (boot(), namespace())
    return int(lease["pid"]) if is_here and is_running(found) else None


def changed(found: JobFolder) -> float:
    """When something of a job was last written, in seconds since 1970."""
    times = [path.stat().st_mtime for path in found.folder.glob("*.json*")]
    return max(times, default=found.folder.stat().st_mtime)


def feature_table(found: JobFolder, kind: Kind) -> pd.DataFrame:
    """The extracted features of a kind, one row per utterance with its `sample_id`."""
    return pd.read_parquet(found.features(kind))


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # Not there yet, or damaged.
        return {}
    return data if isinstance(data, dict) else {}


def progress_lines(path: Path) -> list[dict[str, str]]:
    """The lines of the progress; one that is being written, or was cut off, is left out."""
    found = []
    with suppress(OSError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError):
                data = json.loads(line)
                if isinstance(data, dict) and {"kind", "sample", "file", "problem"} <= set(data):
                    found.append(data)
    return found
