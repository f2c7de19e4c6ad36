"""Numbers with words beside them, as questionnaires write them: `1 = not at all`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from smurf_core.data.ordered_words import ordered_words
from smurf_core.data.problems import Problem, listing
from smurf_core.data.sources import SourceFile

_NUMBER = r"(?P<number>[+-]?\d+(?:\.\d+)?)"
_WORDS = r"(?P<words>[^\W\d_].*?)"
_PLAIN = re.compile(rf"{_NUMBER}$")
_LABELLED = (
    re.compile(rf"{_NUMBER}\s*(?:[=:]|\s[-–—]\s|[.)]\s)\s*{_WORDS}$"),  # 1 = not at all, 1) never
    re.compile(rf"{_NUMBER}\s*[(\[]\s*{_WORDS}\s*[)\]]$"),  # 1 (not at all)
    re.compile(rf"{_WORDS}\s*[(\[=:]\s*{_NUMBER}\s*[)\]]?$"),  # not at all (1)
)
_MOST_LEVELS = 101  # 0 to 100


def scale_columns(
    columns: Mapping[str, pa.ChunkedArray], source: SourceFile, *, missing: tuple[str, ...]
) -> tuple[dict[str, pd.Series[Any]], tuple[Problem, ...]]:
    """The columns of text that are rating scales, as numbers, and a note that names them.

    `missing` are words for "no value" in a column of numbers.
    """
    found: dict[str, pd.Series[Any]] = {}
    for name, cells in columns.items():
        trimmed = pc.utf8_trim_whitespace(cells)
        filled = pc.if_else(pc.is_in(trimmed, value_set=pa.array(missing)), None, trimmed)
        numbers = labelled_numbers(filled.to_pylist())
        if numbers is not None:
            is_whole = (numbers.dropna() % 1 == 0).all()
            found[name] = numbers.astype("Int64") if is_whole else numbers
    if not found:
        return {}, ()
    what = "column has" if len(found) == 1 else "columns have"
    message = f"{len(found)} {what} words beside numbers ({listing(found)})."
    remedy = "A cell such as '1 = not at all' was read as its number."
    return found, (Problem("note", message, file=source.name, remedy=remedy),)


def labelled_numbers(cells: Iterable[str | None]) -> pd.Series[float] | None:
    """The numbers of cells of a rating scale; None if the cells are something else.

    Each number has one label at most, and some cells are numbers alone or all labels are words of
    a usual scale: `1 - angry`, `2 - happy` are classes.
    """
    given = pd.Series(list(cells), dtype="object")
    numbers: dict[str, float] = {}
    labels: dict[float, str] = {}
    has_plain = False
    known = [str(cell) for cell in given.dropna().unique()]
    if not known or len(known) > 2 * _MOST_LEVELS:
        return None
    for cell in known:
        plain = _PLAIN.match(cell)
        match = plain or next((m for form in _LABELLED if (m := form.match(cell))), None)
        if match is None:
            return None
        number = float(match["number"])
        numbers[cell] = number
        has_plain |= plain is not None
        if plain is None:
            words = match["words"].casefold().strip()
            if labels.setdefault(number, words) != words:
                return None
    if not labels or len(set(labels.values())) < len(labels):
        return None
    if not has_plain and ordered_words(labels.values()) is None:
        return None
    return given.map(numbers).astype(np.float64)
