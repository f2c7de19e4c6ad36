"""Half an export or backup, left by a kill: removed by the next of its name, named by others."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smurf_core.cli import app
from smurf_core.durable import abandoned_in, is_abandoned, partial_name, remove_abandoned
from smurf_core.runs import archive, own_studies
from smurf_core.runs.exporting import write_folder

KILLED = """
import os, sys
from pathlib import Path
from smurf_core.runs import archive, exporting
from smurf_core.runs.workspace import Workspace
os.replace = os.rename = lambda *_: os.kill(os.getpid(), 9)
if sys.argv[1] == "export":
    exporting.write_folder(Path(sys.argv[3]), {"a/b.csv": b"secret"})
archive.back_up(Workspace(Path(sys.argv[2])), Path(sys.argv[3]))
"""


def killed(home, what: str, target: Path) -> Path:
    """The leftover of an export or backup that was killed before it had its name."""
    code = subprocess.run(
        [sys.executable, "-c", KILLED, what, str(home.root), str(target)], check=False
    ).returncode
    assert code == -9
    (left,) = target.parent.glob(".*")
    return left


def aged(path: Path) -> Path:
    then = time.time() - 7_200
    os.utime(path, (then, then))
    return path


@pytest.mark.skipif(os.name != "posix", reason="Sends a signal that only POSIX systems have.")
@pytest.mark.parametrize("what", ["export", "backup"])
def test_what_a_kill_left_is_replaced_by_the_next_of_its_name(home, tmp_path, what):
    own_studies.ensure_synthetic_study(home)
    target = tmp_path / "out" / "of the lab.zip"
    target.parent.mkdir()
    left = killed(home, what, target)
    assert not is_abandoned(left)  # Another process may still be writing it.
    aged(left)
    if what == "export":
        write_folder(target, {"a/b.csv": b"new"})
    else:
        archive.back_up(home, target)
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_the_next_backup_names_what_is_left_of_another(home, tmp_path, monkeypatch):
    monkeypatch.setenv("SMURF_HOME", str(home.root))
    own_studies.ensure_synthetic_study(home)
    left = partial_name(tmp_path / "out" / "monday.zip")
    left.parent.mkdir()
    left.write_bytes(b"half a backup")
    aged(left)
    said = CliRunner().invoke(app, ["backup", str(left.parent / "tuesday.zip")])
    assert said.exit_code == 0, said.output
    assert f"cut off left {left}: delete it" in said.output
    assert left.exists()  # It is in a folder that is not ours.


def test_only_what_this_program_began_is_taken_for_abandoned(tmp_path):
    kept = [
        partial_name(tmp_path / "run.zip"),  # young
        aged_file(tmp_path / ".run.zip.swp"),
        aged_file(tmp_path / ".run.zip"),
        aged_file(partial_name(tmp_path / "another run.zip")),
        aged_file(partial_name(tmp_path / "run")),
    ]
    kept[0].touch()
    gone = aged_file(partial_name(tmp_path / "run.zip"))
    assert len(abandoned_in(tmp_path)) == 3
    remove_abandoned(tmp_path / "run.zip")
    assert not gone.exists()
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def aged_file(path: Path) -> Path:
    path.touch()
    return aged(path)
