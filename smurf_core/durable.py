"""Files that are complete or absent, also after a kill, a full disk or a power cut."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

_OWN = "checksum"  # a description's entry with the checksum of its other entries


def write_whole(path: Path, write: Callable[[Path], object]) -> str:
    """Let `write` make a file under a temporary name, then give it its own; returns its checksum.

    The file and its folder are flushed to the disk, so that a power cut leaves the old file or the
    new one, never a part.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_name(path)
    try:
        write(partial)
        flush(partial)
        found = checksum(partial)
        os.replace(partial, path)
        flush(path.parent)
    finally:
        partial.unlink(missing_ok=True)
    return found


def partial_name(path: Path) -> Path:
    """A temporary name beside a file or folder that is being written."""
    return path.with_name(f".{path.name}.{uuid4().hex}")


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows writes the names of files itself.
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checksum(path: Path) -> str:
    """The SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(data: Mapping[str, Any], path: Path) -> str:
    """Write a description with a checksum of its own content; returns the file's checksum."""
    text = json.dumps(signed(data), indent=1, ensure_ascii=False)
    return write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def signed(data: Mapping[str, Any]) -> dict[str, Any]:
    """A description with a checksum of its content, as `is_as_written` checks it."""
    return {**data, _OWN: _sum_of(data)}


def is_as_written(found: Mapping[str, Any]) -> bool:
    """False if a description is not what `write_json` wrote; earlier ones have no checksum."""
    rest = {name: value for name, value in found.items() if name != _OWN}
    return _OWN not in found or found[_OWN] == _sum_of(rest)


def _sum_of(data: Mapping[str, Any]) -> str:
    plain = json.loads(json.dumps(data))  # As it is read back: no tuples, only texts as names.
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
