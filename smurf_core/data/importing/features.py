"""Which columns can be features: one rule for guessing roles and for joining tables."""

from __future__ import annotations

from functools import lru_cache

from smurf_core.data.column_names import (
    CONDITION_NAMES,
    DESCRIPTION_NAMES,
    FOLD_NAMES,
    GROUP_NAMES,
    ID_NAMES,
    PERSON_NAMES,
    POSITION_NAMES,
    RATER_NAMES,
    SPLIT_NAMES,
    TARGET_NAMES,
    has_number_word,
    name_words,
    named_thing,
    plain_name,
)
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.raters import is_rater_column
from smurf_core.data.importing.ratings import USUAL_MODALITIES, rating_of
from smurf_core.data.importing.tables import SPLIT_COLUMN, are_names
from smurf_core.data.readers.interface import Table

# What is rated by people, so that `audio_valence` is a rating and `audio_pitch` is not.
_RATED = ("valence", "arousal", "dominance", "sentiment", "emotion", "affect", "label", "rating")
_NO_TARGETS = ("y",)  # names of targets that are also usual names of features
_MAYBE_MEASURED = ("key", "name", "mode")  # `key` and `mode` of a piece of music are features


def feature_columns(table: Table, mapping: StudyMapping) -> list[str]:
    """Columns of numbers that can be features, in the table's order."""
    roles = set(mapping.role_columns.values())
    return [
        column
        for column in table.columns
        if column in table.numbers
        and column not in roles
        and not why_no_feature(table, column, mapping)
    ]


def why_no_feature(table: Table, column: str, mapping: StudyMapping) -> str:
    """Why a column without a role is not a feature; empty if it can be one.

    A column that a modality names in full is always a feature: then a user decided so.
    """
    if column == SPLIT_COLUMN or mapping.is_switched_off(column):
        return "a split" if column == SPLIT_COLUMN else "has a role that is switched off"
    if is_named_in_full(column, mapping):
        return ""
    if plain_name(column) in DESCRIPTION_NAMES:
        return "describes a sample"
    if column in table.row_counters:
        return "counts the rows"
    if is_rater_column(column):
        return "a rating"
    return _by_role(table, column) or _by_target(column, mapping)


def is_named_in_full(column: str, mapping: StudyMapping) -> bool:
    """True if a modality names this column, and not only a file or the start of columns."""
    return any(column in items for items in mapping.modalities.values())


def _by_role(table: Table, column: str) -> str:
    """The role that the name of a column means, if its cells are whole numbers or text."""
    role = _named_role(column)
    return role if role and are_names(table.frame[column]) else ""


@lru_cache(maxsize=100_000)
def _named_role(column: str) -> str:
    plain, thing = plain_name(column), named_thing(column)
    words = name_words(column)
    roles = (
        ("a person", thing in PERSON_NAMES),
        ("a group", thing in GROUP_NAMES),
        ("a rater", thing in RATER_NAMES),
        ("a fold", plain in FOLD_NAMES or _is_numbered_fold(words)),
        ("a split", plain in SPLIT_NAMES and plain not in _MAYBE_MEASURED),
        ("an id", plain in ID_NAMES and plain not in _MAYBE_MEASURED),
        ("an id", has_number_word(column)),
        ("a place in a sequence", thing in POSITION_NAMES),
        ("a condition", thing in CONDITION_NAMES),
    )
    return next((role for role, is_named in roles if is_named), "")


def _is_numbered_fold(words: tuple[str, ...]) -> bool:
    return len(words) in (2, 3) and words[-2] == "fold" and words[-1].isdigit()


def _by_target(column: str, mapping: StudyMapping) -> str:
    plain = plain_name(column)
    if plain in TARGET_NAMES and plain not in _NO_TARGETS:
        return "a target"
    rated = {*_RATED, *map(plain_name, (mapping.target, *mapping.targets))} - {""}
    if not any(word in plain for word in rated):
        return ""
    for modalities in (tuple(mapping.modalities), USUAL_MODALITIES):
        rating = rating_of(column, modalities)
        if rating and plain_name(rating.stem) in rated:
            return "a rating"
    return ""
