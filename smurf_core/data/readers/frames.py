"""Summarises rows over time, as trackers write them, to one row of statistics per sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.column_names import END_NAMES, START_NAMES, plain_name
from smurf_core.data.problems import Problem, Severity, listing
from smurf_core.data.readers.cut_samples import (
    made_ids,
    recording_column,
    recording_name,
    segment_ids,
)
from smurf_core.data.readers.interface import Table
from smurf_core.data.sources import SourceFile, check_shape
from smurf_core.errors import InputError

STATISTICS = ("mean", "sd", "p10", "p50", "p90", "slope")
_QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


@dataclass(frozen=True)
class ReadingOptions:
    """How cells and frames are read where a file leaves a choice.

    `confidence` is the minimum confidence of a tracker in a frame, `frames` the minimum number of
    frames per sample. `decimal` is the decimal sign of files whose cells do not show it.
    """

    confidence: float = 0.8
    frames: int = 1
    decimal: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise InputError(
                f"The minimum confidence must be between 0 and 1, got {self.confidence}."
            )
        if self.frames < 1:
            raise InputError(
                f"The minimum number of frames per sample must be at least 1, got {self.frames}."
            )
        if self.decimal not in ("", ".", ","):
            raise InputError(f"The decimal sign must be '.' or ',', got {self.decimal[:20]!r}.")

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> ReadingOptions:
        """Read a mapping's setting `reading`: numbers, or text that contains numbers."""
        known = [f.name for f in fields(cls)]
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise InputError(f"No option {unknown[0]!r} for reading; there are {listing(known)}.")
        kinds: dict[str, Callable[[Any], Any]] = {
            "confidence": float, "frames": int, "decimal": str,
        }  # fmt: skip
        try:
            read = {name: kinds[name](value) for name, value in given.items()}
        except (TypeError, ValueError) as error:
            raise InputError(
                "The options confidence and frames for reading must be numbers."
            ) from error
        return cls(**read)


@dataclass(frozen=True)
class Track:
    """The measurements of one recording: values [t, d] at times, or words [t]."""

    start: npt.NDArray[np.float64]  # seconds, [t]
    end: npt.NDArray[np.float64]  # equal to start for a moment
    values: npt.NDArray[np.float64]
    kept: npt.NDArray[np.bool_]  # frames that count
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recording:
    """The frames of one recording, which are read when they are needed."""

    kind: str  # recordings of one kind make one table
    name: str
    source: SourceFile
    columns: tuple[str, ...]
    load: Callable[[], Track]
    modality: str
    statistics: tuple[str, ...] = STATISTICS
    switches: frozenset[str] = frozenset()  # columns of 0 and 1
    options: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    began: float = 0.0  # seconds since 1970 at time 0, where they are known


@dataclass(frozen=True)
class Segments:
    """Samples as segments of recordings."""

    id_column: str
    ids: tuple[str, ...]
    recordings: tuple[str, ...]
    start: npt.NDArray[np.float64]
    end: npt.NDArray[np.float64]
    said_by: str  # the table that defines them
    are_made: bool = False  # the ids were made here: that table has none


def summarised(
    recordings: Sequence[Recording],
    tables: Sequence[Table],
    *,
    id_column: str = "",
    most: int | None = None,
) -> tuple[Table, ...]:
    """One table per kind: statistics of each sample's frames, for the first `most` recordings.

    Samples are the segments from a table with start and end, if there is one; otherwise each
    recording is a sample.
    """
    kinds: dict[tuple[str, tuple[str, ...]], list[Recording]] = {}
    for recording in recordings:
        kinds.setdefault((recording.kind, recording.columns), []).append(recording)
    return tuple(_summary(group, tables, id_column, most) for group in kinds.values())


def _summary(
    group: list[Recording], tables: Sequence[Table], id_column: str, most: int | None
) -> Table:
    first = group[0]
    names = [recording.name for recording in group]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise InputError(
            f"{first.kind}: there are two recordings {sorted(repeated)[0]!r}; give every file "
            "the name of its recording."
        )
    segments = find_segments(names, tables, id_column)
    by_recording: dict[str, list[int]] = {}
    for position, name in enumerate(segments.recordings if segments else ()):
        by_recording.setdefault(name, []).append(position)
    columns = summary_columns(first)
    check_shape(first.source, len(segments.ids) if segments else len(group), len(columns))
    rows: list[npt.NDArray[np.float64]] = []
    ids: list[str] = []
    texts: list[str | None] = []
    tally = _Tally()
    for recording in group[:most]:
        track = recording.load()
        # A table's times may count from 1970, and not from the recording's start.
        if segments and recording.began and min(segments.start, default=0) > 1e9:
            track = replace(
                track, start=track.start + recording.began, end=track.end + recording.began
            )
        tally.add(recording, track)
        wanted = by_recording.get(recording.name, []) if segments else []
        spans = [(segments.start[i], segments.end[i]) for i in wanted] if segments else []
        if segments and not _is_cut(segments, track, wanted):
            tally.uncut.append(recording.name)
            spans = [(-np.inf, np.inf)] * len(wanted)
        ids += [segments.ids[i] for i in wanted] if segments else [recording.name]
        for start, end in spans if segments else [(-np.inf, np.inf)]:
            row, text = _statistics(recording, track, start, end)
            if np.isnan(row).all() and not text:
                tally.empty.append(ids[len(rows)])
            rows.append(row)
            texts.append(text)
    if not rows:
        raise InputError(f"{first.source.name}: none of the samples is in its recordings.")
    name = first.source.name if len({r.source.name for r in group}) == 1 else first.kind
    frame: dict[str, Any] = {segments.id_column if segments else "sample_id": ids}
    if columns:
        values = np.stack(rows)
        frame |= {column: values[:, j] for j, column in enumerate(columns)}
    else:
        frame["transcript"] = pd.Series(texts, dtype="str")
    options = {**first.options}
    if segments:
        options["samples"] = f"cut by {segments.said_by}"
    return Table(
        name=name,
        frame=pd.DataFrame(frame),
        problems=(*_once(p for r in group for p in r.problems), *tally.problems(name, len(rows))),
        options=options,
        origins=tuple(dict.fromkeys(recording.source.name for recording in group)),
        modality=first.modality if columns else "",
    )


def _once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Problems without repetition: the same note for a thousand files is listed once."""
    first: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        first.setdefault((problem.message, problem.remedy), problem)
    return tuple(first.values())


class _Tally:
    """Counts of what was left out, over all recordings of a kind."""

    def __init__(self) -> None:
        self.frames = self.left_out = 0
        self.poor: list[str] = []  # recordings that lost more than half of their frames
        self.empty: list[str] = []
        self.uncut: list[str] = []

    def add(self, recording: Recording, track: Track) -> None:
        lost = int((~track.kept).sum())
        self.frames += len(track.kept)
        self.left_out += lost
        if 2 * lost > len(track.kept):
            self.poor.append(recording.name)

    def problems(self, file: str, samples: int) -> list[Problem]:
        found = []
        if self.left_out:
            message = f"{self.left_out:,} of {self.frames:,} frames were not tracked well enough"
            more = f" (most of them in {listing(self.poor)})" if self.poor else ""
            severity: Severity = "warning" if self.poor else "note"
            remedy = "They were left out of all statistics."
            found.append(Problem(severity, f"{message}{more}.", file, remedy=remedy))
        if self.empty:
            message = (
                f"{len(self.empty)} of {samples} samples have no frame that counts "
                f"({listing(self.empty)})."
            )
            remedy = "The modality is absent for them."
            found.append(Problem("warning", message, file, remedy=remedy))
        if self.uncut:
            message = f"start and end are outside of {len(self.uncut)} recordings"
            remedy = "These were not cut: each is taken as the clip of its sample."
            found.append(
                Problem("note", f"{message} ({listing(self.uncut)}).", file, remedy=remedy)
            )
        return found


def summary_columns(recording: Recording) -> tuple[str, ...]:
    """Names of a recording's statistics: `AU12_r_mean` …, `AU12_c_share` …"""
    if recording.columns == ("words",):
        return ()
    if not recording.modality and recording.statistics == ("mean",):  # ratings
        return recording.columns
    return tuple(
        f"{column}_{statistic}"
        for column in recording.columns
        for statistic in (("share",) if column in recording.switches else recording.statistics)
    )


def _statistics(
    recording: Recording, track: Track, start: float, end: float
) -> tuple[npt.NDArray[np.float64], str | None]:
    weights = np.where(track.kept, overlap(track, start, end), 0.0)
    inside = weights > 0
    if track.words:
        said = [word for word, is_said in zip(track.words, inside, strict=True) if is_said]
        return np.empty(0), " ".join(said) or None
    values = track.values[inside]
    least = int(recording.options.get("frames", "1"))
    if len(values) < least:
        return np.full(len(summary_columns(recording)), np.nan), None
    middle = ((track.start + track.end) / 2)[inside]
    return _of_values(recording, values, weights[inside], middle), None


def _of_values(
    recording: Recording,
    values: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    time: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Statistics of the columns of values [t, d], NaN left out; sd is of the population."""
    known = np.isfinite(values)
    weight = np.where(known, weights[:, None], 0.0)
    held = np.where(known, values, 0.0)
    total = weight.sum(axis=0)
    nothing = np.full(values.shape[1], np.nan)
    some = total > 0

    def mean(of: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(
            np.divide((weight * of).sum(axis=0), total, out=nothing.copy(), where=some)
        )

    means = mean(held)
    centred = np.where(known, values - means, 0.0)
    found = {"mean": means, "share": means, "sd": np.sqrt(mean(centred**2))}
    wanted = set(recording.statistics)
    if "slope" in wanted:  # change per second, by least squares
        clock = np.where(known, time[:, None], 0.0)
        clock = np.where(known, clock - mean(clock), 0.0)
        spread = mean(clock**2)
        slope = np.divide(
            mean(clock * centred), spread, out=np.zeros_like(spread), where=spread > 0
        )
        found["slope"] = np.where(some, slope, np.nan)
    quantiles = [name for name in _QUANTILES if name in wanted]
    if quantiles:
        asked = [_QUANTILES[name] for name in quantiles]
        computed = np.full((len(asked), values.shape[1]), np.nan)
        whole = known.all(axis=0)
        if whole.any():
            computed[:, whole] = np.quantile(values[:, whole], asked, axis=0)
        for j in np.flatnonzero(~whole & some):
            computed[:, j] = np.quantile(values[known[:, j], j], asked)
        found |= dict(zip(quantiles, computed, strict=True))
    return np.array(
        [
            found[statistic][j]
            for j, column in enumerate(recording.columns)
            for statistic in (("share",) if column in recording.switches else recording.statistics)
        ]
    )


def overlap(track: Track, start: float, end: float) -> npt.NDArray[np.float64]:
    """Seconds of each frame between start and end; 1 for a frame without length in between."""
    moments = (track.end <= track.start) & (track.start >= start) & (track.start < end)
    shared = np.minimum(track.end, end) - np.maximum(track.start, start)
    return np.where(moments, 1.0, np.maximum(shared, 0.0))


def _is_cut(segments: Segments, track: Track, wanted: list[int]) -> bool:
    """True if times count from the recording's start; those of a sample's clip may not."""
    if len(wanted) != 1 or not len(track.end):
        return True
    last = float(np.max(track.end))
    return bool(segments.start[wanted[0]] < last and segments.end[wanted[0]] <= last + 1.0)


def find_segments(
    recordings: Sequence[str], tables: Sequence[Table], id_column: str = ""
) -> Segments | None:
    """Samples with start and end from a table that names these recordings, or for the only one."""
    for table in tables:
        columns = {plain_name(column): column for column in reversed(table.frame.columns.to_list())}
        start = next((columns[name] for name in START_NAMES if name in columns), None)
        end = next((columns[name] for name in END_NAMES if name in columns), None)
        if start is None or end is None:
            continue
        times = table.frame[[start, end]]
        if not all(pd.api.types.is_numeric_dtype(times[column]) for column in (start, end)):
            continue
        named = recording_column(recordings, table)
        if named is None and len(recordings) > 1:
            continue
        frame = table.frame
        if named is None:
            belongs = pd.Series([recordings[0]] * len(frame), index=frame.index)
        else:
            belongs = table.text(named).astype("str").map(recording_name)
        found = segment_ids(table, id_column, named)
        id_name = found or "sample_id"
        ids = table.text(found).astype("str").tolist() if found else made_ids(belongs)
        begin, finish = (
            times[column].to_numpy(dtype=np.float64, na_value=np.nan) for column in (start, end)
        )
        wrong = np.flatnonzero(finish <= begin)
        if len(wrong):
            file, row = table.where(int(wrong[0]))
            raise InputError(
                f"{file}, columns {start!r} and {end!r}, row {row}: the end ({finish[wrong[0]]:g}) "
                f"is not after the start ({begin[wrong[0]]:g})."
            )
        known = np.isfinite(begin) & np.isfinite(finish)
        return Segments(
            id_column=id_name,
            ids=tuple(np.array(ids, dtype=object)[known].tolist()),
            recordings=tuple(belongs.to_numpy()[known].tolist()),
            start=begin[known],
            end=finish[known],
            said_by=table.name,
            are_made=not found,
        )
    return None


def with_made_ids(
    recordings: Sequence[str], tables: Sequence[Table], id_column: str = ""
) -> list[Table]:
    """The tables; one that cuts recordings and has no ids gets the ids made for its samples."""
    segments = find_segments(recordings, tables, id_column)
    if segments is None or not segments.are_made:
        return list(tables)
    ids = pd.Series(segments.ids, dtype="str")
    return [
        replace(
            table,
            frame=table.frame.assign(sample_id=ids),
            problems=(
                *table.problems,
                Problem(
                    "note",
                    "no column names the samples.",
                    table.name,
                    remedy=f"They were named by recording and number, such as {ids.iloc[0]!r}.",
                ),
            ),
        )
        if table.name == segments.said_by and len(ids) == len(table.frame)
        else table
        for table in tables
    ]
