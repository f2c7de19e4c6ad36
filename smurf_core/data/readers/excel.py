"""Excel workbooks (.xlsx): one table per sheet."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
from xml.etree.ElementTree import ParseError

import pyarrow as pa

from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.columns import check_names, text_table
from smurf_core.data.readers.footers import without_odd_rows, without_row_counter
from smurf_core.data.readers.headers import SEEN_ROWS, find_header
from smurf_core.data.readers.interface import Table
from smurf_core.data.sources import ARCHIVE_ERRORS, SourceFile, check_shape, zip_members
from smurf_core.errors import InputError

_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Cells of a workbook are read one by one, some 200,000 a second.
_MAX_CELLS = 10_000_000
_MAY_BE_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}\.\d{3}")


class ExcelReader:
    """Workbooks of Excel 2007 and later; formulas are read as their last computed value."""

    title = "Excel"
    suffixes = (".xlsx", ".xlsm", ".xls")

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file is a workbook, or an old one, for which the error gives advice."""
        if head.startswith(_OLD_EXCEL):
            return True
        return head.startswith(b"PK\x03\x04") and (
            source.suffix in (".xlsx", ".xlsm") or b"[Content_Types].xml" in head
        )

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table for each sheet that has cells, named `file` or `file:sheet`."""
        if source.head(8).startswith(_OLD_EXCEL):
            raise InputError(
                f"{source.name} is a workbook of Excel 97-2003 or locked with a password: "
                "save it as .xlsx without one."
            )
        zip_members(source)
        # Its import takes as long as the app's first page, so it is imported only for workbooks.
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException

        try:
            # We read nothing of what openpyxl leaves out (styles, validation).
            with warnings.catch_warnings(action="ignore"), source.path.open("rb") as file:
                book = load_workbook(file, read_only=True, data_only=True)
                shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
                hidden = [sheet.title for sheet in book.worksheets if sheet not in shown]
                sheets = {
                    sheet.title: _cells(sheet.iter_rows(values_only=True), source, rows)
                    for sheet in shown
                }
        except (*ARCHIVE_ERRORS, InvalidFileException, ParseError, KeyError, TypeError,
                AttributeError) as error:  # fmt: skip
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{source.name} is damaged or not an Excel workbook: save it again as .xlsx."
            ) from error
        filled = {title: cells for title, cells in sheets.items() if cells}
        if not filled:
            raise InputError(f"{source.name} has no sheet with cells in it.")
        tables = [_table(source, title, cells, len(filled)) for title, cells in filled.items()]
        if hidden:
            message = f"{len(hidden)} sheets are hidden ({listing(hidden)})."
            remedy = "They were left out; unhide them in Excel if they belong to the study."
            note = Problem("warning", message, source.name, remedy=remedy)
            tables[0] = replace(tables[0], problems=(*tables[0].problems, note))
        return tuple(tables)


def _cells(
    rows: Iterator[tuple[Any, ...]], source: SourceFile, limit: int | None
) -> list[tuple[Any, ...]]:
    """The rows that are not empty, including the header; raises an error for too many cells."""
    kept: list[tuple[Any, ...]] = []
    count = 0
    for row in islice(rows, None if limit is None else limit + 1):
        count += len(row)
        if count > _MAX_CELLS:
            raise InputError(
                f"{source.name} has more than {_MAX_CELLS:,} cells in a sheet: save it as CSV."
            )
        if any(cell is not None for cell in row):
            kept.append(row)
    return kept


def _table(source: SourceFile, title: str, rows: list[tuple[Any, ...]], sheets: int) -> Table:
    where = f", sheet {title!r}"
    if len(rows) < 2:
        raise InputError(f"{source.name}{where} has a header line but no rows below it.")
    # Sheets keep cells that were once formatted: empty columns at the end are ignored.
    widest = max(len(row) for row in rows)
    used = [i for i in range(widest) if any(i < len(row) and row[i] is not None for row in rows)]
    check_shape(source, len(rows), len(used))
    texts = [[_text(row[i]).strip() if i < len(row) else "" for i in used] for row in rows]
    header = find_header(texts[:SEEN_ROWS], source, where=where)
    body = texts[header.first :]
    if not body:
        raise InputError(f"{source.name}{where} has a header line but no rows below it.")
    names = check_names(list(header.names), source, where=where)
    columns = {
        name: pa.chunked_array([pa.array([row[i] for row in body], pa.string())])
        for i, name in enumerate(names)
    }
    columns, ends = without_odd_rows(columns, source)
    columns, counter = without_row_counter(columns, source)
    name = source.name if sheets == 1 else f"{source.name}:{title}"
    problems = (*header.problems, *ends, *counter)
    return text_table(name, columns, source, problems=problems, options={"sheet": title})


def _text(cell: Any) -> str:
    """A cell as text; floats keep every digit."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, datetime | date | time | timedelta):
        return str(cell)
    if not isinstance(cell, float):
        return str(cell)
    text = repr(cell)
    # A cell of type number has a decimal point: 2.961 is never 2961, as it may be in text.
    return f"{text}0" if _MAY_BE_THOUSANDS.fullmatch(text) else text
