"""Tables with one row per rater of a sample become tables with one row per sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from smurf_core.data.column_names import (
    ID_NAMES,
    PERSON_NAMES,
    RATER_NAMES,
    RECORDING_NAMES,
    named_thing,
    plain_name,
)
from smurf_core.data.importing.modality_names import known_prefixes
from smurf_core.data.importing.tables import are_names, is_number
from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import Table
from smurf_core.data.texts import as_text

_BY = " by "  # `arousal by r1` is what rater r1 said
_MOST_RATERS = 50  # raters with columns of their own; above, ratings are numbered per sample
_MOST_RATED = 12  # columns that may differ between the rows of a sample
_COLUMNS_AT_ONCE = 64


@dataclass(frozen=True)
class _Long:
    """A table with one row per rater: its columns of samples, raters and ratings."""

    sample: str
    rater: str
    rated: tuple[str, ...]  # numbers that differ between raters
    words: tuple[str, ...]  # text that differs between raters


def with_rows_per_sample(tables: Sequence[Table]) -> list[Table]:
    """Tables in which the ratings of several raters are averaged for every sample.

    The ratings of single raters are kept as columns such as `arousal by r1`. Of words, such as
    classes, the most frequent word is kept for every sample.
    """
    found = [(table, _long_form(table)) for table in tables]
    return [table if long is None else _averaged(table, long) for table, long in found]


def rater_columns(tables: Sequence[Table], target: str) -> list[str]:
    """Columns of single raters of a target."""
    start = f"{target}{_BY}"
    return [c for t in tables for c in t.columns if target and str(c).startswith(start)]


def is_rater_column(column: str) -> bool:
    """True for a column of a single rater."""
    return _BY in column


def _long_form(table: Table) -> _Long | None:
    """The columns of a table with one row per rater; None for any other table."""
    frame = table.frame
    raters = [c for c in table.columns if named_thing(c) in (*RATER_NAMES, *PERSON_NAMES)]
    if not raters:
        return None
    raters.sort(key=lambda column: named_thing(column) not in RATER_NAMES)
    # `audio` names a recording, and `audio_17` a feature, whatever it looks like beside an id.
    named = [c for c in table.columns if _may_name_samples(c) and c not in raters]
    samples = [c for c in named if not str(c)[-1:].isdigit()]
    samples = [c for c in samples if plain_name(c) in ID_NAMES or are_names(frame[c])] or [
        c for c in named if are_names(frame[c])
    ]
    for rater in raters:
        for sample in samples:
            keys = frame[[sample, rater]]
            is_crossed = frame[sample].duplicated().any() and frame[rater].duplicated().any()
            if not is_crossed or keys.isna().any(axis=None) or keys.duplicated().any():
                continue
            long = _rated(table, sample, rater)
            if long is not None:
                return long
    return None


def _may_name_samples(column: str) -> bool:
    return plain_name(column) in ID_NAMES or named_thing(column) in RECORDING_NAMES


def _rated(table: Table, sample: str, rater: str) -> _Long | None:
    """What differs between the raters of a sample; None if features do, or nothing does."""
    frame = table.frame
    features = {c for group in known_prefixes(table.columns).values() for c in group}
    columns: list[str] = []
    others = [c for c in table.columns if c not in (rater, sample)]
    for start in range(0, len(others), _COLUMNS_AT_ONCE):  # The first of many features are enough.
        some = frame[[sample, *others[start : start + _COLUMNS_AT_ONCE]]]
        differing = some.groupby(sample, sort=False).nunique().max() > 1
        columns += [str(c) for c in differing.index[differing]]
        if len(columns) > _MOST_RATED or features.intersection(columns):
            return None
    if not columns:
        return None
    if named_thing(rater) in PERSON_NAMES and not features:
        return None  # Without features in the table, these may be recorded persons.
    if set(columns) & set(table.bad_cells):
        return None
    rated = tuple(c for c in columns if is_number(frame[c]) and c not in table.row_counters)
    words = tuple(c for c in columns if not is_number(frame[c]) and frame[c].nunique() <= 50)
    return _Long(sample, rater, rated, words) if rated or words else None


def _most_frequent(cells: pd.Series[Any]) -> str:
    """The most frequent word, of equally frequent ones the first in the alphabet; or empty."""
    words = cells.mode()
    return str(words.iloc[0]) if len(words) else ""


def _averaged(table: Table, long: _Long) -> Table:
    named = {c: table.texts[c] for c in (long.sample, long.rater) if c in table.texts}
    frame = table.frame.assign(**named)
    groups = frame.groupby(long.sample, sort=False)
    merged = groups.first().drop(columns=[long.rater]).reset_index()
    order = merged[long.sample]
    names = as_text(frame[long.rater])
    if names.nunique() > _MOST_RATERS:
        names = (groups.cumcount() + 1).astype("str")
    single: dict[str, pd.Series[float]] = {}
    for column in long.rated:
        means = groups[column].mean().reindex(order)
        merged[column] = means.to_numpy(dtype=float)
        for name, own in frame.groupby(names):
            cells = own.set_index(long.sample)[column].reindex(order)
            single[f"{column}{_BY}{name}"] = cells.astype(float)
    for column in long.words:
        modes = {name: _most_frequent(cells) for name, cells in groups[column]}
        merged[column] = order.map(modes).to_numpy()
        merged[column] = merged[column].astype("str").where(merged[column] != "")
    extra = pd.DataFrame({name: cells.to_numpy() for name, cells in single.items()})
    merged = pd.concat([merged[[c for c in frame.columns if c != long.rater]], extra], axis=1)
    count = frame[long.rater].nunique()
    kept = listing([*long.rated, *long.words])
    how = " and ".join(
        [*(["the mean of numbers"] if long.rated else []),
         *(["the most frequent word"] if long.words else [])]
    )  # fmt: skip
    message = (
        f"{len(frame)} rows of {count} raters ({long.rater!r}) are {len(merged)} samples "
        f"({long.sample!r}), because raters differ in {kept} only."
    )
    remedy = f"Each sample has {how}; single ratings are kept for the raters' agreement."
    note = Problem("warning", message, table.name, remedy=remedy)
    return replace(
        table, frame=merged, problems=(*table.problems, note), parts=(), texts={},
        origins=tuple(dict.fromkeys((*table.origins, *(file for file, _ in table.parts)))),
    )  # fmt: skip
