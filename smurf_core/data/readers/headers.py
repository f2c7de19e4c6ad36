"""Finds the header of a table of text: below titles, over several rows, numbered, or missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from smurf_core.data.column_names import ID_NAMES, ROLE_NAMES, plain_name
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.missing_words import MISSING
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

SEEN_ROWS = 60  # rows from which the header is found
COMMENTS = ("#", "%", "//")
_MOST_TITLES = 20
_MOST_EXTRA = 4  # header rows below the first one
_MISSING = frozenset(MISSING)
_USUAL = frozenset(name for names in ROLE_NAMES.values() for name in names)
_NUMBER = re.compile(
    r"[\[(]*\s*[+\-−]?\s*(\d[\d.,'’\s]*|[.,]\d+)([eE][+-]?\d+)?\s*"
    r"(%|‰|°|[A-Za-zµμ]{1,3})?\s*[\])]*|[+-]?inf(inity)?"
)
_COUNTER = re.compile(r"\d{1,6}")

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Header:
    """The names of a table's columns and where its data begin."""

    names: tuple[str, ...]
    first: int  # position of the first row of data
    problems: tuple[Problem, ...] = ()


def usual_width(rows: Rows) -> int:
    """The number of cells that most rows have."""
    counts = Counter(len(row) for row in rows)
    return max(counts, key=lambda width: (counts[width], width)) if counts else 0


def find_header(rows: Rows, source: SourceFile, *, where: str = "", delimiter: str = "") -> Header:
    """The header of the first rows of a table, which have cells without blanks around them.

    Raises `InputError` if the first row is data, so that no sample is lost as a header.
    """
    if len(rows) == 1:
        return Header(tuple(rows[0]), 1)
    return _Finder(rows, source, where, delimiter).header()


def is_number(cell: str) -> bool:
    """True if a cell is a number as people write it, with a sign, a unit or brackets."""
    return _NUMBER.fullmatch(cell) is not None


def mask(cell: str) -> str:
    """The shape of a name: `clip_007` is `a_9`."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", cell))


def is_recording(rows: Rows) -> bool:
    """True if the first rows are a start in seconds since 1970 and a rate, as in E4 files."""
    if len(rows) < 3:
        return False
    try:
        start, rate = ({float(cell) for cell in row} for row in rows[:2])
    except ValueError:
        return False
    return len(start) == len(rate) == 1 and min(start) > 1e9 and 0 < min(rate) <= 10_000


def recording_error(source: SourceFile) -> InputError:
    """The message for a recording in place of a table."""
    return InputError(
        f"{source.name} is a recording as an Empatica E4 writes it: its first row is the start, "
        "its second the samples per second; give a table with one row per sample and a header line."
    )


class _Finder:
    """Finds the header row, and the rows above and below it that are no data."""

    def __init__(self, rows: Rows, source: SourceFile, where: str, delimiter: str) -> None:
        self.rows, self.source, self.where, self.delimiter = rows, source, where, delimiter
        self.width = usual_width(rows)
        self.problems: list[Problem] = []
        body = [row for row in rows if len(row) == self.width]
        later = body[min(_MOST_EXTRA + 2, len(body) // 2) :] or body
        self.body = [[row[j] for row in later if row[j]] for j in range(self.width)]
        self.numeric = [j for j, cells in enumerate(self.body) if _are_numbers(cells)]
        numbers = set(self.numeric)
        self.texts = [j for j in range(self.width) if self.body[j] and j not in numbers]
        self.names_of_rows = {j: _shape(self.body[j]) for j in self.texts}
        self.values = {j: set(self.body[j]) for j in self.texts}

    def header(self) -> Header:
        start = self._start()
        names = list(self.rows[start])
        if names[0].startswith(COMMENTS) and not start:  # numpy.savetxt marks its header
            names[0] = names[0].lstrip("#%/ ") or names[0]
        has_row_names = self._is_one_short(names, start)
        if has_row_names:
            names = ["", *names]
        elif len(names) == self.width + 1 and not names[-1]:
            names = names[:-1]
        self._refuse_data(names, start)
        self._refuse_moved(names)
        first = start + 1
        extra: list[list[str]] = []
        while (
            first < len(self.rows)
            and len(extra) < _MOST_EXTRA
            and self._is_extra(first, names, extra)
        ):
            extra.append(list(self.rows[first]))
            first += 1
        above = list(self.rows[start - 1]) if start else []
        names = self._named(names, extra, above)
        if start:
            shown = " ".join(cell for cell in self.rows[0] if cell)[:60]
            self._note(f"{start} rows above the header ({shown!r}).", "They were left out.")
        if has_row_names:
            names[0] = "row_names"
            self._note(
                "the header is one name shorter than the rows, as R writes it.",
                "The first column was read as row names.",
            )
        return Header(tuple(names), first, tuple(self.problems))

    def _note(self, message: str, remedy: str) -> None:
        self.problems.append(Problem("note", message, self.source.name, remedy=remedy))

    def _start(self) -> int:
        """The position of the first row that is no title and no comment."""
        for position, row in enumerate(self.rows[:_MOST_TITLES]):
            if not self._is_title(position, row):
                return position
        return 0

    def _is_title(self, position: int, row: Sequence[str]) -> bool:
        below = self.rows[position + 1 :]
        if not below or self.width < 2:
            return False
        if row and row[0].startswith(COMMENTS) and not self._is_data(below[0]):
            return True
        count = sum(1 for cell in row if cell)
        is_alone = len(row) == count == self.width - 1 == 1 and not is_number(row[0])
        if is_alone and all(self._is_data(later) for later in below[:3]):
            return False  # the only name above row names and one column of numbers
        if len(row) == self.width - 1 and self._is_header_like(below[0]):
            return True
        if len(row) in (self.width - 1, self.width + 1) and count >= self.width - 1 >= 2:
            return False
        if len(row) != self.width:
            return len(below[0]) in (self.width, self.width - 1) or any(
                len(later) == self.width for later in below[:_MOST_TITLES]
            )
        needed = 2 if self.width == 2 and row[0] else max(1, (3 * self.width + 4) // 5)
        if self.width == 2 and not row[0]:
            needed = 1
        return count < needed and any(
            sum(1 for cell in later if cell) >= needed and not self._is_data(later)
            for later in below[:_MOST_TITLES]
        )

    def _is_header_like(self, row: Sequence[str]) -> bool:
        """True if a row has a name for each column, and no number above columns of numbers."""
        if len(row) != self.width or not self.numeric or not all(row):
            return False
        return not any(is_number(row[j]) or row[j] in _MISSING for j in self.numeric)

    def _is_data(self, row: Sequence[str]) -> bool:
        """True if at least half of the columns of numbers have a number in this row."""
        if len(row) != self.width or not self.numeric:
            return False
        cells = [row[j] for j in self.numeric]
        numbers = sum(1 for cell in cells if is_number(cell))
        return numbers > 0 and 2 * sum(
            1 for cell in cells if is_number(cell) or (cell in _MISSING and cell)
        ) >= len(cells)

    def _is_one_short(self, names: Sequence[str], start: int) -> bool:
        """True if rows have one cell more than the header, and their first cells are row names."""
        if len(names) != self.width - 1:
            return False
        below = [row for row in self.rows[start + 1 :] if len(row) == self.width]
        if all(not row[-1] for row in below):
            names.append("")  # type: ignore[attr-defined]
            return False
        first, second = ([row[j] for row in below] for j in range(2))
        # If what is called an id measures something, it is another name that is missing.
        is_other = (
            plain_name(names[0]) in ID_NAMES
            and _measures(second)
            and first != [str(k) for k in range(1, len(first) + 1)]
        )
        if self.delimiter == "," or len(set(first)) < len(first) or is_other:
            raise InputError(
                f"{self.source.name}{self.where}, row 1: {self.width} cells where the header "
                f"names {len(names)} columns; give every column a name, and put quotes around text "
                "that contains a delimiter or a decimal comma."
            )
        return True

    def _looks_like_row(self, cells: Sequence[str]) -> int:
        """The number of columns of text in which a cell looks like those of rows."""
        count = 0
        for j in self.texts:
            shape = self.names_of_rows[j]
            is_same = "9" in shape and mask(cells[j]) == shape
            if cells[j] and (is_same or cells[j] in self.values[j]):
                count += 1
        return count

    def _refuse_data(self, names: Sequence[str], start: int) -> None:
        """Raise an error if the header is a row of data; a counter 0, 1, 2 … is a header."""
        if len(names) != self.width:
            return
        cells = [names[j] for j in self.numeric if names[j]]
        numbers = [cell for cell in cells if is_number(cell)]
        if numbers and self._counts(names):
            shown = listing(numbers)
            self._note(f"its columns are named by numbers ({shown}).", "They were read as names.")
            return
        is_repeated = any(list(row) == list(names) for row in self.rows[start + 1 :])
        similar = self._looks_like_row(names)
        all_texts = not self.numeric and 2 * similar >= self.width
        only_texts = bool(self.numeric) and not cells and similar
        if is_repeated and not numbers:
            return
        if numbers or all_texts or only_texts:
            if is_recording(self.rows):
                raise recording_error(self.source)
            of = "numbers" if len(numbers) == len(names) else "data"
            raise InputError(
                f"{self.source.name}{self.where} starts with a row of {of} "
                f"({listing([cell[:20] for cell in names])}): put a header line with column names "
                "above it; names that are numbers need a letter."
            )

    def _refuse_moved(self, names: Sequence[str]) -> None:
        """Raise an error if a name too many or too few has moved those behind it.

        Delimiters at the ends of rows, or of the header, hide that they differ in length.
        """
        if len(names) != self.width:
            return
        last = self.width - 1
        if self.delimiter and not names[last] and last in self.numeric and last:
            raise InputError(
                f"{self.source.name}{self.where}: column {self.width} has numbers and no name; "
                "give every column a name."
            )
        if self.body[-1] or not names[-1]:
            return
        for j in range(1, self.width - 1):
            if self.body[j] and not names[j]:
                raise InputError(
                    f"{self.source.name}{self.where}: column {j + 1} has cells and no name, and "
                    f"{names[-1]!r} is a name without cells; give each column its own name."
                )

    def _counts(self, names: Sequence[str]) -> bool:
        """True if the names of columns of numbers are 0, 1, 2 … and cannot be a row of data."""
        given = [names[j] for j in self.numeric]
        if not all(_COUNTER.fullmatch(cell) for cell in given):
            return False
        values = [int(cell) for cell in given]
        steps = {b - a for a, b in pairwise(values)}
        body = [cell for j in self.numeric for cell in self.body[j]]
        has_decimals = any("." in cell or "," in cell for cell in body)
        is_counter = steps == {1} and values[0] in (0, 1) and len(values) > 3
        others = [j for j in self.texts if names[j]]
        return (is_counter or (steps == {1} and has_decimals)) and (
            not others or not self._looks_like_row(names)
        )

    def _is_extra(self, position: int, names: Sequence[str], before: Rows) -> bool:
        """True if a row below the header is a second header: texts above columns of numbers."""
        row = self.rows[position]
        if not (len(row) == len(names) == self.width and self.numeric):
            return False
        if position + 1 >= len(self.rows):
            return False
        cells = [row[j] for j in self.numeric]
        filled = [cell for cell in cells if cell]
        if any(is_number(cell) or cell in _MISSING for cell in filled):
            return False
        if self._looks_like_row(row):
            return False
        # Below several header rows, pandas writes the index's name alone.
        is_index_name = bool(row[0]) and not names[0] and not any(row[1:])
        if not filled or (is_index_name and not before):
            return bool(before) and is_index_name
        again = {later[j] for later in self.rows[position + 2 :] for j in self.numeric
                 if len(later) == self.width}  # fmt: skip
        is_header_again = list(row) == list(names)
        # One word in all cells may say that a sample could not be measured: that is refused later.
        others = [row[j] for j in self.texts if row[j]]
        if others and len(set(filled)) == 1 and len(filled) > 1 and not is_header_again:
            return False
        return 2 * len(filled) >= len(cells) and (is_header_again or not set(filled) & again)

    def _named(self, names: list[str], extra: list[list[str]], above: Sequence[str]) -> list[str]:
        """Names from one row if they are complete, otherwise from all header rows together."""
        index = [row for row in extra[1:] if not names[0] and row[0] and not any(row[1:])]
        levels = [row for row in extra if row not in index]
        given = [name for name in names if name]
        is_complete = len(set(given)) == len(given) and all(names[1:])
        if levels and not _usual(names) and _usual(levels[0]) and all(levels[0]):
            words = listing([cell[:30] for cell in names if cell])
            self._note(f"1 row above the header ({words}).", "It was left out.")
            return levels[0]
        if levels and is_complete:
            words = listing([cell[:30] for cell in levels[0] if cell])
            self._note(
                f"{len(levels)} more rows are a header ({words}).",
                "Names were taken from the first row; the others were left out.",
            )
        elif levels:
            names = _joined([names, *levels])
            self._note(f"{1 + len(levels)} rows are the header.", f"Joined as {names[-1]!r}.")
        elif len(set(given)) < len(given) and len(above) == len(names) and len(set(above)) > 2:
            names = _joined([list(above), names])
            self._note("2 rows are the header.", f"Joined as {names[-1]!r}.")
        if index:
            names[0] = index[0][0]
        return names


def _usual(names: Sequence[str]) -> bool:
    """True if a name is one of those that columns usually have, and none is there twice."""
    known = any(plain_name(name) in _USUAL for name in names)
    return known and len(set(names)) == len(names)


def _joined(levels: list[list[str]]) -> list[str]:
    """Names of several rows, joined by `_`; a cell left blank continues the one before it."""
    for row in levels[:-1]:
        for j in range(1, len(row)):
            if not row[j] and levels[-1][j]:
                row[j] = row[j - 1]
    names = []
    for cells in zip(*levels, strict=True):
        parts = [cell for cell in dict.fromkeys(cells) if cell and not cell.startswith("Unnamed: ")]
        names.append("_".join(parts))
    return names


def _measures(cells: Sequence[str]) -> bool:
    """True for numbers, some of which are not whole."""
    held = [cell for cell in cells if cell not in _MISSING]
    return all(map(is_number, held)) and any("." in cell or "," in cell for cell in held)


def _are_numbers(cells: Sequence[str]) -> bool:
    held = [cell for cell in cells if cell not in _MISSING]
    return bool(held) and 2 * sum(1 for cell in held if is_number(cell)) >= len(held)


def _shape(cells: Sequence[str]) -> str:
    """The shape that at least 80% of the cells have; empty if there is none."""
    shape, count = Counter(mask(cell) for cell in cells).most_common(1)[0]
    return shape if 5 * count >= 4 * len(cells) else ""
