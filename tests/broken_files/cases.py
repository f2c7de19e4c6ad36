"""What a case is, and how cases are made."""

from __future__ import annotations

import copy
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

# A pickle that runs code writes a file of this name beside itself.
CODE_RAN = "code_ran"


@dataclass(frozen=True)
class BrokenFile:
    """A case: `make` writes files into a folder and returns those that the user gives."""

    name: str
    make: Callable[[Path], list[Path]]
    words: tuple[str, ...]  # what the message, or a problem, must contain
    is_read: bool = False  # read with a problem; otherwise refused


def good_table(rows: int = 24) -> pd.DataFrame:
    """A small table with which nothing is wrong: 2 classes, 6 persons, 2 modalities."""
    random = np.random.default_rng(0)
    columns = {
        "sample_id": [f"s{i:02d}" for i in range(rows)],
        "person": [f"p{i // 4}" for i in range(rows)],
        "label": ["calm" if i % 2 else "tense" for i in range(rows)],
    }
    for name in ("audio_pitch", "audio_energy", "audio_rate", "video_smile", "video_brow"):
        columns[name] = random.normal(size=rows).round(6)
    return pd.DataFrame(columns)


BROKEN_FILES: list[BrokenFile] = []
Make = Callable[[Path], list[Path]]


def case(*words: str, is_read: bool = False) -> Callable[[Make], Make]:
    def add(make: Make) -> Make:
        name = make.__name__.strip("_")
        assert name not in {known.name for known in BROKEN_FILES}
        BROKEN_FILES.append(BrokenFile(name, make, words, is_read))
        return make

    return add


def of_bytes(folder: Path, name: str, content: bytes) -> list[Path]:
    (folder / name).write_bytes(content)
    return [folder / name]


def of_csv(folder: Path, table: pd.DataFrame, name: str = "study.csv", **options) -> list[Path]:
    table.to_csv(folder / name, index=False, **options)
    return [folder / name]


def with_cell(column: str, row: int, value: object) -> pd.DataFrame:
    table = good_table()
    table[column] = table[column].astype(object)
    table.loc[row, column] = value
    return table


def zip_bomb(path: Path, member: str) -> list[Path]:
    """A zip whose directory names the same 8 MiB of zeros 200 times."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, bytes(8 * 1024**2))
        for number in range(199):
            info = copy.copy(archive.filelist[0])
            info.filename = f"{number}.{member}"
            archive.filelist.append(info)
    return [path]


class RunsCode:
    """Pickles to a program that writes a file."""

    def __init__(self, folder: Path) -> None:
        self._command = f"touch {folder / CODE_RAN}"

    def __reduce__(self):
        return os.system, (self._command,)
