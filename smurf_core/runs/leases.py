"""Who trains a run: a lease with an owner and a heartbeat, which no change of the clock affects.

A worker on this machine whose process can be seen is judged by its process. Any other one (for
example in another container) is judged by its heartbeat, on the clock of the machine since its
start. A run that was called crashed, or resumed, has another owner: what the old one still writes
is void.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from smurf_core.errors import InputError

LEASE = 120.0  # seconds without a heartbeat after which an invisible worker counts as gone
BEAT = 10.0  # seconds between two heartbeats
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)  # Linux: it counts in sleep as well.
_CRASHED = (
    "The worker process ended without a message (killed, or the machine ran out of memory); "
    "resume the run to continue after its finished work."
)


def lease(owner: str, pid: int = 0) -> dict[str, object]:
    """The columns of a run that this process (or the one with `pid`) has claimed as `owner`."""
    pid = pid or os.getpid()
    return {
        "owner": owner,
        "pid": pid,
        "pid_started": _started(pid),
        "boot": boot(),
        "namespace": namespace(),
        "beat": now(),
    }


def reconcile(connection: sqlite3.Connection) -> None:
    """Mark runs as crashed if their worker is gone, so that nothing waits for them."""
    if connection.execute("PRAGMA query_only").fetchone()[0]:
        return  # A store that cannot be changed is shown as it is.
    for row in connection.execute(
        "SELECT id, pid, pid_started, owner, boot, namespace, beat FROM run"
        " WHERE status = 'running'"
    ).fetchall():
        if not is_alive(row):
            connection.execute(
                "UPDATE run SET status = 'crashed', finished = ?, error = ?, owner = NULL"
                " WHERE id = ? AND status = 'running' AND pid IS ? AND owner IS ? AND beat IS ?",
                (time.time(), _CRASHED, row["id"], row["pid"], row["owner"], row["beat"]),
            )


def renew(connection: sqlite3.Connection, run_id: str, owner: str) -> bool:
    """Renew a lease; False if the run is not this owner's any more."""
    return bool(
        connection.execute(
            "UPDATE run SET beat = ? WHERE id = ? AND owner = ? AND status = 'running'",
            (now(), run_id, owner),
        ).rowcount
    )


@contextmanager
def heartbeat(keep_lease: Callable[[], bool]) -> Iterator[None]:
    """Renew a lease in the background until it is lost (`keep_lease` returns False) or the end.

    A full or busy disk does no harm: the next heartbeat may succeed.
    """
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.wait(BEAT):
            with suppress(InputError, OSError):
                if not keep_lease():
                    return

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def now() -> float:
    """Seconds since the machine started: the same for all its processes, and never set."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def boot() -> str:
    """An id of this machine since its last start."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    return platform.node()


def namespace() -> str:
    """An id of the processes that this one can see."""
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


def is_alive(row: sqlite3.Row | Mapping[str, Any]) -> bool:
    """True if the worker that has claimed a run (or another job) still works on it."""
    pid, started, beat = row["pid"], row["pid_started"], row["beat"]
    if not isinstance(pid, int) or not isinstance(started, int | float):
        return False
    if beat is None:  # Claimed by an earlier version.
        return _is_running(pid, started, is_wall_clock=True)
    if row["boot"] != boot() or not isinstance(beat, int | float):
        return False
    if row["namespace"] == namespace():
        return _is_running(pid, started, is_wall_clock=False)
    return 0 <= now() - beat < LEASE


def _is_running(pid: int, started: float, *, is_wall_clock: bool) -> bool:
    try:
        process = psutil.Process(pid)
        found = process.create_time() if is_wall_clock else _started(pid)
        return abs(found - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, OSError, ValueError, OverflowError):
        return False  # Not every number is a valid pid.


def _started(pid: int) -> float:
    """When a process started: on Linux in ticks since the machine's start, which are never set."""
    if not Path("/proc/self/stat").exists():
        return psutil.Process(pid).create_time()
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    # The name before the last bracket may contain anything; field 22 is the time of start.
    return float(stat.rpartition(")")[2].split()[19])
