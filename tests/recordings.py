"""Short recordings and a table of utterances, as a researcher has them, and uploads of them."""

import shutil
import wave
from pathlib import Path
from uuid import uuid4

import numpy as np
import pandas as pd

from smurf_core.data.sources import SourceFile


def write_voice(path: Path, pitch: float, seconds: float = 0.3) -> None:
    """A tone with falling harmonics, 16 kHz."""
    time = np.arange(round(seconds * 16_000)) / 16_000
    sound = sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 9))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((8_000 * sound).astype("<i2").tobytes())


def write_recordings(folder: Path, count: int, *, broken: int = 2) -> pd.DataFrame:
    """Sound and a stand-in video of `count` talks, one of which is broken; their table.

    The table is also written, as `talks.csv`.
    """
    folder.mkdir(parents=True)
    names = [f"talk {k:02d}" for k in range(count)]
    random = np.random.default_rng(0)
    for k, name in enumerate(names):
        write_voice(folder / f"{name}.wav", 110 + 5 * k)
        intensities = random.integers(0, 5, size=5)
        (folder / f"{name}.mp4").write_text(" ".join(map(str, intensities)))
    (folder / f"{names[broken]}.wav").write_bytes(b"RIFF, and no sound")
    table = pd.DataFrame(
        {
            "utt_id": [f"u{k:02d}" for k in range(count)],
            "audio file": [f"sound/{name}.wav" for name in names],
            "start": 0.0,
            "end": 0.3,
            "transcript": [f"words of {name}" for name in names],
            "valence": random.normal(size=count).round(3),
            "speaker": [f"p{k // 2}" for k in range(count)],
        }
    )
    table.to_csv(folder / "talks.csv", index=False)
    return table


def uploaded(folder: Path, place: Path) -> list[SourceFile]:
    """The files of a folder as the app keeps uploads: under names that nobody chose."""
    place.mkdir(parents=True, exist_ok=True)
    sources = []
    for path in sorted(folder.iterdir()):
        copy = place / uuid4().hex
        shutil.copy(path, copy)
        sources.append(SourceFile(path.name, copy))
    return sources
