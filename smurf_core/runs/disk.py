"""Full, read-only and failing disks, each described as what it is."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smurf_core.errors import InputError

_FULL = "The disk is full: free some space on the disk of {place}, then try again."
_READ_ONLY = (
    "{place} cannot be changed (the disk is read-only, or the files belong to another user). "
    "Finished runs can be looked at; to train or import, make the folder writable."
)
_FAILING = (
    "The disk of {place} reports an error in reading or writing: check the disk, and restore the "
    "folder from a backup if files are damaged."
)
_BUSY = "The store in {place} is used by other processes and did not answer: try again in a moment."
_BY_ERRNO = {
    errno.ENOSPC: _FULL, errno.EDQUOT: _FULL, errno.EROFS: _READ_ONLY, errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY, errno.EIO: _FAILING,
}  # fmt: skip
_BY_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL, sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_IOERR: _FAILING, sqlite3.SQLITE_BUSY: _BUSY, sqlite3.SQLITE_LOCKED: _BUSY,
}  # fmt: skip


def can_write(folder: Path) -> bool:
    """True if this process may make files in a folder, as far as the system says in advance."""
    effective = os.access in os.supports_effective_ids
    return os.access(folder, os.W_OK, effective_ids=effective)


@contextmanager
def said_in_words(place: Path) -> Iterator[None]:
    """Raise `InputError` with one sentence where the disk that `place` is on fails."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if sentence := disk_error(error, place):
            raise sentence from error
        raise


def disk_error(error: BaseException, place: Path) -> InputError | None:
    """The sentence for an error of the disk that `place` is on; None for any other error."""
    sentence = None
    if isinstance(error, sqlite3.Error):
        # The lower byte is the kind; the rest says more about it.
        sentence = _BY_SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    elif isinstance(error, OSError):
        sentence = _BY_ERRNO.get(error.errno or 0)
    return None if sentence is None else InputError(sentence.format(place=place))
