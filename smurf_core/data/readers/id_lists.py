"""Lists of sample ids beside arrays: `emb.npy` with `emb_ids.txt`, one id per line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from smurf_core.data.problems import Problem
from smurf_core.data.readers.interface import Table
from smurf_core.data.sources import MAX_CELLS, SourceFile
from smurf_core.errors import InputError

_ARRAYS = (".npy", ".npz", ".parquet", ".pq", ".feather", ".arrow", ".h5", ".hdf5")
_TEXTS = (".txt", ".csv", ".tsv", ".lst", ".ids")
_ENDING = re.compile(r"[_\-. ]?(sample)?[_\-. ]?(ids?|keys?|names?|index|filenames?|order)$", re.I)
_MAX_BYTES = 64 * 1024**2


def id_lists(sources: Sequence[SourceFile]) -> dict[str, SourceFile]:
    """Name of an array → the list of ids with the same name and an ending such as `_ids`."""
    texts = [s for s in sources if s.suffix in _TEXTS and _is_single_column(s)]
    arrays = [s for s in sources if s.suffix in _ARRAYS]
    found: dict[str, SourceFile] = {}
    for text in texts:
        bare = _ENDING.sub("", text.stem)
        for array in arrays:
            if text.stem == array.stem or bare == array.stem:
                found[array.name] = text
        # `ids.txt` beside a folder's arrays applies to all of them.
        if not bare:
            found |= {array.name: text for array in arrays if array.name not in found}
    return found


def with_ids(table: Table, ids: SourceFile, *, is_preview: bool) -> Table:
    """Add the ids in a list to a table as a column; their number must equal that of the rows."""
    lines = _lines(ids)
    rows = len(table.frame)
    if is_preview:
        lines = lines[_has_header(lines) :][:rows] if len(lines) > rows else lines
    elif len(lines) == rows + 1 and _has_header(lines):
        lines = lines[1:]
    if len(lines) != rows:
        raise InputError(
            f"{ids.name} contains {len(lines)} ids, but {table.name} has {rows} rows: one id per "
            "row is needed, in the same order."
        )
    if "sample_id" in table.frame.columns:
        raise InputError(f"{table.name} already has a column 'sample_id': leave {ids.name} out.")
    frame = pd.concat(
        [pd.DataFrame({"sample_id": pd.Series(lines, dtype="str")}), table.frame], axis=1
    )
    note = Problem("note", f"its ids are those in {ids.name}.", table.name)
    options = {**table.options, "ids": ids.name}
    return replace(table, frame=frame, problems=(*table.problems, note), options=options)


def _has_header(lines: Sequence[str]) -> bool:
    return bool(lines) and _ENDING.fullmatch(lines[0].lower()) is not None


def _is_single_column(source: SourceFile) -> bool:
    return source.once("is_single_column", lambda: _has_single_column(source))


def _has_single_column(source: SourceFile) -> bool:
    head = source.head(65_536)
    if b"\0" in head:
        return False
    lines = head.splitlines()[:20]
    return bool(lines) and not any(mark in line for line in lines for mark in (b",", b";", b"\t"))


def _lines(source: SourceFile) -> list[str]:
    if source.path.stat().st_size > _MAX_BYTES:
        raise InputError(f"{source.name} is longer than any list of ids.")
    try:
        text = source.path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{source.name} is not UTF-8: save the list of ids in this encoding."
        ) from error
    lines = [line.strip().strip('"') for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) > MAX_CELLS:
        raise InputError(f"{source.name} is longer than any list of ids.")
    return lines
