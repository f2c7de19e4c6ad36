"""The sign-basin demonstration in a process of its own, whose results are read as they come."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import weakref
from typing import IO, Any, Literal

import pandas as pd

State = Literal["running", "finished", "stopped", "failed"]
SCALES = 2  # of initial output weights, that every start is tried with
_COLUMNS = ("output_scale", "seed", "prediction_r", "objective", "recovery")


class LiveBasins:
    """`smurf basins` as it runs; started when made, and over when nobody holds it any more.

    Nothing is stored: what a stopped demonstration has found is gone with this object. The process
    also ends when this one does, because nobody reads what it prints.
    """

    def __init__(
        self, *, modalities: int = 3, starts: int = 10, samples: int = 1_000, epochs: int = 1_000
    ) -> None:
        self.total = SCALES * starts
        self._rows: list[dict[str, Any]] = []
        self._complaints: list[str] = []
        self._is_stopped = False
        errors = tempfile.TemporaryFile()  # noqa: SIM115 — the reader closes it
        options = {
            "--modalities": modalities, "--starts": starts, "--samples": samples,
            "--epochs": epochs,
        }  # fmt: skip
        self._process = subprocess.Popen(  # noqa: S603 — our own module, no shell
            [
                sys.executable, "-m", "smurf_core", "basins", "--lines",
                *(text for name, value in options.items() for text in (name, str(value))),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            # One thread: the app stays quick beside it.
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        # The thread holds the process and lists, not this object: else it would never go.
        self._reader = threading.Thread(
            target=_read, args=(self._process, errors, self._rows, self._complaints), daemon=True
        )
        self._reader.start()
        weakref.finalize(self, _end, self._process)

    @property
    def state(self) -> State:
        """If it still runs, or how it ended; rows are complete after its end."""
        if self._is_stopped:
            return "stopped"
        if self._reader.is_alive():
            return "running"
        return "finished" if self._process.returncode == 0 else "failed"

    def rows(self) -> pd.DataFrame:
        """What has ended so far, one row per start: the columns of `experiments.basins.Start`."""
        return pd.DataFrame(list(self._rows), columns=list(_COLUMNS))

    def error(self) -> str:
        """The last line that a failed process complained with."""
        said = [line for line in self._complaints if line.strip()]
        return said[-1] if said else f"It ended with code {self._process.returncode}."

    def stop(self) -> None:
        """End the process now; returns when it is gone."""
        self._is_stopped = self.state == "running"
        _end(self._process)
        self._reader.join()


def _read(
    process: subprocess.Popen[str],
    errors: IO[bytes],
    rows: list[dict[str, Any]],
    complaints: list[str],
) -> None:
    with process, errors:
        # A line that was cut off by a kill is no start.
        rows.extend(json.loads(line) for line in process.stdout or () if line.endswith("}\n"))
        process.wait()
        errors.seek(0)
        complaints.extend(errors.read().decode(errors="replace").splitlines())


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()  # It writes nothing that could be left half done.
        process.wait()
