"""Frames from a text table, for readers of programs that write one row per frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.readers.delimited import DelimitedReader
from smurf_core.data.readers.frames import Track
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError


def header_names(head: bytes) -> list[str]:
    """The names in a file's first line, without blanks and quotes."""
    line = head.partition(b"\n")[0].decode("utf-8", "replace").strip("\ufeff\r\n ")
    delimiter = max(",;\t", key=line.count)
    return [name.strip().strip('"') for name in line.split(delimiter)]


def frame_table(source: SourceFile) -> pd.DataFrame:
    """The rows of a file; names without blanks around them."""
    (table,) = DelimitedReader().read(source)
    return table.frame


def track_of(
    frame: pd.DataFrame,
    features: Sequence[str],
    source: SourceFile,
    *,
    seconds: npt.NDArray[np.float64] | None = None,
    kept: npt.NDArray[np.bool_] | None = None,
) -> Track:
    """A track of these columns; without times, all frames are at the start."""
    texts = [name for name in features if not pd.api.types.is_numeric_dtype(frame[name])]
    if texts:
        raise InputError(
            f"{source.name}, column {texts[0]!r}: frames need numbers, and this contains text."
        )
    at = np.zeros(len(frame)) if seconds is None else seconds
    values = frame[list(features)].to_numpy(dtype=np.float64, na_value=np.nan)
    counts = np.isfinite(at) if kept is None else kept & np.isfinite(at)
    return Track(at, at, values, counts)


def numbers(frame: pd.DataFrame, column: str, source: SourceFile) -> npt.NDArray[np.float64]:
    """A column of numbers; raises an error for text."""
    cells = frame[column]
    if not pd.api.types.is_numeric_dtype(cells):
        raise InputError(f"{source.name}, column {column!r}: numbers are needed.")
    return cells.to_numpy(dtype=np.float64, na_value=np.nan)
