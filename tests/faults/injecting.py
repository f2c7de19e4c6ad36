"""Counts the steps in which a piece of work reaches the disk, and lets one of them fail.

Steps are calls of Python that change a disk: opening a file for writing, writing, flushing,
renaming, deleting, making folders, and every statement of SQLite that writes. What Arrow writes in
C++ is one step. The inside of a statement of SQLite is not cut; its authors' tests do that.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import pyarrow.parquet as pq

Kind = Literal["ENOSPC", "EIO", "EROFS", "kill", "torn", "lost"]
# A full disk stays full, and one that became read-only stays so; the other errors happen once.
ERRORS: dict[Kind, tuple[int, int, str]] = {
    "ENOSPC": (errno.ENOSPC, sqlite3.SQLITE_FULL, "database or disk is full"),
    "EIO": (errno.EIO, sqlite3.SQLITE_IOERR, "disk I/O error"),
    "EROFS": (errno.EROFS, sqlite3.SQLITE_READONLY, "attempt to write a readonly database"),
}
CUTS: tuple[Kind, ...] = ("kill", "torn", "lost")
KINDS: tuple[Kind, ...] = (*ERRORS, *CUTS)
KILLED = 9  # exit code of a process that was cut
_READING = (
    "SELECT", "PRAGMA QUERY_ONLY", "PRAGMA TABLE_INFO", "PRAGMA INTEGRITY", "PRAGMA FOREIGN",
    "PRAGMA SYNCHRONOUS", "PRAGMA SECURE",
)  # fmt: skip
_FIRST, _EVERY = 4, 16  # of the writes to one file, these are steps
_SHRINKING = ("COMMIT", "ROLLBACK", "DELETE")


@dataclass(frozen=True)
class Step:
    """One step of an undisturbed piece of work."""

    what: str
    grows: bool  # needs room on the disk
    torn: bool  # before it, a file was written and not flushed
    lost: bool  # before it, something was renamed and its folder not flushed

    def can_be(self, kind: Kind) -> bool:
        """True if this fault differs from the others here."""
        return {"ENOSPC": self.grows, "torn": self.torn, "lost": self.lost}.get(kind, True)


class Disk:
    """Counts the steps within a folder, and makes the one at `at` (from 0) fail."""

    def __init__(self, root: Path, kind: Kind | None = None, at: int = -1) -> None:
        self.root = os.path.realpath(root)
        self.kind, self.at = kind, at
        self.steps: list[Step] = []
        self.unflushed: dict[str, None] = {}  # files, in the order of their writing
        self.renamed: list[tuple[str, str, str | None]] = []  # from, to, what was there before
        self._replaced = tempfile.mkdtemp(dir=Path(self.root).parent)
        self._real = {name: getattr(os, name) for name in (
            "open", "fsync", "rename", "replace", "unlink", "remove", "rmdir", "mkdir",
        )}  # fmt: skip
        self._patch()

    def step(self, what: str, *, grows: bool = True) -> None:
        """Count a step that is about to happen; it may fail, or be the last one."""
        number = len(self.steps)
        self.steps.append(Step(what, grows, bool(self.unflushed), bool(self.renamed)))
        if self.kind in CUTS:
            if number == self.at:
                self._cut()
        elif self.kind is not None and number >= self.at:
            stays = self.kind == "EROFS" or (self.kind == "ENOSPC" and grows)
            if number == self.at or stays:
                self._fail(what)

    def _fail(self, what: str) -> NoReturn:
        assert self.kind is not None
        number, code, words = ERRORS[self.kind]
        if not what.startswith("SQL"):
            raise OSError(number, os.strerror(number))
        error = sqlite3.OperationalError(words)
        error.sqlite_errorcode = code
        raise error

    def _cut(self) -> NoReturn:
        """End the process as a kill does; a power cut also takes what was not flushed."""
        if self.kind == "torn":
            for path in self.unflushed:
                if os.path.isfile(path):
                    os.truncate(path, os.path.getsize(path) // 2)
        if self.kind == "lost":
            for source, to, before in reversed(self.renamed):
                if os.path.lexists(to):
                    self._real["rename"](to, source)
                if before is not None:
                    self._real["rename"](before, to)
        os._exit(KILLED)

    # What is counted

    def _patch(self) -> None:
        real = self._real
        os.open = self._open  # type: ignore[assignment]
        os.fsync = self._fsync  # type: ignore[assignment]
        os.rename = self._moved(real["rename"])
        os.replace = self._moved(real["replace"])
        os.unlink = os.remove = self._counted("unlink", real["unlink"], grows=False)
        os.rmdir = self._counted("rmdir", real["rmdir"], grows=False)
        os.mkdir = self._counted("mkdir", real["mkdir"])
        builtins.open = io.open = self._file(builtins.open)  # type: ignore[assignment]
        pq.write_table = self._table(pq.write_table)
        connect, disk = sqlite3.connect, self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
                disk.statement(sql)
                return super().execute(sql, *rest)

            def executemany(self, sql: str, *rest: Any) -> sqlite3.Cursor:
                disk.statement(sql)
                return super().executemany(sql, *rest)

            def backup(self, *rest: Any, **named: Any) -> None:
                disk.step("SQL backup")
                super().backup(*rest, **named)

        sqlite3.connect = lambda *a, **k: connect(*a, **{**k, "factory": Connection})  # type: ignore[assignment]

    def statement(self, sql: str) -> None:
        """Count a statement that writes."""
        words = " ".join(sql.split()).upper()
        if words.startswith(_READING) or words == "PRAGMA USER_VERSION":
            return
        self.step(f"SQL {words[:40]}", grows=not words.startswith(_SHRINKING))

    def _inside(self, path: Any, folder: int | None = None) -> str | None:
        """The whole path if it is in the folder that is watched."""
        if isinstance(path, int):
            return None
        text = os.fsdecode(path)
        if not os.path.isabs(text):
            base = os.getcwd() if folder is None else os.readlink(f"/proc/self/fd/{folder}")
            text = os.path.join(base, text)
        head, name = os.path.split(os.path.normpath(text))
        text = os.path.join(os.path.realpath(head), name)
        return text if text.startswith(self.root + os.sep) else None

    def _counted(
        self, name: str, function: Callable[..., Any], *, grows: bool = True
    ) -> Callable[..., Any]:
        def call(path: Any, *rest: Any, dir_fd: int | None = None, **named: Any) -> Any:
            found = self._inside(path, dir_fd)
            if found is not None:
                self.step(f"{name} {os.path.basename(found)}", grows=grows)
                self.unflushed.pop(found, None)
            return function(path, *rest, dir_fd=dir_fd, **named)

        return call

    def _moved(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(source: Any, to: Any, **named: Any) -> None:
            before, after = self._inside(source), self._inside(to)
            if before is None or after is None:
                function(source, to, **named)
                return
            self.step(f"rename {os.path.basename(after)}", grows=False)
            kept = None
            if os.path.isfile(after):
                kept = os.path.join(self._replaced, str(len(self.steps)))
                os.link(after, kept)
            function(source, to, **named)
            self.renamed.append((before, after, kept))
            for path in [p for p in self.unflushed if p == before or p.startswith(before + os.sep)]:
                self.unflushed.pop(path)
                self.unflushed[after + path[len(before) :]] = None

        return call

    def _open(self, path: Any, flags: int, *rest: Any, dir_fd: int | None = None) -> int:
        found = self._inside(path, dir_fd) if flags & os.O_CREAT else None
        if found is not None:
            self.step(f"create {os.path.basename(found)}")
        return self._real["open"](path, flags, *rest, dir_fd=dir_fd)

    def _fsync(self, descriptor: int) -> None:
        path = os.readlink(f"/proc/self/fd/{descriptor}")
        if path != self.root and not path.startswith(self.root + os.sep):
            return  # Elsewhere it only takes time.
        self.step(f"fsync {os.path.basename(path)}")
        self.unflushed.pop(path, None)
        self.renamed = [one for one in self.renamed if os.path.dirname(one[1]) != path]

    def _file(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
            found = self._inside(path) if set("wax+") & set(mode) else None
            if found is None:
                return function(path, mode, *rest, **named)
            self.step(f"open {os.path.basename(found)}")
            self.unflushed[found] = None
            return _File(function(path, mode, *rest, **named), self, os.path.basename(found))

        return call

    def _table(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """What Arrow writes: a failing write leaves half of the file."""

        def call(table: Any, where: Any, *rest: Any, **named: Any) -> Any:
            found = self._inside(where) if isinstance(where, str | os.PathLike) else None
            if found is None:
                return function(table, where, *rest, **named)
            self.step(f"open {os.path.basename(found)}")
            done = function(table, where, *rest, **named)
            self.unflushed[found] = None
            try:
                self.step(f"write {os.path.basename(found)}")
            except OSError:
                os.truncate(found, os.path.getsize(found) // 2)
                raise
            return done

        return call


class _File:
    """A file that counts what is written to it."""

    def __init__(self, file: Any, disk: Disk, name: str) -> None:
        self._file, self._disk, self._name, self._writes = file, disk, name, 0

    def write(self, content: Any) -> Any:
        self._writes += 1
        if self._writes <= _FIRST or self._writes % _EVERY == 0:
            self._disk.step(f"write {self._name}")
        written = self._file.write(content)
        self._file.flush()  # So that a kill finds on the disk what was written.
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> _File:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Any:
        return iter(self._file)
