"""openSMILE: functionals are rows; low-level descriptors are frames, to be summarised.

`SMILExtract` writes `name;frameTime;…` or ARFF, the Python package `file,start,end,…`.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.problems import Problem
from smurf_core.data.readers.arff import ArffReader
from smurf_core.data.readers.decimal_sign import with_decimal_sign
from smurf_core.data.readers.delimited import DelimitedReader
from smurf_core.data.readers.frames import (
    ReadingOptions,
    Recording,
    Track,
    recording_name,
)
from smurf_core.data.readers.interface import Table
from smurf_core.data.sources import SourceFile, check_shape
from smurf_core.errors import InputError

_START = 4 * 1024**2  # bytes: the header of 6,373 functionals alone takes 0.2 MB
_SHORT = 0.2  # seconds: windows of descriptors are shorter, and those of functionals are longer
_UNNAMED = ("", "unknown", "noname")
_TIMES = ("frameTime", "frameIndex", "start", "end")
_CLASSES = ("class", "emotion", "label")


class OpenSmileReader:
    """Functionals: one row per clip."""

    title = "openSMILE"
    suffixes = (".csv", ".arff", ".txt")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the first columns are those of openSMILE."""
        return _has_names(head)

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table, with the clips' names as ids."""
        table = _cells(source, rows)
        return (_functionals(table, source),)


class OpenSmileFramesReader:
    """Low-level descriptors: many rows per clip, at intervals of a hundredth of a second."""

    title = "openSMILE frames"
    suffixes = (".csv", ".arff", ".txt")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the first rows are frames of one clip."""
        return _has_names(head) and _are_frames(source)

    def recordings(
        self, source: SourceFile, options: ReadingOptions, *, rows: int | None = None
    ) -> tuple[Recording, ...]:
        """One recording per clip; a single one without a name is named after the file."""
        table = _cells(source, rows)
        # Windows overlap: each counts once, at the time at which it starts.
        start, _ = _times(table.frame, source)
        clips = _clips(table.frame, source)
        features = tuple(
            c
            for c in table.frame.columns
            if c not in _not_features(table.frame) and pd.api.types.is_numeric_dtype(table.frame[c])
        )
        if not features:
            raise InputError(f"{source.name} contains no descriptors, only names and times.")
        values = table.frame[list(features)].to_numpy(dtype=np.float64, na_value=np.nan)
        made = []
        for name in dict.fromkeys(clips):
            own = np.flatnonzero(clips == name)
            track = Track(start[own], start[own], values[own], np.ones(len(own), dtype=bool))
            made.append(
                Recording(
                    kind="opensmile",
                    name=str(name),
                    source=source,
                    columns=features,
                    load=lambda track=track: track,  # type: ignore[misc]
                    modality="audio",
                    options={**table.options, "frames": str(options.frames)},
                    problems=table.problems,
                )
            )
        return tuple(made)


def _has_names(head: bytes) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf")[:4096].lower()
    if start.lstrip().startswith((b"@relation", b"%")):
        attributes = [
            line.split()[1].strip(b"'\"")
            for line in head.splitlines()
            if line.lower().startswith(b"@attribute") and len(line.split()) > 1
        ]
        return attributes[:1] == [b"name"] and (
            b"frameTime" in attributes[:3] or b"opensmile" in start
        )
    line = start.partition(b"\n")[0].replace(b'"', b"").strip()
    return line.startswith((b"name;frametime;", b"name,frametime,", b"file,start,end,"))


def _cells(source: SourceFile, rows: int | None) -> Table:
    """The file as a table, without the note that semicolons separate its columns."""
    head = source.head()
    reader = ArffReader() if ArffReader().recognises(source, head) else DelimitedReader()
    (table,) = (with_decimal_sign(t, "") for t in reader.read(source, rows=rows))
    check_shape(source, *table.frame.shape)
    reported = tuple(p for p in table.problems if "separated by semicolon" not in p.message)
    return replace(table, problems=reported)


def _are_frames(source: SourceFile) -> bool:
    """True if the first two rows are from one clip, at different times or in short windows."""
    text = source.head(_START).decode("utf-8", "replace").lstrip("\ufeff")
    delimiter = ","
    if text.lstrip().startswith(("@", "%")):
        head, _, body = text.partition("@data")
        lines = [line.split() for line in head.splitlines()]
        names = [line[1].strip("'\"") for line in lines if line[:1] == ["@attribute"] and line[1:]]
        text = ",".join(names) + "\n" + body.lstrip()
    elif ";" in text.partition("\n")[0]:
        delimiter = ";"
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, restval="")
    csv.field_size_limit(_START)
    try:
        rows = list(islice(reader, 2))
    except csv.Error:
        return False
    if len(rows) < 2:
        return False
    first, second = rows
    if "name" in first:
        moments = first.get("frameTime"), second.get("frameTime")
        return first["name"] == second["name"] and moments[0] != moments[1]
    if "end" not in first:
        return False
    lengths = [_seconds(row["end"]) - _seconds(row["start"]) for row in rows]
    return first["file"] == second["file"] and max(lengths) < _SHORT


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float(pd.to_timedelta([text], errors="coerce").total_seconds()[0])


def _not_features(frame: pd.DataFrame) -> set[str]:
    return {*_TIMES, "name", "file", *_CLASSES}


def _times(
    frame: pd.DataFrame, source: SourceFile
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Start and end of each row in seconds; equal if the file has no windows."""
    is_window = {"start", "end"} <= set(frame)
    if not is_window and "frameTime" not in frame:
        raise InputError(f"{source.name} has no columns start and end: write it again.")
    if not is_window:
        at = _as_seconds(frame["frameTime"], "frameTime", source)
        return at, at
    start = _as_seconds(frame["start"], "start", source)
    return start, _as_seconds(frame["end"], "end", source)


def _as_seconds(cells: pd.Series[Any], column: str, source: SourceFile) -> npt.NDArray[np.float64]:
    if pd.api.types.is_numeric_dtype(cells):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    spans = pd.to_timedelta(cells, errors="coerce")
    wrong = np.flatnonzero(spans.isna() & cells.notna())
    if len(wrong):
        raise InputError(
            f"{source.name}, column {column!r}, row {wrong[0] + 1}: "
            f"{str(cells.iloc[wrong[0]])[:40]!r} is not a time."
        )
    return np.asarray(spans.dt.total_seconds(), dtype=np.float64)


def _clips(frame: pd.DataFrame, source: SourceFile) -> npt.NDArray[np.object_]:
    """The clip of each row: its name without folder and suffix."""
    column = "file" if "file" in frame else "name"
    texts = frame[column].astype("str").fillna("").str.strip("'\" ").map(recording_name)
    if len(set(texts)) == 1 and texts.iloc[0].lower() in _UNNAMED:
        texts = pd.Series([source.stem] * len(texts))
    return texts.to_numpy(dtype=object)


def _functionals(table: Table, source: SourceFile) -> Table:
    frame = table.frame
    clips = _clips(frame, source)
    column = "file" if "file" in frame else "name"
    problems = list(table.problems)
    counts = pd.Series(clips).groupby(clips).cumcount()
    repeated = len(set(clips.tolist())) < len(clips)
    ids = [f"{clip}[{k}]" for clip, k in zip(clips, counts, strict=True)] if repeated else clips
    kept: dict[str, Any] = {"sample_id": pd.Series(list(ids), dtype="str")}
    if repeated and set(clips.tolist()) == {source.stem}:
        del kept["sample_id"]
        message = "its rows have no names; SMILExtract writes them with the option -instname."
        remedy = "Rows can be matched only by position."
        problems.append(Problem("warning", message, source.name, column, remedy=remedy))
    elif repeated:
        message = f"several rows of one {column}."
        remedy = "Samples were numbered within it, as clip[0], clip[1]."
        problems.append(Problem("note", message, source.name, column, remedy=remedy))
        kept["recording"] = pd.Series(clips.tolist(), dtype="str")
    if "start" in frame and repeated:
        kept["start"], kept["end"] = _times(frame, source)
    for name in frame.columns:
        if (name in _CLASSES and frame[name].notna().any()) or name not in _not_features(frame):
            kept[name] = frame[name]
    return replace(
        table,
        frame=pd.DataFrame(kept),
        problems=tuple(problems),
        modality="audio",
        pile="opensmile",
    )
