"""Full and read-only disks are described as what they are."""

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.errors import InputError
from smurf_core.runs import store, studies
from smurf_core.runs.disk import disk_error
from smurf_core.runs.workspace import Workspace
from tests.studio import FAST

NOBODY = 65534


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"), (errno.EROFS, "cannot be changed"),
        (errno.EIO, "reports an error"), (errno.ENOENT, None),
    ],
)  # fmt: skip
def test_an_error_of_the_system_is_described(number, words):
    found = disk_error(OSError(number, os.strerror(number)), Path("/store"))
    assert (found is None) == (words is None)
    assert words is None or (words in str(found) and "/store" in str(found))


def test_a_full_disk_is_called_full(tmp_path):
    workspace = Workspace(tmp_path)
    study = studies.add_study(workspace, synthetic_additive(samples=60))
    with workspace.connect() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]

    connect = sqlite3.connect

    def limited(*arguments: object, **named: object) -> sqlite3.Connection:
        connection = connect(*arguments, **named)
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    def fill() -> None:
        for _ in range(200):
            store.create_run(workspace, study, FAST, name="x" * 2_000)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", limited)
        with pytest.raises(InputError, match="The disk is full: free some space"):
            fill()
    with workspace.connect() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


@pytest.fixture
def read_only() -> Iterator[Workspace]:
    """A store that this user may read and not change."""
    root = Path(tempfile.mkdtemp())
    workspace = Workspace(root / "home")
    study = studies.add_study(workspace, synthetic_additive(samples=60))
    store.create_run(workspace, study, FAST)
    root.chmod(0o755)
    for path in root.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    is_root = os.geteuid() == 0
    if is_root:  # Root may write everywhere.
        os.seteuid(NOBODY)
    yield workspace
    if is_root:
        os.seteuid(0)
    for path in root.rglob("*"):
        path.chmod(0o755)
    shutil.rmtree(root)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Needs the permissions of POSIX systems.")
def test_a_read_only_store_can_be_looked_at_and_refuses_changes_in_words(read_only):
    (study,) = studies.list_studies(read_only)
    assert len(studies.load_study(read_only, study.id)) == 60
    assert [run.status for run in store.list_runs(read_only)] == ["queued"]
    for change in (
        lambda: store.create_run(read_only, study.id, FAST),
        lambda: studies.rename_study(read_only, study.id, "x"),
        lambda: studies.delete_study(read_only, study.id),
        lambda: store.claim(read_only),
    ):
        with pytest.raises(InputError, match="cannot be changed"):
            change()
