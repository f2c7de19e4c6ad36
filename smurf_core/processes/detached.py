"""Processes that go on when the one that started them ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from smurf_core.runs.disk import disk_error


def start_detached(
    module: str,
    arguments: Sequence[str],
    log: Path,
    *,
    mode: Literal["ab", "wb"] = "ab",
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Run one of our modules as a process of its own; its output goes to a log file.

    Parameters
    ----------
    module, arguments
        What `python -m` runs.
    log
        Its output is appended (`ab`), or replaces what is there (`wb`).
    mode
        How the log is opened.
    environment
        Variables beside those of this process.

    Raises
    ------
    InputError
        If the disk of the log is full or cannot be written.
    """
    detached: dict[str, object] = (
        {"creationflags": 0x00000208}  # DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    try:
        output = log.open(mode)
    except OSError as error:
        raise disk_error(error, log.parent) or error from error
    with output:
        process: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]  # noqa: S603 — our own module, no shell
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environment or {})},
            **detached,
        )
    # Waits for its end, so that it does not become a zombie while this process runs.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


def give_way() -> None:
    """Give the app priority: this process works in the time that other processes leave.

    On Linux, the app interrupts it at once; elsewhere, its priority is low.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # Some sandboxes forbid it.
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    elif hasattr(os, "nice"):
        os.nice(19)
