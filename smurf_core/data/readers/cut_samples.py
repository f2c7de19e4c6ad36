"""Names of samples that a table cuts from recordings: its columns, or names that are made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from smurf_core.data.column_names import ID_NAMES, plain_name
from smurf_core.data.readers.interface import Table


def recording_name(text: str) -> str:
    """A recording's name without folders and suffix."""
    return PurePosixPath(text.replace("\\", "/")).stem


def recording_column(recordings: Sequence[str], table: Table) -> str | None:
    """The column in which most cells name one of the recordings, if at least half of them do."""
    wanted = set(recordings)
    best, most = None, 0.0
    for column in table.columns:
        cells = table.frame[column]
        if pd.api.types.is_float_dtype(cells):
            continue
        share = float(cells.astype("str").map(recording_name).isin(wanted).mean())
        if share > most:
            best, most = str(column), share
    return best if most > 0 else None


def segment_ids(table: Table, id_column: str, named: str | None) -> str:
    """The column of the samples' ids: the mapping's, or a unique one; empty if there is none."""
    frame = table.frame
    if id_column in frame.columns:
        return id_column
    unique = [
        column
        for column in frame.columns
        if frame[column].is_unique and not pd.api.types.is_float_dtype(frame[column])
    ]
    likely = [
        column
        for name in ID_NAMES
        for column in unique
        if plain_name(column) == name and not _holds_sentences(frame[column])
    ]
    if likely:
        return str(likely[0])
    return named if named in unique and named is not None else ""


def _holds_sentences(cells: pd.Series[Any]) -> bool:
    """True if cells are sentences: then they are not ids, whatever the column's name."""
    return bool(cells.dropna().astype("str").str.strip().str.count(" ").gt(1).any())


def made_ids(belongs: pd.Series[Any]) -> list[str]:
    """A name for each row: the recording that it belongs to, and its number in it."""
    counts = belongs.groupby(belongs).cumcount()
    return [f"{name}[{k}]" for name, k in zip(belongs, counts, strict=True)]
