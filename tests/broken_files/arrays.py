"""NumPy arrays: NPY and NPZ."""

import copy
import struct
import zipfile
from pathlib import Path

import numpy as np

from tests.broken_files.cases import CODE_RAN, RunsCode, case, of_bytes, zip_bomb


def _npz(folder: Path, **arrays) -> list[Path]:
    np.savez(folder / "study.npz", **arrays)
    return [folder / "study.npz"]


@case("study.npz", "damaged")
def _cut_npz(folder):
    np.savez(folder / "whole.npz", a=np.zeros((50, 4)))
    return of_bytes(folder, "study.npz", (folder / "whole.npz").read_bytes()[:400])


@case("study.npz", "'audio'", "Python objects")
def _npz_of_objects(folder):
    return _npz(folder, audio=np.array([{}] * 24, dtype=object), label=np.arange(24))


@case("study.npz", "unequal numbers of samples", "audio: 24", "video: 23")
def _npz_of_unequal_arrays(folder):
    return _npz(folder, audio=np.zeros((24, 2)), video=np.zeros((23, 2)), label=np.arange(24))


@case("study.npz", "'audio'", "header promises")
def _npz_with_a_lying_header(folder):
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    header = header.ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    with zipfile.ZipFile(folder / "study.npz", "w") as archive:
        archive.writestr("audio.npy", content + b"\0" * 800)
    return [folder / "study.npz"]


@case("study.npz", "would unpack to 1.6 GiB", "at most")
def _npz_bomb(folder):
    return zip_bomb(folder / "study.npz", "audio.npy")


@case("study.npy", "Python objects")
def _npy_of_objects(folder):
    np.save(folder / "study.npy", np.array([RunsCode(folder)] * 24), allow_pickle=True)
    return [folder / "study.npy"]


def _npy(folder: Path, header: str, content: bytes = b"") -> list[Path]:
    header = header.ljust(117) + "\n"
    start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    return of_bytes(folder, "study.npy", start + content)


@case("study.npy", "header promises")
def _npy_with_an_absurd_shape(folder):
    shape = "(1000000, 1000000, 1000000)"
    return _npy(folder, f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}")


@case("study.npy", "header promises")
def _npy_with_a_negative_shape(folder):
    return _npy(folder, "{'descr': '<f8', 'fortran_order': False, 'shape': (-5, 2), }", b"\0" * 80)


@case("study.npy", "damaged")
def _npy_whose_header_is_a_program(folder):
    return _npy(folder, f"__import__('os').system('touch {CODE_RAN}')")


@case("study.npz", "header promises")
def _npz_without_item_sizes(folder):
    header = "{'descr': '|S0', 'fortran_order': False, 'shape': (1000000000000,), }"
    header = header.ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    with zipfile.ZipFile(folder / "study.npz", "w") as archive:
        archive.writestr("audio.npy", content + b"\0")
    return [folder / "study.npz"]


@case("study.npz", "leads outside of the archive")
def _npz_with_a_name_that_leads_out(folder):
    np.savez(folder / "whole.npz", audio=np.zeros((24, 2)))
    with (
        zipfile.ZipFile(folder / "whole.npz") as whole,
        zipfile.ZipFile(folder / "study.npz", "w") as made,
    ):
        made.writestr("../../audio.npy", whole.read("audio.npy"))
    return [folder / "study.npz"]


@case("study.npz", "leads outside of the archive")
def _npz_with_an_absolute_name(folder):
    with zipfile.ZipFile(folder / "study.npz", "w") as made:
        made.writestr("/etc/audio.npy", b"\x93NUMPY")
    return [folder / "study.npz"]


@case("study.npz", "more than once")
def _npz_with_one_name_twice(folder):
    np.savez(folder / "whole.npz", audio=np.zeros((24, 2)))
    content = zipfile.ZipFile(folder / "whole.npz").read("audio.npy")
    with zipfile.ZipFile(folder / "study.npz", "w") as made:
        made.writestr("audio.npy", content)
        info = copy.copy(made.filelist[0])
        made.filelist.append(info)
    return [folder / "study.npz"]


@case("study.npz", "members", "at most")
def _npz_of_too_many_members(folder):
    with zipfile.ZipFile(folder / "study.npz", "w") as made:
        made.writestr("audio.npy", b"\x93NUMPY")
        for number in range(12_000):
            info = copy.copy(made.filelist[0])
            info.filename = f"{number}.npy"
            made.filelist.append(info)
    return [folder / "study.npz"]
