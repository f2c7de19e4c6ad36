"""Guesses the roles of files' columns, for the user to confirm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from smurf_core.data.column_names import (
    DESCRIPTION_NAMES,
    END_NAMES,
    START_NAMES,
    TRANSCRIPT_NAMES,
    plain_name,
)
from smurf_core.data.importing.features import feature_columns
from smurf_core.data.importing.fold_columns import guess_fold, guess_split
from smurf_core.data.importing.groups import guess_person
from smurf_core.data.importing.keys import guess_id
from smurf_core.data.importing.mapping import FileRole, StudyMapping, several_targets
from smurf_core.data.importing.modality_names import (
    column_pattern,
    known_prefixes,
    looks_like_features,
    modality_name,
    prefix_groups,
)
from smurf_core.data.importing.raters import rater_columns
from smurf_core.data.importing.ratings import (
    USUAL_MODALITIES,
    guess_informativeness,
    guess_judgments,
    shown_modalities,
)
from smurf_core.data.importing.recoding import read_study_tables
from smurf_core.data.importing.target_columns import possible_targets
from smurf_core.data.media import MEDIA_TYPES, VIDEO_TYPES
from smurf_core.data.problems import listing
from smurf_core.data.readers.frames import ReadingOptions
from smurf_core.data.readers.id_lists import id_lists
from smurf_core.data.readers.interface import Table
from smurf_core.data.readers.registry import whole_study
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError


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
    if whole_study(sources) is not None:
        return replace(known, name=name)
    lists: dict[str, FileRole] = dict.fromkeys((s.name for s in id_lists(sources).values()), "ids")
    known = replace(known, name=name, files={**known.files, **lists})
    tables = read_study_tables(
        sources,
        is_preview=True,
        id_column=known.id,
        options=ReadingOptions.from_dict(known.reading),
    )
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

    mapping = settled(
        known, "id", lambda _: guess_id(tables, besides=[known.target, *known.targets])
    )
    if not known.id and mapping.id:
        mapping = replace(mapping, guessed=known.guessed | {"id"})
    mapping = settled(mapping, "fold", lambda mapping: guess_fold(tables, mapping))
    mapping = settled(mapping, "split", lambda mapping: guess_split(tables, mapping))
    mapping = settled(mapping, "person", lambda mapping: guess_person(tables, mapping))
    described = such("labels", "transcript", "media")
    free = [
        column
        for table in described
        for column in table.columns
        if column not in known.role_columns.values()
    ]
    timed = settled(mapping, "start", lambda _: _first(free, START_NAMES))
    timed = settled(timed, "end", lambda _: _first(free, END_NAMES))
    mapping = timed if timed.start and timed.end else mapping
    mapping = settled(mapping, "media", lambda mapping: _guess_media(described, mapping))
    ratings = such("labels", "judgments")

    def target(mapping: StudyMapping) -> str:
        found = possible_targets(such("labels"), mapping) or possible_targets(ratings, mapping)
        if len(found) > 1 and not is_proposal:
            files = listing(table.name for table in tables)
            raise several_targets(found, "name the one to predict as target, or several", files)
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
    single = rater_columns(tables, mapping.target)
    if single and not known.raters and mapping.is_open("judgments") and not mapping.raters:
        everything = tuple(mapping.modalities)
        mapping = replace(mapping, raters=dict.fromkeys(single, everything))
    informed = [c for table in such("labels", "informativeness") for c in table.columns]
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
    columns = set(table.columns)
    items = [item for items in mapping.modalities.values() for item in items]
    is_features = table.name in items or table.name.rpartition(".")[0] in items
    has_features = is_features or any(
        column == item or (item.endswith("*") and column.startswith(item[:-1]))
        for item in items
        for column in columns
    )
    numbers = _numbers(table, mapping)
    held: list[tuple[FileRole, bool]] = [
        ("labels", bool(columns & {mapping.target, *mapping.targets})),
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
        for column in table.columns:
            if column in taken or column in table.numbers:
                continue
            cells = table.frame[column].dropna()
            if not len(cells):
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


def _numbers(table: Table, mapping: StudyMapping) -> list[str]:
    """Columns of numbers that have no other role; ratings are among them."""
    taken = set(mapping.role_columns.values())
    return [
        column
        for column in table.columns
        if column not in taken
        and plain_name(column) not in DESCRIPTION_NAMES
        and not mapping.is_switched_off(column)
        and column in table.numbers
    ]


def _guess_transcript(tables: Sequence[Table], mapping: StudyMapping) -> str:
    """A column of text in which some cell has more than one word."""
    taken = set(mapping.role_columns.values())
    for table in tables:
        for column in table.columns:
            has_name = plain_name(column) in TRANSCRIPT_NAMES
            if column in taken or not has_name or column in table.numbers:
                continue
            if table.frame[column].dropna().astype("str").str.contains(" ").any():
                return str(column)
    return ""


def _guess_modalities(
    tables: Sequence[Table], mapping: StudyMapping, count: int
) -> dict[str, tuple[str, ...]]:
    """The files or columns of each modality in these of `count` tables."""
    found: dict[str, list[str]] = defaultdict(list)
    holders = sum(mapping.target in table.frame.columns for table in tables)
    for table in tables:
        columns = feature_columns(table, mapping)
        if not columns or _holds_ratings(_numbers(table, mapping)):
            continue
        if table.modality:
            found[table.modality].append(table.name)
            continue
        known = known_prefixes(columns)
        is_whole = mapping.target not in table.frame.columns or (
            count > 1 and looks_like_features(table, columns, is_repeated=holders > 1)
        )
        if is_whole and len(known) < 2:
            found[modality_name(table)].append(table.name)
        elif len(known) > 1 or (known and count > 1):
            for prefix, group in known.items():
                found[prefix].append(column_pattern(prefix, group))
        elif count == 1:
            groups = {p: g for p, g in prefix_groups(columns).items() if len(g) > 1}
            for prefix, group in groups.items():
                found[prefix].append(column_pattern(prefix, group))
    return {name: tuple(dict.fromkeys(items)) for name, items in found.items()}


def _holds_ratings(columns: Sequence[str]) -> bool:
    """True if all columns have names of ratings of sets of modalities or of informativeness.

    Three different sets are enough, even if other columns describe the samples.
    """
    ratings = [c for c in columns if shown_modalities(c, USUAL_MODALITIES)]
    sets = {shown_modalities(c, USUAL_MODALITIES) for c in ratings}
    if len(sets) >= 3 and not known_prefixes(columns):
        return True
    levels = guess_informativeness(columns, USUAL_MODALITIES).values()
    return len(columns) > 1 and set(columns) == {*ratings, *levels}


def _guess_judgments(tables: Sequence[Table], mapping: StudyMapping) -> dict[str, tuple[str, ...]]:
    """Columns named like the target, with the initials of some modalities instead of all."""
    columns = [c for table in tables for c in table.columns if c in table.numbers]
    return guess_judgments(columns, tuple(mapping.modalities), mapping.target)
