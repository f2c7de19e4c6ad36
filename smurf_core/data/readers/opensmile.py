"""openSMILE: functionals are rows; low-level descriptors are frames, to be summarised.

`SMILExtract` writes `name;frameTime;…` or ARFF, the Python package `file,start,end,…` as CSV or
Parquet. audformat writes labels with the same three columns: they are read here, as labels.
"""

from __future__ import annotations

import csv
import io
import posixpath
import re
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from smurf_core.data.problems import Problem
from smurf_core.data.readers.arff import ArffReader
from smurf_core.data.readers.arrow import ParquetReader
from smurf_core.data.readers.cut_samples import recording_name
from smurf_core.data.readers.decimal_sign import with_decimal_sign
from smurf_core.data.readers.delimited import DelimitedReader
from smurf_core.data.readers.frames import (
    ReadingOptions,
    Recording,
    Track,
)
from smurf_core.data.readers.interface import Table
from smurf_core.data.sources import SourceFile, check_shape
from smurf_core.errors import InputError

_START = 4 * 1024**2  # bytes: the header of 6,373 functionals alone takes 0.2 MB
_SHORT = 0.2  # seconds: windows of descriptors are shorter, and those of functionals are longer
_UNNAMED = ("", "unknown", "noname")
_TIMES = ("frameTime", "frameIndex", "start", "end")
_CLASSES = ("class", "emotion", "label")
_PARQUET = b"PAR1"
# Pieces of the names of openSMILE's features.
_OPENSMILE = re.compile(
    r"_sma|_amean|_stddev|semitone|mfcc|pcm_|jitter|shimmer|loudness|PerSec|F[0-3]|alphaRatio|HNR"
    r"|hammarberg|spectral|slope\d|voicing|voiceProb|audspec|lspFreq",
    re.IGNORECASE,
)


class OpenSmileReader:
    """Functionals: one row per clip."""

    title = "openSMILE"
    suffixes = (".csv", ".arff", ".txt", ".parquet", ".pq")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the first columns are those of openSMILE."""
        return _has_names(source, head)

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table, with the clips' names as ids."""
        table = _cells(source, rows)
        return (_functionals(table, source),)


class OpenSmileFramesReader:
    """Low-level descriptors: many rows per clip, at intervals of a hundredth of a second."""

    title = "openSMILE frames"
    suffixes = (".csv", ".arff", ".txt", ".parquet", ".pq")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the first rows are frames of one clip."""
        return _has_names(source, head) and _are_frames(source)

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
            for c in table.columns
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


def _has_names(source: SourceFile, head: bytes) -> bool:
    if head.startswith(_PARQUET):
        return {"file", "start", "end"} <= set(_parquet_names(source))
    start = head.lstrip(b"\xef\xbb\xbf")[:4096]
    if start.lstrip().lower().startswith((b"@relation", b"%")):
        attributes = [
            line.split()[1].strip(b"'\"")
            for line in head.splitlines()
            if line.lower().startswith(b"@attribute") and len(line.split()) > 1
        ]
        return attributes[:1] == [b"name"] and (
            b"frameTime" in attributes[:3] or b"opensmile" in start.lower()
        )
    line = start.partition(b"\n")[0].replace(b'"', b"").strip()
    return line.startswith((b"name;frameTime;", b"name,frameTime,", b"file,start,end,"))


def _parquet_names(source: SourceFile) -> list[str]:
    try:
        return [str(name) for name in pq.read_schema(source.path).names]
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return []


def _first_rows(source: SourceFile) -> list[dict[str, str]]:
    """File, start and end of the first two rows of a Parquet file, as text."""
    wanted = ["file", "start", "end"]
    try:
        with pq.ParquetFile(source.path) as file:
            batch = next(file.iter_batches(batch_size=2, columns=wanted), None)
            rows = batch.to_pandas() if batch is not None else pd.DataFrame(columns=wanted)
    except (pa.ArrowException, OSError, ValueError):
        return []
    rows = rows.reset_index()
    return [{name: str(row[name]) for name in wanted} for _, row in rows.iterrows()]


def _cells(source: SourceFile, rows: int | None) -> Table:
    """The file as a table, without the note that semicolons separate its columns."""
    head = source.head()
    readers = (ParquetReader(), ArffReader(), DelimitedReader())
    reader = next((reader for reader in readers if reader.recognises(source, head)), readers[-1])
    (table,) = (with_decimal_sign(t, "") for t in reader.read(source, rows=rows))
    check_shape(source, *table.frame.shape)
    reported = tuple(p for p in table.problems if "separated by semicolon" not in p.message)
    return replace(table, problems=reported)


def _are_frames(source: SourceFile) -> bool:
    """True if the first two rows are from one clip, at different times or in short windows."""
    if source.head(4) == _PARQUET:
        return _are_windows(_first_rows(source))
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
    return _are_windows(rows)


def _are_windows(rows: list[dict[str, str]]) -> bool:
    """True for two rows of one clip that are both short."""
    if len(rows) < 2 or "end" not in rows[0]:
        return False
    lengths = [_seconds(row["end"]) - _seconds(row["start"]) for row in rows]
    return rows[0]["file"] == rows[1]["file"] and max(lengths) < _SHORT


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


def _name_column(frame: pd.DataFrame, source: SourceFile) -> str:
    for column in ("file", "name"):
        if column in frame:
            return column
    raise InputError(
        f"{source.name} begins with openSMILE's columns, but its table has no column file or name: "
        "write the file again."
    )


def _clips(frame: pd.DataFrame, source: SourceFile) -> npt.NDArray[np.object_]:
    """The clip of each row: its name without folder and suffix, if this differs between files."""
    paths = frame[_name_column(frame, source)].astype("str").fillna("").str.strip("'\" ")
    names = paths.map(recording_name)
    if paths.nunique() > names.nunique():
        names = _below_common_folder(paths)
    if len(set(names)) == 1 and names.iloc[0].lower() in _UNNAMED:
        names = pd.Series([source.stem] * len(names))
    return names.to_numpy(dtype=object)


def _below_common_folder(paths: pd.Series[Any]) -> pd.Series[Any]:
    """Paths as they are; absolute ones without the folder that all of them are in."""
    plain = paths.str.replace("\\", "/", regex=False)
    if not plain.str.match(r"(/|[A-Za-z]:/)").all():
        return plain
    common = posixpath.commonpath(plain.str.rpartition("/")[0].unique().tolist())
    return plain.str.removeprefix(f"{common}/")


def _functionals(table: Table, source: SourceFile) -> Table:
    frame = table.frame
    clips = _clips(frame, source)
    column = _name_column(frame, source)
    problems = list(table.problems)
    repeated = len(set(clips.tolist())) < len(clips)
    ids = _segment_names(frame, clips, source) if repeated else clips
    kept: dict[str, Any] = {"sample_id": pd.Series(list(ids), dtype="str")}
    if repeated and set(clips.tolist()) == {source.stem}:
        del kept["sample_id"]
        message = "its rows have no names; SMILExtract writes them with the option -instname."
        remedy = "Rows can be matched only by position."
        problems.append(Problem("warning", message, source.name, column, remedy=remedy))
    elif repeated:
        message = f"several rows of one {column}."
        remedy = f"Samples were named by it and their time, such as {ids[0]!r}."
        problems.append(Problem("note", message, source.name, column, remedy=remedy))
        kept["recording"] = pd.Series(clips.tolist(), dtype="str")
    if "start" in frame and repeated:
        kept["start"], kept["end"] = _times(frame, source)
    for name in frame.columns:
        if (name in _CLASSES and frame[name].notna().any()) or name not in _not_features(frame):
            kept[name] = frame[name]
    is_audio = _are_features(frame)
    return replace(
        table,
        frame=pd.DataFrame(kept),
        problems=tuple(problems),
        modality="audio" if is_audio else "",
        pile="opensmile" if is_audio else "audformat",
    )


def _are_features(frame: pd.DataFrame) -> bool:
    """False for labels and other features with the same index as openSMILE's features."""
    if "start" not in frame:
        return True
    columns = [column for column in frame.columns if column not in _TIMES and column != "file"]
    return any(_OPENSMILE.search(column) for column in columns)


def _segment_names(
    frame: pd.DataFrame, clips: npt.NDArray[np.object_], source: SourceFile
) -> npt.NDArray[np.object_]:
    """`clip[1.5-3.25]`: the same segment has the same name in every table, in any row order."""
    if "start" in frame:
        start, end = _times(frame, source)
        ids = [
            f"{clip}[{_short(a)}-{_short(b)}]" for clip, a, b in zip(clips, start, end, strict=True)
        ]
        if len(set(ids)) == len(ids):
            return np.array(ids, dtype=object)
    counts = pd.Series(clips).groupby(clips).cumcount()
    return np.array([f"{clip}[{k}]" for clip, k in zip(clips, counts, strict=True)], dtype=object)


def _short(seconds: float) -> str:
    """Seconds to the millisecond; empty for the end of a file."""
    return "" if np.isnan(seconds) else f"{seconds:.3f}".rstrip("0").rstrip(".")
