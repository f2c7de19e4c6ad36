"""Versions of the store: an old one is brought up to date whole or not at all."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from smurf_core.errors import InputError
from smurf_core.runs import migrations, slices, store, studies
from smurf_core.runs.workspace import Workspace

CURRENT = len(migrations.MIGRATIONS)


def raw(workspace: Workspace) -> sqlite3.Connection:
    """A connection that migrates nothing and enforces nothing."""
    return sqlite3.connect(workspace.database, isolation_level=None)


def one(connection: sqlite3.Connection, statement: str) -> object:
    return connection.execute(statement).fetchone()[0]


def layout(workspace: Workspace) -> set[tuple[str, str, str]]:
    connection = raw(workspace)
    found = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    connection.close()
    return set(found)


def assert_all_is_there(workspace: Workspace) -> None:
    """The three studies and 19 runs of the old store, in their order."""
    known = studies.list_studies(workspace)
    assert [s.name for s in known] == ["regression with gaps", "classification", "regression"]
    runs = store.list_runs(workspace)
    assert len(runs) == 19
    assert {run.status for run in runs} == {"finished"}
    assert (runs[0].name, runs[0].note) == ("e_hgr", "a note")
    assert [len(store.list_runs(workspace, study.id)) for study in known] == [3, 8, 8]
    assert [len(slices.list_slices(workspace, study.id)) for study in known] == [0, 1, 1]
    assert store.list_broken_runs(workspace) == []
    assert studies.list_broken_studies(workspace) == []
    assert sum(len(store.curves(workspace, run.id)) for run in runs) == 149


def test_a_store_without_a_version_is_brought_up_to_date(version_1):
    before = raw(version_1)
    assert one(before, "PRAGMA user_version") == 0
    before.close()
    assert_all_is_there(version_1)
    (kept,) = slices.list_slices(version_1, studies.list_studies(version_1)[1].id)
    assert len(slices.slice_samples(version_1, kept.id)) == kept.count == 10
    with version_1.connect() as connection:
        assert one(connection, "PRAGMA user_version") == CURRENT
        assert one(connection, "PRAGMA foreign_keys") == 1
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_an_old_store_and_a_new_one_have_the_same_layout(version_1, workspace):
    for each in (version_1, workspace):
        with each.connect():
            pass
    assert layout(version_1) == layout(workspace)
    assert any("ON DELETE CASCADE" in (sql or "") for _, _, sql in layout(workspace))


def test_a_store_of_before_slices_and_schedulers_is_brought_up_to_date(version_1):
    with raw(version_1) as connection:
        connection.execute("DROP TABLE slice")
        connection.execute("DROP TABLE scheduler")
    study = studies.list_studies(version_1)[0].id
    assert slices.list_slices(version_1, study) == []
    assert slices.add_slice(version_1, study, "new", ["s1"], origin="a table")


def test_the_schema_is_not_run_on_every_connection(workspace):
    with workspace.connect():
        pass
    said: list[str] = []
    connection = raw(workspace)
    connection.set_trace_callback(said.append)
    migrations.prepare(connection, workspace.root)
    connection.close()
    assert len(said) == 3
    assert all(statement.startswith("PRAGMA") for statement in said)


def test_a_later_store_is_refused_in_a_sentence_and_left_alone(version_1):
    connection = raw(version_1)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = layout(version_1)
    with pytest.raises(InputError, match=r"later version .*store version 99.*install the latest"):
        store.list_runs(version_1)
    assert layout(version_1) == before


@pytest.mark.parametrize("what", ["no database", "a file", "an empty database"])
def test_a_store_that_cannot_be_opened_is_refused_in_a_sentence(tmp_path, what):
    workspace = Workspace(tmp_path / "store")
    if what == "a file":
        workspace.root.write_text("a file where a folder goes")
    else:
        workspace.root.mkdir()
        workspace.database.write_bytes(b"not SQLite" * 500 if what == "no database" else b"")
    if what == "an empty database":  # A process was killed before it wrote the first table.
        assert store.list_runs(workspace) == []
        return
    with pytest.raises(InputError, match=r"cannot be opened .*: check the folder"):
        store.list_runs(workspace)


def test_entries_that_belong_to_nothing_go_and_a_run_without_its_study_stays(version_1):
    with raw(version_1) as connection:
        run, study = connection.execute("SELECT id, study_id FROM run").fetchone()
        connection.execute("INSERT INTO curve VALUES ('gone', 0, 'unit', 1, 0, 0, 0)")
        connection.execute("INSERT INTO scheduler VALUES ('gone', 'tcp://example')")
        connection.execute("INSERT INTO scheduler VALUES (?, 'tcp://example')", (run,))
        connection.execute("INSERT INTO media VALUES ('gone', '{}')")
        connection.execute("INSERT INTO slice VALUES ('x', 'gone', 'x', 'x', 1, 'x', 1, NULL)")
        connection.execute("DELETE FROM study WHERE id = ?", (study,))
    connection.close()
    assert len(store.list_runs(version_1)) == 19
    assert store.scheduler_of(version_1, run) == "tcp://example"
    (lost,) = studies.list_broken_studies(version_1)
    assert (lost.id, lost.name) == (study, migrations.LOST)
    with version_1.connect() as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert one(connection, "SELECT count(*) FROM curve") == 149
        assert one(connection, "SELECT count(*) FROM slice") == 2
        assert one(connection, "SELECT count(*) FROM media") == 0


class Photographed(sqlite3.Connection):
    """Copies the files of its database before every statement: what a kill there would leave."""

    store: Path
    images: Path

    def execute(self, statement, *values):
        target = self.images / f"{len(list(self.images.iterdir())):03d}"
        target.mkdir()
        for path in self.store.glob("smurf.sqlite*"):
            if not path.name.endswith("-shm"):  # It is in memory, and made again.
                shutil.copy(path, target)
        return super().execute(statement, *values)


def test_a_migration_that_is_killed_at_any_statement_leaves_a_store_that_opens(version_1, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    Photographed.store, Photographed.images = version_1.root, images
    connection = sqlite3.connect(version_1.database, isolation_level=None, factory=Photographed)
    connection.execute("PRAGMA cache_spill = 1")  # Changed pages reach the file early.
    connection.execute("PRAGMA cache_size = 5")
    migrations.prepare(connection, version_1.root)
    left = sorted(images.iterdir())
    versions = []
    for image in left:
        workspace = Workspace(image)
        before = raw(workspace)
        versions.append(one(before, "PRAGMA user_version"))
        before.close()
        assert_all_is_there(workspace)
        assert layout(workspace) == layout(Workspace(left[-1]))
    connection.close()
    assert versions == sorted(versions)
    assert set(versions) == set(range(CURRENT + 1))
    assert len(left) > 40


class Failing(sqlite3.Connection):
    """Fails at one statement as a full disk does."""

    left = 0

    def execute(self, statement, *values):
        Failing.left -= 1
        if Failing.left == 0:
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(statement, *values)


def test_a_migration_that_fails_at_any_statement_can_be_tried_again(version_1):
    pristine = version_1.root.with_name("pristine")
    shutil.copytree(version_1.root, pristine)
    failures = 0
    while True:
        workspace = Workspace(version_1.root.with_name(f"copy_{failures}"))
        workspace.root.mkdir()
        shutil.copy(pristine / "smurf.sqlite", workspace.root)
        connection = sqlite3.connect(workspace.database, isolation_level=None, factory=Failing)
        Failing.left = failures + 1
        try:
            migrations.prepare(connection, workspace.root)
        except sqlite3.OperationalError:
            assert not connection.in_transaction
            assert_all_is_there(workspace)  # While the other connection is still open.
        else:
            break
        finally:
            connection.close()
        failures += 1
    assert failures > 40


AT_ONCE = """
import multiprocessing, os, sys, traceback
from pathlib import Path
from smurf_core.runs import migrations, own_studies, store, studies
from smurf_core.runs.workspace import Workspace

count, root, log = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])

def logged(step):
    def migration(connection):
        step(connection)
        with log.open("a") as file:  # Lines this short are written whole.
            file.write(step.__name__ + "\\n")
    return migration

migrations.MIGRATIONS = tuple(map(logged, migrations.MIGRATIONS))

def visit(start, runs):
    start.wait()
    workspace = Workspace(root)
    try:
        assert own_studies.ensure_synthetic_study(workspace) == "synthetic"
        assert "synthetic" in [study.id for study in studies.list_studies(workspace)]
        assert len(store.list_runs(workspace)) == runs
        assert len(studies.load_study(workspace, "synthetic")) == 1_000
    except BaseException:
        traceback.print_exc()
        os._exit(1)

context = multiprocessing.get_context("fork")
start = context.Event()
processes = [context.Process(target=visit, args=(start, int(sys.argv[4]))) for _ in range(count)]
for process in processes:
    process.start()
start.set()
for process in processes:
    process.join()
sys.exit(sum(process.exitcode != 0 for process in processes))
"""


@pytest.mark.skipif(os.name != "posix", reason="Forks, so that 64 processes start quickly.")
@pytest.mark.parametrize("kind", ["new", "old"])
def test_many_processes_may_open_a_store_for_the_first_time_at_once(
    kind, workspace, version_1, tmp_path
):
    opened, runs = (workspace, 0) if kind == "new" else (version_1, 19)
    log = tmp_path / "log"
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE, "64", str(opened.root), str(log), str(runs)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert log.read_text().split() == [step.__name__ for step in migrations.MIGRATIONS]
    with opened.connect() as connection:
        assert one(connection, "PRAGMA journal_mode") == "wal"
        assert one(connection, "SELECT count(*) FROM study WHERE id = 'synthetic'") == 1
