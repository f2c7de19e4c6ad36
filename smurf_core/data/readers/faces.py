"""py-feat and LibreFace CSV: action units, expressions and pose of every frame."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.problems import Problem
from smurf_core.data.readers.cut_samples import recording_name
from smurf_core.data.readers.frame_tables import frame_table, header_names, numbers, track_of
from smurf_core.data.readers.frames import ReadingOptions, Recording
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

_STATISTICS = ("mean", "sd", "p10", "p50", "p90")
_PY_FEAT = re.compile(
    r"AU\d\d$|(Pitch|Roll|Yaw|anger|disgust|fear|happiness|sadness|surprise|neutral)$"
)
_LIBRE_FACE = re.compile(r"au_\d+(_intensity)?$|(pitch|yaw|roll)$")
_LIBRE_SWITCH = re.compile(r"au_\d+$")


class PyFeatReader:
    """py-feat's detections: the face with the best score in each frame of each input."""

    title = "py-feat"
    suffixes = (".csv",)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the header names a face's rectangle, its score and action units."""
        names = set(header_names(head))
        return {"FaceRectX", "FaceScore"} <= names and any(_PY_FEAT.match(name) for name in names)

    def recordings(
        self, source: SourceFile, options: ReadingOptions, *, rows: int | None = None
    ) -> tuple[Recording, ...]:
        """One recording per input, or one named after the file."""
        frame = frame_table(source).iloc[:rows]
        features = [str(name) for name in frame.columns if _PY_FEAT.match(str(name))]
        if "input" in frame.columns and frame["input"].notna().all():
            names = frame["input"].astype("str").map(recording_name)
        else:
            names = pd.Series([source.stem] * len(frame))
        kept = numbers(frame, "FaceScore", source) >= options.confidence
        kept &= _best_faces(frame, names, source)
        note = Problem(
            "note", "positions of landmarks and of faces.", source.name,
            remedy="They were left out: only action units, expressions and pose are summarised.",
        )  # fmt: skip
        return tuple(
            Recording(
                kind="pyfeat",
                name=str(name),
                source=source,
                columns=tuple(features),
                load=lambda own=own: track_of(  # type: ignore[misc]
                    frame.loc[own], features, source, kept=kept[own]
                ),
                modality="video",
                statistics=_STATISTICS,
                options={"confidence": f"{options.confidence:g}", "frames": str(options.frames)},
                problems=(note,),
            )
            for name in dict.fromkeys(names)
            for own in [(names == name).to_numpy()]
        )


def _best_faces(
    frame: pd.DataFrame, names: pd.Series[str], source: SourceFile
) -> npt.NDArray[np.bool_]:
    """True for the face with the best score of each frame."""
    if "frame" not in frame.columns:
        return np.ones(len(frame), dtype=bool)
    scores = pd.Series(numbers(frame, "FaceScore", source))
    order = scores.fillna(-1).sort_values(ascending=False, kind="stable").index
    keys = pd.DataFrame({"name": names.to_numpy(), "frame": frame["frame"].to_numpy()})
    again = keys.loc[order].duplicated()
    return np.asarray(~again.sort_index())


class LibreFaceReader:
    """LibreFace's action units, their intensities and the head's pose."""

    title = "LibreFace"
    suffixes = (".csv",)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the header names the frame's time as LibreFace does, and action units."""
        names = header_names(head)
        return "frame_time_in_ms" in names and any(_LIBRE_FACE.match(name) for name in names)

    def recordings(
        self, source: SourceFile, options: ReadingOptions, *, rows: int | None = None
    ) -> tuple[Recording, ...]:
        """One recording: the file's, with its name."""
        names = [name for name in header_names(source.head()) if _LIBRE_FACE.match(name)]
        if not names:
            raise InputError(f"{source.name} contains no action units and no pose.")

        def load() -> object:
            frame = frame_table(source).iloc[:rows]
            seconds = numbers(frame, "frame_time_in_ms", source) / 1000
            return track_of(frame, names, source, seconds=seconds)

        return (
            Recording(
                kind="libreface",
                name=source.stem,
                source=source,
                columns=tuple(names),
                load=load,  # type: ignore[arg-type]
                modality="video",
                switches=frozenset(name for name in names if _LIBRE_SWITCH.match(name)),
                options={"frames": str(options.frames)},
            ),
        )
