"""Reads entries of the store's lists, and collects unreadable ones with the reason."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from smurf_core.errors import InputError

Entry = TypeVar("Entry")
_LATEST = 1e11  # seconds since 1970, in the year 5138: later times have no date


@dataclass(frozen=True)
class BrokenEntry:
    """A study, run or slice that is stored but cannot be read; it can still be deleted."""

    id: str
    name: str
    reason: str  # one sentence or more


def readable(rows: Iterable[sqlite3.Row], read: Callable[[sqlite3.Row], Entry]) -> list[Entry]:
    """The results of `read` for the rows, without those for which it raises `InputError`."""
    found = []
    for row in rows:
        with suppress(InputError):
            found.append(read(row))
    return found


def broken(rows: Iterable[sqlite3.Row], read: Callable[[sqlite3.Row], object]) -> list[BrokenEntry]:
    """The rows for which `read` raises `InputError`."""
    found = []
    for row in rows:
        try:
            read(row)
        except InputError as error:
            name = row["name"] if isinstance(row["name"], str) else ""
            found.append(BrokenEntry(str(row["id"]), name.strip() or "No name", str(error)))
    return found


def text(row: sqlite3.Row, column: str) -> str:
    """A column that contains text."""
    if not isinstance(row[column], str):
        raise _unexpected(row, column, "text")
    return str(row[column])


def number(row: sqlite3.Row, column: str) -> float:
    """A column that contains a finite number."""
    value = row[column]
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise _unexpected(row, column, "a number")
    return float(value)


def count(row: sqlite3.Row, column: str) -> int:
    """A column that contains a whole number of 0 or more."""
    if not isinstance(row[column], int) or row[column] < 0:
        raise _unexpected(row, column, "a whole number of 0 or more")
    return int(row[column])


def moment(row: sqlite3.Row, column: str) -> float:
    """A column that contains a time: seconds since 1970, UTC."""
    value = number(row, column)
    if not 0 <= value < _LATEST:
        raise _unexpected(row, column, "a time")
    return value


def choice(row: sqlite3.Row, column: str, known: tuple[str, ...]) -> Any:
    """A column that contains one of the known words."""
    if row[column] not in known:
        raise _unexpected(row, column, f"one of {', '.join(known)}")
    return row[column]


def or_none(
    read: Callable[[sqlite3.Row, str], Entry], row: sqlite3.Row, column: str
) -> Entry | None:
    """The result of `read` for a column, or None if the column is empty."""
    return None if row[column] is None else read(row, column)


def parsed(
    row: sqlite3.Row, column: str, what: str, read: Callable[[Any], Entry],
    load: Callable[[str], Any] = json.loads,
) -> Entry:  # fmt: skip
    """The result of `read` for a column of JSON; `what` is the start of an error message.

    `load` makes of the text what `read` takes.
    """
    try:
        return read(load(text(row, column)))
    except InputError as error:
        raise InputError(f"{what} cannot be read: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(f"{what} cannot be read ({type(error).__name__}: {error}).") from error


def _unexpected(row: sqlite3.Row, column: str, wanted: str) -> InputError:
    found = "nothing" if row[column] is None else repr(row[column])[:60]
    return InputError(f"Its entry contains {found} where {column} should be {wanted}.")
