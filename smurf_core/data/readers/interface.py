"""What every reader of files does: recognise, preview, read. And what it gives: named columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import pandas as pd

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.problems import Problem
from smurf_core.data.sources import SourceFile

if TYPE_CHECKING:
    from smurf_core.data.readers.frames import ReadingOptions, Recording

PREVIEW_ROWS = 200


@dataclass(frozen=True)
class BadCell:
    """The first cell of a column of numbers that holds something else, and how many do."""

    file: str
    row: int  # counted from 1, without the header line
    text: str
    count: int


@dataclass(frozen=True)
class Table:
    """Columns of one file, sheet or set of arrays, under the name that a mapping uses for it.

    Numbers are float64 or (nullable) int64, all else is text; missing is NaN or NA. A column of
    numbers in which single cells are not is float64 with NaN there, and stands in `bad_cells`.
    """

    name: str
    frame: pd.DataFrame
    bad_cells: Mapping[str, BadCell] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    # How the file was read where a reader had to decide: encoding, delimiter, decimal mark.
    options: Mapping[str, str] = field(default_factory=dict)
    # Files whose rows lie one after another in this table, with their numbers of rows.
    parts: tuple[tuple[str, int], ...] = ()
    # Files whose rows were summarised in this table, where they are not its name.
    origins: tuple[str, ...] = ()
    modality: str = ""  # what the format says that its numbers are, where it does
    pile: str = ""  # tables of one pile with equal columns go one below the other

    @property
    def files(self) -> tuple[str, ...]:
        """The files whose rows are in this table, where they are not its name."""
        return (*(file for file, _ in self.parts), *self.origins)

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
    """Reads a format that holds columns. Readers raise `InputError`, in one sentence."""

    title: str

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The usual endings of such files' names; files with them are read from folders."""

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file is of this format, judged by its first bytes."""

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """The file's tables, or for a preview their first `rows` rows."""


class FrameReader(Protocol):
    """Reads a format that holds rows over time, which are summarised for every sample."""

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
    """Reads a format that holds a whole study, which needs no mapping but a choice of target."""

    title: str

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The usual endings of such files' names; files with them are read from folders."""

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file is of this format, judged by its first bytes."""

    def targets(self, source: SourceFile) -> tuple[str, ...]:
        """The targets to choose from."""

    def read(self, source: SourceFile, *, target: str = "") -> Study:
        """The study with one of its targets, which must be named if there are several."""
