"""The process that extracts features of a job: started by the app, it outlives the page.

`python -m smurf_core.from_recordings.process --workspace FOLDER --job ID` works on one job until
it is done. Each result is stored at once (`FeatureStore`), so that a job that was cancelled or
killed continues with the utterance at which it stopped.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from smurf_core.data.media import END_COLUMN, MEDIA_COLUMN, MEDIA_TYPES, START_COLUMN
from smurf_core.durable import write_json
from smurf_core.errors import InputError
from smurf_core.extraction.features import Kind, Tools, extract_features
from smurf_core.extraction.running import Extraction
from smurf_core.extraction.store import FeatureStore
from smurf_core.extraction.utterances import Columns, Utterance
from smurf_core.from_recordings.jobs import (
    PLAYBACK,
    Job,
    JobFolder,
    is_running,
    job_folder,
    visible_pid,
)
from smurf_core.from_recordings.table import ID_COLUMN
from smurf_core.processes.detached import give_way, start_detached
from smurf_core.ratings.ffmpeg import convert_for_browsers
from smurf_core.runs.disk import disk_error
from smurf_core.runs.leases import heartbeat, lease
from smurf_core.runs.workspace import Workspace

_ENDS_WITHIN = 3.0  # seconds in which a cancelled process may end by itself
_lock = threading.Lock()


class _CancelledError(BaseException):
    """Raised by the signal that ends the process; no extraction catches it."""


def start(workspace: Workspace, job_id: str) -> None:
    """Start a job, or continue it, in a process of its own; nothing happens if it runs.

    Raises `InputError` if the job was deleted, or the disk is full.
    """
    found = job_folder(workspace, job_id)
    with _lock:
        if is_running(found):
            return
        for name in ("cancel", "end.json"):
            (found.folder / name).unlink(missing_ok=True)
        try:
            process = start_detached(
                "smurf_core.from_recordings.process",
                ["--workspace", str(workspace.root), "--job", job_id],
                found.log,
                mode="wb",
                environment={"PYTHONUNBUFFERED": "1"},
            )
            # It needs seconds until it can say this itself, and users click again meanwhile.
            with suppress(psutil.Error, FileNotFoundError):
                write_json(lease(uuid4().hex, process.pid), found.folder / "lease.json")
        except OSError as error:
            raise disk_error(error, workspace.root) or error from error


def cancel(workspace: Workspace, job_id: str) -> None:
    """End the process of a job; what it has extracted is kept."""
    found = job_folder(workspace, job_id)
    if not is_running(found):
        return
    (found.folder / "cancel").touch()
    if (pid := visible_pid(found)) is None:
        return  # In another container: it looks for this file itself.
    try:
        process = psutil.Process(pid)
        helpers = process.children(recursive=True)
        process.terminate()
        _, left = psutil.wait_procs([process], timeout=_ENDS_WITHIN)
        for one in (*left, *(helpers if left else ())):
            with suppress(psutil.Error):
                one.kill()
        psutil.wait_procs(left, timeout=_ENDS_WITHIN)
    except psutil.Error:
        return  # It ended meanwhile.


def delete_job(workspace: Workspace, job_id: str) -> None:
    """Delete a job with its recordings, whether it runs or not."""
    cancel(workspace, job_id)
    shutil.rmtree(job_folder(workspace, job_id).folder, ignore_errors=True)


def work(workspace: Workspace, job_id: str) -> None:
    """Extract what a job asks for; how it ended is written into its folder."""
    found = job_folder(workspace, job_id)
    owner = uuid4().hex
    parts: dict[str, dict[str, Any]] = {}
    end: dict[str, Any] = {"status": "failed", "parts": parts, "problem": ""}

    def keep_lease() -> bool:
        write_json(lease(owner), found.folder / "lease.json")
        return True

    with suppress(OSError):  # For whoever cannot see this process.
        keep_lease()
    with heartbeat(keep_lease):
        try:
            _extract_all(workspace, found, parts)
        except _CancelledError:
            end["status"] = "cancelled"
        except InputError as error:
            end["problem"] = str(error)
        except MemoryError:
            end["problem"] = "The machine ran out of memory; divide the recordings into two jobs."
        # Whatever the error, it is shown as a sentence; the log has the details.
        except Exception as error:  # noqa: BLE001
            traceback.print_exc()
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            sentence = disk_error(error, workspace.root)
            end["problem"] = str(sentence or f"Stopped by an unexpected error ({what}).")
        else:
            end["status"] = (
                "finished" if any(p.get("features") for p in parts.values()) else "failed"
            )
        write_json(end, found.folder / "end.json")
    (found.folder / "lease.json").unlink(missing_ok=True)


def _extract_all(workspace: Workspace, found: JobFolder, parts: dict[str, dict[str, Any]]) -> None:
    job = found.job()
    store = FeatureStore.of(workspace.root)
    with (found.folder / "progress.jsonl").open("w", encoding="utf-8") as file:

        def note(kind: str, sample: str, name: str, problem: str) -> None:
            line = {"kind": kind, "sample": sample, "file": name, "problem": problem}
            file.write(f"{json.dumps(line, ensure_ascii=False)}\n")
            file.flush()
            if (found.folder / "cancel").exists():
                raise _CancelledError

        for kind in job.kinds:
            try:
                parts[kind] = _extracted(found, job, kind, store, note)
            except InputError as error:  # No package, model or program: other kinds go on.
                parts[kind] = {"problem": str(error)}
        _make_playable(found, job, note)


def _extracted(
    found: JobFolder, job: Job, kind: Kind, store: FeatureStore, note: Callable[..., None]
) -> dict[str, Any]:
    def done(utterance: Utterance, problem: InputError | None) -> None:
        path = utterance.path
        name = "" if path is None else job.recordings.get(path.name, "")
        why = "" if problem is None else _as_named(str(problem), path, name)
        note(kind, utterance.sample_id, name, why)

    columns = Columns(
        id=ID_COLUMN, file=MEDIA_COLUMN, text=job.text,
        start=START_COLUMN if job.start else "", end=END_COLUMN if job.end else "",
    )  # fmt: skip
    features: Extraction = extract_features(
        kind, found.table, store, folder=found.recordings, columns=columns,
        tools=Tools(model=job.model), on_utterance=done,
    )  # fmt: skip
    if features.features.empty:
        return {"problem": "Nothing could be extracted."}
    features.features.to_parquet(found.features(kind), index=False)
    return {"features": features.features.shape[1] - 1, "reused": features.reused}


def _as_named(sentence: str, path: Path | None, name: str) -> str:
    """A sentence with the user's name of a recording in place of that on the disk."""
    if path is None:
        return sentence
    for written in (str(path), path.name):
        sentence = sentence.replace(written, name or path.stem)
    return sentence


def _make_playable(found: JobFolder, job: Job, note: Callable[..., None]) -> None:
    """Convert recordings that browsers do not play, unless there is another one of the clip."""
    played = {Path(stored).stem for stored in job.recordings if Path(stored).suffix in MEDIA_TYPES}
    for stored, name in job.recordings.items():
        path = found.recordings / stored
        if path.stem in played or list(found.playable.glob(f"{path.stem}.*")):
            continue
        found.playable.mkdir(exist_ok=True)
        try:
            convert_for_browsers(path, found.playable / path.stem)
        except InputError as error:
            note(PLAYBACK, "", name, _as_named(str(error), path, name))


def _stop(*_: object) -> None:
    raise _CancelledError


def main() -> int:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--job", required=True)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    give_way()
    try:
        work(Workspace(options.workspace), options.job)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
