import os
import sqlite3
import subprocess
import sys

import pytest

from smurf_core.errors import InputError
from smurf_core.runs import own_studies, store, studies


def test_a_run_waits_in_the_queue_with_its_configuration(workspace, study, config):
    run_id = store.create_run(workspace, study, config, jobs=1)
    run = store.get_run(workspace, run_id)
    assert (run.status, run.config, run.jobs, run.is_active) == ("queued", config, 1, True)
    assert run.name == "SMURF, custom"
    assert [r.id for r in store.list_runs(workspace, study)] == [run_id]
    assert store.list_runs(workspace, "another") == []


def test_unknown_ids_are_refused_in_a_sentence(workspace, config):
    with pytest.raises(InputError, match="no run 'nothing'"):
        store.get_run(workspace, "nothing")
    with pytest.raises(InputError, match="no study 'nothing'"):
        store.create_run(workspace, "nothing", config)


@pytest.mark.parametrize("bad", ["../../etc", "a/b", "", "A", "x" * 33, "a\n"])
def test_no_id_leaves_the_workspace(workspace, bad):
    with pytest.raises(ValueError, match="not the id"):
        workspace.run_folder(bad)


def test_the_oldest_run_is_claimed_and_only_one_trains(workspace, study, config):
    first, second = (store.create_run(workspace, study, config) for _ in range(2))
    claimed = store.claim(workspace)
    assert claimed is not None
    assert (claimed.id, claimed.status) == (first, "running")
    assert store.claim(workspace) is None
    assert not store.has_work(workspace)
    assert store.get_run(workspace, second).status == "queued"


CLAIM = """
import sys, time
from pathlib import Path
from smurf_core.runs.store import claim
from smurf_core.runs.workspace import Workspace
run = claim(Workspace(Path(sys.argv[1])))
print(run.id if run else "", flush=True)
time.sleep(3)  # A claim is held by a living process only.
"""


def test_processes_never_claim_the_same_run(workspace, study, config):
    for _ in range(4):
        store.create_run(workspace, study, config)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(workspace.root)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    claimed = [worker.communicate(timeout=60)[0].strip() for worker in workers]
    taken = [run_id for run_id in claimed if run_id]
    assert taken
    assert len(taken) == len(set(taken))


def test_a_run_whose_process_is_gone_is_called_crashed(workspace, study, config):
    run_id = store.create_run(workspace, study, config)
    store.claim(workspace)
    with workspace.connect() as connection:  # A pid that another process has since been given.
        connection.execute(
            "UPDATE run SET pid_started = pid_started - 100, pid = ?", (os.getpid(),)
        )
    run = store.get_run(workspace, run_id)
    assert run.status == "crashed"
    assert "resume" in run.error
    store.resume_run(workspace, run_id)
    again = store.claim(workspace)
    assert again is not None
    assert again.id == run_id


def test_a_waiting_run_is_cancelled_at_once_and_can_be_resumed(workspace, study, config):
    run_id = store.create_run(workspace, study, config)
    store.request_cancel(workspace, run_id)
    assert store.get_run(workspace, run_id).status == "cancelled"
    assert store.claim(workspace) is None
    store.resume_run(workspace, run_id)
    assert store.get_run(workspace, run_id).status == "queued"
    with pytest.raises(InputError, match="Only a cancelled"):
        store.resume_run(workspace, run_id)


def test_names_and_notes(workspace, study, config):
    run_id = store.create_run(workspace, study, config)
    store.rename_run(workspace, run_id, " Trial 1 ")
    store.annotate_run(workspace, run_id, "first try")
    run = store.get_run(workspace, run_id)
    assert (run.name, run.note) == ("Trial 1", "first try")
    with pytest.raises(InputError, match="needs a name"):
        store.rename_run(workspace, run_id, " ")


def test_deleting_is_undone_until_purged(workspace, study, config):
    run_id = store.create_run(workspace, study, config)
    workspace.run_folder(run_id).mkdir(parents=True)
    store.delete_run(workspace, run_id)
    assert store.list_runs(workspace) == []
    assert store.claim(workspace) is None
    assert store.purge_runs(workspace, older_than=60) == 0
    store.restore_run(workspace, run_id)
    assert [run.id for run in store.list_runs(workspace)] == [run_id]
    store.delete_run(workspace, run_id)
    assert store.purge_runs(workspace, older_than=0) == 1
    assert not workspace.run_folder(run_id).exists()


def test_studies_are_kept_renamed_deleted_and_restored(workspace):
    study = own_studies.ensure_synthetic_study(workspace)
    assert own_studies.ensure_synthetic_study(workspace) == study
    studies.rename_study(workspace, study, "Mine")
    (found,) = studies.list_studies(workspace)
    assert (found.name, found.origin, found.samples) == ("Mine", "synthetic", 1_000)
    assert len(studies.load_study(workspace, study)) == 1_000
    studies.delete_study(workspace, study)
    assert studies.list_studies(workspace) == []
    studies.restore_study(workspace, study)
    studies.delete_study(workspace, study)
    assert studies.purge_studies(workspace, older_than=0) == 1
    assert not workspace.study_folder(study).exists()


def test_the_database_is_in_wal_mode(workspace, study):
    with sqlite3.connect(workspace.database) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_run_remembers_the_cluster_that_is_to_train_it(workspace, study, config):
    here = store.create_run(workspace, study, config)
    there = store.create_run(workspace, study, config, scheduler="tcp://example:8786")
    assert store.scheduler_of(workspace, here) is None
    assert store.scheduler_of(workspace, there) == "tcp://example:8786"
