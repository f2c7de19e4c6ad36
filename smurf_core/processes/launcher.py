"""Starts the worker as a separate process, which outlives the one that started it."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

from smurf_core.processes.detached import start_detached
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
    if not has_work(workspace.as_machine()):
        return
    with _lock:
        last = _started.get(workspace.root)
        if last is None or last.poll() is not None:
            _started[workspace.root] = _start(workspace)


def _start(workspace: Workspace) -> subprocess.Popen[bytes]:
    return start_detached(
        "smurf_core.processes.worker",
        ["--workspace", str(workspace.root)],
        workspace.root / "worker.log",
        environment={"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
    )
