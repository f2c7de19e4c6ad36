"""The interface of file readers, which recognise, preview and read files as named columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd
import pyarrow as pa

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.problems import Problem
from smurf_core.data.row_counters import row_counters
from smurf_core.data.sources import SourceFile
from smurf_core.data.texts import as_text

if TYPE_CHECKING:
    from smurf_core.data.readers.frames import ReadingOptions, Recording

PREVIEW_ROWS = 200


@dataclass(frozen=True)
class BadCell:
    """The first cell in a column of numbers that is not a number, and the number of such cells."""

    file: str
    row: int  # counted from 1, without the header line
    text: str
    count: int


@dataclass(frozen=True)
class Undecided:
    """A column whose cells do not show which sign is the decimal one, and its first such cell."""

    row: int
    text: str
    sign: str  # "." or ","
    as_decimal: str  # the number if the sign is the decimal one
    as_thousands: str  # the number if it is between thousands
    cells: pa.ChunkedArray  # all cells of the column, missing ones null


@dataclass(frozen=True)
class Table:
    """Columns of one file, sheet or set of arrays, with the name that a mapping uses for it.

    Numbers are float64 or (nullable) int64, everything else is text; missing is NaN or NA. If
    single cells of a column of numbers are not numbers, the column is float64 with NaN in these
    cells and is listed in `bad_cells`. `texts` has the original text of columns that may be names
    and that lose something as numbers (`1.10`) or as words for "no value" (`NA`).
    """

    name: str
    frame: pd.DataFrame
    bad_cells: Mapping[str, BadCell] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    # Columns that are text until a user names the decimal sign.
    undecided: Mapping[str, Undecided] = field(default_factory=dict)
    # How the file was read if a reader had a choice: encoding, delimiter, decimal mark.
    options: Mapping[str, str] = field(default_factory=dict)
    # Files whose rows were concatenated in this table, with their numbers of rows.
    parts: tuple[tuple[str, int], ...] = ()
    # Files whose rows were summarised in this table, if they are not its name.
    origins: tuple[str, ...] = ()
    modality: str = ""  # the meaning of the numbers, if the format defines it
    pile: str = ""  # tables with the same pile and equal columns are concatenated
    texts: Mapping[str, pd.Series[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for column, texts in self.texts.items():
            if len(texts) != len(self.frame):
                raise ValueError(
                    f"{self.name}, column {column!r}: {len(texts)} texts, {len(self.frame)} rows."
                )

    def text(self, column: str) -> pd.Series[str]:
        """A column as text, as it was written; use it for ids, persons, folds and splits."""
        return self.texts[column] if column in self.texts else as_text(self.frame[column])

    def first(self, rows: int) -> Table:
        """The table's first rows."""
        texts = {column: cells.iloc[:rows] for column, cells in self.texts.items()}
        return replace(self, frame=self.frame.iloc[:rows], texts=texts)

    @property
    def files(self) -> tuple[str, ...]:
        """The files whose rows are in this table, if they are not its name."""
        return (*(file for file, _ in self.parts), *self.origins)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns; much faster to go through than the frame's index."""
        return tuple(self.frame.columns.to_list())

    @cached_property
    def numbers(self) -> frozenset[str]:
        """Columns that contain numbers, or nothing."""
        return self._of_kind(pd.api.types.is_numeric_dtype)

    @cached_property
    def points(self) -> frozenset[str]:
        """Columns of numbers that need not be whole."""
        return self._of_kind(pd.api.types.is_float_dtype)

    def _of_kind(self, is_one: Callable[[Any], bool]) -> frozenset[str]:
        kinds = self.frame.dtypes.to_list()
        fitting = {kind for kind in set(kinds) if is_one(kind)}
        return frozenset(c for c, k in zip(self.columns, kinds, strict=True) if k in fitting)

    @cached_property
    def first_row(self) -> Mapping[str, Any]:
        """The first cell of each column; the table must have a row."""
        return dict(zip(self.columns, self.frame.iloc[0].to_list(), strict=True))

    @cached_property
    def row_counters(self) -> tuple[str, ...]:
        """Columns that number the rows."""
        return row_counters(self.frame, [rows for _, rows in self.parts])

    def where(self, position: int) -> tuple[str, int]:
        """File and row (from 1, without the header line) of a row of the table (from 0)."""
        for file, rows in self.parts:
            if position < rows:
                return file, position + 1
            position -= rows
        return self.name, position + 1


@dataclass(frozen=True)
class Study:
    """A file that is a whole study: features, target, persons, folds."""

    dataset: MultimodalDataset
    problems: tuple[Problem, ...]


class TableReader(Protocol):
    """Reads a format that contains columns. Readers raise `InputError` with one sentence."""

    title: str

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The usual endings of such files' names; files with them are read from folders."""

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file is of this format, judged by its first bytes."""

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """The file's tables, or for a preview their first `rows` rows."""


class FrameReader(Protocol):
    """Reads a format that contains rows over time, which are summarised for each sample."""

    title: str

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The usual endings of such files' names; files with them are read from folders."""

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file is of this format, judged by its first bytes."""

    def recordings(
        self, source: SourceFile, options: ReadingOptions, *, rows: int | None = None
    ) -> tuple[Recording, ...]:
        """The recordings in the file, each read when it is summarised."""


class StudyReader(Protocol):
    """Reads a format that contains a whole study, for which only the target is to be chosen."""

    title: str

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The usual endings of such files' names; files with them are read from folders."""

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file is of this format, judged by its first bytes."""

    def targets(self, source: SourceFile) -> tuple[str, ...]:
        """The targets to choose from."""

    def read(self, source: SourceFile, *, target: str = "") -> Study:
        """The study with one of its targets; if there are several, it must be named."""
