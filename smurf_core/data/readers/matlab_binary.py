"""The variables of MATLAB 5 to 7.2 files, read without scipy, which damaged files can crash.

A file is a list of elements: a tag with type and size, and the bytes. An array is an element that
contains its class, its dimensions, its name and its values.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from math import prod
from struct import unpack_from
from typing import Any

import numpy as np
import numpy.typing as npt

from smurf_core.data.sources import MAX_CELLS, MAX_UNPACKED_BYTES, SourceFile, gibibytes
from smurf_core.errors import InputError

Array = npt.NDArray[Any]
_HEADER = 128
_MAX_DEPTH = 4
_MAX_CELLS = 1_000_000
_MATRIX, _COMPRESSED = 14, 15
_STORED = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_TEXTS = {1: "latin-1", 2: "latin-1", 16: "utf-8", 4: "utf-16", 17: "utf-16", 18: "utf-32"}
_CELL, _STRUCT, _CHAR, _SPARSE = 1, 2, 4, 5
_NUMBERS = {
    6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip


class _DamagedError(Exception):
    """The bytes do not follow the format."""


@dataclass(frozen=True)
class _Element:
    kind: int
    data: memoryview


def binary_variables(source: SourceFile) -> tuple[dict[str, Any], list[str]]:
    """Arrays and cells by name, structures as dictionaries; names of objects and functions."""
    found: dict[str, Any] = {}
    refused: list[str] = []
    try:
        data = source.path.read_bytes()
        reading = _Reading(source, "<" if data[126:128] == b"IM" else ">")
        for element in reading.elements(memoryview(data)[_HEADER:]):
            if element.kind == _MATRIX and len(element.data):
                name, value = reading.matrix(element.data, 0)
                if value is None:
                    refused.append(name or "an object")
                elif name:
                    found[name] = value
    except (_DamagedError, zlib.error, UnicodeDecodeError, MemoryError) as error:
        raise InputError(
            f"{source.name} is damaged or not a MATLAB file: save it again, or export its matrices "
            "with writematrix."
        ) from error
    return found, refused


class _Reading:
    """Reads elements of one file, and counts what they take unpacked."""

    def __init__(self, source: SourceFile, order: str) -> None:
        self.source, self.order = source, order
        self.size = self.cells = 0

    def elements(self, data: memoryview) -> list[_Element]:
        """The elements in these bytes; compressed ones are unpacked."""
        found: list[_Element] = []
        position = 0
        while position + 8 <= len(data):
            kind, size = unpack_from(self.order + "II", data, position)
            if kind >> 16:  # a small element: its size and up to 4 bytes are in the tag
                kind, size, start, end = kind & 0xFFFF, kind >> 16, position + 4, position + 8
                if size > 4:
                    raise _DamagedError
            else:
                start = position + 8
                end = start + size + (0 if kind == _COMPRESSED else -size % 8)
            if start + size > len(data):
                raise _DamagedError
            part = data[start : start + size]
            position = end
            if kind == _COMPRESSED:
                found += self.elements(memoryview(self._unpacked(part)))
            else:
                found.append(_Element(kind, part))
            if len(found) > _MAX_CELLS:
                raise InputError(
                    f"{self.source.name} has more than {_MAX_CELLS:,} cells: save numbers as "
                    "matrices."
                )
        return found

    def _unpacked(self, part: memoryview) -> bytes:
        stream = zlib.decompressobj()
        data = stream.decompress(part, MAX_UNPACKED_BYTES - self.size + 1)
        self._count(len(data))
        return data

    def _count(self, size: int) -> None:
        self.size += size
        if self.size > MAX_UNPACKED_BYTES:
            raise InputError(
                f"{self.source.name} would unpack to more than {gibibytes(MAX_UNPACKED_BYTES)}: "
                "save fewer variables."
            )

    def matrix(self, data: memoryview, depth: int) -> tuple[str, Any]:
        """The name and the value of an array; no value for an object, which is not read."""
        parts = self.elements(data)
        if len(parts) < 3 or len(parts[0].data) < 8:
            raise _DamagedError
        kind = int(self._numbers(parts[0], "u4")[0]) & 0xFF
        shape = tuple(int(side) for side in self._numbers(parts[1], "i4"))
        name = bytes(parts[2].data).decode("utf-8", "replace")
        if not shape or min(shape) < 0 or prod(shape) > MAX_CELLS:
            raise _DamagedError
        rest = parts[3:]
        if kind in _NUMBERS:
            return name, self._full(rest, shape, kind)
        if kind == _CHAR:
            return name, self._characters(rest, shape)
        if kind == _SPARSE:
            return name, self._sparse(rest, shape)
        if kind == _CELL and depth < _MAX_DEPTH:
            return name, self._cell(rest, shape, depth)
        if kind == _STRUCT and depth < _MAX_DEPTH:
            return name, self._struct(rest, shape, depth)
        return name, None

    def _numbers(self, element: _Element, wanted: str = "") -> Array:
        code = _STORED.get(element.kind)
        if code is None or len(element.data) % int(code[1]) or (wanted and code[1] != wanted[1]):
            raise _DamagedError
        return np.frombuffer(element.data, np.dtype(self.order + code))

    def _full(self, parts: list[_Element], shape: tuple[int, ...], kind: int) -> Array:
        if not prod(shape):
            return np.empty(shape)
        values = self._numbers(parts[0]) if parts else np.empty(0)
        if len(values) != prod(shape):
            raise _DamagedError
        wide = np.dtype(_NUMBERS[kind])
        with np.errstate(over="ignore", invalid="ignore"):
            return values.astype(wide).reshape(shape, order="F")

    def _characters(self, parts: list[_Element], shape: tuple[int, ...]) -> Array:
        """One text per row."""
        if not prod(shape) or not parts:
            return np.array([""])
        encoding = _TEXTS.get(parts[0].kind)
        if encoding is None or len(shape) != 2:
            raise _DamagedError
        if encoding.startswith("utf-") and encoding != "utf-8":
            encoding += "-le" if self.order == "<" else "-be"
        letters = list(bytes(parts[0].data).decode(encoding, "replace"))
        if len(letters) != prod(shape):
            # Letters beyond 16 bits take two places, so only a single row is certain.
            return np.array(["".join(letters)])
        rows = np.array(letters, dtype=object).reshape(shape, order="F")
        return np.array(["".join(row) for row in rows])

    def _sparse(self, parts: list[_Element], shape: tuple[int, ...]) -> Array:
        if len(parts) < 3 or len(shape) != 2:
            raise _DamagedError
        rows, starts, values = (self._numbers(part) for part in parts[:3])
        self._count(prod(shape) * 8)
        counts = np.diff(starts)
        if len(starts) != shape[1] + 1 or (counts < 0).any() or counts.sum() != len(rows):
            raise _DamagedError
        if len(values) != len(rows) or (len(rows) and not 0 <= rows.min() <= rows.max() < shape[0]):
            raise _DamagedError
        full = np.zeros(shape)
        full[rows, np.repeat(np.arange(shape[1]), counts)] = values
        return full

    def _cell(self, parts: list[_Element], shape: tuple[int, ...], depth: int) -> Array:
        return self._items(parts, shape, depth)

    def _items(self, parts: list[_Element], shape: tuple[int, ...], depth: int) -> Array:
        self.cells += prod(shape)
        if self.cells > _MAX_CELLS:
            raise InputError(
                f"{self.source.name} has more than {_MAX_CELLS:,} cells: save numbers as matrices."
            )
        if len(parts) != prod(shape) or any(part.kind != _MATRIX for part in parts):
            raise _DamagedError
        values = np.empty(len(parts), dtype=object)
        for place, part in enumerate(parts):
            value = self.matrix(part.data, depth + 1)[1] if len(part.data) else None
            values[place] = np.empty((0, 0)) if value is None else value
        return values.reshape(shape, order="F")

    def _struct(self, parts: list[_Element], shape: tuple[int, ...], depth: int) -> dict[str, Any]:
        """The fields of a structure; those of several structures are cells."""
        if len(parts) < 2:
            raise _DamagedError
        width = int(self._numbers(parts[0], "i4")[0]) if len(parts[0].data) >= 4 else 0
        packed = bytes(parts[1].data)
        if width <= 0 or len(packed) % width:
            raise _DamagedError
        names = [
            packed[start : start + width].partition(b"\0")[0].decode("utf-8", "replace")
            for start in range(0, len(packed), width)
        ]
        count = prod(shape)
        if not names or not count:
            return {}
        items = self._items(parts[2:], (len(names), count), depth)
        if count == 1:
            return {name: items[place, 0] for place, name in enumerate(names)}
        return {name: items[place] for place, name in enumerate(names)}
