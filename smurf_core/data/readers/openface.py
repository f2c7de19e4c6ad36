"""OpenFace `FeatureExtraction` CSV: one row per frame, with how well the face was tracked."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv

from smurf_core.data.problems import Problem
from smurf_core.data.readers.columns import check_names
from smurf_core.data.readers.frames import ReadingOptions, Recording, Track
from smurf_core.data.sources import SourceFile, check_shape
from smurf_core.errors import InputError

_NEEDED = ("timestamp", "confidence", "success")
# Positions of single landmarks depend on the head's position, which pose describes better.
_FEATURE = re.compile(r"(gaze_|pose_|AU\d\d_[rc]$)")
_SWITCH = re.compile(r"AU\d\d_c$")
_MISSING = ["", "nan", "-nan", "NaN", "-nan(ind)", "nan(ind)", "inf", "-inf", "NA"]
_MAX_HEADER = 65_536


class OpenFaceReader:
    """Action units, gaze and pose of OpenFace 2 and of older versions with blanks in the header."""

    title = "OpenFace"
    suffixes = (".csv",)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the header names a frame, its time, and how well it was tracked."""
        names = _header(head)
        return names[:1] == ["frame"] and all(name in names for name in _NEEDED)

    def recordings(
        self, source: SourceFile, options: ReadingOptions, *, rows: int | None = None
    ) -> tuple[Recording, ...]:
        """One recording: the file's, with its name."""
        names = check_names(_header(source.head(_MAX_HEADER)), source)
        features = [name for name in names if _FEATURE.match(name)]
        if not features:
            raise InputError(
                f"{source.name} contains no action units, gaze or pose: run FeatureExtraction with "
                "-aus, -gaze or -pose."
            )
        left_out = len(names) - len(features) - len({"frame", "face_id", *_NEEDED} & set(names))
        problems: tuple[Problem, ...] = ()
        if left_out:
            message = f"{left_out} columns of single landmarks and shape parameters."
            remedy = "They were left out: only action units, gaze and pose are summarised."
            problems = (Problem("note", message, source.name, remedy=remedy),)
        return (
            Recording(
                kind="openface",
                name=source.stem,
                source=source,
                columns=tuple(features),
                load=lambda: _track(source, names, features, options, rows),
                modality="video",
                switches=frozenset(name for name in features if _SWITCH.match(name)),
                options={
                    "confidence": f"{options.confidence:g}",
                    "frames": str(options.frames),
                },
                problems=problems,
            ),
        )


def _header(head: bytes) -> list[str]:
    line = head.partition(b"\n")[0].decode("latin-1")
    return [name.strip() for name in line.removeprefix("ï»¿").split(",")]


def _track(
    source: SourceFile,
    names: Sequence[str],
    features: Sequence[str],
    options: ReadingOptions,
    rows: int | None,
) -> Track:
    wanted = [*_NEEDED, *(["face_id"] if "face_id" in names else []), *features]
    table = _numbers(source, names, wanted)
    table = table if rows is None else table.slice(0, rows)
    check_shape(source, table.num_rows, len(names))
    if table.num_rows == 0:
        raise InputError(f"{source.name} has a header line but no frames below it.")

    def column(name: str) -> npt.NDArray[np.float64]:
        return np.asarray(table.column(name).to_numpy(), dtype=np.float64)

    time = column("timestamp")
    kept = (column("success") == 1) & (column("confidence") >= options.confidence)
    if "face_id" in names:
        faces, counts = np.unique(column("face_id")[kept], return_counts=True)
        if len(faces) > 1:  # the face in most frames
            kept &= column("face_id") == faces[counts.argmax()]
    kept &= np.isfinite(time)
    values = np.stack([column(name) for name in features], axis=1)
    return Track(start=time, end=time, values=values, kept=kept)


def _numbers(source: SourceFile, names: Sequence[str], wanted: Sequence[str]) -> pa.Table:
    try:
        return pa_csv.read_csv(
            source.path,
            read_options=pa_csv.ReadOptions(
                column_names=list(names), skip_rows=1, use_threads=False, encoding="latin-1"
            ),
            convert_options=pa_csv.ConvertOptions(
                include_columns=list(wanted),
                column_types=dict.fromkeys(wanted, pa.float64()),
                null_values=_MISSING,
            ),
        )
    except pa.ArrowInvalid as error:
        what = str(error).partition("\n")[0]
        raise InputError(
            f"{source.name} is not a complete OpenFace file ({what[:150]}): run FeatureExtraction "
            "again."
        ) from error
