"""Backups: a whole workspace in one ZIP file, made while runs train, and made a workspace again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import stat
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from smurf_core import __version__
from smurf_core.durable import (
    flush,
    is_as_written,
    partial_name,
    remove_abandoned,
    signed,
    write_whole,
)
from smurf_core.errors import InputError
from smurf_core.people.guard import machine_only
from smurf_core.runs.disk import disk_error
from smurf_core.runs.workspace import Workspace

FORMAT = 1
_MANIFEST = "backup.json"  # written last: names, sizes and checksums of all other members
_CHUNK = 1 << 20
# A database is copied by SQLite; its other files belong to a moment.
_DATABASE, _BESIDE = ".sqlite", ("-wal", "-shm", "-journal")
_PASSING = {"uploads"}  # files of imports that have not ended
_STOPPED = "The run was training when the backup was made; resume it to continue."
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGED = "The backup {file} is damaged or was cut off ({why}): use another one."


@dataclass(frozen=True)
class Backup:
    """What a backup contains."""

    created: float  # seconds since 1970, UTC
    files: int
    size: int  # bytes of the files
    links: tuple[str, ...] = ()  # links in the workspace, which were not followed


@machine_only
def back_up(workspace: Workspace, file: Path) -> Backup:
    """Write a backup of a workspace, and read it again before it gets its name.

    Runs may train meanwhile. The database is copied first, by SQLite, so every run that it calls
    finished has its files; a run in training is restored as stopped and can be resumed. Links are
    not followed, and recordings outside the workspace are not part of it.

    Raises
    ------
    InputError
        If the file exists, there is no workspace, or a disk fails.
    """
    if file.exists():
        raise InputError(f"{file} exists; name another file for the backup.")
    if not workspace.database.is_file():
        raise InputError(f"There are no studies in {workspace.root}: nothing to back up.")
    if file.resolve().is_relative_to(workspace.root.resolve()):
        raise InputError("Write the backup outside the workspace, best to another disk.")
    links: list[str] = []
    try:
        remove_abandoned(file)
        write_whole(file, lambda partial: _write_and_verify(workspace, partial, links))
    except (OSError, sqlite3.Error) as error:
        raise disk_error(error, file.parent) or error from error
    with _opened(file) as archive:
        found = _manifest(archive, file)
    sizes = [size for size, _ in found["files"].values()]
    return Backup(found["created"], len(sizes), sum(sizes), tuple(links))


def _write_and_verify(workspace: Workspace, partial: Path, links: list[str]) -> None:
    root = workspace.root.resolve()
    with (
        zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        tempfile.TemporaryDirectory() as scratch,
    ):
        files: dict[str, tuple[int, str]] = {}
        copies = Path(scratch)
        # The store first, then what else there is.
        paths = sorted(_files(root, links), key=lambda path: path.name != workspace.database.name)
        for number, path in enumerate(paths):
            name = path.relative_to(root).as_posix()
            source = path
            if path.suffix == _DATABASE:
                source = copies / f"{number}.sqlite"
                _copy_database(path, source)
            try:
                with source.open("rb") as content:
                    files[name] = _store(content, archive, name)
            except FileNotFoundError:
                continue  # Removed meanwhile: a temporary file, or what was deleted long ago.
        about = {
            "format": FORMAT, "program": __version__, "created": time.time(), "root": str(root),
            "files": files,
        }  # fmt: skip
        archive.writestr(_MANIFEST, json.dumps(signed(about), ensure_ascii=False))
    with _opened(partial) as archive:
        for _ in _members(archive, partial, _manifest(archive, partial)):
            pass


def _files(root: Path, links: list[str]) -> Iterator[Path]:
    for folder, names, files in os.walk(root, followlinks=False):
        here = Path(folder)
        links += [str(here / name) for name in (*names, *files) if (here / name).is_symlink()]
        names[:] = [
            n for n in names
            if not n.startswith(".") and not (here / n).is_symlink()
            and (here != root or n not in _PASSING)
        ]  # fmt: skip
        for name in files:
            path = here / name
            if name.startswith(".") or name.endswith(_BESIDE) or path.is_symlink():
                continue  # What is being written has a name with a dot.
            if path.is_file():
                yield path


def _copy_database(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(path, timeout=60)) as source, closing(sqlite3.connect(copy)) as to:
        source.backup(to)
        to.execute("PRAGMA journal_mode = DELETE")
        if (said := to.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise InputError(
                f"The database {path} is damaged ({said.splitlines()[0]}): run `smurf doctor`. No "
                "backup was made."
            )


def _store(content: IO[bytes], archive: zipfile.ZipFile, name: str) -> tuple[int, str]:
    size, found = 0, hashlib.sha256()
    with archive.open(name, "w", force_zip64=True) as member:
        while part := content.read(_CHUNK):
            member.write(part)
            found.update(part)
            size += len(part)
    return size, found.hexdigest()


@machine_only
def restore(file: Path, workspace: Workspace, *, force: bool = False) -> Backup:
    """Make a workspace of a backup, which is verified first; earlier versions are migrated.

    Nothing is changed unless all of it can be restored. With `force`, an existing workspace is
    replaced: it stays beside the new one under another name.

    Raises
    ------
    InputError
        If the backup is damaged or of a later version, or the workspace has content.
    """
    root = workspace.root
    if _has_content(root) and not force:
        raise InputError(
            f"{root} has content: set SMURF_HOME to a new folder, or use --force, which keeps what "
            "is there under another name."
        )
    with _opened(file) as archive:
        about = _manifest(archive, file)
        needed = sum(size for size, _ in about["files"].values())
        root.parent.mkdir(parents=True, exist_ok=True)
        if needed > shutil.disk_usage(root.parent).free:
            raise InputError(f"The disk of {root} has no room for {needed / 1e9:.1f} GB.")
        partial = partial_name(root.absolute())
        try:
            partial.mkdir(mode=0o700)
            for name, content in _members(archive, file, about):
                path = partial.joinpath(*PurePosixPath(name).parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as out:
                    for part in content:
                        out.write(part)
                flush(path)
            _settle(Workspace(partial), Path(about["root"]), root.resolve())
            _put_in_place(partial, root)
        except (OSError, sqlite3.Error) as error:
            raise disk_error(error, root.parent) or error from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return Backup(about["created"], len(about["files"]), needed)


def _has_content(root: Path) -> bool:
    return root.exists() and any(root.iterdir())


def _settle(workspace: Workspace, before: Path, root: Path) -> None:
    """Bring a restored store to this version and place: no run trains, recordings moved along."""
    with workspace.transaction() as connection:
        connection.execute(
            "UPDATE run SET status = 'crashed', owner = NULL, pid = NULL, finished = ?, error = ?"
            " WHERE status = 'running'",
            (time.time(), _STOPPED),
        )
        for row in connection.execute("SELECT study_id, settings FROM media").fetchall():
            settings = json.loads(row["settings"])
            folder = Path(settings["folder"])
            if folder.is_relative_to(before):
                settings["folder"] = str(root / folder.relative_to(before))
                connection.execute(
                    "UPDATE media SET settings = ? WHERE study_id = ?",
                    (json.dumps(settings), row["study_id"]),
                )
    with workspace.connect() as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _put_in_place(partial: Path, root: Path) -> None:
    kept = None
    if root.exists():
        if _has_content(root):
            kept = root.with_name(f"{root.name}.before-{time.strftime('%Y%m%d-%H%M%S')}")
            _refuse_training(Workspace(root))
            os.rename(root, kept)
        else:
            root.rmdir()
    try:
        os.replace(partial, root)
    except OSError:
        if kept is not None:
            os.rename(kept, root)
        raise
    flush(root.parent)


def _refuse_training(workspace: Workspace) -> None:
    try:
        with workspace.connect() as connection:
            row = connection.execute("SELECT 1 FROM run WHERE status = 'running'").fetchone()
    except InputError:
        return  # A store that cannot be opened trains nothing.
    if row is not None:
        raise InputError(f"A run is training in {workspace.root}: cancel it before the restore.")


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file) as archive:
            # Other ways of compressing have errors of their own, as those of a failing disk.
            if any(info.compress_type not in _METHODS for info in archive.infolist()):
                why = "a member is compressed as those of no backup are"
                raise InputError(_DAMAGED.format(file=file, why=why))
            yield archive
    except FileNotFoundError:
        raise InputError(f"There is no file {file}.") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise InputError(_DAMAGED.format(file=file, why=error)) from error


def _manifest(archive: zipfile.ZipFile, file: Path) -> dict[str, Any]:
    """The list of a backup's members, which are all and only those of the file."""
    try:
        found: dict[str, Any] = json.loads(archive.read(_MANIFEST))
        is_whole = is_as_written(found) and "checksum" in found
    except (KeyError, ValueError, AttributeError, TypeError, OSError) as error:
        why = "it is no backup of SMURF Studio, or its end is missing"
        raise InputError(_DAMAGED.format(file=file, why=why)) from error
    if not is_whole:
        raise InputError(_DAMAGED.format(file=file, why="its list of files was changed"))
    if found["format"] != FORMAT:
        raise InputError(f"The backup {file} was made by a later version: install that version.")
    names = [info.filename for info in archive.infolist()]
    if sorted(names) != sorted([*found["files"], _MANIFEST]):
        raise InputError(_DAMAGED.format(file=file, why="its members are not those of its list"))
    return found


def _members(
    archive: zipfile.ZipFile, file: Path, about: dict[str, Any]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Every member's name and content; a name that leads out of the folder is refused."""
    for name, (size, written) in about["files"].items():
        info = archive.getinfo(name)
        path = PurePosixPath(name)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if (
            path.is_absolute() or ".." in path.parts or "\\" in name or name[1:2] == ":"
            or path.as_posix() != name or info.flag_bits & 1 or kind not in (0, stat.S_IFREG)
        ):  # fmt: skip
            raise InputError(f"The backup {file} is not safe: {name!r} is no path of a workspace.")
        content = _verified(archive, file, info, size, written)
        yield name, content
        for _ in content:  # What the caller left is verified as well.
            pass


def _verified(
    archive: zipfile.ZipFile, file: Path, info: zipfile.ZipInfo, size: int, written: str
) -> Iterator[bytes]:
    found, length = hashlib.sha256(), 0
    with archive.open(info) as content:
        while part := content.read(_CHUNK):
            found.update(part)
            length += len(part)
            if length > size:
                break
            yield part
    if length != size or found.hexdigest() != written:
        raise InputError(_DAMAGED.format(file=file, why=f"{info.filename} is not as written"))
