"""Real processes: training outlives its launcher, is cancelled, killed, and taken up again."""

import os
import signal
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest

from smurf_core.processes import worker
from smurf_core.processes.launcher import launch
from smurf_core.runs import store, studies
from smurf_core.runs.files import RunFiles
from smurf_core.training.run import train_run

PATIENCE = 90


def wait(workspace, run_id, *states):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        run = store.get_run(workspace, run_id)
        if run.status in states:
            return run
        time.sleep(0.1)
    raise AssertionError(f"The run is {run.status} ({run.error}), not {states}.")


def pid_of(workspace, run_id) -> int:
    with workspace.connect() as connection:
        return int(connection.execute("SELECT pid FROM run WHERE id = ?", (run_id,)).fetchone()[0])


def test_launched_worker_trains_the_queue_and_ends(workspace, study, config):
    first, second = (store.create_run(workspace, study, config, jobs=1) for _ in range(2))
    launch(workspace)
    run = wait(workspace, second, "finished", "failed")
    assert run.status == "finished", run.error
    assert (run.progress, run.device) == (1, "cpu")
    assert len(store.curves(workspace, first)) > 0
    data = studies.load_study(workspace, study)
    expected = train_run(data, config).contributions()
    for run_id in (first, second):
        found = RunFiles.of(workspace, run_id).read_result().contributions()
        np.testing.assert_array_equal(found.values, expected.values)


def test_a_training_run_stops_when_asked(workspace, study, long_config):
    run_id = store.create_run(workspace, study, long_config, jobs=1)
    launch(workspace)
    wait(workspace, run_id, "running")
    time.sleep(4)
    store.request_cancel(workspace, run_id)
    assert store.get_run(workspace, run_id).cancel_requested
    assert wait(workspace, run_id, "cancelled", "failed").status == "cancelled"
    assert RunFiles.of(workspace, run_id).stamp() is None


@pytest.mark.skipif(os.name != "posix", reason="Sends a signal that only POSIX systems have.")
def test_a_killed_run_goes_on_from_its_finished_units(workspace, study, config):
    config = replace(config, max_epochs=400, patience=None)
    run_id = store.create_run(workspace, study, config, jobs=1)
    launch(workspace)
    wait(workspace, run_id, "running")
    process = psutil.Process(pid_of(workspace, run_id))
    units = workspace.run_folder(run_id) / "units"
    deadline = time.monotonic() + PATIENCE
    while not list(units.glob("*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert wait(workspace, run_id, "crashed", "finished").status == "crashed"
    kept = {path: path.stat().st_mtime_ns for path in units.glob("*.parquet")}
    assert kept
    store.resume_run(workspace, run_id)
    deadline = time.monotonic() + PATIENCE
    # As the page does: until the dead worker is reaped, it counts as one that was just started.
    while store.get_run(workspace, run_id).status == "queued" and time.monotonic() < deadline:
        launch(workspace)
        time.sleep(0.1)
    assert wait(workspace, run_id, "finished", "failed", "crashed").status == "finished"
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    whole = train_run(studies.load_study(workspace, study), config).contributions()
    found = RunFiles.of(workspace, run_id).read_result().contributions()
    np.testing.assert_array_equal(found.values, whole.values)


@pytest.mark.skipif(os.name != "posix", reason="Sends a signal that only POSIX systems have.")
def test_a_killed_worker_leaves_no_process(workspace, study, long_config):
    run_id = store.create_run(workspace, study, long_config, jobs=3)
    launch(workspace)
    wait(workspace, run_id, "running")
    process = psutil.Process(pid_of(workspace, run_id))
    deadline = time.monotonic() + PATIENCE
    while len(helpers := process.children(recursive=True)) < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(helpers) >= 3
    time.sleep(2)  # They are at work, and not yet in the middle of starting.
    process.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(helpers, timeout=20)
    assert alive == []
    assert wait(workspace, run_id, "crashed").status == "crashed"


def test_what_keeps_a_run_from_training_is_reported_in_a_sentence(workspace, study, config):
    run_id = store.create_run(workspace, study, replace(config, device="mps"), jobs=1)
    assert worker.work(workspace) == 1
    run = store.get_run(workspace, run_id)
    assert run.status == "failed"
    assert run.error == "This machine offers torch no mps device; use auto or cpu."


def test_an_unexpected_error_fails_the_run_and_not_the_worker(workspace, study, config, capsys):
    broken, good = (store.create_run(workspace, study, config, jobs=1) for _ in range(2))
    RunFiles.of(workspace, broken).folder.mkdir(parents=True)
    (RunFiles.of(workspace, broken).folder / "units").write_text("a file where a folder goes")
    assert worker.work(workspace) == 2
    run = store.get_run(workspace, broken)
    assert run.status == "failed"
    assert "\n" not in run.error
    assert "unexpected error" in run.error
    assert "Traceback" in capsys.readouterr().err
    assert store.get_run(workspace, good).status == "finished"
