"""The process that trains queued runs, one after another, until there are none.

`python -m smurf_core.processes.worker` works on the default workspace. It writes progress and
curves to the workspace's database and finished units to the run's folder, and ends a run when its
cancel flag is set. A resumed run continues after its finished units.
"""

from __future__ import annotations

import argparse
import os
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from smurf_core import __version__
from smurf_core.errors import InputError
from smurf_core.fold_label import fold_label
from smurf_core.processes.detached import give_way
from smurf_core.runs.disk import disk_error
from smurf_core.runs.files import RunFiles
from smurf_core.runs.forgetting import finish_forgetting
from smurf_core.runs.leases import heartbeat, reconcile, renew
from smurf_core.runs.store import (
    RunInfo,
    claim,
    dataset_of_run,
    has_work,
    owner_of,
    purge_runs,
    scheduler_of,
)
from smurf_core.runs.studies import purge_studies, recover_studies
from smurf_core.runs.workspace import Workspace
from smurf_core.training.observing import Progress, TrainingCancelled

REPORT_SECONDS = 0.5  # seconds between two writes of one process
KEEP_DELETED_SECONDS = 7 * 24 * 3600  # deleted items can be restored for a week
LEFTOVER_SECONDS = 24 * 3600  # an import that was cut off longer ago does not go on
POLL_SECONDS = 0.5  # seconds between two checks of the cancel flag


@dataclass
class StoreObserver:
    """Writes progress to the run's row, at most every half second. Picklable for joblib."""

    workspace: Workspace
    run_id: str
    owner: str | None = None  # reports of another owner are void; None: of anybody
    _reported: float = field(default=0.0, repr=False)
    _asked: float = field(default=0.0, repr=False)
    _stop: bool = field(default=False, repr=False)

    def report(self, progress: Progress) -> None:
        """Store progress and one point of the unit's curve."""
        now = time.monotonic()
        if now - self._reported < REPORT_SECONDS and progress.done < 1:
            return
        self._reported = now
        message = f"fold {fold_label(progress.fold)} of {progress.folds}, {progress.unit}"
        with self.workspace.connect() as connection:
            connection.execute(
                "UPDATE run SET progress = max(progress, ?), message = ? WHERE id = ?"
                " AND (? IS NULL OR owner = ?)",
                (progress.fraction, message, self.run_id, self.owner, self.owner),
            )
            connection.execute(
                "INSERT INTO curve (run_id, fold, unit, epoch, training_objective,"
                " validation_objective, validation_metric)"
                # Its study may have been removed meanwhile; `should_stop` then ends the training.
                " SELECT ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM run WHERE id = ?"
                " AND (? IS NULL OR owner = ?))",
                (
                    self.run_id,
                    progress.fold,
                    progress.unit,
                    progress.epoch,
                    progress.training_objective,
                    progress.validation_objective,
                    progress.validation_metric,
                    self.run_id,
                    self.owner,
                    self.owner,
                ),
            )

    def should_stop(self) -> bool:
        """True if the run's cancel flag is set, or if it is not this owner's any more.

        This is read at most twice per second. Processes that help a worker end with it: the first
        that asks after the worker's end marks the run as crashed.
        """
        now = time.monotonic()
        if not self._stop and now - self._asked >= POLL_SECONDS:
            self._asked = now
            with self.workspace.connect() as connection:
                reconcile(connection)
                row = connection.execute(
                    "SELECT cancel FROM run WHERE id = ? AND (? IS NULL OR owner = ?)",
                    (self.run_id, self.owner, self.owner),
                ).fetchone()
            self._stop = row is None or bool(row["cancel"])
        return self._stop


def train_claimed(workspace: Workspace, run: RunInfo) -> None:
    """Train a run that this process has claimed, and store how it ended."""
    owner = owner_of(workspace, run.id)

    def renewed() -> bool:
        with workspace.connect() as connection:
            return owner is not None and renew(connection, run.id, owner)

    def keep_lease() -> None:
        if not renewed():
            raise TrainingCancelled

    files = RunFiles.of(workspace, run.id, keep_lease)
    _note(files, f"run {run.id} begins: {run.config.model}, SMURF Studio {__version__}")
    with heartbeat(renewed):
        _train(workspace, run, files, owner)
    _note(files, f"run {run.id} ends")


def _note(files: RunFiles, text: str) -> None:
    with suppress(OSError):  # A full disk ends the run with a sentence of its own.
        files.note(text)


def _train(workspace: Workspace, run: RunInfo, files: RunFiles, owner: str | None) -> None:
    # These take seconds to import; the claim is already visible meanwhile.
    from smurf_core.training.devices import device_of
    from smurf_core.training.run import train_run

    try:
        dataset = dataset_of_run(workspace, run)
        scheduler = scheduler_of(workspace, run.id)
        device = scheduler or device_of(run.config)
        with workspace.connect() as connection:
            connection.execute("UPDATE run SET device = ? WHERE id = ?", (device, run.id))
        # With one accelerator, several processes would only wait for each other.
        cores = os.cpu_count() or 1 if device == "cpu" else 1
        result = train_run(
            dataset,
            run.config,
            jobs=run.jobs or cores,
            scheduler=scheduler,
            observer=StoreObserver(workspace, run.id, owner),
            cache=files,
        )
        files.write_result(result)
    except TrainingCancelled:
        _end(workspace, run.id, owner, "cancelled")
    except InputError as error:
        _end(workspace, run.id, owner, "failed", str(error))
    except MemoryError:
        reason = "The machine ran out of memory; choose a smaller grid."
        _end(workspace, run.id, owner, "failed", reason)
    # Whatever the error, the run must not stay `running`; the log has the details.
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        # Where it happened, without the message, which may hold content of samples.
        frames = "".join(traceback.format_tb(error.__traceback__))
        _note(files, f"run {run.id} stops: {type(error).__name__}\n{frames.rstrip()}")
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        disk = disk_error(error, workspace.root)
        sentence = disk or f"Training stopped with an unexpected error ({what})."
        _end(workspace, run.id, owner, "failed", str(sentence))
    else:
        _end(workspace, run.id, owner, "finished")


def _end(
    workspace: Workspace, run_id: str, owner: str | None, status: str, error: str = ""
) -> None:
    with workspace.connect() as connection:
        connection.execute(
            "UPDATE run SET status = ?, error = ?, message = '', finished = ?,"
            " progress = CASE WHEN ? = 'finished' THEN 1 ELSE progress END, owner = NULL"
            " WHERE id = ? AND owner IS ?",
            (status, error, time.time(), status, run_id, owner),
        )


def work(workspace: Workspace) -> int:
    """Train queued runs until there are none; return their number."""
    count = 0
    while True:
        run = claim(workspace)
        if run is not None:
            train_claimed(workspace, run)
            count += 1
        elif not has_work(workspace):
            # Another worker is training (it looks again when it is done), or nothing is queued.
            return count


def main() -> None:
    """Entry point of the worker process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, help="folder of studies and runs")
    folder = parser.parse_args().workspace
    give_way()
    workspace = Workspace(folder) if folder else Workspace.default()
    with suppress(InputError):  # `smurf doctor` says what is left, and why.
        finish_forgetting(workspace)
    work(workspace)
    purge_runs(workspace, older_than=KEEP_DELETED_SECONDS)
    purge_studies(workspace, older_than=KEEP_DELETED_SECONDS)
    recover_studies(workspace, older_than=LEFTOVER_SECONDS)


if __name__ == "__main__":
    main()
