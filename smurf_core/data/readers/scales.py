"""Numbers with words beside them, as questionnaires write them: `1 = not at all`."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from smurf_core.data.ordered_words import ordered_words

_NUMBER = r"(?P<number>[+-]?\d+(?:\.\d+)?)"
_WORDS = r"(?P<words>[^\W\d_].*?)"
_PLAIN = re.compile(rf"{_NUMBER}$")
_LABELLED = (
    re.compile(rf"{_NUMBER}\s*(?:[=:]|\s[-–—]\s|[.)]\s)\s*{_WORDS}$"),  # 1 = not at all, 1) never
    re.compile(rf"{_NUMBER}\s*[(\[]\s*{_WORDS}\s*[)\]]$"),  # 1 (not at all)
    re.compile(rf"{_WORDS}\s*[(\[=:]\s*{_NUMBER}\s*[)\]]?$"),  # not at all (1)
)
_MOST_LEVELS = 101  # 0 to 100


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
    if len(known) > 2 * _MOST_LEVELS:
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
