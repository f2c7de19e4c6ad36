"""What is known about a join: the key, why it was chosen, and what agrees under it."""

from __future__ import annotations

from dataclasses import dataclass

from smurf_core.data.importing.near_ids import NearMatches


@dataclass(frozen=True)
class TableKey:
    """The columns that name the samples in one table; none if its rows count."""

    table: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class SharedColumn:
    """A column of two tables that agrees in all rows that match."""

    column: str
    first: str  # names of the tables
    second: str
    rows: int  # compared, without missing cells


@dataclass(frozen=True)
class RefusedKey:
    """Columns that might name the samples, and why others were chosen."""

    columns: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class JoinEvidence:
    """How the samples of several tables were identified."""

    keys: tuple[TableKey, ...] = ()
    why: str = ""
    by_position: tuple[str, ...] = ()  # tables whose rows were matched by position, on request
    near: tuple[NearMatches, ...] = ()
    shared: tuple[SharedColumn, ...] = ()
    refused: tuple[RefusedKey, ...] = ()
