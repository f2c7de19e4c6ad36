"""Ids that are nearly equal: `clip01.wav` and `Clip01`, `001` and `1`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from smurf_core.data.texts import common_start

_Form = Callable[[str], str]
_SUFFIX = re.compile(
    r"\.(wav|wave|mp3|mp4|m4a|m4v|flac|ogg|oga|opus|aac|aif|aiff|wma|avi|mov|mkv|webm|mpg|mpeg|wmv"
    r"|flv|3gp|jpg|jpeg|png|gif|bmp|txt|csv|tsv|json|xml|srt|vtt|lab|textgrid|eaf|trs|cha|npy|npz"
    r"|pt|pkl|h5|mat|arff|parquet)$",
    re.IGNORECASE,
)
_ZEROS = re.compile(r"(?<![\d.])0+(?=\d)")
_POINT_ZERO = re.compile(r"^(\d+)\.0+$")
_MIDNIGHT = re.compile(r"(?<=\d)[ t]00:00(:00(\.0+)?)?$", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"^(\d+),(?=\d+$)")
_SEPARATORS = "_-. /"
_EXAMPLES = 3
# The share of ids of which what is common to all may be ignored: it is nearly all or a coincidence.
MOST_COMMON = 0.9
FEWEST_COMMON = 5
WORDS, NUMBERS = "what all ids of a file have in common", "everything but the numbers in them"


@dataclass(frozen=True)
class NearMatches:
    """Ids of a table that match other spellings of it in the table with the target."""

    table: str = ""
    differences: tuple[str, ...] = ()  # what was ignored, such as "case"
    count: int = 0
    examples: tuple[tuple[str, str], ...] = ()  # (this table's id, the id it matches)


@dataclass(frozen=True)
class Respelled:
    """A table's ids in the spelling of another table's, and how many changed."""

    ids: pd.Index[str]
    near: NearMatches


def _unicode(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _midnight(text: str) -> str:
    return _MIDNIGHT.sub("", text)


def _blanks(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _last_folders(count: int) -> _Form:
    return lambda text: "/".join(text.replace("\\", "/").strip("/").split("/")[-count:])


def _suffix(text: str) -> str:
    return _SUFFIX.sub("", text)


def _zeros(text: str) -> str:
    return _ZEROS.sub("", text)


def _point_zero(text: str) -> str:
    return _POINT_ZERO.sub(r"\1", text)


def _decimal_comma(text: str) -> str:
    return _DECIMAL_COMMA.sub(r"\1.", text)


def _steps(base: Sequence[str], own: Sequence[str]) -> Iterator[tuple[str, list[_Form]]]:
    """What may differ, in the order in which it is tried, each with the forms without it."""
    yield "Unicode form", [_unicode]
    yield "case", [str.casefold]
    yield "a time of midnight", [_midnight]
    yield "blanks", [_blanks]
    deepest = max(text.replace("\\", "/").count("/") for text in (*base, *own))
    folders = [_last_folders(count) for count in range(deepest + 1, 0, -1)] if deepest else []
    # Folders may hide that only suffixes differ then: as few as possible are ignored.
    later = (_unicode, str.casefold, _blanks, _suffix, _zeros, _point_zero)
    matches = [_matches(*(_formed(texts, [form, *later]) for texts in (base, own)))
               for form in folders]  # fmt: skip
    yield "folders", [form for form, count in zip(folders, matches, strict=True)
                      if count == max(matches)][:1]  # fmt: skip
    yield "suffixes of files", [_suffix]
    yield "leading zeros", [_zeros]
    yield "a final .0", [_point_zero]
    yield "the decimal sign", [_decimal_comma]


def plain_form(text: str) -> str:
    """An id without everything in which nearly equal ids may differ."""
    for form in (_unicode, str.casefold, _midnight, _blanks, _last_folders(1), _suffix, _zeros,
                 _point_zero, _decimal_comma):  # fmt: skip
        text = form(text)
    return text


@dataclass(frozen=True)
class Bare:
    """Ids without the words that all of them have: id → what is left, and the words around it."""

    texts: Mapping[str, str]
    words: tuple[str, ...] = ()

    def fits(self, other: Bare) -> bool:
        """True if one has the other's words or none: `clip_003` and `3`, but not `song_3`."""
        return len(self.words) == len(other.words) and all(
            a == b or not a or not b for a, b in zip(self.words, other.words, strict=True)
        )


def without_words(ids: Sequence[str]) -> Bare:
    """Ids without the start and end that all of them have, up to a separator.

    `clip_a_audio`, `clip_b_audio` are `a` and `b`. Empty if numbers are left: they need more doubt.
    """
    texts = [plain_form(text) for text in ids]
    before, after = common_start(texts), common_start([text[::-1] for text in texts])[::-1]
    before = before[: max(before.rfind(mark) for mark in _SEPARATORS) + 1]
    place = min((k for k, letter in enumerate(after) if letter in _SEPARATORS), default=len(after))
    after = after[place:]
    bare = [text.removeprefix(before).removesuffix(after) for text in texts]
    if all(text.isdigit() for text in bare):
        return Bare({})
    return Bare(_each_once(ids, bare), (_letters(before), _letters(after)))


def only_numbers(ids: Sequence[str]) -> Bare:
    """The numbers in ids, if all ids have the same words around them: `3` of `clip_003.mp4`.

    Numbers that are the same in all ids are left out. Empty if words differ, or numbers repeat.
    """
    pieces = [re.split(r"(\d+)", plain_form(text)) for text in ids]
    if len({tuple(own[::2]) for own in pieces}) != 1 or len(pieces[0]) < 3:
        return Bare({})
    numbers = [[str(int(number)) for number in own[1::2]] for own in pieces]
    columns = list(zip(*numbers, strict=True))
    words = [""]
    for word, column in zip(pieces[0][::2], [*columns, ()], strict=True):
        words[-1] += _letters(word)
        if len(set(column)) > 1:
            words.append("")
    varying = [column for column in columns if len(set(column)) > 1]
    found = _each_once(ids, ["_".join(own) for own in zip(*varying, strict=True)])
    return Bare(found, tuple(words))


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalpha())


def _each_once(ids: Sequence[str], texts: Sequence[str]) -> dict[str, str]:
    """Id → text if every id has another text, otherwise empty."""
    return dict(zip(ids, texts, strict=True)) if len(set(texts)) == len(ids) else {}


def by_common_words(base: Sequence[str], own: Sequence[str]) -> tuple[str, dict[str, str]]:
    """What to ignore so that nearly all ids match, and id of `own` → id of `base`; or empty."""
    for what, bare in ((WORDS, without_words), (NUMBERS, only_numbers)):
        first, second = bare(base), bare(own)
        if not first.fits(second):
            continue
        spelling = {text: given for given, text in first.texts.items()}
        spelled = {g: spelling[text] for g, text in second.texts.items() if text in spelling}
        if len(spelled) >= max(MOST_COMMON * min(len(base), len(own)), FEWEST_COMMON):
            return what, spelled
    return "", {}


def respelled(base: pd.Index[str], own: pd.Index[str], table: str) -> Respelled:
    """The ids `own` in the spelling of `base`, as far as nearly equal ids are one to one.

    Differences are ignored one after the other. Each is ignored only if no two ids of one table
    become equal, and in the end only if it is needed for more matches.
    """
    exact = int(own.isin(base).sum())
    if exact == min(len(base), len(own)):
        return Respelled(own, NearMatches(table))
    chosen = _chosen_forms(base.tolist(), own.tolist(), exact)
    if not chosen:
        what, spelled = ("", {}) if exact else by_common_words(base.tolist(), own.tolist())
        found = [spelled.get(text, text) for text in own]
        changed = [(a, b) for a, b in zip(own, found, strict=True) if a != b]
        near = NearMatches(table, (what,) if what else (), len(changed), tuple(changed[:_EXAMPLES]))
        return Respelled(pd.Index(found, dtype="str"), near)
    forms = [form for _, form in chosen]
    spelling = dict(zip(_formed(base, forms), base, strict=True))
    found = [spelling.get(text, text_own) for text, text_own in
             zip(_formed(own, forms), own, strict=True)]  # fmt: skip
    changed = [(a, b) for a, b in zip(own, found, strict=True) if a != b]
    near = NearMatches(
        table, tuple(name for name, _ in chosen), len(changed), tuple(changed[:_EXAMPLES])
    )
    return Respelled(pd.Index(found, dtype="str"), near)


def _formed(texts: Sequence[str] | pd.Index[str], forms: Sequence[_Form]) -> list[str]:
    formed = list(texts)
    for form in forms:
        formed = [form(text) for text in formed]
    return formed


def _chosen_forms(base: list[str], own: list[str], exact: int) -> list[tuple[str, _Form]]:
    """The differences to ignore; none if no more ids match without them."""
    chosen: list[tuple[str, _Form]] = []
    a, b, most = base, own, exact
    for name, forms in _steps(base, own):
        kept = None
        for form in forms:
            changed = _formed(a, [form]), _formed(b, [form])
            count = _matches(*changed)
            if count > most or (count == most and kept is None):
                kept, most = (form, changed), count
        if kept is not None:
            chosen.append((name, kept[0]))
            a, b = kept[1]
    if most <= exact:
        return []
    for choice in reversed(chosen):
        fewer = [other for other in chosen if other is not choice]
        forms = [form for _, form in fewer]
        if _matches(_formed(base, forms), _formed(own, forms)) == most:
            chosen = fewer
    return chosen


def _matches(a: list[str], b: list[str]) -> int:
    """How many ids match; −1 if two of one table become equal."""
    first, second = set(a), set(b)
    if len(first) < len(a) or len(second) < len(b):
        return -1
    return len(first & second)


def hint(base: pd.Index[str], own: pd.Index[str]) -> str:
    """A sentence about ids that would match if they were spelled alike; empty if none would."""
    a = {plain_form(text): text for text in base}
    b = {plain_form(text): text for text in own}
    both = [text for text in b if text in a]
    if not both:
        marks = re.compile(r"[_\-. ]+")
        c = {marks.sub("", text): given for text, given in a.items()}
        same = [(own, c[bare]) for text, own in b.items() if (bare := marks.sub("", text)) in c]
        return (
            f"{same[0][0]!r} and {same[0][1]!r} differ in signs: spell them alike." if same else ""
        )
    return (
        f"{b[both[0]]!r} and {a[both[0]]!r} differ only in spelling, but without such differences "
        "ids repeat: spell them alike."
    )
