"""A small study with two targets: valence (regression), and mood (classes, with gaps)."""

from pathlib import Path

import numpy as np
import pandas as pd

N = 60
WITHOUT_MOOD = 10  # the first samples


def table() -> pd.DataFrame:
    """Features that know both targets; ten samples have no mood."""
    random = np.random.default_rng(3)
    valence, tense = random.normal(size=N), random.integers(0, 2, N)
    mood = np.array(["calm", "tense"], dtype=object)[tense]
    mood[:WITHOUT_MOOD] = ""
    numbers = {
        f"{modality}_{name}": known + 0.5 * random.normal(size=N)
        for modality in ("audio", "video")
        for name, known in (("v", valence), ("m", 2.0 * tense))
    }
    return pd.DataFrame({
        "clip": [f"c{k:02d}" for k in range(N)],
        "person": [f"p{k // 4}" for k in range(N)],
        "valence": valence.round(3), "mood": mood, "valence_A": (valence + 0.1).round(3),
        **{name: values.round(3) for name, values in numbers.items()},
    })  # fmt: skip


def written(folder: Path) -> Path:
    """The table as a file."""
    path = folder / "study.csv"
    table().to_csv(path, index=False)
    return path
