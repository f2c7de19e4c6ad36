"""CSV and similar text: any usual delimiter, UTF-8, UTF-16 or Windows-1252, decimal commas."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.csv as pa_csv

from smurf_core.data.problems import Problem
from smurf_core.data.readers.columns import check_names, may_be_names, text_table
from smurf_core.data.readers.delimiters import DELIMITERS, LONGEST_HEADER, rows_reader, seen_rows
from smurf_core.data.readers.footers import (
    is_note,
    is_total_name,
    without_odd_rows,
    without_row_counter,
)
from smurf_core.data.readers.headers import COMMENTS, find_header, is_number, mask
from smurf_core.data.readers.interface import Table
from smurf_core.data.readers.streamed import Columns, columns_of, doubtful
from smurf_core.data.sources import MAX_COLUMNS, SourceFile, check_shape, most_rows
from smurf_core.errors import InputError

_USUAL_HEADER = 2 * 1024**2  # characters: if this contains too few rows, more is read
# Bytes parsed at a time, for each column and at least: several blocks wait in memory, a row must
# fit, and a block costs time for each column.
_BLOCK_OF_COLUMN, _SMALLEST_BLOCK = 2 * 1024, 8 * 1024**2
_ROWS_AT_ONCE = 2_000  # of rows that are read one by one
_FEW_ROWS = 1_000
_WHOLE = "the whole table"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16 encoding"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16 encoding"),
)


@dataclass(frozen=True)
class _Dialect:
    encoding: str
    delimiter: str
    skips_blanks: bool  # before a cell
    names: tuple[str, ...]
    lines_above: int  # lines before the first row of data, with the header
    most_rows: int  # that the file can have
    problems: tuple[Problem, ...]


class DelimitedReader:
    """Text tables; the delimiter, the encoding and the header are detected and reported."""

    title = "CSV"
    suffixes = (".csv", ".tsv", ".txt", ".tab", ".dat")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file starts with text."""
        if any(head.startswith(mark) for mark, _, _ in _MARKS):
            return True
        controls = sum(byte < 32 and byte not in b"\t\n\r\f" for byte in head)
        return controls == 0 or (b"\0" not in head and controls < len(head) / 500)

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table; with `rows`, only the beginning is read, unless its numbers need all rows."""
        dialect = _dialect(source)

        def whole() -> Table:
            return _table(source, dialect, _columns(source, dialect))

        if rows is None:
            return (source.known.pop(_WHOLE, None) or whole(),)
        if dialect.most_rows > _FEW_ROWS:
            table = _table(source, dialect, _by_name(_preview(source, dialect, rows)))
            if not table.undecided:
                return (table,)
        # Of few and long rows, a preview costs nearly as much: it is cut from what is asked next.
        return (source.once(_WHOLE, whole).first(rows),)


def _by_name(cells: pa.Table) -> Columns:
    return dict(zip(cells.column_names, cells.columns, strict=True))


def _table(source: SourceFile, dialect: _Dialect, whole: Columns) -> Table:
    count = len(next(iter(whole.values())))
    if count == 0:
        raise InputError(f"{source.name} has a header line but no rows below it.")
    columns, ends = without_odd_rows(whole, source)
    rows = len(next(iter(columns.values())))
    if rows < count and (unsure := doubtful(columns)):
        whole |= _by_name(_texts(source, dialect, unsure))
        columns, ends = without_odd_rows(whole, source)
    if not rows:
        raise InputError(f"{source.name} has a header line but no rows below it.")
    check_shape(source, rows, len(columns))
    columns, counter = without_row_counter(columns, source)
    if counter:  # Totals have their name in the column behind it.
        columns, more = without_odd_rows(columns, source)
        ends = [*ends, *more]
    return text_table(
        source.name,
        columns,
        source,
        delimiter=dialect.delimiter,
        problems=(*dialect.problems, *ends, *counter),
        options={"encoding": dialect.encoding, "delimiter": DELIMITERS[dialect.delimiter]},
    )


def _dialect(source: SourceFile) -> _Dialect:
    """Encoding, delimiter and header, found once for each file."""
    return source.once("dialect", lambda: _found_dialect(source))


def _found_dialect(source: SourceFile) -> _Dialect:
    encoding, lines_of_file, problems = _encoding(source)
    with source.path.open(encoding=encoding, newline="") as file:
        start = file.read(_USUAL_HEADER)
        if "\n" not in start:
            start += file.read(LONGEST_HEADER)
        is_whole = not file.read(1)
    if not start.strip():
        raise InputError(f"{source.name} contains only blanks: export or upload it again.")
    seen = seen_rows(source, start, is_whole)
    if len(seen.rows[0]) > MAX_COLUMNS:
        check_shape(source, 1, len(seen.rows[0]))
    header = find_header(seen.rows, source, delimiter=seen.delimiter)
    if seen.delimiter not in ", " and source.suffix == ".csv":
        remedy = "It was read as such."
        message = f"columns are separated by {DELIMITERS[seen.delimiter]}."
        problems = (*problems, Problem("note", message, file=source.name, remedy=remedy))
    names = tuple(check_names(list(header.names), source))
    lines = seen.lines[header.first - 1]
    return _Dialect(
        encoding, seen.delimiter, seen.skips_blanks, names, lines, lines_of_file,
        (*problems, *header.problems),
    )  # fmt: skip


def _encoding(source: SourceFile) -> tuple[str, int, tuple[Problem, ...]]:
    """The encoding, from a mark or by trial, the lines, and a note if it is not plain UTF-8."""
    head = source.head(4)
    for mark, encoding, what in _MARKS:
        if head.startswith(mark):
            note = Problem("note", f"the file has {what}.", file=source.name, remedy="It was read.")
            return encoding, _lines_in(source, encoding), (note,)
    lines = _lines_if_text_in(source, "utf-8")
    if lines is not None:
        return "utf-8", lines, ()
    # In GB 2312, all characters beyond ASCII are pairs of such bytes: words with accents are not.
    lines = _lines_if_text_in(source, "gb2312")
    if lines is not None:
        encoding, title = "gb18030", "GBK (Chinese)"
    else:
        lines = _lines_in(source, "cp1252")
        encoding, title = "cp1252", "Windows-1252 (Western European)"
    remedy = f"It was read as {title}; check its special characters."
    message = "the file is not UTF-8."
    return encoding, lines, (Problem("warning", message, file=source.name, remedy=remedy),)


def _lines_if_text_in(source: SourceFile, encoding: str) -> int | None:
    """The lines of a file that is text in an encoding; None if it is not."""
    try:
        return _lines_in(source, encoding)
    except InputError:
        return None


def _lines_in(source: SourceFile, encoding: str) -> int:
    """The most lines that a file can have; raises an error if it is not text in an encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    try:
        with source.path.open("rb") as file:
            while chunk := file.read(4 * 1024**2):
                text = decoder.decode(chunk)
                lines += text.count("\n")
                if "\r" in text:
                    lines += text.count("\r") - text.count("\r\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{source.name} is not text in a known encoding: save it as CSV in UTF-8."
        ) from error
    return lines


def _columns(source: SourceFile, dialect: _Dialect) -> Columns:
    """All rows. Columns of numbers are numbers, so that the text is never there as a whole."""
    names = dialect.names
    as_text = {c for k, c in enumerate(names) if may_be_names(k, len(names), c)}

    def gathered(blocks: Iterable[pa.RecordBatch]) -> Columns:
        def report(rows: int) -> None:
            check_shape(source, rows, len(names))
            source.report(rows / dialect.most_rows)

        return columns_of(
            blocks, names, lambda some: _texts(source, dialect, some),
            as_text=as_text, rows=min(dialect.most_rows, most_rows(len(names))), report=report,
        )  # fmt: skip

    if not dialect.skips_blanks:
        try:
            return gathered(_blocks(source, dialect, names))
        except pa.ArrowInvalid:
            pass
    return gathered(_slowly(source, dialect))


def _blocks(
    source: SourceFile, dialect: _Dialect, columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """The text of some columns, block by block; `ArrowInvalid` if rows differ in their lengths."""
    with pa_csv.open_csv(
        source.path,
        read_options=pa_csv.ReadOptions(
            column_names=list(dialect.names),
            skip_rows=dialect.lines_above,
            block_size=max(_SMALLEST_BLOCK, _BLOCK_OF_COLUMN * len(dialect.names)),
            encoding="utf-8" if dialect.encoding == "utf-8-sig" else dialect.encoding,
        ),
        parse_options=pa_csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            include_columns=list(columns),
            strings_can_be_null=False,
            check_utf8=False,  # `_encoding` has decoded the whole file
        ),
    ) as reader:
        yield from reader


def _texts(source: SourceFile, dialect: _Dialect, columns: Sequence[str]) -> pa.Table:
    """The text of some columns of all rows."""
    schema = pa.schema(dict.fromkeys(columns, pa.string()))
    if not dialect.skips_blanks:
        try:
            return pa.Table.from_batches(_blocks(source, dialect, columns), schema)
        except pa.ArrowInvalid:
            pass
    return pa.Table.from_batches(
        (b.select(list(columns)) for b in _slowly(source, dialect)), schema
    )


def _preview(source: SourceFile, dialect: _Dialect, rows: int) -> pa.Table:
    """The first rows; short ones are filled up, because the whole file is checked later."""
    width = len(dialect.names)
    with source.path.open(encoding=dialect.encoding, newline="") as file:
        body = [row for row, _ in islice(_below(file, dialect), rows)]
    body = [row for row in body if len(row) >= width or not _is_odd(row)]
    return pa.Table.from_batches([_block([(row + [""] * width)[:width] for row in body], dialect)])


def _below(file: Iterable[str], dialect: _Dialect) -> Iterator[tuple[list[str], int]]:
    """The rows below the header that are not empty, and their numbers from 1."""
    lines = iter(file)
    for _ in range(dialect.lines_above):
        next(lines, None)
    reader = rows_reader(lines, dialect.delimiter, skips_blanks=dialect.skips_blanks)
    for number, row in enumerate(reader, start=1):
        if dialect.delimiter == " " and row and not row[-1]:
            row.pop()
        if row:
            yield row, number


def _is_odd(row: list[str]) -> bool:
    """True if a row of too few cells is a comment or a sentence."""
    return row[0].lstrip().startswith(COMMENTS) or is_note([*row, "", ""][:3], [])


def _slowly(source: SourceFile, dialect: _Dialect) -> Iterator[pa.RecordBatch]:
    """All rows without comments and notes, which have other numbers of cells than the header."""
    width = len(dialect.names)
    body: list[list[str]] = []
    names: list[str] = []  # how the first rows begin
    waiting: list[tuple[list[str], int]] = []  # rows that must be followed by no data
    try:
        with source.path.open(encoding=dialect.encoding, newline="") as file:
            for row, number in _below(file, dialect):
                if len(row) == width:
                    if waiting:
                        raise _ragged(source, dialect, *waiting[0])
                    body.append(row)
                    names += [row[0].strip()] if row[0].strip() and len(names) < 200 else []
                elif row[0].lstrip().startswith(COMMENTS):
                    continue
                elif _may_end(row, names, width):
                    waiting.append((row, number))
                else:
                    raise _ragged(source, dialect, row, number)
                if len(body) == _ROWS_AT_ONCE:
                    yield _block(body, dialect)
                    body = []
    except csv.Error as error:
        raise InputError(
            f"{source.name} cannot be read as a table: look for quotes that are not closed."
        ) from error
    # They become rows of a note alone, which are left out with a message.
    body += [[" ".join(row), *[""] * (width - 1)] for row, _ in waiting]
    yield _block(body, dialect)


def _may_end(row: list[str], names: list[str], width: int) -> bool:
    """True if a row may be a note below the data: it does not begin as the others do."""
    is_data = sum(map(is_number, row)) > 1 and not is_total_name(row[0])
    if not names or is_data:
        return False
    shapes = {mask(name) for name in names}
    starts_alike = mask(row[0].strip()) in shapes
    return len(row) < width and not starts_alike and is_note([" ".join(row).strip(), "", ""], names)


def _block(body: list[list[str]], dialect: _Dialect) -> pa.RecordBatch:
    names = dialect.names
    columns = [pa.array([row[i] for row in body], pa.string()) for i in range(len(names))]
    return pa.RecordBatch.from_arrays(columns, names=list(names))


def _ragged(source: SourceFile, dialect: _Dialect, row: list[str], number: int) -> InputError:
    """The message for a row whose number of cells is not that of the header."""
    remedy = f"put quotes around text that contains a {DELIMITERS[dialect.delimiter]}"
    if len(row) < len(dialect.names):
        remedy = (
            "close a quote that is open, add the cells that are missing, or take out the name that "
            "has no column"
        )
    return InputError(
        f"{source.name}, row {number}: {len(row)} cells where the header names "
        f"{len(dialect.names)} columns; {remedy}."
    )
