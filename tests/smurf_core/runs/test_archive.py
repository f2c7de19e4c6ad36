"""Backups: whole while a run trains, verified, restored bit by bit, and never unsafe."""

import json
import os
import stat
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.durable import signed
from smurf_core.errors import InputError
from smurf_core.processes import worker
from smurf_core.processes.launcher import launch
from smurf_core.runs import archive, store, studies
from smurf_core.runs.doctor import examine
from smurf_core.runs.files import RunFiles
from smurf_core.runs.workspace import Workspace
from smurf_core.training.run import train_run
from tests.studio import FAST, result_of

STORES = Path(__file__).resolve().parents[2] / "stores"


def test_a_backup_made_while_a_run_trains_restores_all_of_it(trained_home, tmp_path):
    finished = store.list_runs(trained_home)
    study = finished[0].study_id
    config = replace(FAST, max_epochs=400, patience=None)
    running = store.create_run(trained_home, study, config, jobs=1)
    launch(trained_home)
    units, deadline = trained_home.run_folder(running) / "units", time.monotonic() + 90
    while not list(units.glob("[!.]*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert store.get_run(trained_home, running).status == "running"
    (trained_home.root / "linked").symlink_to("/etc")
    made = archive.back_up(trained_home, tmp_path / "backup.zip")
    assert made.links == (str(trained_home.root.resolve() / "linked"),)
    store.request_cancel(trained_home, running)
    there = Workspace(tmp_path / "new")
    archive.restore(tmp_path / "backup.zip", there)
    assert not (there.root / "linked").exists()
    for run in finished:
        assert result_files(there, run.id) == result_files(trained_home, run.id)
        np.testing.assert_array_equal(
            result_of(there, run).contributions().values,
            result_of(trained_home, run).contributions().values,
        )
    assert store.get_run(there, running).status == "crashed"
    assert "when the backup was made" in store.get_run(there, running).error
    kept = list((there.run_folder(running) / "units").glob("*.parquet"))
    assert kept
    store.resume_run(there, running)
    worker.work(there)
    expected = train_run(studies.load_study(there, study), config).contributions().values
    again = RunFiles.of(there, running).read_result().contributions().values
    np.testing.assert_array_equal(again, expected)
    assert examine(there).problems == ()


def result_files(workspace: Workspace, run: str) -> dict[str, bytes]:
    folder = workspace.run_folder(run)
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """The backup of a small workspace."""
    home = Workspace(tmp_path_factory.mktemp("home"))
    studies.add_study(home, synthetic_additive(samples=20))
    file = tmp_path_factory.mktemp("backups") / "whole.zip"
    archive.back_up(home, file)
    return file


def refused(file: Path, home: Path, **options: bool) -> str:
    with pytest.raises(InputError) as error:
        archive.restore(file, Workspace(home), **options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.999])
def test_a_torn_backup_is_refused_in_one_sentence(whole, tmp_path, share):
    torn = tmp_path / "torn.zip"
    torn.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
    assert "damaged or was cut off" in refused(torn, tmp_path / "home")
    assert not (tmp_path / "home").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["torn.zip"]


def test_a_changed_bit_anywhere_is_refused_or_without_effect(whole, tmp_path):
    content, changed = whole.read_bytes(), tmp_path / "changed.zip"
    for at in range(0, len(content), len(content) // 60):
        changed.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        home = tmp_path / f"home_{at}"
        try:
            archive.restore(changed, Workspace(home))
        except InputError:
            assert not home.exists()
        else:  # Only fields of the ZIP format that say nothing of content, such as a time.
            assert examine(Workspace(home)).problems == ()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 97])
def test_a_changed_way_of_compressing_is_refused(whole, tmp_path, method):
    content, changed = bytearray(whole.read_bytes()), tmp_path / "changed.zip"
    directory = content.index(b"PK\x01\x02")  # the list of members, at the end
    content[directory + 10] = method
    changed.write_bytes(content)
    assert "damaged or was cut off" in refused(changed, tmp_path / "home")
    assert not (tmp_path / "home").exists()


def forged(file: Path, name: str, *, mode: int = 0, content: bytes = b"x") -> Path:
    """A backup with a right list of its members, one of which has this name."""
    from hashlib import sha256

    files = {name: (len(content), sha256(content).hexdigest())}
    about = {"format": 1, "program": "", "created": 0.0, "root": "/", "files": files}
    with zipfile.ZipFile(file, "w") as made:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        made.writestr(info, content)
        made.writestr("backup.json", json.dumps(signed(about)))
    return file


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "runs/../../evil", "a\\..\\evil", "C:evil", "./evil", "a//b"]
)
def test_a_path_that_leads_out_is_refused(tmp_path, name):
    said = refused(forged(tmp_path / "forged.zip", name), tmp_path / "inner" / "home")
    assert "is not safe" in said
    assert not list(tmp_path.rglob("evil*"))
    assert not (tmp_path / "inner" / "home").exists()


def test_a_link_in_a_backup_is_refused(tmp_path):
    file = forged(tmp_path / "link.zip", "runs", mode=stat.S_IFLNK | 0o777, content=b"/etc")
    assert "is not safe" in refused(file, tmp_path / "home")


def test_what_is_there_is_kept(whole, trained_home, tmp_path):
    assert "has content" in refused(whole, trained_home.root)
    before = {run.id for run in store.list_runs(trained_home)}
    archive.restore(whole, trained_home, force=True)
    assert store.list_runs(trained_home) == []
    (kept,) = trained_home.root.parent.glob("home.before-*")
    assert {run.id for run in store.list_runs(Workspace(kept))} == before
    with pytest.raises(InputError, match="exists"):
        archive.back_up(trained_home, whole)
    with pytest.raises(InputError, match="outside the workspace"):
        archive.back_up(trained_home, trained_home.root / "backup.zip")
    with pytest.raises(InputError, match="nothing to back up"):
        archive.back_up(Workspace(tmp_path / "nowhere"), tmp_path / "none.zip")
    assert "There is no file" in refused(tmp_path / "none.zip", tmp_path / "new")
    (tmp_path / "text.zip").write_text("no archive")
    assert "damaged or was cut off" in refused(tmp_path / "text.zip", tmp_path / "new")


@pytest.mark.parametrize("version", [1, 2, 3])
def test_backups_of_earlier_versions_are_migrated(tmp_path, version):
    with zipfile.ZipFile(STORES / f"version_{version}.zip") as stored:
        stored.extractall(tmp_path / "old")
    root = next(p for p in (tmp_path / "old").rglob("smurf.sqlite")).parent
    archive.back_up(Workspace(root), tmp_path / "old.zip")
    there = Workspace(tmp_path / "new")
    archive.restore(tmp_path / "old.zip", there)
    runs = store.finished_runs(there)
    assert runs
    for run in runs[:3]:
        assert len(result_of(there, run).contributions())
    assert not [p for p in examine(there).problems if "run" in p.where]


def test_recordings_in_the_workspace_move_with_it(tmp_path):
    from smurf_core.data.media import MediaSettings

    home, there = Workspace(tmp_path / "home"), Workspace(tmp_path / "new")
    study = studies.add_study(home, synthetic_additive(samples=20))
    clips = home.study_folder(study) / "media"
    clips.mkdir()
    (clips / "s01.wav").write_bytes(b"RIFF")
    studies.set_media(home, study, MediaSettings(str(clips)))
    archive.back_up(home, tmp_path / "backup.zip")
    archive.restore(tmp_path / "backup.zip", there)
    os.rename(home.root, tmp_path / "away")
    found = studies.media_of(there, study)
    assert Path(found.folder) == there.study_folder(study).resolve() / "media"
    assert (Path(found.folder) / "s01.wav").read_bytes() == b"RIFF"
