"""Entries that cannot be read: the rest of a list is shown, and they are named with the reason."""

import json
import shutil
import sqlite3
from contextlib import suppress

import numpy as np
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.errors import InputError
from smurf_core.processes import worker
from smurf_core.runs import own_studies, slices, store, studies
from smurf_core.training.observing import Progress

JUNK = ("junk", b"\xff\xfe", -1, 2.5, float("inf"), 1e300, "", "[" * 100_000, "null", None)


def change(workspace, table: str, column: str, value: object, identifier: str) -> None:
    with workspace.connect() as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(
            f"UPDATE {table} SET {column} = ? WHERE id = ?",  # noqa: S608 (names from this file)
            (value, identifier),
        )


def config_with(**changes: object):
    """A change to a configuration's JSON."""

    def changed(stored: str) -> str:
        data = {**json.loads(stored), **changes}
        return json.dumps({key: value for key, value in data.items() if value != "absent"})

    return changed


BROKEN_CONFIGS = {
    "an unknown field": (config_with(zap=1), "zap"),
    "a field that is missing": (config_with(grid="absent"), "grid"),
    "an unknown model": (config_with(model="smurf_9"), "smurf_9"),
    "a grid that is text": (config_with(grid="wide"), "settings"),
    "a grid without rates": (config_with(grid={"hidden_layers": [[4]]}), "learning_rates"),
    "bad JSON": (lambda stored: stored[:-9], "JSON"),
    "no object": (lambda _: "[1, 2]", "settings"),
    "nothing": (lambda _: "", "JSON"),
    "JSON that is nested too deeply": (lambda _: "[" * 100_000, "Recursion"),
}


@pytest.mark.parametrize("kind", BROKEN_CONFIGS)
def test_a_run_with_broken_settings_is_listed_apart_and_deleted(kind, workspace, study, config):
    good, bad = (store.create_run(workspace, study, config, name=n) for n in ("good", "bad"))
    breaking, word = BROKEN_CONFIGS[kind]
    change(workspace, "run", "config", breaking(json.dumps(config.to_dict())), bad)
    assert [run.id for run in store.list_runs(workspace, study)] == [good]
    (found,) = store.list_broken_runs(workspace, study)
    assert (found.id, found.name) == (bad, "bad")
    assert found.reason.startswith("Its settings cannot be read")
    assert word in found.reason
    with pytest.raises(InputError, match=f"The run '{bad}' cannot be read. Its settings"):
        store.get_run(workspace, bad)
    store.delete_run(workspace, bad)
    assert store.list_broken_runs(workspace) == []
    store.restore_run(workspace, bad)
    assert len(store.list_broken_runs(workspace)) == 1
    store.delete_run(workspace, bad)
    assert store.purge_runs(workspace, older_than=-1) == 1
    assert [run.id for run in store.list_runs(workspace)] == [good]


def test_a_run_of_an_unknown_status_is_listed_apart(workspace, study, config):
    run = store.create_run(workspace, study, config)
    change(workspace, "run", "status", "paused", run)
    assert store.list_runs(workspace) == []
    assert (
        "'paused' where status should be one of queued"
        in store.list_broken_runs(workspace)[0].reason
    )


RUN_COLUMNS = (
    "name", "note", "status", "config", "jobs", "progress", "message", "error", "device", "created",
    "started", "finished", "cancel", "pid", "pid_started",
)  # fmt: skip


@pytest.mark.parametrize("column", RUN_COLUMNS)
@pytest.mark.parametrize("status", ["queued", "running", "finished"])
def test_no_value_of_a_runs_column_takes_a_list_down(workspace, study, config, column, status):
    kept, run = (store.create_run(workspace, study, config) for _ in range(2))
    for value in JUNK:
        change(workspace, "run", "status", status, run)
        with suppress(sqlite3.IntegrityError):  # Most columns refuse NULL, which is as good.
            change(workspace, "run", column, value, run)
        runs, broken = store.list_runs(workspace), store.list_broken_runs(workspace)
        assert {entry.id for entry in (*runs, *broken)} == {kept, run}
        assert all(entry.name and entry.reason for entry in broken)
        assert store.has_work(workspace) in (True, False)
    store.delete_run(workspace, run)
    assert [r.id for r in store.list_runs(workspace)] == [kept]


@pytest.mark.parametrize(
    "column", ["name", "task", "origin", "samples", "modalities", "target_name", "created",
               "problems"],
)  # fmt: skip
def test_no_value_of_a_studys_column_takes_a_list_down(workspace, study, column):
    bad = studies.add_study(workspace, synthetic_additive(samples=40))
    for value in JUNK:
        if value is not None:
            change(workspace, "study", column, value, bad)
            known = studies.list_studies(workspace), studies.list_broken_studies(workspace)
            assert {entry.id for entry in (*known[0], *known[1])} == {study, bad}
            assert all(entry.name and entry.reason for entry in known[1])
    studies.delete_study(workspace, bad)
    assert [s.id for s in studies.list_studies(workspace)] == [study]
    assert studies.list_broken_studies(workspace) == []
    assert studies.purge_studies(workspace, older_than=-1) == 1
    assert not workspace.study_folder(bad).exists()


def test_a_broken_study_is_named_with_the_reason(workspace, study):
    change(workspace, "study", "task", "ranking", study)
    (found,) = studies.list_broken_studies(workspace)
    assert "'ranking' where task should be one of regression, classification" in found.reason
    with pytest.raises(
        InputError, match=r"The study .* cannot be read. Its entry contains 'ranking'"
    ):
        studies.get_study(workspace, study)


@pytest.mark.parametrize("identifier", ["../../up", "a/b", "", "Ä"])
def test_an_id_that_is_no_id_is_listed_deleted_and_opens_no_folder(
    workspace, study, config, identifier
):
    outside = workspace.root.parent / "up"
    outside.mkdir()
    run = store.create_run(workspace, study, config)
    change(workspace, "run", "id", identifier, run)
    change(workspace, "study", "id", identifier, study)
    assert store.list_runs(workspace) == []
    assert studies.list_studies(workspace) == []
    assert "is not an id" in store.list_broken_runs(workspace)[0].reason
    assert "is not an id" in studies.list_broken_studies(workspace)[0].reason
    store.delete_run(workspace, identifier)
    studies.delete_study(workspace, identifier)
    assert store.purge_runs(workspace, older_than=-1) == 1
    assert studies.purge_studies(workspace, older_than=-1) == 1
    assert outside.exists()


def test_text_that_is_not_unicode_is_read_with_marks(workspace, study, config):
    run = store.create_run(workspace, study, config)
    with workspace.connect() as connection:
        connection.execute("UPDATE run SET name = CAST(x'61ff62' AS TEXT)")
    assert store.get_run(workspace, run).name == "a\N{REPLACEMENT CHARACTER}b"


def test_a_broken_run_in_the_queue_fails_and_those_behind_it_train(workspace, study, config):
    broken, good = (store.create_run(workspace, study, config, jobs=1) for _ in range(2))
    change(workspace, "run", "config", "{}", broken)
    assert worker.work(workspace) == 1
    assert store.get_run(workspace, good).status == "finished"
    with workspace.connect() as connection:
        row = connection.execute("SELECT * FROM run WHERE id = ?", (broken,)).fetchone()
    assert row["status"] == "failed"
    assert "settings cannot be read" in row["error"]
    assert not store.has_work(workspace)


@pytest.mark.parametrize("pid", [None, "junk", -5, 2**40, 2.5])
def test_a_training_run_without_a_usable_process_id_is_called_crashed(
    workspace, study, config, pid
):
    run = store.create_run(workspace, study, config)
    store.claim(workspace)
    change(workspace, "run", "pid", pid, run)
    assert store.get_run(workspace, run).status == "crashed"


def test_broken_slices_are_listed_apart_and_deleted(workspace, study):
    ids = [slices.add_slice(workspace, study, name, ["s1"], origin="x") for name in "abcd"]
    change(workspace, "slice", "count", "many", ids[1])
    change(workspace, "slice", "sample_ids", b"not compressed", ids[2])
    change(workspace, "slice", "created", 1e300, ids[3])
    assert [s.name for s in slices.list_slices(workspace, study)] == ["a", "c"]
    broken = slices.list_broken_slices(workspace, study)
    assert {entry.name for entry in broken} == {"b", "c", "d"}
    assert slices.find_slice(workspace, study, ids[1]) is None
    with pytest.raises(InputError, match=r"slice 'c' cannot be read .* delete it"):
        slices.slice_samples(workspace, ids[2])
    for entry in broken:
        slices.delete_slice(workspace, entry.id)
    assert slices.list_broken_slices(workspace, study) == []


def test_recordings_and_origins_that_cannot_be_read_are_reported(workspace, study):
    with workspace.connect() as connection:
        connection.execute("UPDATE study SET provenance = '[1]'")
        connection.execute("INSERT INTO media VALUES (?, '[1]')", (study,))
    assert len(studies.list_studies(workspace)) == 1
    with pytest.raises(InputError, match="Where this study came from cannot be read"):
        studies.provenance(workspace, study)
    with pytest.raises(InputError, match="Where this study's recordings are cannot be read"):
        studies.media_of(workspace, study)
    studies.set_media(workspace, study, None)
    assert studies.media_of(workspace, study) is None


def test_what_belongs_to_a_study_goes_with_it(workspace, study, config):
    run = store.create_run(workspace, study, config, scheduler="tcp://example:1")
    other = studies.add_study(workspace, synthetic_additive(samples=40))
    kept = store.create_run(workspace, other, config)
    slices.add_slice(workspace, study, "a", ["s1"], origin="x")
    with workspace.connect() as connection:
        connection.execute("INSERT INTO curve VALUES (?, 0, 'unit', 1, 0, 0, 0)", (run,))
        connection.execute("INSERT INTO media VALUES (?, '{}')", (study,))
    workspace.run_folder(run).mkdir(parents=True)
    studies.delete_study(workspace, study, stop_training=True)
    assert studies.purge_studies(workspace, older_than=-1) == 1
    with workspace.connect() as connection:
        left = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("study", "run", "curve", "scheduler", "media", "slice")
        }
    assert left == {"study": 1, "run": 1, "curve": 0, "scheduler": 0, "media": 0, "slice": 0}
    assert store.get_run(workspace, kept).study_id == other
    assert not workspace.run_folder(run).exists()
    assert not workspace.study_folder(study).exists()


def test_nothing_is_stored_for_a_study_that_is_gone(workspace, study):
    with pytest.raises(InputError, match="no study 'gone'"):
        slices.add_slice(workspace, "gone", "a", ["s1"], origin="x")
    with pytest.raises(InputError, match="no study 'gone'"):
        slices.remember_selection(workspace, "gone", ["s1"], origin="x")


def test_a_report_about_a_run_that_was_removed_is_dropped(workspace):
    observer = worker.StoreObserver(workspace, "gone")
    observer.report(Progress(0, 3, "unit", 1, 10, 1.0, 0.5, 0.0, 0.0, 0.0))
    assert observer.should_stop()


# The state that a crash, or a person with a file manager, leaves behind.
def _no_entry(workspace):
    with workspace.connect() as connection:
        connection.execute("DELETE FROM study")


def _no_folder(workspace):
    shutil.rmtree(workspace.study_folder("synthetic"))


def _empty_folder(workspace):
    _nothing(workspace)
    workspace.study_folder("synthetic").mkdir()


def _half_a_folder(workspace):
    (workspace.study_folder("synthetic") / "features_1.parquet").unlink()
    _no_entry(workspace)


def _nothing(workspace):
    _no_entry(workspace)
    _no_folder(workspace)


def _broken_entry(workspace):
    change(workspace, "study", "modalities", "junk", "synthetic")


@pytest.mark.parametrize(
    "leave", [_no_entry, _no_folder, _empty_folder, _half_a_folder, _nothing, _broken_entry]
)
def test_the_synthetic_study_is_completed_whatever_a_crash_left(workspace, leave):
    own_studies.ensure_synthetic_study(workspace)
    before = studies.load_study(workspace, "synthetic")
    leave(workspace)
    own_studies.ensure_synthetic_study(workspace)
    (found,) = studies.list_studies(workspace)
    assert found.id == "synthetic"
    after = studies.load_study(workspace, "synthetic")
    assert after.fingerprint == before.fingerprint
    np.testing.assert_array_equal(after.target, before.target)


def test_a_folder_without_an_entry_is_adopted_as_it_is(workspace):
    own_studies.ensure_synthetic_study(workspace)
    _no_entry(workspace)
    description = workspace.study_folder("synthetic") / "dataset.json"
    before = description.stat().st_mtime_ns
    own_studies.ensure_synthetic_study(workspace)
    assert description.stat().st_mtime_ns == before


def test_a_study_that_is_completed_keeps_its_runs(workspace, config):
    own_studies.ensure_synthetic_study(workspace)
    run = store.create_run(workspace, "synthetic", config)
    _broken_entry(workspace)
    _no_folder(workspace)
    own_studies.ensure_synthetic_study(workspace)
    assert store.get_run(workspace, run).study_id == "synthetic"


def test_a_run_is_never_queued_without_its_cluster(workspace, study, config):
    with pytest.raises(sqlite3.Error):
        store.create_run(workspace, study, config, scheduler=["no address"])
    assert store.list_runs(workspace) == []
