"""SPSS (.sav, .zsav) and Stata (.dta): value labels become classes, missing codes missing.

The library that reads them is written in C, and a damaged file can end its process. It therefore
runs in a process of its own, which returns columns and not objects.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.feather as pa_feather

from smurf_core.data.problems import Problem
from smurf_core.data.readers.interface import BadCell, Table
from smurf_core.data.readers.labelled import Coded, labelled_table
from smurf_core.data.sources import MAX_UNPACKED_BYTES, SourceFile, check_shape, gibibytes
from smurf_core.errors import InputError

_TIME = 600  # seconds
_MEMORY = 8 * 1024**3
# Old versions do not write their encoding: Windows-1252 in most labs.
_ENCODINGS = (None, "cp1252")


class SpssReader:
    """Data files of SPSS, also compressed ones."""

    title = "SPSS"
    suffixes = (".sav", ".zsav")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file starts as SPSS's do."""
        return head.startswith((b"$FL2@(#)", b"$FL3@(#)"))

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table."""
        return (_read(source, self.title, rows),)


class StataReader:
    """Data files of Stata 8 and later."""

    title = "Stata"
    suffixes = (".dta",)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file starts as Stata's do; old ones have no word there, only numbers."""
        is_old = head[:1] in (b"\x69", b"\x6c", b"\x6f", b"\x71", b"\x72", b"\x73")
        return head.startswith(b"<stata_dta>") or (is_old and head[1:4] in (b"\1\1\0", b"\2\1\0"))

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table."""
        return (_read(source, self.title, rows),)


def _read(source: SourceFile, program: str, rows: int | None) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        ended = _read_apart(source, program, Path(folder), rows)
        try:
            about = json.loads((Path(folder) / "about.json").read_text())
            if "refused" in about:
                raise InputError(about["refused"])
            if ended:
                raise _damaged(source, program)
            frame, texts = (
                pa_feather.read_table(Path(folder) / name, memory_map=False).to_pandas()
                for name in ("table", "texts")
            )
        except (OSError, ValueError, pa.ArrowException) as error:
            if isinstance(error, InputError):
                raise
            raise _damaged(source, program) from error
    bad = {name: BadCell(**cell) for name, cell in about["bad_cells"].items()}
    problems = tuple(Problem(**given) for given in about["problems"])
    return Table(source.name, frame, bad, problems, texts={c: texts[c] for c in texts})


def _damaged(source: SourceFile, program: str) -> InputError:
    return InputError(
        f"{source.name} is damaged or not a file of {program}: save it again, or export it as CSV."
    )


def _read_apart(source: SourceFile, program: str, folder: Path, rows: int | None) -> int:
    """Read a file in another process, which writes to a folder; returns its exit status."""
    given = [str(source.path.resolve()), source.name, program, str(folder), str(rows or 0)]
    try:
        return subprocess.run(  # noqa: S603 — our own module, no shell
            [sys.executable, "-m", "smurf_core.data.readers.spss_stata", *given],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            timeout=_TIME,
            check=False,
        ).returncode
    except (subprocess.TimeoutExpired, ValueError, OSError) as error:
        raise _damaged(source, program) from error


def _main(path: str, name: str, program: str, folder: str, rows: str) -> None:
    """Write a file's table, or why it is refused, to a folder."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    about: dict[str, Any]
    try:
        table = _table(SourceFile(name, Path(path)), program, int(rows) or None)
    except InputError as error:
        about = {"refused": str(error)}
    else:
        cells = pa.Table.from_pandas(table.frame, preserve_index=False)
        pa_feather.write_feather(cells, str(Path(folder) / "table"), compression="uncompressed")
        texts = pa.Table.from_pandas(pd.DataFrame(dict(table.texts)), preserve_index=False)
        pa_feather.write_feather(texts, str(Path(folder) / "texts"), compression="uncompressed")
        about = {
            "problems": [asdict(problem) for problem in table.problems],
            "bad_cells": {column: asdict(bad) for column, bad in table.bad_cells.items()},
        }
    (Path(folder) / "about.json").write_text(json.dumps(about))


def _table(source: SourceFile, program: str, rows: int | None) -> Table:
    frame, about, problems = _contents(source, program, rows)
    coded = {
        str(name): Coded(
            labels=about.variable_value_labels.get(name, {}),
            missing=_is_missing(frame[name], about),
            is_scale=about.variable_measure.get(name) == "scale",
        )
        for name in frame.columns
    }
    return labelled_table(source, frame, coded, problems)


def _contents(
    source: SourceFile, program: str, rows: int | None
) -> tuple[pd.DataFrame, Any, tuple[Problem, ...]]:
    """The cells as they are stored, and the file's description of its columns."""
    import pyreadstat

    read = pyreadstat.read_sav if program == SpssReader.title else pyreadstat.read_dta
    for encoding in _ENCODINGS:
        path = str(source.path)
        try:
            _, about = read(path, metadataonly=True, encoding=encoding)
            most = _most_rows(source, about)
            limit = most if rows is None else min(rows, most)
            frame, about = read(path, user_missing=True, encoding=encoding, row_limit=limit)
        except (pyreadstat.ReadstatError, UnicodeDecodeError) as error:
            if encoding is None and "encoding" in f"{error} {type(error).__name__}".lower():
                continue
            raise _damaged(source, program) from error
        except (pyreadstat.PyreadstatError, ArithmeticError, LookupError, OSError, TypeError,
                ValueError, MemoryError) as error:  # fmt: skip
            if isinstance(error, InputError):
                raise
            raise _damaged(source, program) from error
        if rows is None and len(frame) == most and not about.number_rows:
            check_shape(source, most + 1, max(frame.shape[1], 1))
        remedy = "It was read as Windows-1252 (Western European); check its special characters."
        message = "its text is not in the encoding that it names."
        note = Problem("warning", message, source.name, remedy=remedy)
        return frame, about, () if encoding is None else (note,)
    raise _damaged(source, program)


def _most_rows(source: SourceFile, about: Any) -> int:
    """The rows of the file; where it does not say how many, as many as fit."""
    width = max(about.number_columns, 1)
    check_shape(source, about.number_rows or 1, width)
    bytes_per_row = max(sum(about.variable_storage_width.values()), 8 * width)
    unpacked = bytes_per_row * (about.number_rows or 1)
    if unpacked > MAX_UNPACKED_BYTES:
        raise InputError(
            f"{source.name} would unpack to {gibibytes(unpacked)}; "
            f"at most {gibibytes(MAX_UNPACKED_BYTES)} is read."
        )
    return int(about.number_rows or MAX_UNPACKED_BYTES // bytes_per_row)


def _is_missing(cells: pd.Series[Any], about: Any) -> npt.NDArray[np.bool_]:
    """True for codes that the file declares as missing: ranges in SPSS, letters in Stata."""
    name = cells.name
    missing: npt.NDArray[np.bool_] = cells.isin(about.missing_user_values.get(name, ())).to_numpy()
    for span in about.missing_ranges.get(name, ()):
        low, high = span["lo"], span["hi"]
        if isinstance(low, str):
            missing = missing | cells.isin([low, high]).to_numpy()
        else:
            missing = missing | pd.to_numeric(cells, errors="coerce").between(low, high).to_numpy()
    return missing


if __name__ == "__main__":
    _main(*sys.argv[1:])
