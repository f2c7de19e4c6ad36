"""Extracts the 88 functionals of eGeMAPSv02 from sound with the openSMILE package."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

import numpy as np

from smurf_core.errors import InputError
from smurf_core.extraction.packages import needed_package
from smurf_core.extraction.store import Array, Tool
from smurf_core.extraction.utterances import Utterance
from smurf_core.extraction.video import VIDEO_SUFFIXES
from smurf_core.ratings.ffmpeg import decoded_sound, duration

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")
# What libsndfile does not read: ffmpeg decodes the sound, also that of videos.
DECODED_SUFFIXES = (".m4a", ".aac", ".opus", ".wma", *VIDEO_SUFFIXES)
SHORTEST = 0.1  # seconds: openSMILE has no functionals for shorter sounds
# How far an utterance may extend beyond its recording, because tables of times are rounded.
_SLACK = 0.1


class EgemapsExtractor:
    """Functionals of eGeMAPSv02 over each utterance; several channels are averaged."""

    batch_size = 1

    def __init__(self) -> None:
        opensmile = needed_package("opensmile")
        self._soundfile: ModuleType = needed_package("soundfile")
        self._smile = opensmile.Smile(
            feature_set=opensmile.FeatureSet.eGeMAPSv02,
            feature_level=opensmile.FeatureLevel.Functionals,
        )
        self.names: tuple[str, ...] = tuple(self._smile.feature_names)
        self.tool = Tool(
            "opensmile", opensmile.__version__, {"set": "eGeMAPSv02", "channels": "mean"}
        )

    def features(self, utterances: Sequence[Utterance]) -> Sequence[Array | InputError]:
        """The functionals of each utterance, or the reason why there are none."""
        return [self._features(utterance) for utterance in utterances]

    def _features(self, utterance: Utterance) -> Array | InputError:
        assert utterance.path is not None  # noqa: S101 — for the type checker
        try:
            signal, rate = self._signal(utterance.path, utterance.start, utterance.end)
        except InputError as error:
            return error
        except (
            OSError,
            RuntimeError,
        ) as error:  # libsndfile raises this for files that it cannot read.
            what = str(error).rpartition(": ")[2].rstrip(".")
            return InputError(
                f"{utterance.path.name} cannot be read as sound ({what}): convert it to WAV."
            )
        values = np.asarray(self._smile.process_signal(signal, rate).to_numpy()[0], np.float64)
        if np.isnan(values).all():
            return InputError(f"{utterance.place}: openSMILE found nothing to measure.")
        return values

    def _signal(self, path: Path, start: float | None, end: float | None) -> tuple[Array, int]:
        """The utterance's sound, averaged over channels, and its samples per second."""
        first = start or 0.0
        if path.suffix.lower() in DECODED_SUFFIXES:
            whole = duration(path)
            last = _checked(path, first, end, whole) if whole is not None else end
            sound = io.BytesIO(decoded_sound(path, first, last))
            return self._read(sound, 0.0, None if last is None else last - first)
        with self._soundfile.SoundFile(path) as file:
            last = _checked(path, first, end, file.frames / file.samplerate)
        return self._read(path, first, last - first)

    def _read(
        self, file: Path | BinaryIO, first: float, seconds: float | None
    ) -> tuple[Array, int]:
        with self._soundfile.SoundFile(file) as sound:
            rate = int(sound.samplerate)
            sound.seek(round(first * rate))
            frames = -1 if seconds is None else round(seconds * rate)
            signal = sound.read(frames, dtype="float32", always_2d=True)
        return signal.mean(axis=1), rate


def _checked(path: Path, first: float, end: float | None, seconds: float) -> float:
    """The end of an utterance within its recording; raises an error if it cannot be cut."""
    last = seconds if end is None else end
    if first < 0 or last <= first or first >= seconds or last > seconds + _SLACK:
        raise InputError(
            f"{path.name} is {seconds:.2f} s long but should be cut from {first:g} to {last:g} s: "
            "correct start and end, in seconds."
        )
    if min(last, seconds) - first < SHORTEST:
        raise InputError(
            f"{path.name}, at {first:g} s: shorter than {SHORTEST} s, which is too short to "
            "measure a voice."
        )
    return min(last, seconds)
