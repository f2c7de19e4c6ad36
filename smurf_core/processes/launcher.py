"""Starts the worker as a separate process, which outlives the one that started it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from smurf_core.runs.disk import disk_error
from smurf_core.runs.store import has_work
from smurf_core.runs.workspace import Workspace

# Workspace → the worker that this process started last. A worker needs seconds until it claims a
# run, and callers ask again and again meanwhile.
_started: dict[Path, subprocess.Popen[bytes]] = {}
_lock = threading.Lock()


def launch(workspace: Workspace) -> None:
    """Start a worker if a run is queued, none is training, and none was just started.

    Returns at once. Workers that two processes start at the same moment do no harm: only one of
    them can claim a run.
    """
    if not has_work(workspace):
        return
    with _lock:
        last = _started.get(workspace.root)
        if last is None or last.poll() is not None:
            _started[workspace.root] = _start(workspace)


def _start(workspace: Workspace) -> subprocess.Popen[bytes]:
    log = workspace.root / "worker.log"
    detached: dict[str, object] = (
        {"creationflags": 0x00000208}  # DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    try:
        output = log.open("ab")
    except OSError as error:
        raise disk_error(error, workspace.root) or error from error
    with output:
        process: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]  # noqa: S603 — our own module, no shell
            [
                sys.executable,
                "-m",
                "smurf_core.processes.worker",
                "--workspace",
                str(workspace.root),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
            **detached,
        )  # fmt: skip
    # Waits for the worker's end, so that it does not become a zombie while this process runs.
    threading.Thread(target=process.wait, daemon=True).start()
    return process
