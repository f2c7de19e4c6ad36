"""Tables as files for other programs: CSV, Parquet, Excel, SPSS, Stata."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smurf_core.errors import InputError

FORMATS = ("csv", "parquet", "xlsx", "sav", "dta")
# Spreadsheets run a cell that starts with one of these, wherever its text came from.
_FORMULA = re.compile(r"[=+\-@\t\r]")
EXCEL_ROWS = 1_048_575
_EXCEL_TEXT = 32_767
_NAME_LENGTHS = {"sav": 64, "dta": 32}


def table_bytes(table: pd.DataFrame, format: str) -> bytes:
    """A table as a file of one of `FORMATS`; text that a spreadsheet would run stays text."""
    if format == "parquet":
        return bytes(table.to_parquet(index=False))
    if format == "xlsx":
        return _excel(table)
    if format in _NAME_LENGTHS:
        return _labelled(table, format)
    return csv_text(table).encode()


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV, with an apostrophe before text that a spreadsheet would run as a formula.

    Numbers are not changed, also where they are written as text (`-1`).
    """
    columns = {name: table[name] for name in table.columns}
    safe = {name: _without_formulas(cells) for name, cells in columns.items()}
    written = pd.DataFrame(safe, index=table.index)
    written.columns = pd.Index([_safe(str(name)) for name in columns])
    return str(written.to_csv(index=False))


def _without_formulas(cells: pd.Series[Any]) -> pd.Series[Any]:
    if pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_datetime64_any_dtype(cells):
        return cells
    return cells.astype(object).map(lambda cell: _safe(cell) if isinstance(cell, str) else cell)


def _safe(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _excel(table: pd.DataFrame) -> bytes:
    """A workbook of one sheet, in which every text is marked as text."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if len(table) > EXCEL_ROWS:
        raise InputError(
            f"Excel takes {EXCEL_ROWS:,} rows and this table has {len(table):,}: export it as CSV "
            "or Parquet."
        )
    book = Workbook(write_only=True)
    sheet = book.create_sheet("table")

    def cell(value: Any) -> Any:
        if not isinstance(value, str):
            return None if pd.isna(value) or value in (np.inf, -np.inf) else value
        made = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value)[:_EXCEL_TEXT])
        made.data_type = "s"
        return made

    sheet.append([cell(str(name)) for name in table.columns])
    for row in _plain(table).itertuples(index=False, name=None):
        sheet.append([cell(value) for value in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _labelled(table: pd.DataFrame, format: str) -> bytes:
    """A file of SPSS or Stata: names as these programs allow them, the full names as labels."""
    import pyreadstat

    names = _short_names([str(name) for name in table.columns], _NAME_LENGTHS[format])
    plain = _plain(table).replace([np.inf, -np.inf], np.nan)
    labels = {short: str(name)[:80] for short, name in zip(names, table.columns, strict=True)}
    plain.columns = pd.Index(names)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table.{format}"
        if format == "dta":
            plain.to_stata(path, write_index=False, version=118, variable_labels=labels)
        else:
            pyreadstat.write_sav(plain, str(path), column_labels=list(labels.values()))
        return path.read_bytes()


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Columns of numbers and of text: truth as 0 and 1, anything else as its text."""
    made: dict[Any, Any] = {}
    for name in table.columns:
        cells = table[name]
        if pd.api.types.is_bool_dtype(cells):
            made[name] = cells.astype(np.int8)
        elif pd.api.types.is_float_dtype(cells) or cells.dtype.kind in "iu":
            made[name] = cells
        elif pd.api.types.is_numeric_dtype(cells):
            made[name] = cells.astype(np.float64)
        else:
            made[name] = cells.map(lambda cell: "" if _is_missing(cell) else str(cell)).astype(
                "str"
            )
    return pd.DataFrame(made, index=table.index)


def _is_missing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and np.isnan(cell)) or cell is pd.NA


def _short_names(names: list[str], most: int) -> list[str]:
    """Names of letters, digits and underscores, each once."""
    found: list[str] = []
    for name in names:
        short = re.sub(r"[^A-Za-z0-9_]", "_", name)
        short = (short if re.match(r"[A-Za-z]", short) else f"v_{short}")[:most]
        number, made = 2, short
        while made.lower() in {other.lower() for other in found}:
            made = f"{short[: most - len(str(number)) - 1]}_{number}"
            number += 1
        found.append(made)
    return found
