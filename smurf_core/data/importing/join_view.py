"""How several tables stand together: some joined rows to look at, and the evidence as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.importing.evidence import JoinEvidence, RefusedKey, SharedColumn
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.matching import RowIds, TableJoin
from smurf_core.data.importing.near_ids import NearMatches
from smurf_core.data.problems import listing
from smurf_core.data.readers.interface import Table

SAMPLE_ID = ("", "sample id")  # the first column of `joined_rows`
_MATCHED_ROWS, _OTHER_ROWS = 4, 2
_COLUMNS = 2  # of each table, beside its key
_SENTENCES = 5  # columns or ids that are named before the rest is counted


def joined_rows(
    tables: Sequence[Table], base: Table, rows: RowIds, mapping: StudyMapping
) -> pd.DataFrame:
    """Some rows of each table as they stand together, with the cells as they are written.

    The columns are pairs (table, column): the sample id, then of each table its key and a few other
    columns. Rows in all tables come first, the ones with nearly equal ids before others; then some
    of samples that a table lacks, with empty cells there.
    """
    ids = rows.of_table[base.name]
    places = {table.name: rows.of_table[table.name].get_indexer(ids) for table in tables}
    chosen = _chosen_rows(places, ids, rows.evidence)
    shown = {SAMPLE_ID: ids.to_numpy(dtype=object)[chosen]}
    for table in [base, *(table for table in tables if table is not base)]:
        place = places[table.name][chosen]
        for column in _shown_columns(table, rows, mapping):
            cells = table.text(column).iloc[place].where(place >= 0)
            shown[table.name, column] = cells.fillna("").to_numpy(dtype=object)
    frame = pd.DataFrame(shown)
    frame.columns = pd.MultiIndex.from_tuples(list(shown))
    return frame


def _chosen_rows(
    places: Mapping[str, npt.NDArray[np.intp]], ids: pd.Index[str], evidence: JoinEvidence
) -> list[int]:
    """Positions in the table with the target."""
    is_complete = np.stack([place >= 0 for place in places.values()]).all(axis=0)
    near = ids.isin([matched for found in evidence.near for _, matched in found.examples])
    matched = [*np.flatnonzero(is_complete & near), *np.flatnonzero(is_complete)[:_MATCHED_ROWS]]
    kept = sorted(list(dict.fromkeys(matched))[:_MATCHED_ROWS])
    return [*kept, *np.flatnonzero(~is_complete)[:_OTHER_ROWS]]


def _shown_columns(table: Table, rows: RowIds, mapping: StudyMapping) -> list[str]:
    """The key, then columns with roles, columns that other tables share, and features."""
    held = dict.fromkeys(str(column) for column in table.columns)
    key = [column for column in rows.columns(table.name) if column in held]
    roles = [c for role, c in mapping.role_columns.items() if not role.startswith("id")]
    shared = [s.column for s in rows.evidence.shared if table.name in (s.first, s.second)]
    ordered = [column for column in (*roles, *shared, *held) if column in held]
    others = [column for column in dict.fromkeys(ordered) if column not in key]
    return [*key, *others[:_COLUMNS]]


def join_sentences(evidence: JoinEvidence, joins: Sequence[TableJoin]) -> tuple[str, ...]:
    """The evidence for a join: key, matches, near matches, shared columns, keys not chosen.

    There are none for a single table.
    """
    if len(evidence.keys) < 2:
        return ()
    return (
        *_key_sentences(evidence),
        *(_match_sentence(join) for join in joins if join.table != evidence.keys[0].table),
        *(_near_sentence(near) for near in evidence.near),
        *_shared_sentences(evidence.shared),
        *_refused_sentences(evidence.refused),
    )


def _key_sentences(evidence: JoinEvidence) -> list[str]:
    tables: dict[tuple[str, ...], list[str]] = {}
    for key in evidence.keys:
        if key.columns and key.table not in evidence.by_position:
            tables.setdefault(key.columns, []).append(key.table)
    parts = [f"{_quoted(columns)} in {_and(names)}" for columns, names in tables.items()]
    found = []
    if parts:
        found.append(f"Rows are matched by {_and(parts)}.")
        if evidence.why:
            found.append(f"This key was chosen because {evidence.why}.")
    if evidence.by_position:
        names = _and(evidence.by_position)
        found.append(f"Rows of {names} are matched by their position, as you asked.")
    return found


def _match_sentence(join: TableJoin) -> str:
    count = f"{join.matched:,} of {join.rows:,}" if join.extra else f"all {join.rows:,}"
    parts = [f"{count} rows match a sample"]
    if join.extra:
        parts.append(f"rows without a sample: {_first_of(join.extra_ids, join.extra)}")
    if join.absent:
        parts.append(f"samples without a row: {_first_of(join.absent_ids, join.absent)}")
    return f"{join.table}: {'; '.join(parts)}."


def _near_sentence(near: NearMatches) -> str:
    examples = listing((f"{own!r} is {matched!r}" for own, matched in near.examples), 3)
    return (
        f"{near.table}: {near.count:,} ids match without regard to {_and(near.differences)} "
        f"({examples})."
    )


def _shared_sentences(shared: Sequence[SharedColumn]) -> list[str]:
    """One sentence per column: where it agrees, and in how many rows."""
    agreeing: dict[str, list[SharedColumn]] = {}
    for found in shared:
        agreeing.setdefault(found.column, []).append(found)
    sentences = []
    for column, own in agreeing.items():
        tables = dict.fromkeys(name for found in own for name in (found.first, found.second))
        rows = sorted({found.rows for found in own})
        count = f"{rows[0]:,}" if len(rows) == 1 else f"{rows[0]:,} to {rows[-1]:,}"
        sentences.append(f"{column!r} agrees in {_and(list(tables))} ({count} rows compared).")
    more = len(sentences) - _SENTENCES
    also = [f"{more} more shared columns agree."] if more > 0 else []
    return [*sentences[:_SENTENCES], *also]


def _refused_sentences(refused: Sequence[RefusedKey]) -> list[str]:
    """One sentence per reason."""
    columns: dict[str, list[str]] = {}
    for key in refused:
        columns.setdefault(key.why, []).append(_quoted(key.columns))
    return [
        f"Not chosen as key: {listing(names, _SENTENCES)} ({why})."
        for why, names in columns.items()
    ]


def _first_of(ids: Sequence[str], count: int) -> str:
    more = count - _SENTENCES
    return ", ".join(ids[:_SENTENCES]) + (f" and {more:,} more" if more > 0 else "")


def _quoted(columns: Sequence[str]) -> str:
    return _and([repr(column) for column in columns])


def _and(names: Sequence[str]) -> str:
    """Names as in a sentence: `a, b and c`."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
