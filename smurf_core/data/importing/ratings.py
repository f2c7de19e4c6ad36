"""Reads columns of ratings: which modalities the raters saw, and how informative one was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.column_names import plain_name
from smurf_core.data.dataset import INFORMATIVENESS_LEVELS
from smurf_core.data.problems import listing
from smurf_core.errors import InputError

USUAL_MODALITIES = ("audio", "text", "video")
# Usual names of modalities, and the letters that stand for them.
_FAMILIES = {
    "T": ("text", "language", "lexical", "linguistic", "verbal", "transcript", "words", "bert",
          "glove", "embedding", "minilm"),
    "A": ("audio", "acoustic", "voice", "vocal", "speech", "prosody", "covarep", "egemaps",
          "opensmile", "mfcc"),
    "V": ("video", "vision", "visual", "face", "facial", "facet", "openface"),
}  # fmt: skip
_SYNONYMS = {"T": "TL", "A": "A", "V": "V"}
# A letter after the initials distinguishes ratings of the same modalities: F is the full audio;
# plain A was low-pass filtered, so that no word could be understood.
_QUALIFIERS = "F"
_LEVEL_WORDS = {
    "no": 0, "none": 0, "not": 0, "irrelevant": 0, "no information": 0, "0": 0, "0.0": 0,
    "relevant": 1, "some": 1, "partial": 1, "1": 1, "1.0": 1,
    "sufficient": 2, "enough": 2, "full": 2, "2": 2, "2.0": 2,
}  # fmt: skip


@dataclass(frozen=True)
class RatingColumn:
    """A column of ratings: what was rated, and which modalities the raters saw."""

    column: str
    stem: str  # "val_y" of `val_y_AV`; empty if the name consists of initials only, such as `TA`
    shown: tuple[str, ...]  # in the data set's order
    qualifier: str = ""  # "F" of `TAF`


def rating_column(column: str, modalities: Sequence[str]) -> RatingColumn | None:
    """What a column's name means, if it ends with initials or names of modalities.

    Examples: `TA`, `val_y_AV`, `label_T`, `valence audio+video` for text, audio and video.
    """
    return _rating_column(column, tuple(modalities))


@lru_cache(maxsize=200_000)
def _rating_column(column: str, modalities: tuple[str, ...]) -> RatingColumn | None:
    pieces = re.split(r"[_\-+&,.: ]+", column.strip())
    letters = _letters(modalities)
    found = _of_initials(pieces[-1], letters)
    if found is not None:
        shown, qualifier = found
        stem = column.strip().removesuffix(pieces[-1]).rstrip("_-+&,.: ")
        return RatingColumn(column, stem, _ordered(shown, modalities), qualifier)
    named: list[str] = []
    while len(pieces) > 1 or (pieces and not named):
        modality = _of_name(pieces[-1], modalities)
        if modality is None or modality in named:
            break
        named.append(modality)
        pieces.pop()
    if not named:
        return None
    return RatingColumn(column, "_".join(pieces), _ordered(named, modalities))


def rating_of(column: str, modalities: Sequence[str]) -> RatingColumn | None:
    """What a column's name means, if it ends or starts with initials or names of modalities.

    `audio_valence` is the same as `valence_audio`, but so is `audio_pitch`: only the stem shows
    whether something is rated.
    """
    found = rating_column(column, modalities)
    if found is not None:
        return found
    pieces = re.split(r"[_\-+&,.: ]+", column.strip())
    initials = _of_initials(pieces[0], _letters(tuple(modalities))) if len(pieces) > 1 else None
    if initials is not None:
        shown, qualifier = initials
        return RatingColumn(column, "_".join(pieces[1:]), _ordered(shown, modalities), qualifier)
    named: list[str] = []
    while len(pieces) > 1:
        modality = _of_name(pieces[0], modalities)
        if modality is None or modality in named:
            break
        named.append(modality)
        pieces.pop(0)
    if not named:
        return None
    return RatingColumn(column, "_".join(pieces), _ordered(named, modalities))


def shown_modalities(column: str, modalities: Sequence[str]) -> tuple[str, ...]:
    """The modalities that raters saw according to a column's name; empty if it names none."""
    found = rating_column(column, modalities)
    return found.shown if found else ()


def guess_judgments(
    columns: Iterable[str], modalities: Sequence[str], target: str
) -> dict[str, tuple[str, ...]]:
    """Partial judgments of the target, found by name: column → modalities that its raters saw.

    They share the target's stem: `val_y_A` with `val_y_AV`, `label_T` with `label`, `TA` with
    `TAV`, `audio_valence` with `valence`. Of two with the same modalities, the one without a
    qualifier is used: the paper describes low-pass filtered audio, which is `TA`; users may choose
    `TAF` instead.
    """
    whole = rating_column(target, modalities)
    stem = whole.stem if whole and set(whole.shown) == set(modalities) else target
    found = [
        rating
        for column in dict.fromkeys(columns)
        if column != target and (rating := rating_of(column, modalities)) is not None
        if plain_name(rating.stem) == plain_name(stem) and set(rating.shown) != set(modalities)
    ]
    found.sort(key=lambda rating: bool(rating.qualifier))
    judgments: dict[str, tuple[str, ...]] = {}
    for rating in found:
        if rating.shown not in judgments.values():
            judgments[rating.column] = rating.shown
    return judgments


def whole_ratings(columns: Iterable[str], modalities: Sequence[str]) -> tuple[str, ...]:
    """Columns whose raters saw everything, if raters of other columns of the same stem saw less."""
    found = [r for column in columns if (r := rating_column(column, modalities)) is not None]
    partial = {rating.stem for rating in found if set(rating.shown) != set(modalities)}
    return tuple(
        rating.column
        for rating in sorted(found, key=lambda rating: bool(rating.qualifier))
        if set(rating.shown) == set(modalities) and rating.stem in partial
    )


def informativeness_codes(values: pd.Series[Any], *, where: str) -> npt.NDArray[np.int64]:
    """Codes [n] into `INFORMATIVENESS_LEVELS` from words or 0, 1, 2; −1 for an empty cell.

    `where` names file and column in messages.
    """
    texts = values.astype("str").str.strip().str.lower().where(values.notna(), "")
    codes = texts.map(lambda text: -1 if text == "" else _LEVEL_WORDS.get(text, -2))
    unknown = texts[codes == -2]
    if len(unknown):
        raise InputError(
            f"{where}: {listing(repr(text) for text in dict.fromkeys(unknown))} is not a level of "
            f"informativeness; there are {', '.join(INFORMATIVENESS_LEVELS)}, or 0, 1 and 2."
        )
    return codes.to_numpy(dtype=np.int64)


def guess_informativeness(columns: Iterable[str], modalities: Sequence[str]) -> dict[str, str]:
    """Columns such as `informativeness_audio` or `audio_informativeness`: modality → column."""
    found: dict[str, str] = {}
    for column in columns:
        rest = re.sub(r"[_\-. ]*(informativeness|informative)[_\-. ]*", "", column, flags=re.I)
        if rest == column:
            continue
        shown = shown_modalities(rest, modalities)
        if len(shown) == 1:
            found.setdefault(shown[0], column)
    return {name: found[name] for name in modalities if name in found}


@lru_cache(maxsize=1_000)
def _letters(modalities: tuple[str, ...]) -> Mapping[str, str]:
    """Letter → modality; ambiguous letters are left out."""
    families = {modality: _family(modality) for modality in modalities}
    meanings: dict[str, set[str]] = {}
    for modality, family in families.items():
        for letter in _SYNONYMS.get(family, ""):
            meanings.setdefault(letter, set()).add(modality)
    for modality in modalities:
        initial = modality[:1].upper()
        if initial not in meanings:
            same = {other for other in modalities if other[:1].upper() == initial}
            meanings[initial] = same
    return {letter: meant.pop() for letter, meant in meanings.items() if len(meant) == 1}


@lru_cache(maxsize=10_000)
def _family(modality: str) -> str:
    pieces = re.split(r"[_\-. ]+", modality.lower())
    for letter, words in _FAMILIES.items():
        if any(piece.startswith(word) for piece in pieces for word in words):
            return letter
    return ""


def _of_initials(mark: str, letters: Mapping[str, str]) -> tuple[list[str], str] | None:
    if not re.fullmatch(r"[A-Z]{1,8}", mark):
        return None
    is_qualified = len(mark) > 1 and mark[-1] in _QUALIFIERS and mark[-1] not in letters
    initials, qualifier = (mark[:-1], mark[-1]) if is_qualified else (mark, "")
    shown = [letters[letter] for letter in initials if letter in letters]
    if len(shown) != len(initials) or len(set(shown)) != len(shown):
        return None
    return shown, qualifier


def _of_name(piece: str, modalities: Sequence[str]) -> str | None:
    lowered = piece.lower()
    if not lowered:
        return None
    for modality in modalities:
        if modality.lower() == lowered:
            return modality
    for letter, words in _FAMILIES.items():
        if lowered in words:
            same = [modality for modality in modalities if _family(modality) == letter]
            return same[0] if len(same) == 1 else None
    return None


def _ordered(shown: Iterable[str], modalities: Sequence[str]) -> tuple[str, ...]:
    kept = set(shown)
    return tuple(modality for modality in modalities if modality in kept)


def mean_rating(ratings: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Mean over the raters who rated a sample, from [raters, n]; NaN if nobody did."""
    there = np.isfinite(ratings)
    total = np.where(there, ratings, 0).sum(axis=0, dtype=np.float64)
    counts = there.sum(axis=0)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan).astype(np.float32)
