"""Files that are complete or absent, also after a kill, a full disk or a power cut."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

_PARTIAL = re.compile(r"\..+\.[0-9a-f]{32}")  # see `partial_name`
_ABANDONED = 3600.0  # seconds after which nobody is still writing a temporary file
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
        with suppress(OSError):  # What went wrong before is what is said.
            partial.unlink(missing_ok=True)
    return found


def partial_name(path: Path) -> Path:
    """A temporary name beside a file or folder that is being written."""
    return path.with_name(f".{path.name}.{uuid4().hex}")


def is_partial(name: str) -> bool:
    """True if `partial_name` made this name: its file or folder is not whole, or not wanted."""
    return _PARTIAL.fullmatch(name) is not None


def is_abandoned(path: Path) -> bool:
    """True if this is a temporary file or folder that was left by a program that was cut off."""
    try:
        return is_partial(path.name) and time.time() - path.stat().st_mtime > _ABANDONED
    except FileNotFoundError:  # It got its name.
        return False


def abandoned_in(folder: Path) -> list[Path]:
    """What programs that were cut off have left in a folder, such as half a backup."""
    return sorted(found for found in folder.glob(".*") if is_abandoned(found))


def remove_abandoned(path: Path) -> None:
    """Remove what earlier attempts to write this file or folder have left beside it."""
    for found in abandoned_in(path.parent):
        if found.name.rpartition(".")[0] == f".{path.name}":
            shutil.rmtree(found) if found.is_dir() else found.unlink()


def remove_folder(folder: Path) -> None:
    """Remove a folder, or nothing if there is none; no part of it is ever seen under its name.

    What cannot be removed, or is left by a kill, has the name of a temporary file. Raises `OSError`
    if not even the name can be changed: then the folder is as it was.
    """
    aside = partial_name(folder)
    try:
        os.rename(folder, aside)
    except FileNotFoundError:
        return
    flush(folder.parent)
    shutil.rmtree(aside, ignore_errors=True)


def replace_folder(new: Path, folder: Path, *, with_folders: bool = False) -> None:
    """Put a whole new folder in the place of another, which is removed.

    After a cut, `complete_replacement` does what is missing; there is always one of the two. With
    `with_folders`, folders in the old one that the new one lacks move along.
    """
    os.rename(new, _ready(folder))
    flush(folder.parent)
    complete_replacement(folder, with_folders=with_folders)


def complete_replacement(folder: Path, *, with_folders: bool = False) -> None:
    """Do what a `replace_folder` that was cut off has left; usually nothing."""
    ready, old = _ready(folder), folder.with_name(f".{folder.name}.old")
    if ready.exists():
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            os.rename(folder, old)
        for path in sorted(old.iterdir()) if with_folders else ():
            if path.is_dir() and not (ready / path.name).exists():
                os.rename(path, ready / path.name)
        flush(ready)
        os.rename(ready, folder)
        flush(folder.parent)
    if old.exists():
        shutil.rmtree(old)


def _ready(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.ready")


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
