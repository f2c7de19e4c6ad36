"""The variables of MATLAB 7.3 files, which are HDF5 with columns first and text as numbers."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from smurf_core.data.readers.hdf5 import own_member
from smurf_core.data.readers.hdf5_heaps import check_heaps
from smurf_core.data.sources import MAX_UNPACKED_BYTES, SourceFile, gibibytes
from smurf_core.errors import InputError

_MAX_DEPTH = 4
_MAX_CELLS = 1_000_000
# MATLAB's own folders: what cells refer to, and what objects are made of.
_INTERNAL = "#"
_OBJECT = "MATLAB_object_decode"


def hdf5_variables(source: SourceFile) -> tuple[dict[str, Any], list[str]]:
    """Arrays as `scipy.io.loadmat` gives them, structures as dictionaries, and names of objects."""
    check_heaps(source)
    try:
        with h5py.File(source.path, "r") as file:
            reading = _Reading(file, source)
            found = {
                name: reading.value(own_member(name, name, file, source), 0)
                for name in file
                if not name.startswith(_INTERNAL)
            }
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, UnicodeDecodeError,
            RecursionError, MemoryError) as error:  # fmt: skip
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{source.name} is damaged or not a MATLAB file: save it again, or save it with -v7."
        ) from error
    refused = [name for name, value in found.items() if value is None]
    return {name: value for name, value in found.items() if value is not None}, refused


class _Reading:
    """Reads values of one file, and counts their bytes."""

    def __init__(self, file: h5py.File, source: SourceFile) -> None:
        self.file, self.source = file, source
        self.size = self.cells = 0

    def value(self, item: Any, depth: int) -> Any:
        """A variable; None for an object of a class, which is not read."""
        if depth > _MAX_DEPTH or _OBJECT in item.attrs:
            return None
        if isinstance(item, h5py.Group):
            found = {
                name: self.value(own_member(name, name, item, self.source), depth + 1)
                for name in item
            }
            return {name: value for name, value in found.items() if value is not None}
        if not isinstance(item, h5py.Dataset):
            return None
        kind = _text(item.attrs.get("MATLAB_class", b""))
        if "MATLAB_empty" in item.attrs:
            return np.array([""]) if kind == "char" else np.empty((0, 0))
        if item.external or item.is_virtual:
            raise InputError(
                f"{self.source.name}, {item.name!r}: its data are in another file; copy them into "
                "this one."
            )
        if h5py.check_ref_dtype(item.dtype) is not None:
            return self._cell(item, depth)
        self._count(item.size * item.dtype.itemsize)
        if item.dtype.kind not in "biuf" or item.ndim == 0:
            return None
        values = np.asarray(item[()]).T
        return _characters(values) if kind == "char" else values

    def _cell(self, item: h5py.Dataset, depth: int) -> Any:
        self.cells += item.size
        if self.cells > _MAX_CELLS:
            raise InputError(
                f"{self.source.name} has more than {_MAX_CELLS:,} cells: save numbers as matrices."
            )
        references = np.asarray(item[()]).T
        values = np.empty(references.shape, dtype=object)
        for place, reference in np.ndenumerate(references):
            value = self.value(self.file[reference], depth + 1) if reference else None
            values[place] = np.empty((0, 0)) if value is None else value
        return values

    def _count(self, size: int) -> None:
        self.size += size
        if self.size > MAX_UNPACKED_BYTES:
            raise InputError(
                f"{self.source.name} would unpack to more than {gibibytes(MAX_UNPACKED_BYTES)}: "
                "save fewer variables."
            )


def _text(value: Any) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _characters(codes: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """One text per row of UTF-16 codes."""
    rows = np.atleast_2d(codes).astype("<u2")
    return np.array([row.tobytes().decode("utf-16-le", "replace") for row in rows])
