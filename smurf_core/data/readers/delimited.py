"""CSV and similar text: any usual delimiter, UTF-8, UTF-16 or Windows-1252, decimal commas."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.csv as pa_csv

from smurf_core.data.problems import Problem
from smurf_core.data.readers.columns import check_names, text_table
from smurf_core.data.readers.interface import Table
from smurf_core.data.sources import MAX_COLUMNS, SourceFile, check_shape
from smurf_core.errors import InputError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_MAX_HEADER = 16 * 1024**2  # characters
_USUAL_HEADER = 2 * 1024**2  # characters: if this contains too few rows, more is read
_BLOCK = 64 * 1024**2  # bytes parsed at a time: a row must fit
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16 encoding"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16 encoding"),
)


@dataclass(frozen=True)
class _Dialect:
    encoding: str
    delimiter: str
    names: tuple[str, ...]
    blank_lines: int  # before the header
    problems: tuple[Problem, ...]


class DelimitedReader:
    """Text tables; the delimiter and the encoding are detected and reported."""

    title = "CSV"
    suffixes = (".csv", ".tsv", ".txt", ".tab", ".dat")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file starts with text."""
        if any(head.startswith(mark) for mark, _, _ in _MARKS):
            return True
        controls = sum(byte < 32 and byte not in b"\t\n\r\f" for byte in head)
        return controls == 0 or (b"\0" not in head and controls < len(head) / 500)

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table; with `rows`, only the beginning is read."""
        dialect = _dialect(source)
        cells = _preview(source, dialect, rows) if rows else _columns(source, dialect)
        cells, blank = _without_blank_end(cells, source)
        columns = dict(zip(dialect.names, cells.columns, strict=True))
        if cells.num_rows == 0:
            raise InputError(f"{source.name} has a header line but no rows below it.")
        check_shape(source, cells.num_rows, cells.num_columns)
        dropped, columns = _without_saved_index(columns, source)
        table = text_table(
            source.name,
            columns,
            source,
            may_have_decimal_commas=dialect.delimiter != ",",
            problems=dialect.problems + blank + dropped,
            options={
                "encoding": dialect.encoding,
                "delimiter": DELIMITERS[dialect.delimiter],
            },
        )
        return (table,)


def _dialect(source: SourceFile) -> _Dialect:
    encoding, problems = _encoding(source)
    with source.path.open(encoding=encoding, newline="") as file:
        start = file.read(_USUAL_HEADER)
        if "\n" not in start:
            start += file.read(_MAX_HEADER)
    if not start.strip():
        raise InputError(f"{source.name} contains only blanks: export or upload it again.")
    delimiter = _delimiter(source, start)
    rows = enumerate(_rows(start, delimiter))
    blank_lines, header = next((number, row) for number, row in rows if row)
    if len(header) > MAX_COLUMNS:
        check_shape(source, 1, len(header))
    if delimiter != "," and source.suffix == ".csv":
        remedy = "It was read as such."
        message = f"columns are separated by {DELIMITERS[delimiter]}."
        problems = (*problems, Problem("note", message, file=source.name, remedy=remedy))
    if all(_is_number(name) for name in header):
        raise InputError(
            f"{source.name} starts with a row of numbers: put a header line with column names "
            "above it."
        )
    return _Dialect(encoding, delimiter, tuple(check_names(header, source)), blank_lines, problems)


def _encoding(source: SourceFile) -> tuple[str, tuple[Problem, ...]]:
    """The encoding, from a mark or by trial, and a note if it is not plain UTF-8."""
    head = source.head(4)
    for mark, encoding, what in _MARKS:
        if head.startswith(mark):
            _decode_all(source, encoding)
            note = Problem("note", f"the file has {what}.", file=source.name, remedy="It was read.")
            return encoding, (note,)
    try:
        _decode_all(source, "utf-8")
    except InputError:
        _decode_all(source, "cp1252")
        message = "the file is not UTF-8."
        remedy = "It was read as Windows-1252 (Western European); check its special characters."
        return "cp1252", (Problem("warning", message, file=source.name, remedy=remedy),)
    return "utf-8", ()


def _decode_all(source: SourceFile, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with source.path.open("rb") as file:
            while chunk := file.read(4 * 1024**2):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise InputError(
            f"{source.name} is not text in a known encoding: save it as CSV in UTF-8."
        ) from error


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(_MAX_HEADER)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _delimiter(source: SourceFile, start: str) -> str:
    """The delimiter that splits the first rows into the most columns, equally many in each."""
    best, most = "", 1
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in islice(_rows(start, delimiter), 20) if row]
        except csv.Error:
            continue
        # The last row may be incomplete.
        whole = widths[:-1] if len(widths) == 20 else widths
        agreeing = sum(width == whole[0] for width in whole)
        if whole[0] > most and 2 * agreeing >= len(whole):
            best, most = delimiter, whole[0]
    if not best:
        raise InputError(
            f"{source.name} has only one column: separate columns by comma, semicolon or tab."
        )
    return best


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _columns(source: SourceFile, dialect: _Dialect) -> pa.Table:
    try:
        return pa_csv.read_csv(
            source.path,
            read_options=pa_csv.ReadOptions(
                column_names=list(dialect.names),
                skip_rows=dialect.blank_lines,
                skip_rows_after_names=1,
                block_size=_BLOCK,
                encoding="utf-8" if dialect.encoding == "utf-8-sig" else dialect.encoding,
            ),
            parse_options=pa_csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(dialect.names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise _ragged(source, dialect) from error


def _preview(source: SourceFile, dialect: _Dialect, rows: int) -> pa.Table:
    """The first rows; short ones are filled up, because the whole file is checked later."""
    with source.path.open(encoding=dialect.encoding, newline="") as file:
        filled = (row for row in csv.reader(file, delimiter=dialect.delimiter) if row)
        body = list(islice(filled, 1, rows + 1))
    width = len(dialect.names)
    body = [(row + [""] * width)[:width] for row in body]
    columns = [
        pa.chunked_array([pa.array([row[i] for row in body], pa.string())]) for i in range(width)
    ]
    return pa.Table.from_arrays(columns, names=list(dialect.names))


def _ragged(source: SourceFile, dialect: _Dialect) -> InputError:
    """The message for a file whose rows have unequal numbers of cells."""
    width = len(dialect.names)
    with source.path.open(encoding=dialect.encoding, newline="") as file:
        try:
            for number, row in enumerate(csv.reader(file, delimiter=dialect.delimiter)):
                if row and len(row) != width:
                    return InputError(
                        f"{source.name}, row {number}: {len(row)} cells where the header names "
                        f"{width} columns; put quotes around text that contains a "
                        f"{DELIMITERS[dialect.delimiter]}."
                    )
        except csv.Error:
            pass
    return InputError(
        f"{source.name} cannot be read as a table: look for quotes that are not closed."
    )


def _without_blank_end(cells: pa.Table, source: SourceFile) -> tuple[pa.Table, tuple[Problem, ...]]:
    """Leave out rows at the end that contain only delimiters, as spreadsheets write them."""
    end = cells.num_rows
    while end and all(not (column[end - 1].as_py() or "").strip() for column in cells.columns):
        end -= 1
    blank = cells.num_rows - end
    if not blank:
        return cells, ()
    message = f"{blank} rows at the end are empty."
    note = Problem("note", message, source.name, remedy="They were left out.")
    return cells.slice(0, end), (note,)


def _without_saved_index(
    columns: dict[str, pa.ChunkedArray], source: SourceFile
) -> tuple[tuple[Problem, ...], dict[str, pa.ChunkedArray]]:
    """Leave out a first column without a name that counts rows, as written by pandas."""
    first, *others = columns
    counting = pa.array([str(row) for row in range(len(columns[first]))], pa.string())
    if first != "column_1" or not columns[first].combine_chunks().equals(counting):
        return (), columns
    remedy = "It was left out, because it is a saved row index."
    note = Problem(
        "note", "the first column has no name and counts rows.", source.name, remedy=remedy
    )
    return (note,), {name: columns[name] for name in others}
