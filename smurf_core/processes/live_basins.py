"""The sign-basin demonstration in a separate process, whose results are read as they arrive."""

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
SCALES = 2  # scales of initial output weights with which each start is tried
_COLUMNS = ("output_scale", "seed", "prediction_r", "objective", "recovery")


class LiveBasins:
    """A running `smurf basins`; it starts when made and ends when nothing refers to it any more.

    Nothing is stored: the results of a stopped demonstration are lost with this object. The process
    also ends with this one, because nothing reads its output then.
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
            # One thread, so that the app stays responsive.
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        # The thread refers to the process and lists, not to this object, which would otherwise
        # never be freed.
        self._reader = threading.Thread(
            target=_read, args=(self._process, errors, self._rows, self._complaints), daemon=True
        )
        self._reader.start()
        weakref.finalize(self, _end, self._process)

    @property
    def state(self) -> State:
        """The state of the demonstration; after its end, rows are complete."""
        if self._is_stopped:
            return "stopped"
        if self._reader.is_alive():
            return "running"
        return "finished" if self._process.returncode == 0 else "failed"

    def rows(self) -> pd.DataFrame:
        """The starts that have ended, one per row: the columns of `experiments.basins.Start`."""
        return pd.DataFrame(list(self._rows), columns=list(_COLUMNS))

    def error(self) -> str:
        """The last error line of a failed process."""
        said = [line for line in self._complaints if line.strip()]
        return said[-1] if said else f"It ended with code {self._process.returncode}."

    def stop(self) -> None:
        """End the process now; returns after its end."""
        self._is_stopped = self.state in ("running", "stopped")  # Two clicks may come.
        _end(self._process)
        self._reader.join()


def _read(
    process: subprocess.Popen[str],
    errors: IO[bytes],
    rows: list[dict[str, Any]],
    complaints: list[str],
) -> None:
    with process, errors:
        # A line that was cut off by a kill is not a start.
        rows.extend(json.loads(line) for line in process.stdout or () if line.endswith("}\n"))
        process.wait()
        errors.seek(0)
        complaints.extend(errors.read().decode(errors="replace").splitlines())


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()  # It writes nothing that could be left incomplete.
        process.wait()
