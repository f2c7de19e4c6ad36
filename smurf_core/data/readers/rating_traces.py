"""CARMA and DARMA: continuous ratings of a recording, averaged for every sample."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np

from smurf_core.data.problems import Problem
from smurf_core.data.readers.cut_samples import recording_name
from smurf_core.data.readers.frames import ReadingOptions, Recording, Track
from smurf_core.data.sources import MAX_CELLS, SourceFile
from smurf_core.errors import InputError

_FIRST = b"Time of Rating"
_BUTTON = "B"  # DARMA's last column: whether a button was pressed


@dataclass(frozen=True)
class _Trace:
    media: str
    scale: str  # the labels and values of its ends
    columns: tuple[str, ...]
    rows: list[list[str]]  # below the header


class RatingTraceReader:
    """Exports with a head of settings, and those that repeat the settings in every row."""

    title = "CARMA or DARMA"
    suffixes = (".csv",)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file starts with CARMA's settings or names its columns."""
        start = head.lstrip(b'\xef\xbb\xbf"')
        names = start.partition(b"\n")[0].strip().split(b",")
        return start.startswith(_FIRST) or (
            names[:1] == [b"Filename"] and names[-2:] == [b"Second", b"Rating"]
        )

    def recordings(
        self, source: SourceFile, options: ReadingOptions, *, rows: int | None = None
    ) -> tuple[Recording, ...]:
        """One recording, named after the rated file."""
        trace = _trace(source)
        note = Problem(
            "note", f"ratings of {trace.media or source.stem} over time{trace.scale}.", source.name,
            remedy="Their mean over a sample is its rating.",
        )  # fmt: skip
        return (
            Recording(
                kind="ratings",
                name=recording_name(trace.media) or source.stem,
                source=source,
                columns=trace.columns,
                load=lambda: _track(trace, source, rows),
                modality="",
                statistics=("mean",),
                options={"frames": str(options.frames)},
                problems=(note,),
            ),
        )


def _trace(source: SourceFile) -> _Trace:
    try:
        text = source.path.read_text(encoding="utf-8-sig", errors="replace")
        rows = [row for row in csv.reader(io.StringIO(text)) if any(row)]
    except (OSError, csv.Error) as error:
        raise InputError(f"{source.name} is not a complete export of CARMA or DARMA.") from error
    if len(rows) * 4 > MAX_CELLS:
        raise InputError(f"{source.name} is longer than any rating.")
    at = next((i for i, row in enumerate(rows) if "Second" in row), None)
    if at is None or not rows[at + 1 :]:
        raise InputError(f"{source.name} has no column 'Second' with ratings below it.")
    header = rows[at]
    first = header.index("Second")
    settings = {row[0]: row[1] for row in rows[:at] if len(row) > 1}
    body = [row for row in rows[at + 1 :] if not row[0].startswith("%")]
    if first:  # the settings are repeated in every row
        settings = dict(zip(header[:first], body[0], strict=False)) if body else {}
    ends = [settings.get(f"{end} Label", "") for end in ("Lower", "Upper")]
    scale = f", from {ends[0]!r} to {ends[1]!r}" if all(ends) else ""
    media = settings.get("Multimedia File") or settings.get("Filename", "")
    columns = [name.strip() or f"rating_{k}" for k, name in enumerate(header[first + 1 :], 1)]
    if columns[-1:] == [_BUTTON]:
        columns.pop()
    named = tuple(dict.fromkeys("rating" if c == "Rating" else c for c in columns))
    if not named or len(named) < len(columns):
        raise InputError(f"{source.name} names no ratings, or two of them alike, beside 'Second'.")
    return _Trace(media, scale, named, [row[first:] for row in body])


def _track(trace: _Trace, source: SourceFile, rows: int | None) -> Track:
    width = 1 + len(trace.columns)
    made = np.full((len(trace.rows[:rows]), width), np.nan)
    for number, row in enumerate(trace.rows[:rows]):
        for place, cell in enumerate(row[:width]):
            try:
                made[number, place] = float(cell) if cell.strip() else np.nan
            except ValueError as error:
                raise InputError(
                    f"{source.name}, rating {number + 1}: {cell[:40]!r} is not a number."
                ) from error
    at = made[:, 0]
    return Track(at, at, made[:, 1:], np.isfinite(at))
