"""Arrays in an NPZ or HDF5 file whose keys may be the ids of samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zipfile import ZipFile

import h5py
import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from smurf_core.data.readers.hdf5 import own_member
from smurf_core.data.readers.hdf5_heaps import check_texts
from smurf_core.data.readers.npz import check_header
from smurf_core.data.sources import (
    ARCHIVE_ERRORS,
    MAX_UNPACKED_BYTES,
    SourceFile,
    gibibytes,
    zip_members,
)
from smurf_core.errors import InputError

_HDF5 = (".h5", ".hdf5", ".hdf")


def keys_of(source: SourceFile) -> list[str]:
    """The names of a file's arrays; none for a file of another kind, or a damaged one."""
    try:
        if source.suffix == ".npz":
            return [name.removesuffix(".npy") for name in zip_members(source)]
        if source.suffix in _HDF5:
            with h5py.File(source.path, "r") as file:
                return [str(name) for name in file]
    except (InputError, OSError, RuntimeError, KeyError, ValueError):
        return []
    return []


def keyed_arrays(source: SourceFile, keys: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """These arrays of a file, by key."""
    try:
        if source.suffix == ".npz":
            sizes = zip_members(source)
            with ZipFile(source.path) as archive:
                for key in keys:
                    check_header(archive, f"{key}.npy", sizes.get(f"{key}.npy", 0), source)
                return {key: _array(archive, key) for key in keys}
        with h5py.File(source.path, "r") as file:
            items = {key: own_member(key, key, file, source) for key in keys}
            sets = {key: _data_set(key, item, source) for key, item in items.items()}
            size = sum(item.size * item.dtype.itemsize for item in sets.values())
            if size > MAX_UNPACKED_BYTES:
                raise InputError(
                    f"{source.name} would unpack to {gibibytes(size)}; "
                    f"at most {gibibytes(MAX_UNPACKED_BYTES)} is read."
                )
            return {key: np.asarray(item[()]) for key, item in sets.items()}
    except (*ARCHIVE_ERRORS, KeyError, TypeError, MemoryError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{source.name} is damaged: write or download it again.") from error


def _array(archive: ZipFile, key: str) -> npt.NDArray[Any]:
    with archive.open(f"{key}.npy") as file:
        return np.asarray(npy.read_array(file, allow_pickle=False))


def _data_set(key: str, item: Any, source: SourceFile) -> h5py.Dataset:
    """The data set of a key, or the only one in its group."""
    if isinstance(item, h5py.Group) and len(item) == 1:
        (name,) = item
        item = own_member(f"{key}/{name}", name, item, source)
    if not isinstance(item, h5py.Dataset):
        raise InputError(f"{source.name}, {key!r}: one data set per sample is needed.")
    check_texts(item, source)
    return item
