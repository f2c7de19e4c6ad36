"""Extracts the 88 functionals of eGeMAPSv02 from sound with the openSMILE package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from smurf_core.errors import InputError
from smurf_core.extraction.packages import needed_package
from smurf_core.extraction.store import Array, Tool
from smurf_core.extraction.utterances import Utterance

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")
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
        with self._soundfile.SoundFile(path) as file:
            rate, seconds = int(file.samplerate), file.frames / file.samplerate
            first = start or 0.0
            last = seconds if end is None else end
            if first < 0 or last <= first or first >= seconds or last > seconds + _SLACK:
                raise InputError(
                    f"{path.name} is {seconds:.2f} s long but should be cut from {first:g} to "
                    f"{last:g} s: correct start and end, in seconds."
                )
            if min(last, seconds) - first < SHORTEST:
                raise InputError(
                    f"{path.name}, at {first:g} s: shorter than {SHORTEST} s, which is too short "
                    "to measure a voice."
                )
            file.seek(round(first * rate))
            frames = round((min(last, seconds) - first) * rate)
            sound = file.read(frames, dtype="float32", always_2d=True)
        return sound.mean(axis=1), rate
