"""Empatica E4 folders and NeuroKit's signals: frames of a wristband or of a processed signal."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from smurf_core.data.problems import Problem
from smurf_core.data.readers.frame_tables import frame_table, header_names, track_of
from smurf_core.data.readers.frames import ReadingOptions, Recording, Track
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

_COLUMNS = {
    "ACC": ("x", "y", "z"), "BVP": ("bvp",), "EDA": ("eda",), "HR": ("hr",), "TEMP": ("temp",),
    "IBI": ("ibi",),
}  # fmt: skip
_TAGS = "tags"
_EPOCHS = (1e9, 4e9)  # seconds since 1970: 2001 to 2096
_FASTEST = 1024
_NEUROKIT = re.compile(r"(ECG|EDA|RSP|PPG|EMG|EOG)_\w+$")
_STATISTICS = ("mean", "sd", "p10", "p50", "p90")


class E4Reader:
    """Files of an E4: the first row is the start, the second the rate, and the rest values."""

    title = "Empatica E4"
    suffixes = (".csv",)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file has an E4's name, and its first row is a moment."""
        lines = [_cells(line) for line in head.decode("latin-1").splitlines()[:2]]
        if source.stem not in (*_COLUMNS, _TAGS) or not lines or not lines[0]:
            return False
        return _is_moment(lines[0][0])

    def recordings(
        self, source: SourceFile, options: ReadingOptions, *, rows: int | None = None
    ) -> tuple[Recording, ...]:
        """One recording, named after the folder; none for the tags that a person pressed."""
        if source.stem == _TAGS:
            return ()
        lines = [_cells(line) for line in source.head().decode("latin-1").splitlines()[:2]]
        began = float(lines[0][0])
        moment = datetime.fromtimestamp(began, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        rate = None if source.stem == "IBI" else _rate(lines, source)
        second = "" if rate is None else f", the second its rate ({rate:g} per second)"
        note = Problem(
            "note", f"the first row is the start of the recording ({moment}){second}.",
            source.name, remedy="Times count in seconds from this start.",
        )  # fmt: skip
        name = source.stem.lower()
        return (
            Recording(
                kind=f"e4_{name}",
                name=source.path.parent.name or "E4",
                source=source,
                columns=_COLUMNS[source.stem],
                load=lambda: _signal(source, rate, rows),
                modality=name,
                options={"start": moment, "frames": str(options.frames)},
                problems=(note,),
                began=began,
            ),
        )


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split(",")]


def _is_moment(text: str) -> bool:
    try:
        return _EPOCHS[0] <= float(text) <= _EPOCHS[1]
    except ValueError:
        return False


def _rate(lines: list[list[str]], source: SourceFile) -> float:
    try:
        rate = float(lines[1][0])
    except (IndexError, ValueError):
        rate = 0.0
    if not 0 < rate <= _FASTEST:
        raise InputError(
            f"{source.name}, row 2: the rate of an E4's signal is needed, in values per second."
        )
    return rate


def _signal(source: SourceFile, rate: float | None, rows: int | None) -> Track:
    """The values at their times in seconds; intervals between beats name their own times."""
    skipped = 1 if rate is None else 2
    try:
        cells = pd.read_csv(
            source.path, header=None, skiprows=skipped, nrows=rows, dtype=np.float64,
            encoding="latin-1",
        )  # fmt: skip
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(
            f"{source.name} is not a complete file of an E4: below its start and rate, numbers are "
            "needed."
        ) from error
    width = len(_COLUMNS[source.stem]) + (rate is None)
    if cells.shape[1] != width:
        raise InputError(f"{source.name} has {cells.shape[1]} columns where an E4 writes {width}.")
    values = cells.to_numpy()
    at = values[:, 0] if rate is None else np.arange(len(values)) / rate
    signals = values[:, 1:] if rate is None else values
    return Track(at, at, signals, np.isfinite(at))


class NeuroKitReader:
    """Signals as NeuroKit's `ecg_process`, `eda_process` … return them: one row per measurement."""

    title = "NeuroKit signals"
    suffixes = (".csv",)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the header names a raw signal and a clean one."""
        names = header_names(head)
        kinds = {name.partition("_")[0] for name in names if name.endswith("_Raw")}
        return any(f"{kind}_Clean" in names and _NEUROKIT.match(f"{kind}_Raw") for kind in kinds)

    def recordings(
        self, source: SourceFile, options: ReadingOptions, *, rows: int | None = None
    ) -> tuple[Recording, ...]:
        """One recording: the file's, with its name."""
        names = [name for name in header_names(source.head()) if _NEUROKIT.match(name)]
        kinds = {name.partition("_")[0].lower() for name in names}
        note = Problem(
            "note", "signals of NeuroKit, without times.", source.name,
            remedy="They were summarised over the whole file.",
        )  # fmt: skip

        def load() -> Track:
            frame = frame_table(source).iloc[:rows]
            used = [name for name in names if pd.api.types.is_numeric_dtype(frame[name])]
            if used != names:
                lost = next(name for name in names if name not in used)
                raise InputError(f"{source.name}, column {lost!r}: a signal needs numbers.")
            return track_of(frame, names, source)

        return (
            Recording(
                kind="neurokit",
                name=source.stem,
                source=source,
                columns=tuple(names),
                load=load,
                modality=kinds.pop() if len(kinds) == 1 else "physio",
                statistics=_STATISTICS,
                options={"frames": str(options.frames)},
                problems=(note,),
            ),
        )
