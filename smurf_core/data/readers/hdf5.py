"""HDF5 files whose data sets have one row per sample; sequences are pooled over time."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from smurf_core.data.readers.arrays import array_table
from smurf_core.data.readers.hdf5_heaps import check_texts
from smurf_core.data.readers.interface import Table
from smurf_core.data.sources import MAX_UNPACKED_BYTES, SourceFile, gibibytes
from smurf_core.errors import InputError

_MAX_OBJECTS = 1_000


class Hdf5Reader:
    """Plain arrays of one file. Links to other files are never followed."""

    title = "HDF5"
    suffixes = (".h5", ".hdf5", ".hdf")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file starts as HDF5 does."""
        return head.startswith(b"\x89HDF\r\n\x1a\n")

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table of all data sets, named with their groups as prefixes."""
        try:
            with h5py.File(source.path, "r") as file:
                found = _data_sets(file, source)
                size = sum(item.size * item.dtype.itemsize for item in found.values())
                if size > MAX_UNPACKED_BYTES:
                    raise InputError(
                        f"{source.name} would unpack to {gibibytes(size)}; "
                        f"at most {gibibytes(MAX_UNPACKED_BYTES)} is read."
                    )
                arrays = {name: _array(name, item, source, rows) for name, item in found.items()}
        except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{source.name} is damaged or not an HDF5 file: write or download it again."
            ) from error
        return (array_table(arrays, source),)


def _data_sets(file: h5py.File, source: SourceFile) -> dict[str, h5py.Dataset]:
    """All data sets of a file by name, each once; raises an error for links to other files."""
    found: dict[str, h5py.Dataset] = {}
    seen: set[Any] = set()
    waiting: list[tuple[str, h5py.Group]] = [("", file)]
    while waiting:
        prefix, group = waiting.pop()
        for name in group:
            item = own_member(prefix + name, name, group, source)
            if item.id in seen:  # a hard link may be circular
                continue
            seen.add(item.id)
            if isinstance(item, h5py.Dataset):
                found[prefix + name] = item
            elif isinstance(item, h5py.Group):
                waiting.append((f"{prefix}{name}/", item))
            if len(seen) > _MAX_OBJECTS:
                raise InputError(
                    f"{source.name} has more than {_MAX_OBJECTS:,} data sets and groups; files "
                    "with one data set for all samples are read."
                )
    return found


def own_member(path: str, name: str, group: h5py.Group, source: SourceFile) -> Any:
    """A member of a group, if it is stored in this file."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise InputError(
            f"{source.name}, {path!r}: it links to something elsewhere; copy the data into it."
        )
    item = group[name]
    if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
        raise InputError(
            f"{source.name}, {path!r}: its data are in another file; copy them into this one."
        )
    return item


def _array(name: str, item: h5py.Dataset, source: SourceFile, rows: int | None) -> npt.NDArray[Any]:
    part = slice(None) if rows is None or item.ndim == 0 else slice(rows)
    check_texts(item, source)
    if h5py.check_string_dtype(item.dtype) is not None:
        return np.asarray(item.asstr()[part], dtype=np.str_)
    if item.dtype.kind not in "biuf":
        raise InputError(
            f"{source.name}, {name!r}: it contains {item.dtype}; numbers and text are read."
        )
    return np.asarray(item[part] if item.ndim else item[()])
