"""Reads all tables of several files: concatenates official splits and converts ids to text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.column_names import ID_NAMES, PERSON_NAMES, plain_name
from smurf_core.data.importing.ratings import USUAL_MODALITIES, shown_modalities
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.decimal_sign import with_decimal_sign
from smurf_core.data.readers.frames import ReadingOptions, Recording, summarised, with_made_ids
from smurf_core.data.readers.id_lists import id_lists, with_ids
from smurf_core.data.readers.interface import BadCell, Table
from smurf_core.data.readers.per_clip import likely_clips, read_per_clip
from smurf_core.data.readers.registry import frame_reader, read, study_reader
from smurf_core.data.sources import SourceFile
from smurf_core.data.splits import SPLITS, split_of_name
from smurf_core.errors import InputError

SPLIT_COLUMN = "split"
FILE_COLUMNS = frozenset({SPLIT_COLUMN, "fold"})  # they differ between the files of one table
_COLUMNS_AT_ONCE = 64  # columns of a table that are held a second time as they are aligned
_PREVIEWED = 20  # recordings summarised for a preview
_FEWEST_MARKS = (
    3  # number of columns named after sets of modalities from which a table counts as ratings
)

# Receives the share that is done, from 0 to 1, and the next step.
Progress = Callable[[float, str], None]


def read_tables(
    sources: Sequence[SourceFile],
    *,
    rows: int | None = None,
    id_column: str = "",
    options: ReadingOptions | None = None,
    progress: Progress | None = None,
) -> tuple[Table, ...]:
    """Read the tables of all files or their first rows; `x_train` and `x_test` become one `x`.

    Frames are summarised for every sample, whose id another table's `id_column` may contain. Lists
    of ids are added to the arrays that they are named after.
    """
    names = [source.name for source in sources]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"Several files are called {listing(repeated)}: rename them.")
    for source in sources:
        if len(sources) > 1 and study_reader(source) is not None:
            raise InputError(
                f"{source.name} is a whole study: give it alone, without {len(sources) - 1} more."
            )
    ids = id_lists(sources)
    lists = {source.name for source in ids.values()}
    readers = {s.name: frame_reader(s) for s in sources if s.name not in lists}
    tables: list[Table] = []
    recordings: list[Recording] = []
    has_frames = any(readers.values())
    options = options or ReadingOptions()
    alone = [s for s in sources if s.name not in (*lists, *ids) and readers[s.name] is None]
    clips = likely_clips(alone)

    def read_one(source: SourceFile) -> None:
        if progress is not None:
            before, each = sources.index(source) / len(sources), 1 / len(sources)
            progress(before, f"Reading {source.name}")
            source.heard_by(
                lambda share: progress(before + each * min(share, 1.0), f"Reading {source.name}")
            )
        reader = readers.get(source.name)
        if reader is not None:
            recordings.extend(reader.recordings(source, options, rows=rows))
        elif source.name not in lists:
            # The start and end of a sample may be in any row of the table that names them.
            found = read(source, rows=None if has_frames else rows)
            found = tuple(with_decimal_sign(t, options.decimal if options else "") for t in found)
            is_preview = rows is not None and not has_frames
            if source.name in ids:
                found = tuple(with_ids(t, ids[source.name], is_preview=is_preview) for t in found)
            tables.extend(found)

    for source in sources:
        if source not in clips:
            read_one(source)
    if clips:
        # The other tables show which files are samples.
        per_clip = read_per_clip(clips, tables, options, rows)
        tables.extend(per_clip.tables)
        recordings.extend(per_clip.recordings)
        for source in per_clip.others:
            read_one(source)
    if recordings:
        most = None if rows is None else _PREVIEWED
        tables = [*with_made_ids([r.name for r in recordings], tables, id_column),
                  *summarised(recordings, tables, id_column=id_column, most=most)]  # fmt: skip
    if rows is not None:
        tables = [table.first(rows) for table in tables]
    return _stack_splits(_distinct_ratings(_piled(tables)))


def _piled(tables: list[Table]) -> list[Table]:
    """Concatenate tables with equal columns that belong together, such as one file per clip."""
    piles: dict[object, list[Table]] = defaultdict(list)
    for table in tables:
        is_split = bool(split_of_name(table.name.rpartition(".")[0]).split)
        is_piled = bool(table.pile) and not is_split
        piles[(table.pile, *table.frame.columns) if is_piled else table.name].append(table)
    return [_below(group) if len(group) > 1 else group[0] for group in piles.values()]


def _below(tables: list[Table]) -> Table:
    problems = {(p.message, p.remedy): p for table in tables for p in reversed(table.problems)}
    return replace(
        tables[0],
        name=tables[0].pile,
        frame=pd.concat([table.frame for table in tables], ignore_index=True),
        bad_cells={c: bad for table in tables for c, bad in table.bad_cells.items()},
        problems=tuple(problems.values()),
        parts=tuple((table.name, len(table.frame)) for table in tables),
        texts=_texts_below(tables),
    )


def _texts_below(tables: Sequence[Table]) -> dict[str, pd.Series[Any]]:
    """Original texts of concatenated tables, for the columns of which any has them."""
    columns = dict.fromkeys(c for table in tables for c in table.texts)
    return {c: pd.concat([t.text(c) for t in tables], ignore_index=True) for c in columns}


def _distinct_ratings(tables: list[Table]) -> list[Table]:
    """Rename equal columns of ratings in several tables by what differs in the tables' names.

    `T`, `TA` … of `study_valence.csv` and `study_arousal.csv` become `valence_T`, `arousal_T`.
    """
    marks = {
        table.name: [c for c in table.columns if shown_modalities(c, USUAL_MODALITIES)]
        for table in tables
    }
    groups: dict[tuple[str, ...], list[Table]] = defaultdict(list)
    for table in tables:
        groups[tuple(marks[table.name])].append(table)
    renamed: dict[str, Table] = {}
    for columns, group in groups.items():
        if len(group) < 2 or len(columns) < _FEWEST_MARKS:
            continue
        for table, part in zip(group, _differing([t.name for t in group]), strict=True):
            own = {column: f"{part}_{column}" for column in columns}
            note = Problem(
                "note",
                f"{listing(columns)} are columns of {len(group)} files.",
                table.name,
                remedy=f"They were renamed {listing(own.values())}.",
            )
            renamed[table.name] = replace(
                table,
                frame=table.frame.rename(columns=own),
                bad_cells={own.get(c, c): bad for c, bad in table.bad_cells.items()},
                texts={own.get(c, c): texts for c, texts in table.texts.items()},
                problems=(*table.problems, note),
            )
    return [renamed.get(table.name, table) for table in tables]


def _differing(names: list[str]) -> list[str]:
    """What differs between names: the pieces that not all of them have."""
    stems = [name.rpartition(".")[0] or name for name in names]
    pieces = [re.split(r"[_\-. ]+", stem) for stem in stems]
    shared = set.intersection(*(set(own) for own in pieces))
    parts = ["_".join(piece for piece in own if piece not in shared) for own in pieces]
    return parts if all(parts) and len(set(parts)) == len(parts) else stems


def _stack_splits(tables: list[Table]) -> tuple[Table, ...]:
    groups: dict[str, list[tuple[str, Table]]] = defaultdict(list)
    for table in tables:
        stem, dot, suffix = table.name.rpartition(".")
        split = split_of_name(stem if dot else suffix)
        groups[f"{split.group}{dot}{suffix if dot else ''}"].append((split.split, table))
    result: list[Table] = []
    for name, members in groups.items():
        splits = [split for split, _ in members]
        if len(members) > 1 and "" not in splits and len(set(splits)) == len(splits):
            ordered = dict(sorted(members, key=lambda m: SPLITS.index(m[0])))
            result.append(stacked(name, ordered, column=SPLIT_COLUMN))
        else:
            result += [table for _, table in members]
    return tuple(result)


def stacked(name: str, tables: Mapping[str, Table], *, column: str) -> Table:
    """Concatenate tables of one split or fold each, with a column that names it."""
    tables = _with_equal_names(dict(tables))
    first, *others = tables.values()
    for table in others:
        different = set(first.frame.columns) ^ set(table.frame.columns)
        if different:
            raise InputError(
                f"{first.name} and {table.name} have different columns "
                f"({listing(sorted(different))}): the same columns are needed in every split."
            )
        for own in first.columns:
            if is_number(first.frame[own]) != is_number(table.frame[own]):
                raise InputError(
                    f"{first.name} and {table.name}: column {own!r} contains numbers in one and "
                    "text in the other."
                )
    frames = [
        table.frame if column in table.frame else table.frame.assign(**{column: split})
        for split, table in tables.items()
    ]
    return Table(
        name=name,
        frame=pd.concat(frames, ignore_index=True)[list(frames[0].columns)],
        bad_cells={c: bad for table in tables.values() for c, bad in table.bad_cells.items()},
        problems=tuple(problem for table in tables.values() for problem in table.problems),
        options=first.options,
        parts=tuple((table.name, len(table.frame)) for table in tables.values()),
        texts=_texts_below(list(tables.values())),
    )


def _with_equal_names(tables: dict[str, Table]) -> dict[str, Table]:
    """The tables; ids and persons that are numbers in one and text in another are text in all."""
    mixed = [
        column
        for column in next(iter(tables.values())).frame.columns
        if plain_name(column) in (*ID_NAMES, *PERSON_NAMES)
        and len({is_number(t.frame[column]) for t in tables.values() if column in t.frame}) > 1
    ]
    return {
        split: replace(table, frame=table.frame.assign(**{c: table.text(c) for c in mixed}))
        for split, table in tables.items()
    }


def and_more(count: int) -> str:
    """How many more there are than the one that is described."""
    return f" (and {count - 1} more)" if count > 1 else ""


def is_number(values: pd.Series[Any]) -> bool:
    """True if a column contains numbers; an empty column counts as numbers."""
    return bool(pd.api.types.is_numeric_dtype(values))


def are_names(cells: pd.Series[Any]) -> bool:
    """True for text and whole numbers: measured numbers have digits behind the point."""
    if not is_number(cells) or pd.api.types.is_integer_dtype(cells):
        return True
    numbers = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    held = numbers[np.isfinite(numbers)]
    return bool((held == np.rint(held)).all())


def bad_cell_problem(column: str, bad: BadCell) -> Problem:
    """The problem report for a column of numbers in which a cell contains something else."""
    message = f"{bad.text!r} where a number is needed{and_more(bad.count)}."
    return Problem(
        "error", message, bad.file, column, bad.row, "Correct it, or leave the cell empty."
    )


def numbers_at(
    table: Table, columns: list[str], place: npt.NDArray[np.intp]
) -> npt.NDArray[np.float32]:
    """Columns of numbers of the rows at `place` [n], as [n, columns]; NaN where it is −1."""
    aligned = np.full((len(place), len(columns)), np.nan, dtype=np.float32)
    there = np.flatnonzero(place >= 0)
    held = table.frame.columns.get_indexer(pd.Index(columns))  # all names at once
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        some = held[start : start + _COLUMNS_AT_ONCE]
        values = table.frame.iloc[:, some].to_numpy(dtype=np.float64, na_value=np.nan)
        aligned[there, start : start + len(some)] = _to_float32(values[place[there]])
    return aligned


def _to_float32(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Values as float32; those too large become infinite, which cleaning reports."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32)
