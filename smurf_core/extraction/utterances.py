"""The sources of features: files in a folder, or utterances that a table cuts from them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smurf_core.data.column_names import (
    END_NAMES,
    ID_NAMES,
    START_NAMES,
    TRANSCRIPT_NAMES,
    plain_name,
)
from smurf_core.data.problems import listing
from smurf_core.data.readers.registry import read
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

_FILE_NAMES = (
    "media", "file", "filename", "path", "clip", "audio", "audiofile", "audiowav", "wav", "video",
    "videofile", "videomp4", "recording",
)  # fmt: skip


@dataclass(frozen=True)
class Utterance:
    """A segment of a recording (default: all of it), or a text."""

    sample_id: str
    path: Path | None = None
    start: float | None = None  # seconds
    end: float | None = None
    text: str = ""

    @property
    def place(self) -> str:
        """File and seconds, for messages."""
        if self.path is None:
            return self.sample_id
        if self.start is None and self.end is None:
            return self.path.name
        end = "end" if self.end is None else f"{self.end:g}"
        return f"{self.path.name} ({self.start or 0:g} to {end} s)"


@dataclass(frozen=True)
class Columns:
    """Columns of a table of utterances; empty ones are found by their usual names."""

    id: str = ""
    file: str = ""
    start: str = ""
    end: str = ""
    text: str = ""


def utterances_of_folder(folder: Path, suffixes: Sequence[str]) -> tuple[Utterance, ...]:
    """All files of a kind in a folder and its subfolders, named by their path without suffix."""
    found = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix.lower() in suffixes)
    if not found:
        raise InputError(f"{folder} contains no files of this kind ({', '.join(suffixes)}).")
    ids = [path.relative_to(folder).with_suffix("").as_posix() for path in found]
    counts = Counter(ids)
    repeated = [name for name in counts if counts[name] > 1]
    if repeated:
        raise InputError(
            f"{folder} contains several files named {listing(repeated)} with different suffixes: "
            "keep one of each."
        )
    return tuple(Utterance(name, path) for name, path in zip(ids, found, strict=True))


def utterances_of_table(
    path: Path,
    suffixes: Sequence[str],
    *,
    folder: Path | None = None,
    columns: Columns | None = None,
) -> tuple[Utterance, ...]:
    """Utterances from a table: an id, a file, and start and end.

    The default folder is that of the table. Without a column of files, a row's file is named after
    its id, with one of the suffixes. Nothing outside the folder is opened.
    """
    table, given = _table(path), columns or Columns()
    ids = _ids(table, given, path)
    files = _column(table, given.file, _FILE_NAMES, path, _names_files(suffixes))
    start = _seconds(table, _column(table, given.start, START_NAMES, path), path)
    end = _seconds(table, _column(table, given.end, END_NAMES, path), path)
    root = (folder or path.parent).resolve()
    if not root.is_dir():
        raise InputError(f"There is no folder {root} of recordings; name it with --folder.")
    found = []
    for row, name in enumerate(ids):
        cell = table[files].iloc[row] if files else name
        if pd.isna(cell):
            continue
        first, last = (None if np.isnan(t[row]) else float(t[row]) for t in (start, end))
        found.append(Utterance(name, _inside(root, str(cell), suffixes), first, last))
    if not found:
        raise InputError(f"{path.name}: no row names a recording.")
    return tuple(found)


def texts_of_table(path: Path, columns: Columns | None = None) -> tuple[Utterance, ...]:
    """Texts from a table with ids; rows without text are left out."""
    table, given = _table(path), columns or Columns()
    ids = _ids(table, given, path)
    column = _column(table, given.text, TRANSCRIPT_NAMES, path)
    if not column:
        raise InputError(
            f"{path.name} has no column of texts ({listing(TRANSCRIPT_NAMES)}): name it "
            "with --text."
        )
    cells = table[column].astype("str").str.strip().where(table[column].notna(), "")
    return tuple(Utterance(name, text=text) for name, text in zip(ids, cells, strict=True) if text)


def texts_of_folder(folder: Path) -> tuple[Utterance, ...]:
    """All `.txt` files of a folder, each as one text."""
    files = utterances_of_folder(folder, (".txt",))
    found = []
    for file in files:
        assert file.path is not None  # noqa: S101 — for the type checker
        try:
            text = file.path.read_text(encoding="utf-8").strip()
        except UnicodeDecodeError as error:
            raise InputError(
                f"{file.path.name} is not text in UTF-8: save it in this encoding."
            ) from error
        found.append(Utterance(file.sample_id, text=text))
    return tuple(found)


@lru_cache(maxsize=4096)
def checksum(path: Path, modified: int) -> str:
    """SHA-256 of a file's content; `modified` is its time stamp, so that changes are noticed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _table(path: Path) -> pd.DataFrame:
    return read(SourceFile(path.name, path))[0].frame


def _ids(table: pd.DataFrame, given: Columns, path: Path) -> list[str]:
    column = _column(table, given.id, ID_NAMES, path, lambda cells: bool(cells.is_unique))
    if not column:
        raise InputError(
            f"{path.name} has no column of unique sample ids ({listing(ID_NAMES, 4)}): name it "
            "with --id."
        )
    cells = table[column]
    if cells.isna().any() or not cells.is_unique:
        raise InputError(
            f"{path.name}, column {column!r}: sample ids are missing or repeat; each row needs a "
            "different one."
        )
    return [str(cell) for cell in cells]


def _column(
    table: pd.DataFrame,
    given: str,
    names: Sequence[str],
    path: Path,
    fits: Callable[[pd.Series[Any]], bool] = lambda _: True,
) -> str:
    """The named column, otherwise the first of these names that fits, otherwise None."""
    if given:
        if given not in table:
            raise InputError(
                f"{path.name} has no column {given!r}; there are {listing(table.columns, 8)}."
            )
        return given
    plain = {plain_name(str(column)): str(column) for column in reversed(table.columns)}
    return next((plain[n] for n in names if n in plain and fits(table[plain[n]])), "")


def _names_files(suffixes: Sequence[str]) -> Callable[[pd.Series[Any]], bool]:
    def fits(cells: pd.Series[Any]) -> bool:
        """True if all cells are files of this kind, or their names without the suffix."""
        names = cells.dropna().astype("str").str.lower()
        are_files = names.str.endswith(tuple(suffixes)) | ~names.str.contains(".", regex=False)
        return bool(len(names)) and bool(are_files.all())

    return fits


def _seconds(
    table: pd.DataFrame, column: str, path: Path
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if not column:
        return np.full(len(table), np.nan)
    if not pd.api.types.is_numeric_dtype(table[column]):
        raise InputError(f"{path.name}, column {column!r}: seconds must be numbers, such as 12.34.")
    return table[column].to_numpy(dtype=np.float64, na_value=np.nan)


def _inside(root: Path, name: str, suffixes: Sequence[str]) -> Path:
    """A file of the folder by its path there, with or without suffix; it need not exist."""
    if name.lower().endswith(tuple(suffixes)):
        candidates = [name]
    else:
        candidates = [f"{name}{suffix}" for suffix in suffixes]
    paths = [(root / candidate).resolve() for candidate in candidates]
    outside = [p for p in paths if not p.is_relative_to(root)]
    if outside:
        raise InputError(
            f"Recording {name[:80]!r} leads out of the folder of recordings: give paths within it."
        )
    return next((path for path in paths if path.is_file()), paths[0])
