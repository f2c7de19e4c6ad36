"""Finds the columns that name the samples: candidates are judged by name and by value."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, reduce
from itertools import combinations, permutations
from operator import add

import numpy as np
import pandas as pd

from smurf_core.data.column_names import (
    FOLD_NAMES,
    ID_NAMES,
    PERSON_NAMES,
    POSITION_NAMES,
    SPLIT_NAMES,
    START_NAMES,
    TARGET_NAMES,
    TRANSCRIPT_NAMES,
    plain_name,
)
from smurf_core.data.importing.mapping import KEY_SIGN
from smurf_core.data.importing.near_ids import (
    FEWEST_COMMON,
    MOST_COMMON,
    Bare,
    only_numbers,
    plain_form,
    without_words,
)
from smurf_core.data.importing.tables import FILE_COLUMNS, SPLIT_COLUMN, and_more, is_number
from smurf_core.data.readers.interface import Table
from smurf_core.data.row_counters import has_counter_name
from smurf_core.errors import InputError

SEPARATORS = ("_", "$_$", "-", "/", ".", ":", "|", " ", "#", "[", "__", "+", "")
_MOST_PARTS = 8  # columns that are tried as parts of a key
_SAMPLED = 50
_WHOLE = re.compile(r"\d+(\.0)?")
_MOST_DISTINCT = 0.9  # share of different values in a part of a key
_WORDS = (
    "id|ids|nr|no|num|number|name|key|code|file|filename|clip|segment|seg|utterance|utt|turn|trial|"
    "session|dialogue|dialog|dia|video|vid|recording|rec|participant|subject|subj|speaker|spk|"
    "datei|dateiname|aufnahme|ausschnitt|fichier|archivo|文件名|person|item|stimulus|stim|block|take|scene|episode|season|sample|instance|index"
)
_ID_NAME = re.compile(rf"(?:^|[_\-. ])(?:{_WORDS})\d*$", re.IGNORECASE)
_CAMEL = re.compile(r"[a-z](?:ID|Id|Nr|No|Key|Name|File|Clip|Trial|Segment)$")
_NO_PARTS = frozenset({*SPLIT_NAMES, *FOLD_NAMES, *TARGET_NAMES})


@dataclass(frozen=True, eq=False)
class Key:
    """Columns of a table that together name its samples, and what is between them in an id.

    `doubt` says that the ids of another table may be these columns in another order.
    """

    table: Table
    columns: tuple[str, ...]
    separator: str = "_"
    doubt: str = ""

    @cached_property
    def ids(self) -> pd.Index[str]:
        """The id of each row; a row of which a part is missing has none."""
        between = [self.separator] * (len(self.columns) - 1)
        words = (*between, "]" if "[" in between else "")
        parts = [part_text(self.table, column) for column in self.columns]
        ended = [part + word for part, word in zip(parts, words, strict=True)]
        return pd.Index(reduce(add, ended), dtype="str")

    @cached_property
    def is_unique(self) -> bool:
        """True if every row has an id of its own."""
        return not self.ids.hasnans and self.ids.is_unique

    @cached_property
    def plain(self) -> frozenset[str]:
        """The ids without differences in spelling."""
        return frozenset(plain_form(text) for text in self.ids.dropna())

    @cached_property
    def bare(self) -> tuple[Bare, ...]:
        """Its ids without the words that all have, and the numbers in them."""
        is_index = len(self.columns) == 1 and has_counter_name(self.columns[0])
        ids = self.ids.tolist()
        return (without_words(ids), *(() if is_index else (only_numbers(ids),)))

    @cached_property
    def is_counter(self) -> bool:
        """True if it counts the rows of its file."""
        return len(self.columns) == 1 and counts_rows(self.table, self.columns[0])

    @cached_property
    def is_text(self) -> bool:
        """True if its ids are more than a number."""
        return len(self.columns) > 1 or not self.ids.str.fullmatch(r"[\d.]+").all()

    @property
    def is_named(self) -> bool:
        """True if its columns have names of ids."""
        return all(is_id_name(column) for column in self.columns)

    @property
    def title(self) -> str:
        """The key as a mapping names it."""
        return KEY_SIGN.join(self.columns)

    def overlap(self, other: Key) -> float:
        """The share of ids that both have, of the smaller table's."""
        fewest = min(len(self.plain), len(other.plain))
        return len(self.plain & other.plain) / fewest if fewest else 0.0

    def overlap_without_words(self, other: Key) -> float:
        """The same without what all ids of a table have in common; 0 if it is not nearly all."""
        if not self.is_text and not other.is_text:
            return 0.0
        if not all(key.is_text or key.is_named for key in (self, other)):
            return 0.0
        fewest = min(len(self.plain), len(other.plain))
        same = max(
            len(set(a.texts.values()) & set(b.texts.values())) if a.fits(b) else 0
            for a, b in zip(self.bare, other.bare, strict=False)
        )
        return same / fewest if same >= max(MOST_COMMON * fewest, FEWEST_COMMON) else 0.0


def check_unique(key: Key) -> None:
    """Raise an error that names the row for missing and repeated ids."""
    ids, table = key.ids, key.table
    column = " and ".join(repr(c) for c in key.columns)
    missing = np.flatnonzero(ids.isna())
    if len(missing):
        file, row = table.where(int(missing[0]))
        raise InputError(
            f"{file}, column {column}, row {row}: the sample id is missing{and_more(len(missing))}."
        )
    if ids.has_duplicates:
        again = int(np.flatnonzero(ids.duplicated())[0])
        before = int(np.flatnonzero(ids == ids[again])[0])
        (file, row), (_, first) = table.where(again), table.where(before)
        raise InputError(
            f"{file}, column {column}, rows {first} and {row}: sample id {ids[again]!r} is "
            f"there twice{and_more(int(ids.duplicated().sum()))}; every sample needs an id of "
            "its own."
        )


def part_text(table: Table, column: str) -> pd.Series[str]:
    """A column's cells as a part of an id; times are the same time however they are written."""
    is_time = plain_name(column) in START_NAMES and is_number(table.frame[column])
    if not is_time:
        return table.text(column)
    cells = table.frame[column]
    return cells.map(lambda cell: f"{cell:.12g}", na_action="ignore").astype("str")


@lru_cache(maxsize=200_000)
def is_id_name(column: str) -> bool:
    """True if a column is named like an id of samples, or of something that contains them."""
    plain = plain_name(column)
    if plain in ID_NAMES or plain in PERSON_NAMES or plain in POSITION_NAMES:
        return True
    return bool(_ID_NAME.search(column) or _CAMEL.search(column))


def counts_rows(table: Table, column: str) -> bool:
    """True if a column counts the rows of its file, or of each file that is part of the table.

    It may begin with any number, and count in steps, such as 10, 20, 30.
    """
    if len(table.frame) < 3 or not _WHOLE.fullmatch(str(table.first_row[column])):
        return False
    cells = table.frame[column]
    if cells.isna().any():
        return False
    if not is_number(cells):
        if not cells.iloc[:3].str.fullmatch(r"\d{1,9}").all():
            return False
        if not cells.str.fullmatch(r"\d{1,9}").all():
            return False
        cells = cells.astype("int64")
    numbers = cells.to_numpy(dtype=np.float64)
    step = numbers[1] - numbers[0]
    if step < 1 or step % 1 or numbers[0] % 1:
        return False
    sizes = [rows for _, rows in table.parts] if table.parts else [len(numbers)]
    starts = np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)
    place = np.arange(len(numbers))
    return np.array_equal(numbers, numbers[0] + step * place) or np.array_equal(
        numbers, numbers[starts] + step * (place - starts)
    )


def single_keys(table: Table, *, besides: Iterable[str] = ()) -> list[Key]:
    """Columns that have another value in each row and may be names: no measurements, no words."""
    taken = set(besides)
    return [
        key
        for column in table.columns
        if column not in taken
        and _may_name(table, column)
        and (column in table.texts or table.frame[column].is_unique)
        if (key := Key(table, (column,))).is_unique
    ]


def _may_name(table: Table, column: str) -> bool:
    if column in table.points:
        return is_id_name(column)  # such as 1.2 for the second trial of the first person
    return column in table.numbers or not _holds_sentences(table, column)


def joint_keys(table: Table, *, besides: Iterable[str] = ()) -> list[Key]:
    """Pairs of repeating columns that together name the samples; threes if there is no pair."""
    parts = _parts(table, set(besides))
    for count in (2, 3):
        found = []
        for columns in combinations(parts, count):
            if not any(is_id_name(column) for column in columns):
                continue
            frame = pd.DataFrame({c: part_text(table, c) for c in columns})
            if frame.duplicated().any():
                continue
            separator = next((s for s in SEPARATORS if Key(table, columns, s).is_unique), None)
            if separator is not None:
                found.append(Key(table, columns, separator))
        if found:
            return found
    return []


def _parts(table: Table, taken: set[str]) -> list[str]:
    """Columns that may be a part of an id: names that repeat, and starts."""
    named: list[str] = []
    others: list[str] = []
    for column in table.columns:
        plain = plain_name(column)
        # Each split, and each file of a fold, may number its samples from the start again.
        is_file = column == SPLIT_COLUMN or (bool(table.parts) and column in FILE_COLUMNS)
        if column in taken and not is_file:
            continue
        if plain in _NO_PARTS and not is_id_name(column) and not is_file:
            continue
        has_numbers = column in table.numbers
        is_start = plain in START_NAMES and has_numbers
        if has_numbers and not is_start and (
            not is_id_name(column) or not _may_name(table, column)
        ):  # fmt: skip
            continue
        if not has_numbers and _holds_sentences(table, column):
            continue
        cells = table.frame[column]
        # If almost all values differ, the column is the id, and repeated values are an error.
        if cells.isna().any() or not 1 < cells.nunique() < _MOST_DISTINCT * len(cells):
            continue
        (named if is_id_name(column) or is_start else others).append(column)
    return [*named, *others][:_MOST_PARTS]


def repeating_ids(tables: Sequence[Table]) -> tuple[str, ...]:
    """Columns that are called like ids of samples and repeat: persons, recordings, sessions.

    They name groups, or are a part of a key. The first is the most general, with the fewest values.
    """
    counts: dict[str, int] = {}
    for table in tables:
        for column in table.columns:
            if not is_id_name(column) or not _may_name(table, column):
                continue
            number = table.text(column).nunique()
            if 1 < number <= len(table.frame) / 2:
                counts[column] = max(number, counts.get(column, 0))
    return tuple(sorted(counts, key=lambda column: counts[column]))


def guess_id(tables: Sequence[Table], *, besides: Iterable[str] = ()) -> str:
    """The key that most tables have, judged by their first rows; `matching` judges all rows."""
    found: dict[str, list[Key]] = defaultdict(list)
    taken = tuple(besides)
    for table in tables:
        singles = [key for key in single_keys(table, besides=taken) if key.is_named]
        for key in [*singles, *(joint_keys(table, besides=taken))]:
            if key.is_named or len(key.columns) > 1:
                found[key.title].append(key)
    if len(tables) == 1:
        found = {name: keys for name, keys in found.items() if keys[0].is_named}
    ranked = sorted(found, key=lambda name: (-len(found[name]), rank(found[name])))
    if not ranked or (len(tables) > 1 and all(key.is_counter for key in found[ranked[0]])):
        return ""  # All rows of all tables decide whether rows were only counted.
    return ranked[0]


def rank(keys: Sequence[Key]) -> tuple[bool, bool, int, bool, int]:
    """An order of keys, the most likely first: no counters, few columns, text, usual names."""
    first = keys[0]
    usual = [ID_NAMES.index(plain_name(c)) for c in first.columns if plain_name(c) in ID_NAMES]
    return (
        2 * sum(key.is_counter for key in keys) >= len(keys),
        not all(key.is_named for key in keys),
        len(first.columns),
        not all(key.is_text for key in keys),
        min(usual, default=len(ID_NAMES)),
    )


def shared_rows(keys: Mapping[str, Key]) -> int:
    """The number of ids that the tables of a key share with the first."""
    first, *others = keys.values()
    return sum(len(key.plain & first.plain) for key in others)


def is_likeness(keys: Mapping[str, Key]) -> bool:
    """True if the ids of a table match only without what all of them have in common."""
    first, *others = keys.values()
    return any(not first.overlap(key) for key in others)


def names_samples(keys: Mapping[str, Key]) -> bool:
    """True if the key has names of ids in all tables, and counts the rows of none."""
    return all(key.is_named and not key.is_counter for key in keys.values())


@dataclass(frozen=True, eq=False)
class Candidates:
    """The possible keys of a table, each found once."""

    table: Table
    besides: frozenset[str] = frozenset()  # columns with another role

    @cached_property
    def singles(self) -> list[Key]:
        """Single columns."""
        return single_keys(self.table, besides=self.besides)

    @cached_property
    def joint(self) -> list[Key]:
        """Columns that only together name the samples."""
        return joint_keys(self.table, besides=self.besides)

    @cached_property
    def named(self) -> list[Key]:
        """Single columns with names of ids."""
        return [key for key in self.singles if key.is_named]

    def like(self, other: Key) -> Key | None:
        """The key whose values are the ids of another table's key; None if there is none.

        Columns with the same names come first, then names of ids, then any names. Columns of two
        tables may be one column of the other, with any usual sign between the values.
        """
        same = _same_columns(self.table, other)
        singles = [key for key in self.singles if not key.is_counter or key.is_named]
        unique = [key for key in (*same, *singles) if key.is_unique]
        found = [key for key in unique if _has_ids_of(key, other)] or self.joined_like(other)
        if not found:
            found = [key for key in unique if key.overlap_without_words(other)]
        return min(
            found,
            key=lambda key: (
                key.columns != other.columns, not key.is_named, key.is_counter,
                -key.overlap(other), len(key.columns),
            ),
            default=None,
        )  # fmt: skip

    def joined_like(self, other: Key) -> list[Key]:
        """Joined columns that look like another table's ids, judged by a sample of rows first."""
        if not other.is_text:
            return []
        rows = np.unique(np.linspace(0, len(self.table.frame) - 1, _SAMPLED).astype(int))
        separators = SEPARATORS if len(other.columns) == 1 else (other.separator,)
        found: list[Key] = []
        for key in self.joint:
            texts = {c: part_text(self.table, c).iloc[rows].tolist() for c in key.columns}
            fit: list[Key] = []
            for columns in permutations(key.columns):
                parts = list(zip(*(texts[column] for column in columns), strict=True))
                for separator in separators:
                    end = "]" if separator == "[" else ""
                    some = {plain_form(separator.join(part) + end) for part in parts}
                    if 2 * len(some & other.plain) >= len(some):
                        fit.append(Key(self.table, columns, separator))
                if not any(own.columns == columns for own in fit) and other.bare[1:]:
                    numbers = set(only_numbers(["_".join(part) for part in parts]).texts.values())
                    if 2 * len(numbers & set(other.bare[1].texts.values())) >= len(rows):
                        fit.append(Key(self.table, columns))
            found += _in_likely_order([own for own in fit if own.is_unique and (
                _has_ids_of(own, other) or own.overlap_without_words(other))], other)  # fmt: skip
        return found


def _in_likely_order(keys: list[Key], other: Key) -> list[Key]:
    """Keys of the same columns, those in the order of an id first; a doubt if it is not known.

    `dia0_utt3` begins with `Dialogue_ID`, `P01_T2` with `participant`; `3_5` shows no order.
    """
    if len({key.columns for key in keys}) < 2:
        return keys
    words = [word for word in re.findall(r"[^\W\d_]+", plain_form(other.ids[0])) if word]
    names = [plain_name(column) for column in other.columns]

    def fits(key: Key) -> int:
        called = [plain_name(column) for column in key.columns]
        if len(names) == len(called):
            return sum(name == own for name, own in zip(names, called, strict=True))
        return sum(own.startswith(word) for word, own in zip(words, called, strict=False))

    ranked = sorted(keys, key=fits, reverse=True)
    if fits(ranked[0]) > fits(next(key for key in ranked if key.columns != ranked[0].columns)):
        return ranked
    first = ranked[0]
    doubt = (
        f"ids such as {other.ids[0]!r} were read as {' and '.join(map(repr, first.columns))}, and "
        "may be these in another order."
    )
    return [replace(first, doubt=doubt), *ranked[1:]]


def _has_ids_of(key: Key, other: Key) -> bool:
    """True if the keys of two tables have ids in common: half of them if their names differ."""
    share = key.overlap(other)
    return share >= 0.5 or (share > 0 and key.columns == other.columns and key.is_named)


def _same_columns(table: Table, other: Key) -> list[Key]:
    has_all = all(column in table.frame.columns for column in other.columns)
    return [Key(table, other.columns, other.separator)] if has_all else []


def _holds_sentences(table: Table, column: str) -> bool:
    """True if the cells of a column of text are sentences: then they are not names."""
    cells = table.frame[column].dropna().astype("str").str.strip()
    if plain_name(column) in TRANSCRIPT_NAMES:
        return bool(cells.str.contains(" ").any())
    return bool(len(cells)) and float(cells.str.count(r"\s").mean()) > 2
