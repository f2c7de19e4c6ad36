"""`smurf doctor`: finds each kind of damage, and its repairs lose nothing."""

import os
import time

import numpy as np
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.errors import InputError
from smurf_core.processes import worker
from smurf_core.runs import store, studies
from smurf_core.runs.doctor import LOST, examine
from smurf_core.runs.workspace import Workspace
from tests.studio import FAST, result_of


def test_nothing_is_said_of_a_good_workspace(trained_home):
    found = examine(trained_home)
    assert found.problems == ()
    assert str(trained_home.root) in found.facts[0]
    with pytest.raises(InputError, match="nothing to check"):
        examine(Workspace(trained_home.root / "nowhere"))


def test_a_damaged_result_is_made_again_from_what_is_good(trained_home):
    run = store.list_runs(trained_home)[0]
    before = result_of(trained_home, run).contributions().values
    folder = trained_home.run_folder(run.id)
    weights = folder / "fold_2.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    kept = (folder / "fold_1.safetensors").stat().st_mtime_ns
    found = examine(trained_home)
    assert [(p.where, p.done) for p in found.problems] == [(f"run {run.id}", "")]
    assert str(folder) in found.problems[0].what
    assert (folder / "result.json").exists()  # Nothing was changed.
    (corrected,) = examine(trained_home, repair=True).problems
    assert "Moved to lost+found" in corrected.done
    (lost,) = (trained_home.root / LOST).iterdir()
    moved = {p.name for p in (lost / "runs" / run.id).iterdir()}
    assert moved == {"result.json", "fold_2.json"}
    assert store.get_run(trained_home, run.id).status == "crashed"
    store.resume_run(trained_home, run.id)
    worker.work(trained_home)
    np.testing.assert_array_equal(result_of(trained_home, run).contributions().values, before)
    assert (folder / "fold_1.safetensors").stat().st_mtime_ns == kept
    assert examine(trained_home).problems == ()


def old(path):
    os.utime(path, (time.time() - 9_000,) * 2)


def test_what_belongs_to_nothing_is_moved_and_a_data_set_is_listed_again(trained_home):
    root = trained_home.root
    stray = root / "runs" / "stray"
    (stray / "units").mkdir(parents=True)
    torn = root / "runs" / f".result.json.{'a' * 32}"
    torn.write_text("half")
    study = studies.add_study(trained_home, synthetic_additive(samples=20))
    with trained_home.connect() as connection:
        connection.execute("DELETE FROM study WHERE id = ?", (study,))
    for path in (stray, torn, trained_home.study_folder(study)):
        old(path)
    where = {p.where for p in examine(trained_home).problems}
    assert where == {"runs/stray", f"runs/{torn.name}", f"studies/{study}"}
    assert all(p.done for p in examine(trained_home, repair=True).problems)
    assert examine(trained_home).problems == ()
    (lost,) = (root / LOST).iterdir()
    assert (lost / "runs" / torn.name).read_text() == "half"
    assert (lost / "runs" / "stray" / "units").is_dir()
    assert len(studies.load_study(trained_home, study)) == 20


def test_a_run_without_a_worker_a_bad_entry_and_a_bad_study_are_found(trained_home):
    first, second = store.list_runs(trained_home)[:2]
    lonely = store.create_run(trained_home, first.study_id, FAST)
    with trained_home.connect() as connection:
        connection.execute("UPDATE run SET status = 'running', pid = 1 WHERE id = ?", (lonely,))
        connection.execute("UPDATE run SET config = '{' WHERE id = ?", (second.id,))
    (trained_home.study_folder(first.study_id) / "columns.parquet").unlink()
    found = {p.where: p for p in examine(trained_home, repair=True).problems}
    assert set(found) == {f"run {lonely}", f"run {second.id}", f"study {first.study_id}"}
    assert found[f"run {lonely}"].done
    assert not found[f"study {first.study_id}"].done
    assert store.get_run(trained_home, lonely).status == "crashed"


def test_a_damaged_database_is_said_and_left(trained_home):
    with trained_home.connect() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(trained_home.database.read_bytes())
    content[4096:12_000] = b"\xff" * (12_000 - 4096)
    trained_home.database.write_bytes(content)
    (problem,) = examine(trained_home, repair=True).problems
    assert "The database is damaged" in problem.what
    assert "backup" in problem.remedy
    assert trained_home.database.read_bytes() == bytes(content)
