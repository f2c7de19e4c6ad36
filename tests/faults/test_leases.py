"""Leases: living workers stay alive, dead ones are noticed, stale ones cannot write."""

import os
import time
import zipfile
from pathlib import Path

import psutil
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.processes import worker
from smurf_core.runs import leases, store, studies
from smurf_core.runs.files import RunFiles
from smurf_core.runs.workspace import Workspace
from smurf_core.training.observing import TrainingCancelled
from tests.studio import FAST

ELSEWHERE = "pid:[1]"
STORES = Path(__file__).resolve().parents[1] / "stores"


@pytest.fixture
def space(tmp_path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def claimed(space) -> str:
    study = studies.add_study(space, synthetic_additive(samples=60))
    run_id = store.create_run(space, study, FAST, jobs=1)
    assert store.claim(space).id == run_id
    return run_id


def change(space: Workspace, run_id: str, what: str) -> None:
    with space.connect() as connection:
        connection.execute(f"UPDATE run SET {what} WHERE id = ?", (run_id,))  # noqa: S608


def status(space: Workspace, run_id: str) -> str:
    return store.get_run(space, run_id).status


def test_a_step_of_the_clock_ends_no_worker(space, claimed, monkeypatch):
    later = time.time() + 7_200
    monkeypatch.setattr(time, "time", lambda: later)
    # The kernel computes when a process started from the clock that was set.
    create_time = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda p: create_time(p) + 7_200)
    assert status(space, claimed) == "running"
    assert store.claim(space) is None


def test_a_worker_in_another_container_lives_as_long_as_its_heart_beats(space, claimed):
    change(space, claimed, f"namespace = '{ELSEWHERE}', pid = 4000000")
    assert status(space, claimed) == "running"
    change(space, claimed, f"beat = beat - {leases.LEASE + 1}")
    assert status(space, claimed) == "crashed"


@pytest.mark.parametrize(
    "what",
    ["pid = 4000000", "pid_started = pid_started - 100", "boot = 'before the power cut'"],
)
def test_a_worker_that_is_gone_is_noticed_at_once(space, claimed, what):
    change(space, claimed, what)
    assert status(space, claimed) == "crashed"


def test_a_stale_worker_cannot_write_into_a_run_that_was_taken_over(space, claimed):
    stale = store.owner_of(space, claimed)
    change(space, claimed, f"namespace = '{ELSEWHERE}', beat = beat - {leases.LEASE + 1}")
    assert status(space, claimed) == "crashed"
    store.resume_run(space, claimed)
    taken = store.claim(space)
    assert taken.id == claimed
    new = store.owner_of(space, claimed)
    assert new not in (None, stale)

    with space.connect() as connection:
        assert not leases.renew(connection, claimed, stale)
        assert leases.renew(connection, claimed, new)
    worker._end(space, claimed, stale, "failed", "said by the stale worker")
    assert status(space, claimed) == "running"
    assert worker.StoreObserver(space, claimed, stale).should_stop()
    assert not worker.StoreObserver(space, claimed, new).should_stop()


def test_files_are_not_written_without_the_lease(tmp_path):
    def lost() -> None:
        raise TrainingCancelled

    files = RunFiles(tmp_path / "run", before_writing=lost)
    with pytest.raises(TrainingCancelled):
        files.save_unit("a", synthetic_additive(samples=60).samples)
    assert not files.folder.exists()


def test_a_worker_trains_under_its_lease_and_gives_it_back(space, claimed):
    change(space, claimed, "status = 'queued'")
    assert worker.work(space) == 1
    assert status(space, claimed) == "finished"
    assert store.owner_of(space, claimed) is None


def test_what_helps_a_worker_ends_with_it(space, claimed):
    owner = store.owner_of(space, claimed)
    change(space, claimed, "pid = 4000000")  # The worker is gone, and nobody looks at the app.
    assert worker.StoreObserver(space, claimed, owner).should_stop()
    assert status(space, claimed) == "crashed"


def test_a_store_of_before_leases_goes_on(tmp_path):
    with zipfile.ZipFile(STORES / "version_2.zip") as file:
        file.extractall(tmp_path)
    space = Workspace(tmp_path)
    runs = {run.name: run for run in store.list_runs(space)}
    assert {name: run.status for name, run in runs.items()} == {
        "finished": "finished",
        "left": "crashed",
    }
    result = RunFiles.of(space, runs["finished"].id).read_result()
    assert len(result.sample_ids) == 60
    # Files of before checksums are taken as they are; the worker of that version still counts.
    with space.connect() as connection:
        connection.execute(
            "UPDATE run SET status = 'running', pid = ?, pid_started = ? WHERE name = 'left'",
            (os.getpid(), psutil.Process().create_time()),
        )
    assert store.get_run(space, runs["left"].id).status == "running"
