"""Recordings of samples: a folder of clips, or recordings with a start and end per utterance."""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.codec import check, from_plain, to_plain
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.problems import listing
from smurf_core.errors import InputError

MediaKind = Literal["audio", "video"]
AUDIO_TYPES = {
    ".wav": "audio/wav", ".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".aac": "audio/aac",
    ".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".flac": "audio/flac",
}  # fmt: skip
VIDEO_TYPES = {
    ".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".ogv": "video/ogg",
    ".mov": "video/quicktime",
}  # fmt: skip
# If a sample has both, the video is used, because it also has the sound.
MEDIA_TYPES = VIDEO_TYPES | AUDIO_TYPES
# Names under which joining stores these roles with the samples.
MEDIA_COLUMN, START_COLUMN, END_COLUMN = "media", "start", "end"
_MAX_CUT_BYTES = 200 * 1024**2


@dataclass(frozen=True)
class MediaSettings:
    """The location of a study's recordings.

    `folder` is an absolute path that the user named; nothing outside it is ever opened. A clip is
    found by the `file` column of the sample table (paths within the folder), by one `recording`
    for all samples, or else by the sample's id. `start` and `end` name columns of seconds.
    """

    folder: str
    recording: str = ""
    file: str = ""
    start: str = ""
    end: str = ""

    def __post_init__(self) -> None:
        check(self)
        if not self.folder.strip():
            raise InputError("Name the folder that contains the recordings.")
        try:
            is_folder = Path(self.folder).is_absolute() and Path(self.folder).is_dir()
        except (OSError, ValueError):
            is_folder = False
        if not is_folder:
            raise InputError(
                f"There is no folder {self.folder!r} on this machine: give its full path, such as "
                f"{str(Path.home() / 'clips')!r}."
            )
        if self.recording:
            confined(Path(self.folder), self.recording)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; `from_dict` reads it back."""
        return to_plain(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> MediaSettings:
        """The settings that `to_dict` wrote."""
        return from_plain(cls, data, "The setting of the recordings")


@dataclass(frozen=True)
class Clip:
    """What is played for a sample: a file with start and end in seconds (None: the file's end)."""

    path: Path
    kind: MediaKind
    media_type: str
    start: float = 0.0
    end: float | None = None


def suggested_media(folder: str, samples: pd.DataFrame) -> MediaSettings:
    """Settings for a folder, with the columns in which joining stored these roles."""

    def there(column: str) -> str:
        is_there = column in samples.columns and bool(samples[column].notna().any())
        return column if is_there else ""

    return MediaSettings(
        folder,
        file=there(MEDIA_COLUMN),
        start=there(START_COLUMN),
        end=there(END_COLUMN),
    )


def confined(folder: Path, name: str) -> Path:
    """A media file by its path in a folder; raises an error for paths that lead outside."""
    posix, windows = PurePosixPath(name), PureWindowsPath(name)
    if posix.is_absolute() or windows.is_absolute() or windows.drive or windows.root:
        raise InputError(
            f"Recording {name[:80]!r}: give its path within the folder of recordings, not a whole "
            "path."
        )
    if ".." in posix.parts or ".." in windows.parts or not name.isprintable():
        raise InputError(f"Recording {name[:80]!r} leads out of the folder of recordings.")
    if posix.suffix.lower() not in MEDIA_TYPES:
        raise InputError(
            f"Recording {name[:80]!r} is not a sound or video file that browsers play "
            f"({', '.join(MEDIA_TYPES)})."
        )
    try:
        root = folder.resolve(strict=True)
        path = (root / name).resolve(strict=True)
        is_file = path.is_file()
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
        raise InputError(f"There is no recording {name[:80]!r} in the folder.") from error
    if not path.is_relative_to(root):
        raise InputError(f"Recording {name[:80]!r} is a link that leads out of the folder.")
    if not is_file or path.suffix.lower() not in MEDIA_TYPES:
        raise InputError(f"Recording {name[:80]!r} is not a sound or video file.")
    return path


def find_clip(settings: MediaSettings, dataset: MultimodalDataset, sample_id: str) -> Clip | None:
    """What is played for a sample; None if the folder has no matching file.

    Raises `InputError` for a name that may not be opened, and for an end that is not after the
    start.
    """
    row = _row(dataset, int(dataset.positions(np.array([sample_id]))[0]))
    path = _path(settings, row, sample_id)
    if path is None:
        return None
    start, end = _seconds(settings.start, row), _seconds(settings.end, row)
    if start is not None and (start < 0 or (end is not None and end <= start)):
        raise InputError(
            f"Sample {sample_id!r}: its recording would be played from {start:g} s to "
            f"{'its end' if end is None else f'{end:g} s'}; start and end are seconds, the end "
            "after the start."
        )
    suffix = path.suffix.lower()
    return Clip(
        path=path,
        kind="video" if suffix in VIDEO_TYPES else "audio",
        media_type=MEDIA_TYPES[suffix],
        start=start or 0.0,
        end=end,
    )


def media_coverage(settings: MediaSettings, dataset: MultimodalDataset) -> npt.NDArray[np.bool_]:
    """True for each sample that has a recording, [n]."""
    if settings.recording:
        return np.ones(len(dataset), dtype=bool)
    found = np.zeros(len(dataset), dtype=bool)
    for position, sample_id in enumerate(dataset.sample_ids.tolist()):
        try:
            path = _path(settings, _row(dataset, position), sample_id)
        except InputError:
            continue
        found[position] = path is not None
    return found


def check_media(settings: MediaSettings, dataset: MultimodalDataset) -> str:
    """A sentence on how many samples have a recording; raises an error if none has."""
    for role in ("file", "start", "end"):
        column = getattr(settings, role)
        if column and column not in dataset.samples.columns:
            raise InputError(
                f"There is no column {column!r} beside the samples; there are "
                f"{listing(dataset.samples.columns, 8) or 'none'}."
            )
    found = media_coverage(settings, dataset)
    if not found.any():
        first = dataset.sample_ids[0]
        looked = settings.file and f"as column {settings.file!r} says"
        raise InputError(
            f"The folder {settings.folder!r} has no recording for any sample: files are looked for "
            f"{looked or f'by sample id, as {first}.wav or {first}.mp4'}."
        )
    absent = dataset.sample_ids[~found]
    rest = f"; none for {listing(absent)}" if len(absent) else ""
    return f"{found.sum():,} of {len(found):,} samples have a recording{rest}."


def cut_wave(clip: Clip) -> bytes | None:
    """The clip's exact part of an uncompressed WAV file; None for other files.

    Players accept only whole seconds; this makes an utterance play from its first sound.
    """
    if clip.path.suffix.lower() != ".wav" or (clip.start == 0 and clip.end is None):
        return None
    try:
        with wave.open(str(clip.path), "rb") as recording:
            rate, total = recording.getframerate(), recording.getnframes()
            first = min(math.floor(clip.start * rate), total)
            last = total if clip.end is None else min(math.ceil(clip.end * rate), total)
            size = (last - first) * recording.getnchannels() * recording.getsampwidth()
            if first >= last:
                raise InputError(
                    f"{clip.path.name} is {total / rate:.2f} s long: it ends before second "
                    f"{clip.start:g}."
                )
            if size > _MAX_CUT_BYTES:
                return None
            recording.setpos(first)
            frames = recording.readframes(last - first)
            described = recording.getparams()
    except (wave.Error, EOFError, OSError):
        return None  # Compressed, or not WAV at all: the browser decides.
    cut = io.BytesIO()
    with wave.open(cut, "wb") as written:
        written.setparams(described)
        written.writeframes(frames)
    return cut.getvalue()


def _row(dataset: MultimodalDataset, position: int) -> dict[str, Any]:
    return {str(name): column.iloc[position] for name, column in dataset.samples.items()}


def _path(settings: MediaSettings, row: Mapping[str, Any], sample_id: str) -> Path | None:
    """The file of a sample; None if its cell is empty or no file has its id as a name."""
    folder = Path(settings.folder)
    if settings.recording:
        return confined(folder, settings.recording)
    if settings.file:
        cell = row.get(settings.file)
        if cell is None or pd.isna(cell) or not str(cell).strip():
            return None
        return _first_there(folder, str(cell).strip())
    return _first_there(folder, sample_id)


def _first_there(folder: Path, name: str) -> Path | None:
    """The file with this name, or with this name and one of the playable suffixes."""
    if PurePosixPath(name).suffix.lower() in MEDIA_TYPES:
        return confined(folder, name)
    for candidate in _candidates(name):
        try:
            is_there = (folder / candidate).is_file()
        except (OSError, ValueError):  # Not a valid file name: too long, or with a zero byte.
            return None
        if is_there:
            return confined(folder, candidate)
    return None


def _candidates(name: str) -> Iterator[str]:
    for suffix in MEDIA_TYPES:
        yield f"{name}{suffix}"
        yield f"{name}{suffix.upper()}"


def _seconds(column: str, row: Mapping[str, Any]) -> float | None:
    value: Any = row.get(column) if column else None
    if value is None or pd.isna(value):
        return None
    try:
        return float(value)
    except ValueError as error:
        raise InputError(
            f"Column {column!r} contains {str(value)[:40]!r} where seconds are needed."
        ) from error
