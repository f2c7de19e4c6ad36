"""Where the time of `benchmarks.soak` goes: runs of scripts on the server, and processor time."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

_BROWSER = ("chrom", "node", "headless")  # names of Chromium's processes and of its driver


@dataclass
class Load:
    """Seconds of processor time by kind of process, while all sessions are at work."""

    app: int  # process ids
    raters: int
    seconds: Counter[str] = field(default_factory=Counter)
    spare: float = 0.0  # seconds in which a core had nothing to do
    _known: dict[int, float] = field(default_factory=dict)

    async def watch(self) -> None:
        """Note what each process takes, until this is cancelled."""
        before = _machine()
        while True:
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    self._note(process)
            with suppress(psutil.NoSuchProcess):
                self._note(psutil.Process())
            await asyncio.sleep(1)
            now = _machine()
            self.spare = now[1] - before[1]
            ours = sum(took for kind, took in self.seconds.items() if kind != "other work")
            self.seconds["other work"] = now[0] - before[0] - ours

    def _note(self, process: psutil.Process) -> None:
        took = sum(process.cpu_times()[:2])
        # What is met first was either just started, or has worked before all sessions began.
        is_new = process.create_time() > time.time() - 5
        self.seconds[self._kind(process)] += took - self._known.get(
            process.pid, 0.0 if is_new else took
        )
        self._known[process.pid] = took

    def _kind(self, process: psutil.Process) -> str:
        if process.pid in (self.app, self.raters):
            return "app" if process.pid == self.app else "raters' server"
        if process.pid == os.getpid():
            return "this measurement"
        return "browsers" if process.name().startswith(_BROWSER) else "training"

    @property
    def sentence(self) -> str:
        """Shares of all that the cores could have done."""
        whole = self.seconds.total() + self.spare
        parts = [*self.seconds.most_common(), ("nothing", self.spare)]
        return ", ".join(f"{100 * took / whole:.0f}% {kind}" for kind, took in parts)


def _machine() -> tuple[float, float]:
    """Seconds since its start in which the machine's cores worked, and were idle."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    return sum(times[:8]) - idle, idle


def script_times(
    file: Path, begin: float, end: float, *, parts: bool = False
) -> npt.NDArray[np.float64]:
    """What `benchmarks.timed_server` has noted between two times (`time.time`).

    Returns
    -------
    [runs, 2]: seconds, and seconds of processor time; of pages, or of fragments (`parts`).
    """
    lines = np.loadtxt(file, ndmin=2) if file.exists() else np.empty((0, 4))
    ended, is_part = lines[:, 0], lines[:, 3] > 0
    return np.asarray(lines[(ended >= begin) & (ended < end) & (is_part == parts), 1:3])
