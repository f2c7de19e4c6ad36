"""Which delimiter separates the columns of a text table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from smurf_core.data.readers.headers import (
    SEEN_ROWS,
    is_number,
    is_recording,
    recording_error,
    usual_width,
)
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

# A blank is tried last: R's write.table separates by it, and sentences have it as well.
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}
LONGEST_HEADER = 16 * 1024**2  # characters
_ONE_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*")
# In one cell, if commas do not separate columns.
_TWO_NUMBERS = re.compile(r"""\d"?\s*[;\t]\s*"?[+\-−]?\d""")


@dataclass(frozen=True)
class Seen:
    """The first rows that are not empty, as a delimiter splits them."""

    delimiter: str
    rows: list[list[str]]
    lines: list[int]  # how many lines of the file end with each row
    skips_blanks: bool  # before a cell

    @property
    def rank(self) -> tuple[bool, bool, int, bool, bool, int]:
        """Better splits are larger: rows agree, the header is near the top and as wide as they are.

        Decimal commas also split rows evenly, but not their header, and leave semicolons in cells.
        """
        width = usual_width(self.rows)
        start = next(k for k, row in enumerate(self.rows) if len(row) in (width, width - 1))
        below = [len(row) == width for row in self.rows[start + 1 :]] or [True]
        agrees = 10 * sum(below) >= 9 * len(below) and all(below[:3])
        is_split = not any(mark in cell for row in self.rows[1:4] for cell in row for mark in ";\t")
        is_whole = not self.has_two_numbers
        return is_whole, agrees, -start, len(self.rows[start]) == width, is_split, width

    @property
    def has_two_numbers(self) -> bool:
        """True if a cell of the first rows of data is `1;2`, as decimal commas split it.

        Then the header above has semicolons as well; above a list such as `1;4;12` it has none.
        """
        first = next((k for k, row in enumerate(self.rows[:5]) if _has_two_numbers(row)), 0)
        return any(";" in cell or "\t" in cell for row in self.rows[:first] for cell in row)

    @property
    def is_table(self) -> bool:
        """True if at least half of the rows have the same number of cells, and more than one."""
        width = usual_width(self.rows)
        alike = sum(len(row) == width for row in self.rows)
        if self.delimiter == " ":  # sentences have blanks as well
            numbers = sum(any(is_number(cell) for cell in row) for row in self.rows[1:])
            if len(self.rows) < 3 or 2 * numbers < len(self.rows) - 1:
                return False
            return width > 1 and 10 * alike >= 9 * (len(self.rows) - 1)
        return width > 1 and 2 * alike >= len(self.rows)


def _has_two_numbers(row: list[str]) -> bool:
    return any(_TWO_NUMBERS.search(cell) for cell in row if ";" in cell or "\t" in cell)


def seen_rows(source: SourceFile, start: str, is_whole: bool) -> Seen:
    """The first rows with the delimiter that fits them best."""
    found: list[Seen] = []
    for delimiter in DELIMITERS:
        if delimiter == " " and found:
            break
        try:
            numbered = _numbered(start, delimiter, skips_blanks=delimiter == " ")
            # Some programs write a blank between a delimiter and a quote.
            is_quoted = any(
                cell[:1] == " " and cell.lstrip()[:1] == '"'
                for row, _ in numbered[:4]
                for cell in row
            )
            if is_quoted:
                numbered = _numbered(start, delimiter, skips_blanks=True)
        except csv.Error:
            continue
        if not is_whole and len(numbered) > 1 and len(numbered) < SEEN_ROWS:
            numbered.pop()  # it may be incomplete
        held = [([cell.strip() for cell in row], line) for row, line in numbered if row]
        if not held:
            continue
        rows, lines = [row for row, _ in held], [line for _, line in held]
        seen = Seen(delimiter, rows, lines, delimiter == " " or is_quoted)
        if seen.is_table:
            found.append(seen)
    if not found and is_recording([[line] for line in start.split()[:3]]):
        raise recording_error(source)
    alone = [row for row in start.splitlines()[:SEEN_ROWS] if row.strip()]
    if not found and _is_one_column(alone):
        return Seen(",", [[row.strip()] for row in alone], list(range(1, len(alone) + 1)), False)
    if not found:
        raise InputError(
            f"{source.name} has only one column: separate columns by comma, semicolon or tab. "
            "If it has one value per sample, add a column of sample ids."
        )
    best = max(found, key=lambda seen: seen.rank)
    if best.has_two_numbers:
        raise InputError(
            f"{source.name} has decimal commas, and between its other delimiters rows differ in "
            "their numbers of cells: give each row a cell for every name of the header."
        )
    return best


def _numbered(start: str, delimiter: str, *, skips_blanks: bool) -> list[tuple[list[str], int]]:
    """The first rows, and how many lines end with each."""
    reader = rows_reader(io.StringIO(start, newline=""), delimiter, skips_blanks=skips_blanks)
    return [(row, reader.line_num) for row in islice(reader, SEEN_ROWS)]


def _is_one_column(lines: list[str]) -> bool:
    """True for numbers below one name, as a list of labels is written."""
    if len(lines) < 3 or is_number(lines[0].strip()):
        return False
    return all(_ONE_NUMBER.fullmatch(line) for line in lines[1:])


def rows_reader(file: Iterable[str], delimiter: str, *, skips_blanks: bool) -> Any:
    """`csv.reader` of a file; cells may be as long as a header."""
    csv.field_size_limit(LONGEST_HEADER)
    return csv.reader(file, delimiter=delimiter, skipinitialspace=skips_blanks)
