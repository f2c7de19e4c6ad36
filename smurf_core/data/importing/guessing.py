"""Guesses the roles of files' columns, for the user to confirm."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from smurf_core.data.column_names import (
    DESCRIPTION_NAMES,
    END_NAMES,
    FOLD_NAMES,
    PERSON_NAMES,
    SPLIT_NAMES,
    START_NAMES,
    TARGET_NAMES,
    TRANSCRIPT_NAMES,
    plain_name,
)
from smurf_core.data.importing.keys import guess_id
from smurf_core.data.importing.mapping import FileRole, StudyMapping, several_targets
from smurf_core.data.importing.ratings import (
    USUAL_MODALITIES,
    guess_informativeness,
    guess_judgments,
    rating_column,
    shown_modalities,
    whole_ratings,
)
from smurf_core.data.importing.tables import is_number, read_tables
from smurf_core.data.media import MEDIA_TYPES, VIDEO_TYPES
from smurf_core.data.problems import listing
from smurf_core.data.readers.id_lists import id_lists
from smurf_core.data.readers.interface import PREVIEW_ROWS, Table
from smurf_core.data.readers.registry import study_reader
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

MODALITY_PREFIXES = (
    "audio", "acoustic", "voice", "speech", "prosody", "video", "vision", "visual", "face",
    "facial", "gaze", "eye", "eyes", "text", "language", "lexical", "linguistic", "verbal", "ecg",
    "hrv", "eda", "gsr", "emg", "rr", "resp", "rsp", "respiration", "bvp", "ppg", "eeg", "temp",
    "skt", "acc", "imu", "mocap", "pose", "body", "head", "hand", "gesture", "physio",
)  # fmt: skip
_NAME_ENDINGS = re.compile(r"[_\-. ]?(emb|embeddings?|feats?|features?)$", re.IGNORECASE)


def guess_mapping(
    sources: Sequence[SourceFile],
    known: StudyMapping | None = None,
    *,
    is_proposal: bool = False,
) -> StudyMapping:
    """Guess roles for the columns of files, from names and first rows.

    Parameters
    ----------
    sources
        The files.
    known
        Roles that are decided or switched off; only the other roles are guessed.
    is_proposal
        True if a user confirms the guess. If several columns could be the target, the first is then
        proposed. Otherwise this is an error, so that none is left out silently.

    Returns
    -------
    StudyMapping
        Modalities are in alphabetical order, so that the order of the files does not matter.

    Raises
    ------
    InputError
        If there are no files, if one cannot be read, or if several columns could be the target.
    """
    if not sources:
        raise InputError("No file was given.")
    known = known or StudyMapping()
    name = known.name or _study_name(sources)
    sources = [source for source in sources if known.role_of(source.name) != "ignore"]
    if len(sources) == 1 and study_reader(sources[0]) is not None:
        return replace(known, name=name)
    lists: dict[str, FileRole] = dict.fromkeys((s.name for s in id_lists(sources).values()), "ids")
    known = replace(known, name=name, files={**known.files, **lists})
    tables = read_tables(sources, rows=PREVIEW_ROWS, id_column=known.id)
    return guess_roles(tables, known, is_proposal=is_proposal)


def guess_roles(
    tables: Sequence[Table], known: StudyMapping, *, is_proposal: bool = True
) -> StudyMapping:
    """Guess roles for the columns of tables; the first rows are enough.

    The roles of files in `known` restrict the guesses: a target is searched for in files of labels,
    a modality in files of features, and ignored files are not searched.
    """
    roles = {table.name: known_role(table, known) for table in tables}
    tables = [table for table in tables if roles[table.name] != "ignore"]

    def such(*wanted: FileRole) -> list[Table]:
        """Tables with these roles or without a known role; those with a known role first."""
        fit = [table for table in tables if roles[table.name] in ("", "mixed", *wanted)]
        return sorted(fit, key=lambda table: roles[table.name] not in wanted)

    def settled(
        mapping: StudyMapping, role: str, guess: Callable[[StudyMapping], object]
    ) -> StudyMapping:
        """The mapping with a guess for an open role."""
        guessed: dict[str, Any] = {role: guess(mapping)} if mapping.is_open(role) else {}
        return replace(mapping, **guessed)

    columns = [column for table in tables for column in table.frame.columns]
    mapping = settled(known, "id", lambda _: guess_id(tables, besides=[known.target]))
    if not known.id and mapping.id:
        mapping = replace(mapping, guessed=known.guessed | {"id"})
    mapping = settled(mapping, "person", lambda _: _first(columns, PERSON_NAMES))
    mapping = settled(mapping, "fold", lambda _: _first(columns, FOLD_NAMES))
    mapping = settled(mapping, "split", lambda _: _guess_split(tables))
    described = such("labels", "transcript", "media")
    free = [
        column
        for table in described
        for column in table.frame.columns
        if column not in known.role_columns.values()
    ]
    timed = settled(mapping, "start", lambda _: _first(free, START_NAMES))
    timed = settled(timed, "end", lambda _: _first(free, END_NAMES))
    mapping = timed if timed.start and timed.end else mapping
    mapping = settled(mapping, "media", lambda mapping: _guess_media(described, mapping))
    ratings = such("labels", "judgments")

    def target(mapping: StudyMapping) -> str:
        found = _possible_targets(such("labels"), mapping) or _possible_targets(ratings, mapping)
        if len(found) > 1 and not is_proposal:
            files = listing(table.name for table in tables)
            raise several_targets(found, "name the one to predict as target", files)
        return found[0] if found else ""

    mapping = settled(mapping, "target", target)
    texts = such("labels", "transcript")
    mapping = settled(mapping, "transcript", lambda mapping: _guess_transcript(texts, mapping))
    featured = [table for table in tables if roles[table.name] == "modality"]
    others = [table for table in such() if table not in featured]
    modalities = _guess_modalities(others, mapping, len(tables))
    for table in featured:
        name = modality_name(table)
        modalities[name] = (*modalities.get(name, ()), table.name)
    names = sorted(modalities, key=lambda name: (name.lower(), name))
    mapping = replace(
        mapping, modalities=known.modalities or {name: modalities[name] for name in names}
    )
    mapping = settled(mapping, "judgments", lambda mapping: _guess_judgments(ratings, mapping))
    informed = [c for table in such("labels", "informativeness") for c in table.frame.columns]
    mapping = settled(
        mapping,
        "informativeness",
        lambda mapping: guess_informativeness(informed, tuple(mapping.modalities)),
    )
    return replace(
        mapping,
        files={
            **known.files,
            **{
                name: role
                for table in tables
                if not roles[table.name]
                for name, role in role_entries(table, _guess_role(table, mapping))
            },
        },
    )


def known_role(table: Table, known: StudyMapping) -> str:
    """The role that a mapping gives to a table, by its name or that of its files."""
    return known.role_of(table.name, table.files)


def role_entries(table: Table, role: FileRole) -> list[tuple[str, FileRole]]:
    """A table's role, looked up by the names of its files or sheet."""
    return [(file, role) for file in table.files] or [(table.name, role)]


def _guess_role(table: Table, mapping: StudyMapping) -> FileRole:
    """What a table contains, judged by the roles of its columns."""
    columns = set(table.frame.columns)
    items = [item for items in mapping.modalities.values() for item in items]
    is_features = table.name in items or table.name.rpartition(".")[0] in items
    has_features = is_features or any(
        column == item or (item.endswith("*") and column.startswith(item[:-1]))
        for item in items
        for column in columns
    )
    numbers = _candidates(table, mapping)
    held: list[tuple[FileRole, bool]] = [
        ("labels", mapping.target in columns),
        ("informativeness", bool(columns & set(mapping.informativeness.values()))),
        ("judgments", bool(columns & set(mapping.judgments)) or _holds_ratings(numbers)),
        ("transcript", mapping.transcript in columns),
        ("media", bool(columns & ({mapping.media, mapping.start, mapping.end} - {""}))),
    ]
    if has_features:
        return "modality" if is_features and not held[0][1] else "mixed"
    # A table without used columns may still name persons or folds: it is read as labels.
    return next((role for role, is_held in held if is_held), "labels")


def _guess_media(tables: Sequence[Table], mapping: StudyMapping) -> str:
    """A column with names of sound or video files; video first, because it also has sound."""
    taken = set(mapping.role_columns.values())
    found: dict[str, str] = {}
    for table in tables:
        for column in table.frame.columns:
            cells = table.frame[column].dropna()
            if column in taken or is_number(cells) or not len(cells):
                continue
            suffixes = {PurePosixPath(str(cell)).suffix.lower() for cell in cells}
            if suffixes <= set(MEDIA_TYPES):
                found.setdefault("video" if suffixes <= set(VIDEO_TYPES) else "audio", column)
    return found.get("video", found.get("audio", ""))


def _study_name(sources: Sequence[SourceFile]) -> str:
    folders = {source.path.parent.name for source in sources}
    return sources[0].stem if len(sources) == 1 or len(folders) > 1 else folders.pop()


def _first(columns: Iterable[str], names: tuple[str, ...]) -> str:
    """The column whose name comes first in the list."""
    by_name = {plain_name(column): column for column in reversed(list(columns))}
    return next((by_name[name] for name in names if name in by_name), "")


def _guess_split(tables: Sequence[Table]) -> str:
    """A column of few different words (a column called `set` may be something else)."""
    for table in tables:
        column = _first(table.frame.columns, SPLIT_NAMES)
        if column and not is_number(table.frame[column]) and table.frame[column].nunique() <= 6:
            return column
    return ""


def _prefix(column: str) -> str:
    """The name up to its first separator; empty if there is none."""
    match = re.match(r"(.+?)[_\-.:]", column)
    return match.group(1) if match else ""


def _prefix_groups(columns: Iterable[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for column in columns:
        groups[_prefix(column)].append(column)
    groups.pop("", None)
    return groups


def _known_prefixes(columns: Iterable[str]) -> dict[str, list[str]]:
    groups = _prefix_groups(columns)
    # Next to action units, pose and gaze come from the same tool and the same face.
    is_face = any(re.fullmatch(r"AU\d\d", prefix) for prefix in groups)
    apart = set(MODALITY_PREFIXES) - ({"pose", "gaze"} if is_face else set())
    return {prefix: group for prefix, group in groups.items() if prefix.lower() in apart}


def _candidates(table: Table, mapping: StudyMapping) -> list[str]:
    """Columns of numbers that have no other role."""
    taken = set(mapping.role_columns.values())
    return [
        column
        for column in table.frame.columns
        if column not in taken
        and plain_name(column) not in DESCRIPTION_NAMES
        and not mapping.is_switched_off(column)
        and is_number(table.frame[column])
    ]


def _possible_targets(tables: Sequence[Table], mapping: StudyMapping) -> list[str]:
    """Columns that could be the target, most likely first.

    These are ratings of all modalities next to ratings of some, then columns with likely names. If
    there are none, these are columns that are the only ones left in their tables.
    """
    taken = set(mapping.role_columns.values())
    free = dict.fromkeys(
        column
        for table in tables
        for column in table.frame.columns
        if column not in taken and not mapping.is_switched_off(column)
    )
    prefixes = [p for table in tables for p in _known_prefixes(_candidates(table, mapping))]
    found: dict[
        str, str
    ] = {}  # what is rated → column; a qualifier does not make a different target
    # Ratings may come in a separate table, before modalities are known.
    for modalities in (tuple(dict.fromkeys(prefixes)), USUAL_MODALITIES):
        if not found and len(modalities) > 1:
            for column in whole_ratings(free, modalities):
                rating = rating_column(column, modalities)
                found.setdefault(rating.stem if rating else column, column)
    named = [column for column in free if plain_name(column) in TARGET_NAMES]
    named.sort(key=lambda column: TARGET_NAMES.index(plain_name(column)))
    if len(named) > 1:  # If there is a more specific name, `y` is a feature.
        named = [column for column in named if plain_name(column) != "y"] or named
    if found or named:
        return [*dict.fromkeys([*found.values(), *named])]
    if len(tables) < 2:
        return []
    left = [[c for c in table.frame.columns if c in free] for table in tables]
    alone = {own[0]: table for own, table in zip(left, tables, strict=True) if len(own) == 1}
    likely = [c for c, table in alone.items() if _may_be_learned(table.frame[c])]
    return likely or list(alone)[:1]


def _may_be_learned(cells: pd.Series[Any]) -> bool:
    """True for numbers, and for words that repeat."""
    return is_number(cells) or cells.nunique() <= len(cells) / 2


def _guess_transcript(tables: Sequence[Table], mapping: StudyMapping) -> str:
    """A column of text in which some cell has more than one word."""
    taken = set(mapping.role_columns.values())
    for table in tables:
        for column in table.frame.columns:
            cells = table.frame[column]
            if column in taken or plain_name(column) not in TRANSCRIPT_NAMES or is_number(cells):
                continue
            if cells.dropna().astype("str").str.contains(" ").any():
                return str(column)
    return ""


def _guess_modalities(
    tables: Sequence[Table], mapping: StudyMapping, count: int
) -> dict[str, tuple[str, ...]]:
    """The files or columns of each modality in these of `count` tables."""
    found: dict[str, list[str]] = defaultdict(list)
    for table in tables:
        columns = _candidates(table, mapping)
        if _holds_ratings(columns):
            continue
        if table.modality and columns:
            found[table.modality].append(table.name)
            continue
        known = _known_prefixes(columns)
        holds_target = mapping.target in table.frame.columns
        if columns and not holds_target and len(known) < 2:
            found[modality_name(table)].append(table.name)
        elif len(known) > 1 or (known and count > 1):
            for prefix, group in known.items():
                found[prefix].append(_pattern(prefix, group))
        elif count == 1:
            groups = {p: g for p, g in _prefix_groups(columns).items() if len(g) > 1}
            for prefix, group in groups.items():
                found[prefix].append(_pattern(prefix, group))
    return {name: tuple(items) for name, items in found.items()}


def _holds_ratings(columns: Sequence[str]) -> bool:
    """True if all columns have names of ratings of sets of modalities or of informativeness.

    Three different sets are enough, even if other columns describe the samples.
    """
    ratings = [c for c in columns if shown_modalities(c, USUAL_MODALITIES)]
    sets = {shown_modalities(c, USUAL_MODALITIES) for c in ratings}
    if len(sets) >= 3 and not _known_prefixes(columns):
        return True
    levels = guess_informativeness(columns, USUAL_MODALITIES).values()
    return len(columns) > 1 and set(columns) == {*ratings, *levels}


def _pattern(prefix: str, columns: list[str]) -> str:
    """The common start of columns' names, with a star: the prefix and its separator."""
    separators = {column[len(prefix)] for column in columns}
    return f"{prefix}{separators.pop() if len(separators) == 1 else ''}*"


def modality_name(table: Table) -> str:
    """The name of the modality of a table of features: from its format, columns or name."""
    columns = [c for c in table.frame.columns if is_number(table.frame[c])]
    known = _known_prefixes(c for c in columns if plain_name(c) not in DESCRIPTION_NAMES)
    if table.modality:
        return table.modality
    if len(known) == 1 and len(*known.values()) >= len(columns) - 1:
        return next(iter(known))
    sheet = table.name.rpartition(":")[2]
    stem = sheet if ":" in table.name else table.name.rpartition(".")[0] or table.name
    return _NAME_ENDINGS.sub("", stem) or stem


def _guess_judgments(tables: Sequence[Table], mapping: StudyMapping) -> dict[str, tuple[str, ...]]:
    """Columns named like the target, with the initials of some modalities instead of all."""
    columns = [c for table in tables for c in table.frame.columns if is_number(table.frame[c])]
    return guess_judgments(columns, tuple(mapping.modalities), mapping.target)
