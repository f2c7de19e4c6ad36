"""Problems in a user's data: what they are, where they are, and how they were handled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from smurf_core.errors import InputError

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Problem:
    """One finding. Errors prevent the use of the data, warnings may affect results, notes inform.

    `file`, `column` and `row` are empty if the finding is not about a single one. `row` counts
    samples from 1, without the header line. `remedy` describes what was done about it or how to fix
    it.
    """

    severity: Severity
    message: str
    file: str = ""
    column: str = ""
    row: int | None = None
    remedy: str = ""

    def __str__(self) -> str:
        row = "" if self.row is None else f"row {self.row}"
        column = f"column {self.column!r}" if self.column else ""
        where = ", ".join(part for part in (self.file, column, row) if part)
        sentence = f"{where}: {self.message}" if where else self.message
        return " ".join(f"{sentence} {self.remedy}".split())


def problem_table(problems: Iterable[Problem]) -> pd.DataFrame:
    """One row per problem, most serious first: severity, file, column, row, message, remedy."""
    columns = ["severity", "file", "column", "row", "message", "remedy"]
    ordered = sorted(problems, key=lambda problem: SEVERITIES.index(problem.severity))
    table = pd.DataFrame([[getattr(p, name) for name in columns] for p in ordered], columns=columns)
    return table.astype({"row": "Int64"})


def refuse_errors(problems: Iterable[Problem]) -> None:
    """Raise `InputError` with the first error, in one line, and the number of further errors."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if not errors:
        return
    more = len(errors) - 1
    others = f" ({more} more error{'s' if more > 1 else ''} of this kind.)" if more else ""
    raise InputError(f"{errors[0]}{others}")


def listing(names: Iterable[object], limit: int = 3) -> str:
    """The first few names, and how many more there are: `a, b, c and 4 more`."""
    shown = [str(name) for name in names]
    more = len(shown) - limit
    return ", ".join(shown[:limit]) + (f" and {more} more" if more > 0 else "")
