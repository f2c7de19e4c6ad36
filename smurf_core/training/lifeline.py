"""Processes that help to train end with the one that started them, however it ends."""

from __future__ import annotations

import os
import threading
import time

import psutil

_LOOK_SECONDS = 0.5  # between two looks at whether the parent is still there


def end_with(parent: int) -> None:
    """End this process within moments of the end of `parent`, the process that started it.

    A thread looks for it: a killed process sends nothing to its helpers, and Linux's
    signal of a parent's death comes from the thread that started a helper, which ends earlier.
    Nothing is left incomplete: results are written by the parent.
    """

    def watch() -> None:
        while _is_there(parent):
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="lifeline").start()


def _is_there(parent: int) -> bool:
    # An orphan gets another parent; on Windows it keeps the number.
    return os.getppid() == parent and (os.name != "nt" or psutil.pid_exists(parent))
