"""Where HDF5 keeps texts: damage there can make the HDF5 library read for ever.

A text of any length is stored in a *global heap collection*: a header, and objects one after the
other. The library goes from an object to the next one by its size; a size of zero, which damage can
make, keeps it at the same place, where no signal and no limit of time reach it.
Source: The HDF5 Group, HDF5 File Format Specification, version 3.0, III.E.
"""

from __future__ import annotations

import mmap
import os
import struct
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np

from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

_START = b"GCOL\x01"  # signature and version; the library does not look at what is reserved
_HEADER = struct.Struct("<5s3xQ")  # and the collection's size
_OBJECT = struct.Struct("<HHIQ")  # index (0: free space), references, reserved, size
_LEAST = 4096  # bytes; the library refuses smaller collections


def check_texts(item: h5py.Dataset, source: SourceFile) -> None:
    """Raise an error if texts of a data set cannot be read to an end; others are left alone.

    Raises
    ------
    InputError
        For a text that claims to be longer than its file, for which HDF5 makes room first, and as
        `check_heaps`.
    """
    text = h5py.check_string_dtype(item.dtype)
    if h5py.check_vlen_dtype(item.dtype) is None and (text is None or text.length is not None):
        return
    check_heaps(source)
    size = source.path.stat().st_size
    if _longest(item, source.path, size) > size:
        raise _damaged(source)


def check_heaps(source: SourceFile) -> None:
    """Raise an error if a collection's objects do not follow each other.

    The file is searched for collections once. Texts of attributes are in them as well.

    Raises
    ------
    InputError
        In that case.
    """
    facts = os.stat(source.path)
    if not _are_whole(source.path, facts.st_ino, facts.st_size, facts.st_mtime_ns):
        raise _damaged(source)


def _damaged(source: SourceFile) -> InputError:
    return InputError(f"{source.name} is damaged: write or download it again.")


def _longest(item: h5py.Dataset, path: Path, size: int) -> int:
    """The longest that a text of a data set claims to be, or what all of them claim to take.

    0 for texts that are stored in chunks.
    """
    place, stored = item.id.get_offset(), item.id.get_storage_size()
    if place is None or not item.size or stored % item.size or stored < 4 * item.size:
        return 0
    if stored > size:
        return int(stored)
    with path.open("rb") as file:
        file.seek(place)
        cells = np.frombuffer(file.read(stored), dtype=np.uint8)
    if len(cells) < stored:
        return 0
    lengths = cells.reshape(item.size, -1)[:, :4].copy().view("<u4")
    return int(lengths.max())


@lru_cache(maxsize=256)
def _are_whole(path: Path, inode: int, size: int, changed: int) -> bool:
    if size == 0:
        return True
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        place = content.find(_START)
        while place >= 0:
            if not _is_whole(content, place):
                return False
            place = content.find(_START, place + 1)
    return True


def _is_whole(content: mmap.mmap, start: int) -> bool:
    """True if each object of a collection leads to the next one, or it is none."""
    if start + _HEADER.size > len(content):
        return True
    _, size = _HEADER.unpack_from(content, start)
    if size < _LEAST or start + size > len(content):
        return True  # The library refuses it.
    place, end = start + _HEADER.size, start + size
    while place + _OBJECT.size <= end:
        index, _, _, length = _OBJECT.unpack_from(content, place)
        # Free space counts its header, and texts are filled up to a multiple of eight bytes.
        step = length if index == 0 else _OBJECT.size + -(-length // 8) * 8
        if step < _OBJECT.size or place + step > end:
            return False
        place += step
    return True
