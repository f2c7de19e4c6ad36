"""NumPy arrays (.npy) and archives of arrays (.npz), which are never unpickled."""

from __future__ import annotations

from math import prod
from tokenize import TokenError
from typing import IO, Any
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from smurf_core.data.readers.arrays import array_table
from smurf_core.data.readers.interface import Table
from smurf_core.data.sources import ARCHIVE_ERRORS, SourceFile, zip_members
from smurf_core.errors import InputError


class NpzReader:
    """Archives of arrays with one row per sample."""

    title = "NPZ"
    suffixes = (".npz",)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file is a zip named .npz, or a zip that starts with an array."""
        return head.startswith(b"PK\x03\x04") and (source.suffix == ".npz" or b".npy" in head[:200])

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table; `rows` keeps the first rows of every array."""
        members = zip_members(source)
        arrays: dict[str, npt.NDArray[Any]] = {}
        try:
            with ZipFile(source.path) as archive:
                for member, size in members.items():
                    name = member.removesuffix(".npy")
                    check_header(archive, member, size, source)
                    with archive.open(member) as file:
                        arrays[name] = npy.read_array(file, allow_pickle=False)
        except (*ARCHIVE_ERRORS, MemoryError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{source.name} is damaged or contains something other than arrays: write it again "
                "with numpy.savez."
            ) from error
        kept = {
            name: array if rows is None or name.endswith("names") else array[:rows]
            for name, array in arrays.items()
        }
        return (array_table(kept, source),)


class NpyReader:
    """One array with one row per sample."""

    title = "NPY"
    suffixes = (".npy",)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file starts as an array does."""
        return head.startswith(b"\x93NUMPY")

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table; its columns are numbered."""
        array = read_npy(source)
        if array.ndim == 0:
            raise InputError(f"{source.name} contains a single value but no rows.")
        return (array_table({source.stem: array[:rows]}, source),)


def read_npy(source: SourceFile) -> npt.NDArray[Any]:
    """The array in a file of numbers or text."""
    try:
        with source.path.open("rb") as file:
            _check_array(file, source.path.stat().st_size, source.stem, source)
            file.seek(0)
            return np.asarray(npy.read_array(file, allow_pickle=False))
    except (EOFError, OSError, ValueError, MemoryError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{source.name} is damaged or not an array: write it again with numpy.save."
        ) from error


def check_header(archive: ZipFile, member: str, size: int, source: SourceFile) -> None:
    """Raise an error for a member that is no plain array of the size that it promises."""
    with archive.open(member) as file:
        _check_array(file, size, member.removesuffix(".npy"), source)


def array_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type that an array's header promises; a damaged header is a `ValueError`."""
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    try:
        shape, _, dtype = read(file)
    except (SyntaxError, TokenError) as error:  # numpy parses the header as Python
        raise ValueError("The header is damaged.") from error
    return shape, dtype


def _check_array(file: IO[bytes], size: int, name: str, source: SourceFile) -> None:
    """Raise an error for objects, and for a header that does not fit the file's size."""
    shape, dtype = array_header(file)
    promised = prod(shape) * dtype.itemsize
    held = size - file.seek(0, 1)
    if dtype.hasobject or dtype.names is not None:
        raise InputError(
            f"{source.name}, array {name!r}: it contains Python objects or records; save arrays of "
            "numbers or text."
        )
    if promised != held or dtype.kind not in "biufUS":
        raise InputError(
            f"{source.name}, array {name!r}: its header promises {promised:,} bytes of "
            f"{np.dtype(dtype)}, it contains {held:,}; write the file again."
        )
