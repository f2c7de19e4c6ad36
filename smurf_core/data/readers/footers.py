"""Leaves out what is no sample at the end of a table: notes, totals, empty rows and columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.headers import COMMENTS, is_number, mask
from smurf_core.data.readers.streamed import as_texts
from smurf_core.data.sources import SourceFile

Columns = dict[str, pa.ChunkedArray]
_LAST = 30  # rows at the end that may be notes or totals
# fmt: off
_TOTALS = frozenset((
    "total", "totals", "sum", "sums", "mean", "means", "average", "averages", "avg", "sd", "std",
    "stdev", "se", "sem", "var", "variance", "median", "min", "max", "minimum", "maximum", "count",
    "n", "gesamt", "summe", "mittelwert", "mittel", "standardabweichung", "moyenne", "somme",
    "media", "totale", "promedio", "suma", "gemiddelde", "m", "grand total", "std. dev", "std dev",
))
# fmt: on
_UNNAMED = re.compile(r"(column_\d+|Unnamed: \d+(\.\d+)?|\.\.\.\d+)")


def without_odd_rows(columns: Columns, source: SourceFile) -> tuple[Columns, list[Problem]]:
    """Columns without empty rows, notes and totals at the end, and without the header again."""
    problems: list[Problem] = []
    columns = _without_header_again(columns, source, problems)
    columns = _without_comments(columns, source, problems)
    rows = len(next(iter(columns.values())))
    if _ends_as_usual(columns):
        return _without_empty_columns(columns, source, problems), problems
    start = max(rows - _LAST, 0)
    last = [list(row) for row in zip(*(_listed(c.slice(start)) for c in columns.values()),
                                     strict=True)]  # fmt: skip
    names = _listed(next(iter(columns.values())).slice(0, 200))
    blank, notes, totals = 0, [], []
    while last:
        row = last[-1]
        if not any(row):
            blank += 1
        elif start + len(last) == 1:
            break
        elif is_note(row, names[: start + len(last) - 1]):
            notes.append(" ".join(cell for cell in row if cell)[:60])
        elif _is_total(row, names):
            totals.append(row[0])
        else:
            break
        last.pop()
        if not last and start:  # more empty rows than were looked at
            start, last = _earlier(columns, start)
    for count, what, severity in (
        (blank, f"{blank} rows at the end are empty.", "note"),
        (len(notes), f"{len(notes)} rows at the end are notes ({listing(notes[::-1])}).", "note"),
        (len(totals), f"{len(totals)} rows at the end are totals ({listing(totals[::-1])}).",
         "warning"),
    ):  # fmt: skip
        if count:
            remedy = "They were left out."
            problems.append(
                Problem("warning" if severity == "warning" else "note", what, source.name,
                        remedy=remedy)
            )  # fmt: skip
    kept = start + len(last)
    if kept < rows:
        columns = {name: cells.slice(0, kept) for name, cells in columns.items()}
    return _without_empty_columns(columns, source, problems), problems


def _ends_as_usual(columns: Columns) -> bool:
    """True if a look at the first cells of the last row shows that it is a sample."""
    some = list(columns.values())[:8]
    cells = [text for cells in some for text in _listed(cells.slice(max(len(cells) - 1, 0)))]
    return sum(map(bool, cells)) > 2 and not is_total_name(cells[0])


def is_total_name(cell: str) -> bool:
    """True if a row that begins so is a line of means or another total."""
    return _word(cell) in _TOTALS


def _word(cell: str) -> str:
    return cell.strip().lower().rstrip(":. ")


def _earlier(columns: Columns, start: int) -> tuple[int, list[list[str]]]:
    before = max(start - 1000, 0)
    parts = [_listed(cells.slice(before, start - before)) for cells in columns.values()]
    return before, [list(row) for row in zip(*parts, strict=True)]


def _trimmed(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(as_texts(cells))


def _listed(cells: pa.ChunkedArray) -> list[str]:
    return [(cell or "").strip() for cell in as_texts(cells).to_pylist()]


def is_note(row: Sequence[str], names: Sequence[str]) -> bool:
    """True if a row of at least 3 cells has text in at most two of them, unlike other rows."""
    held = [cell for cell in row if cell]
    if len(row) < 3 or len(held) > max(1, min(2, len(row) - 2)) or not row[0] or is_number(row[0]):
        return False
    shapes = {mask(name.strip()) for name in names}
    return mask(row[0]) not in shapes and (
        " " in row[0] or row[0].endswith(":") or row[0].startswith((*COMMENTS, "*"))
    )


def _is_total(row: Sequence[str], names: Sequence[str]) -> bool:
    """True if a row is called a total or a mean, and hardly any other row is."""
    words = [_word(name) for name in names]
    called = sum(word in _TOTALS for word in words)
    held = [cell for cell in row[1:] if cell]
    return (
        is_total_name(row[0])
        and any(is_number(cell) for cell in held)
        and called <= min(8, len(words) // 3)
        and words.count(_word(row[0])) <= 1
    )


def _without_header_again(columns: Columns, source: SourceFile, problems: list[Problem]) -> Columns:
    """Columns without rows that repeat the header, as in files written one below another."""
    names = list(columns)
    again = pc.equal(_trimmed(columns[names[0]]), names[0])
    if not pc.any(again).as_py():
        return columns
    for name in names[1:]:
        said = "" if _UNNAMED.fullmatch(name) else name
        again = pc.and_(again, pc.equal(_trimmed(columns[name]), said))
    count = pc.sum(again).as_py() or 0
    if not count or count == len(again):
        return columns
    message = f"the header is there {count + 1} times."
    problems.append(Problem("note", message, source.name, remedy="Each was read as a header."))
    return {name: cells.filter(pc.invert(again)) for name, cells in columns.items()}


def _without_comments(columns: Columns, source: SourceFile, problems: list[Problem]) -> Columns:
    """Columns without rows whose first cell is a comment and whose others are empty."""
    first, *others = columns
    comments = pc.match_substring_regex(as_texts(columns[first]), r"^\s*(#|//|%)")
    if not others or not pc.any(comments).as_py():
        return columns
    for name in others:
        comments = pc.and_(comments, pc.equal(_trimmed(columns[name]), ""))
    count = pc.sum(comments).as_py() or 0
    if not count:
        return columns
    problems.append(
        Problem("note", f"{count} lines are comments.", source.name, remedy="They were left out.")
    )
    return {name: cells.filter(pc.invert(comments)) for name, cells in columns.items()}


def _without_empty_columns(
    columns: Columns, source: SourceFile, problems: list[Problem]
) -> Columns:
    """Columns without those that have neither a name nor a cell, as delimiters written twice."""
    empty = [
        name
        for name, cells in columns.items()
        if _UNNAMED.fullmatch(name) and pc.all(pc.equal(_trimmed(cells), "")).as_py()
    ]
    if not empty or len(empty) == len(columns):
        return columns
    message = f"{len(empty)} columns have no name and no cells."
    problems.append(Problem("note", message, source.name, remedy="They were left out."))
    return {name: cells for name, cells in columns.items() if name not in empty}


def without_row_counter(columns: Columns, source: SourceFile) -> tuple[Columns, list[Problem]]:
    """Leave out a first column without a name of its own that counts rows, as pandas and R write.

    Its rows may have been sorted since: any order of 0, 1, 2 … or of 1, 2, 3 … is a counter.
    """
    name, *others = columns
    if not others or not (_UNNAMED.fullmatch(name) or name in ("row_names", "")):
        return columns, []
    cells = _trimmed(columns[name]).to_pylist()
    if not all(cell and cell.isascii() and cell.isdigit() for cell in cells):
        return columns, []
    values = sorted(int(cell) for cell in cells)
    if values not in (list(range(len(values))), list(range(1, len(values) + 1))):
        return columns, []
    remedy = "It was left out, because it is a saved row index."
    note = Problem(
        "note", "the first column has no name and counts rows.", source.name, remedy=remedy
    )
    return {other: columns[other] for other in others}, [note]
