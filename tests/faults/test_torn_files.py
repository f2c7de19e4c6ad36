"""Torn and changed files of a run: what cannot be read is trained again, the rest is kept."""

import os
from pathlib import Path

import numpy as np
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.durable import write_whole
from smurf_core.errors import InputError
from smurf_core.runs.files import RunFiles
from smurf_core.training.run import train_run
from tests.studio import FAST

DATA = synthetic_additive(samples=60)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def flip(path: Path) -> None:
    """Change one bit in the middle: most readers do not notice it."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = (cut, empty, zero, flip, Path.unlink)
FOLD = ("json", "safetensors", "candidates.parquet", "curves.parquet")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """The files of a run that was stopped when all its units and folds were trained."""
    folder = tmp_path_factory.mktemp("run")
    result = train_run(DATA, FAST, cache=RunFiles(folder))
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*.*")}, result


def restored(files: dict[Path, bytes], folder: Path) -> RunFiles:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return RunFiles(folder)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_units_and_folds_are_absent_and_the_others_are_kept(stopped, tmp_path, damage):
    contents, _ = stopped
    units = [name for name in contents if name.parts[0] == "units" and name.suffix == ".parquet"]
    assert len(units) > 1
    for name in units:
        files = restored(contents, tmp_path)
        damage(tmp_path / name)
        kept = [u for u in units if files.load_unit(u.stem) is not None]
        assert kept == [u for u in units if u != name]
    for kind in FOLD:
        files = restored(contents, tmp_path)
        damage(tmp_path / f"fold_1.{kind}")
        assert [f for f in range(5) if files.load_fold(f) is None] == [1]


def test_a_resumed_run_equals_an_undisturbed_one(stopped, tmp_path):
    contents, undisturbed = stopped
    files = restored(contents, tmp_path)
    units = sorted((tmp_path / "units").glob("*.parquet"))
    for damage, path in zip((cut, flip, empty), units, strict=False):
        damage(path)
    for fold, kind, damage in zip((0, 1, 2, 3), FOLD, (flip, zero, cut, Path.unlink), strict=True):
        damage(tmp_path / f"fold_{fold}.{kind}")
    again = train_run(DATA, FAST, cache=files)
    files.write_result(again)
    found = files.read_result().contributions().values
    np.testing.assert_array_equal(found, undisturbed.contributions().values)
    assert all(files.load_fold(fold) is not None for fold in range(5))


@pytest.mark.parametrize("damage", [cut, zero, flip])
def test_a_finished_result_is_never_shown_with_a_changed_file(stopped, tmp_path, damage):
    contents, result = stopped
    files = restored(contents, tmp_path)
    files.write_result(result)
    finished = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.glob("*.*")}
    for name in finished:
        if name.name == "result.json" and damage is flip:
            continue  # It holds the others' checksums.
        restored(finished, tmp_path)
        damage(tmp_path / name)
        with pytest.raises(InputError, match="again, or delete it"):
            files.read_result()


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, step):
    path = tmp_path / "kept.json"
    write_whole(path, lambda p: p.write_text("old"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, lambda p: p.write_text("new"))
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("kept.json", "old")]
