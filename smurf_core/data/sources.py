"""Files from a user: their names are made safe to show, and sizes are checked before reading."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

from smurf_core.errors import InputError

T = TypeVar("T")

# Maximum size of a file on disk: a table of 100,000 × 1,433 numbers is 1.3 GB of text.
MAX_FILE_BYTES = 2 * 1024**3
# Maximum size of a table in memory, at 8 bytes per cell; of archives, unpacked.
MAX_TABLE_BYTES = 2 * 1024**3
MAX_UNPACKED_BYTES = 1 * 1024**3
MAX_SEQUENCE_BYTES = 16 * 1024**3  # read one recording at a time
MAX_MEMBERS = 10_000
MAX_COLUMNS = 50_000
MAX_CELLS = 100_000_000  # of lists and matrices that are read cell by cell
# What reading a damaged archive raises; its members may be compressed in any way.
ARCHIVE_ERRORS = (
    BadZipFile, ZlibError, LZMAError, EOFError, OSError, ValueError, RuntimeError,
)  # fmt: skip
_HEARD = "who hears of progress"


@dataclass(frozen=True)
class SourceFile:
    """A file and its name. The name may come from a stranger and is only displayed."""

    name: str
    path: Path
    known: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        base = PurePosixPath(self.name.replace("\\", "/")).name
        shown = "".join(c if c.isprintable() else "�" for c in base)[-120:].strip()
        object.__setattr__(self, "name", shown or "unnamed file")

    def once(self, what: str, find: Callable[[], T]) -> T:
        """What is known of the content: found when it is first asked for, and kept."""
        if what not in self.known:
            self.known[what] = find()
        found: T = self.known[what]
        return found

    def report(self, share: float) -> None:
        """Say what share of the file is read, from 0 to 1, to whoever waits for it."""
        if (heard := self.known.get(_HEARD)) is not None:
            heard(share)

    def heard_by(self, listener: Callable[[float], None]) -> None:
        """Have `report` call a function."""
        self.known[_HEARD] = listener

    @property
    def stem(self) -> str:
        """The name without its last suffix."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """The last suffix with its dot, in lower case."""
        return PurePosixPath(self.name).suffix.lower()

    def head(self, count: int = 65_536) -> bytes:
        """The file's first bytes; raises an error if it is not a file, is empty or is too large."""
        try:
            size = self.path.stat().st_size
            with self.path.open("rb") as file:
                start = file.read(count)
        except OSError as error:
            raise InputError(f"{self.name} cannot be opened: {error.strerror}.") from error
        if size == 0:
            raise InputError(f"{self.name} is empty (0 bytes): export or upload it again.")
        most = MAX_SEQUENCE_BYTES if self.suffix == ".csd" else MAX_FILE_BYTES
        if size > most:
            raise InputError(
                f"{self.name} takes {gibibytes(size)}; files of at most {gibibytes(most)} are "
                "read: aggregate it over time, or split it."
            )
        return start

    def checksum(self) -> str:
        """SHA-256 of the content, to recognise the file again."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def gibibytes(size: int) -> str:
    """A size as text: `3.2 GiB`."""
    return f"{size / 1024**3:,.1f} GiB"


def check_shape(source: SourceFile, rows: int, columns: int) -> None:
    """Raise an error if a table is too large to be read."""
    if columns > MAX_COLUMNS:
        raise InputError(
            f"{source.name} has {columns:,} columns; at most {MAX_COLUMNS:,} are read: "
            "leave out columns that are not features."
        )
    size = rows * columns * 8
    if size > MAX_TABLE_BYTES:
        raise InputError(
            f"{source.name} has {rows:,} rows of {columns:,} columns, which take "
            f"{gibibytes(size)} of memory; tables of at most {gibibytes(MAX_TABLE_BYTES)} are "
            "read: aggregate it over time, or split it by modality."
        )


def most_rows(columns: int) -> int:
    """The most rows that `check_shape` accepts of a table."""
    return MAX_TABLE_BYTES // (8 * columns)


def zip_members(source: SourceFile) -> dict[str, int]:
    """Names and unpacked sizes of a zip's members; damaged or unsafe archives raise an error."""
    try:
        with ZipFile(source.path) as archive:
            listed = [(info.filename, info.file_size) for info in archive.infolist()]
    except (BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise InputError(
            f"{source.name} is damaged or incomplete ({error}): save or download it again."
        ) from error
    total = sum(size for _, size in listed)
    if total > MAX_UNPACKED_BYTES:
        raise InputError(
            f"{source.name} would unpack to {gibibytes(total)}; "
            f"at most {gibibytes(MAX_UNPACKED_BYTES)} is read."
        )
    members = dict(listed)
    if len(listed) > MAX_MEMBERS:
        raise InputError(
            f"{source.name} has {len(listed):,} members; at most {MAX_MEMBERS:,} are read."
        )
    if len(members) < len(listed):
        raise InputError(f"{source.name} is damaged: it contains a member more than once.")
    leading_out = [name for name in members if name[:1] in "/\\" or ".." in _pieces(name)]
    if leading_out:
        raise InputError(
            f"{source.name}: the name {leading_out[0][:80]!r} leads outside of the archive; save "
            "it again with the program that uses it."
        )
    return members


def _pieces(name: str) -> list[str]:
    return name.replace("\\", "/").split("/")
