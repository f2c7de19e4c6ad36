"""Damaged texts of HDF5 files are refused; the HDF5 library would read some of them for ever."""

import struct
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from smurf_core.data.importing.tables import read_tables
from smurf_core.data.readers.registry import find_sources

ROOT = Path(__file__).resolve().parents[3]
# In a process of its own, which can be ended: no limit of time reaches the library.
READ = """
import sys
from pathlib import Path
from smurf_core.data.importing.tables import read_tables
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError
for name in sys.argv[1:]:
    try:
        read_tables(find_sources([Path(name)]))
    except InputError as error:
        print(error)
    else:
        print(name, "was read")
"""
# Index, references, reserved, size of the first object of the heap.
DAMAGE = {
    "no step": (0, 0, 0, 0),
    "a step around": (1, 1, 0, 2**64 - 16),
    "too far": (1, 1, 0, 99_999),
}


def table(path, **options):
    with h5py.File(path, "w") as file:
        file["audio"] = np.random.default_rng(0).normal(size=(12, 3))
        texts = [f"clip_{k}" for k in range(12)]
        file.create_dataset("sample_id", data=texts, dtype=h5py.string_dtype(), **options)


def sequence(path):
    with h5py.File(path, "w") as file:
        for k in range(3):
            file[f"audio/data/clip{k}/features"] = np.ones((4, 2))
            file[f"audio/data/clip{k}/intervals"] = np.ones((4, 2))
        file["audio/metadata/dimension names"] = '["pitch", "loudness"]'


def variables(path):
    """As MATLAB 7.3, but with the class as a text of any length."""
    with h5py.File(path, "w", userblock_size=512) as file:
        file["audio"] = np.ones((3, 12))
        file["audio"].attrs["MATLAB_class"] = "double"
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(128))


def damage(path, first, reserved):
    content = bytearray(path.read_bytes())
    start = content.index(b"GCOL")
    struct.pack_into("<HHIQ", content, start + 16, *first)
    content[start + 5] = reserved  # The library does not look at it.
    path.write_bytes(content)


@pytest.mark.parametrize("reserved", [0, 255])
@pytest.mark.parametrize("kind", DAMAGE)
def test_heaps_that_lead_nowhere_are_refused(tmp_path, kind, reserved):
    table(tmp_path / "plain.h5")
    table(tmp_path / "packed.h5", chunks=(4,), compression="gzip")
    sequence(tmp_path / "sequence.csd")
    variables(tmp_path / "variables.mat")
    paths = sorted(tmp_path.iterdir())
    for path in paths:
        damage(path, DAMAGE[kind], reserved)
    done = subprocess.run(
        [sys.executable, "-c", READ, *map(str, paths)],
        cwd=ROOT, timeout=120, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [
        f"{path.name} is damaged" for path in paths
    ]


def test_a_text_that_claims_more_than_its_file_is_refused(tmp_path):
    table(tmp_path / "plain.h5")
    with h5py.File(tmp_path / "plain.h5") as file:
        place = file["sample_id"].id.get_offset()
    content = bytearray((tmp_path / "plain.h5").read_bytes())
    struct.pack_into("<I", content, place + 16 * 5, 2**31)
    (tmp_path / "plain.h5").write_bytes(content)
    with pytest.raises(ValueError, match=r"^plain\.h5 is damaged"):
        read_tables(find_sources([tmp_path / "plain.h5"]))


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_many_texts_are_read(tmp_path, libver):
    """Of many collections, some of whose texts were replaced by shorter and longer ones."""
    texts = [f"{k:04d}" + "x" * (k % 700) for k in range(3_000)]
    with h5py.File(tmp_path / "a.h5", "w", libver=libver) as file:
        file["audio"] = np.arange(3_000.0)
        file.create_dataset("sample_id", data=texts, dtype=h5py.string_dtype())
        for k in range(0, 3_000, 7):
            texts[k] = texts[k][:4] + "y" * (k % 900)
            file["sample_id"][k] = texts[k]
    assert (tmp_path / "a.h5").read_bytes().count(b"GCOL") > 10
    (found,) = read_tables(find_sources([tmp_path / "a.h5"]))
    assert found.frame["sample_id"].tolist() == texts
