"""Columns whose values have labels, and codes that a file declares as missing (SPSS, Stata)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.columns import check_names, text_column
from smurf_core.data.readers.interface import BadCell, Table
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError


@dataclass(frozen=True)
class Coded:
    """What a file says about a column: labels of its values, and which cells are missing codes."""

    labels: Mapping[Any, str] = field(default_factory=dict)
    missing: npt.NDArray[np.bool_] | None = None
    is_scale: bool = False  # measured, so that its labels only name some points


def labelled_table(
    source: SourceFile,
    frame: pd.DataFrame,
    about: Mapping[str, Coded],
    problems: tuple[Problem, ...] = (),
) -> Table:
    """A table of columns: labels as text where every value has one, otherwise numbers."""
    if len(frame) == 0:
        raise InputError(f"{source.name} has columns and no rows.")
    columns: dict[str, pd.Series[Any]] = {}
    bad: dict[str, BadCell] = {}
    missing: dict[str, int] = {}
    labelled: list[str] = []
    partly: list[str] = []
    names = check_names([str(name) for name in frame.columns], source)
    for position, (given, name) in enumerate(zip(frame.columns, names, strict=True)):
        coded = about.get(str(given), Coded())
        cells = frame.iloc[:, position]
        if coded.missing is not None and coded.missing.any():
            missing[name] = int(coded.missing.sum())
            cells = cells.mask(coded.missing)
        texts = _labels(cells, coded.labels)
        if texts is not None and not coded.is_scale:
            labelled.append(name)
            columns[name] = texts
            continue
        if coded.labels:
            partly.append(name)
        columns[name], cell = _column(cells)
        if cell is not None:
            bad[name] = BadCell(source.name, *cell)
    said = _said(source, missing, labelled, partly)
    return Table(source.name, pd.DataFrame(columns), bad, (*problems, *said))


def _labels(cells: pd.Series[Any], labels: Mapping[Any, str]) -> pd.Series[Any] | None:
    """The label of each cell, or None if a value has none (as on a scale with named ends)."""
    known = {_key(value): str(label).strip() for value, label in labels.items()}
    values = [None if pd.isna(cell) else _key(cell) for cell in cells] if known else []
    held = {value for value in values if value is not None}
    if not held or not held <= {value for value, label in known.items() if label}:
        return None
    return pd.Series([None if v is None else known[v] for v in values], dtype="str")


def _key(value: Any) -> float | str:
    return float(value) if isinstance(value, int | float | np.number) else str(value).strip()


def _column(cells: pd.Series[Any]) -> tuple[pd.Series[Any], tuple[int, str, int] | None]:
    """Numbers, whole ones as integers; dates and texts as text, and the first cell that is bad."""
    if not pd.api.types.is_numeric_dtype(cells):
        held = cells.dropna()
        if cells.dtype != object or not held.map(lambda c: isinstance(c, int | float)).all():
            texts = ["" if pd.isna(cell) else str(cell) for cell in cells]
            read = text_column(pa.chunked_array([pa.array(texts, pa.string())]))
            return pd.Series(read.values), read.bad
        cells = pd.to_numeric(cells, errors="coerce")
    values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[~np.isnan(values)]
    is_whole = len(known) and (np.abs(known) < 2**53).all() and (known == np.round(known)).all()
    if not is_whole:
        return pd.Series(values), None
    whole = pd.Series(values).astype("Int64")
    return (whole if whole.isna().any() else whole.astype(np.int64)), None


def _said(
    source: SourceFile, missing: Mapping[str, int], labelled: list[str], partly: list[str]
) -> list[Problem]:
    problems = []
    if missing:
        cells = f"{sum(missing.values()):,} cells of {listing(missing)}"
        message = f"{cells} contain codes that the file declares as missing."
        remedy = "They were taken as missing."
        problems.append(Problem("note", message, source.name, remedy=remedy))
    if labelled:
        message = f"all values of {listing(labelled)} have labels."
        remedy = "The labels were read as text."
        problems.append(Problem("note", message, source.name, remedy=remedy))
    if partly:
        message = f"{listing(partly)} have labels for some values only, or are scales."
        remedy = "The numbers were read."
        problems.append(Problem("note", message, source.name, remedy=remedy))
    return problems
