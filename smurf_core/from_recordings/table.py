"""The table of utterances: which column is what, and which uploaded recording a row is part of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from smurf_core.data.column_names import (
    END_NAMES,
    ID_NAMES,
    START_NAMES,
    TRANSCRIPT_NAMES,
    plain_name,
)
from smurf_core.data.media import END_COLUMN, MEDIA_COLUMN, START_COLUMN
from smurf_core.data.problems import listing
from smurf_core.data.readers.registry import read
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError
from smurf_core.extraction.audio import AUDIO_SUFFIXES, DECODED_SUFFIXES
from smurf_core.extraction.features import Kind
from smurf_core.extraction.utterances import Columns
from smurf_core.extraction.video import VIDEO_SUFFIXES

__all__ = [
    "ID_COLUMN", "Columns", "Plan", "guess_columns", "plan", "read_table", "split_uploads",
]  # fmt: skip
RECORDING_SUFFIXES = tuple(dict.fromkeys((*AUDIO_SUFFIXES, *DECODED_SUFFIXES)))
ID_COLUMN = "sample_id"
_SHOWN = ("WAV", "MP3", "FLAC", "M4A", "MP4", "MOV", "AVI", "MPG", "MKV")


@dataclass(frozen=True)
class Plan:
    """A table whose rows name recordings by the names under which they are stored.

    `table` has the columns `sample_id`, `media` (the stored name without suffix), `start` and `end`
    (seconds, if the user's table has them), and all others under their own names. `recordings` is
    the stored name → the upload.
    """

    table: pd.DataFrame
    recordings: Mapping[str, SourceFile]
    text: str  # column of transcripts; empty: none
    without: tuple[str, ...]  # ids of rows whose recording was not uploaded
    unused: tuple[str, ...]  # uploads that no row names

    def total(self, kind: Kind) -> int:
        """Number of utterances from which features of a kind can be extracted."""
        if kind != "text":
            return int(self.table[MEDIA_COLUMN].notna().sum())
        return int(_said(self.table[self.text]).sum()) if self.text else 0

    def why_not(self, kind: Kind) -> str:
        """Why nothing of a kind can be extracted from these files; empty if something can."""
        if kind == "text" and not self.total(kind):
            return "The table has no transcripts, or their column is not chosen."
        if kind == "video" and not any(name.endswith(VIDEO_SUFFIXES) for name in self.recordings):
            return "None of the recordings is a video."
        return ""

    @property
    def sentence(self) -> str:
        """How rows and recordings match, for people."""
        rows = len(self.table)
        found = f"{rows - len(self.without):,} of {rows:,} rows have a recording"
        missing = f"; none was dropped for {listing(self.without)}" if self.without else ""
        unused = f" No row names {listing(self.unused)}." if self.unused else ""
        return f"{found}{missing}.{unused}"


def split_uploads(sources: Iterable[SourceFile]) -> tuple[SourceFile, tuple[SourceFile, ...]]:
    """The table and the recordings among uploaded files, by their names.

    Raises `InputError` if one of them is missing, or recordings have the same name.
    """
    recordings: list[SourceFile] = []
    tables: list[SourceFile] = []
    for source in sources:
        (recordings if source.suffix in RECORDING_SUFFIXES else tables).append(source)
    if not tables:
        raise InputError(
            "Also drop a table with one row per utterance: its id, recording, start and end, "
            "transcript, target and person."
        )
    if len(tables) > 1:
        raise InputError(
            f"One table of utterances is needed, and {len(tables)} files are no recordings "
            f"({listing([table.name for table in tables])}): keep one of them."
        )
    if not recordings:
        raise InputError(
            f"Also drop the recordings that {tables[0].name} names ({listing(_SHOWN, 9)})."
        )
    names = [f"{_key(recording.stem)}{recording.suffix}" for recording in recordings]
    if repeated := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise InputError(f"Several recordings are named {listing(repeated)}: keep one of each.")
    return tables[0], tuple(recordings)


def read_table(source: SourceFile) -> pd.DataFrame:
    """The rows of a table of utterances, in any format that an import reads."""
    return read(source)[0].frame


def guess_columns(table: pd.DataFrame, recordings: Sequence[SourceFile]) -> Columns:
    """Columns by their usual names; that of recordings is the one that names most uploads."""
    names = _names(recordings)
    matches = {
        str(column): int(sum(_recording(cell, names) is not None for cell in table[column]))
        for column in table
        if not pd.api.types.is_float_dtype(table[column])
    }
    best = max(matches.values(), default=0)
    file = next((column for column, count in matches.items() if best and count == best), "")
    identifier = _column(table, ID_NAMES, lambda c: bool(c.notna().all() and c.is_unique))
    return Columns(
        id=identifier or (file if file and table[file].is_unique else ""),
        file=file,
        start=_column(table, START_NAMES, pd.api.types.is_numeric_dtype),
        end=_column(table, END_NAMES, pd.api.types.is_numeric_dtype),
        text=_column(table, TRANSCRIPT_NAMES, lambda c: c.name not in (identifier, file)),
    )


def plan(table: pd.DataFrame, recordings: Sequence[SourceFile], columns: Columns) -> Plan:
    """Match rows with uploads, and name both anew: files get no names that a user wrote.

    Raises
    ------
    InputError
        If ids are missing or repeat, seconds are no numbers, or no row has a recording.
    """
    if not columns.id:
        raise InputError("Choose the column of sample ids: each row needs a different one.")
    ids = table[columns.id]
    if ids.isna().any() or not ids.is_unique:
        raise InputError(
            f"Column {columns.id!r}: sample ids are missing or repeat; each row needs a different "
            "one."
        )
    for column in filter(None, (columns.start, columns.end)):
        if not pd.api.types.is_numeric_dtype(table[column]):
            raise InputError(f"Column {column!r}: seconds must be numbers, such as 12.34.")
    names = _names(recordings)
    stems = {key: f"clip_{k:04d}" for k, key in enumerate(dict.fromkeys(names.values()), 1)}
    found = [_recording(cell, names) for cell in table[columns.file or columns.id]]
    if not any(found):
        raise InputError(
            f"No cell of column {(columns.file or columns.id)!r} names one of the recordings "
            f"({listing([recording.name for recording in recordings])}): choose their column."
        )
    made = pd.DataFrame(
        {
            ID_COLUMN: ids.astype("str").to_numpy(),
            MEDIA_COLUMN: [None if key is None else stems[key] for key in found],
        }
    )
    for name, column in ((START_COLUMN, columns.start), (END_COLUMN, columns.end)):
        if column:
            made[name] = table[column].to_numpy()
    text = ""
    taken = (columns.id, columns.start, columns.end)
    for other in (str(name) for name in table if name not in taken):
        name = f"{other} given" if other in made else other
        made[name] = table[other].to_numpy()
        text = name if other == columns.text else text
    used = {key for key in found if key is not None}
    stored, unused = {}, []
    for recording in recordings:
        key = _key(recording.stem)
        if key in used:
            stored[f"{stems[key]}{recording.suffix}"] = recording
        else:
            unused.append(recording.name)
    without = [name for name, key in zip(made[ID_COLUMN], found, strict=True) if key is None]
    return Plan(made, stored, text, tuple(without), tuple(unused))


def _names(recordings: Sequence[SourceFile]) -> dict[str, str]:
    """How cells may name an upload (with or without suffix) → its key."""
    keys = {_key(recording.name): _key(recording.stem) for recording in recordings}
    return {**{key: key for key in keys.values()}, **keys}


def _key(name: str) -> str:
    return name.strip().casefold()


def _recording(cell: Any, names: Mapping[str, str]) -> str | None:
    """The key of the upload that a cell names, with or without folders and suffix."""
    if not isinstance(cell, str | int) or isinstance(cell, bool):
        return None
    base = PurePosixPath(_key(str(cell)).replace("\\", "/"))
    if base.name in names:
        return names[base.name]
    return names.get(base.stem) if base.suffix in RECORDING_SUFFIXES else None


def _column(
    table: pd.DataFrame, usual: Sequence[str], fits: Callable[[pd.Series[Any]], bool]
) -> str:
    plain = {plain_name(str(column)): str(column) for column in reversed(table.columns)}
    return next((plain[n] for n in usual if n in plain and fits(table[plain[n]])), "")


def _said(cells: pd.Series[Any]) -> pd.Series[bool]:
    return cells.notna() & cells.astype("str").str.strip().ne("")
