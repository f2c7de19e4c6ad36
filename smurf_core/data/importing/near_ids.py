"""Ids that are nearly equal: `clip01.wav` and `Clip01`, `001` and `1`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

_Form = Callable[[str], str]
_SUFFIX = re.compile(
    r"\.(wav|wave|mp3|mp4|m4a|m4v|flac|ogg|oga|opus|aac|aif|aiff|wma|avi|mov|mkv|webm|mpg|mpeg|wmv"
    r"|flv|3gp|jpg|jpeg|png|gif|bmp|txt|csv|tsv|json|xml|srt|vtt|lab|textgrid|eaf|trs|cha|npy|npz"
    r"|pt|pkl|h5|mat|arff|parquet)$",
    re.IGNORECASE,
)
_ZEROS = re.compile(r"(?<![\d.])0+(?=\d)")
_POINT_ZERO = re.compile(r"^(\d+)\.0+$")
_EXAMPLES = 3


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


def _steps(base: Sequence[str], own: Sequence[str]) -> Iterator[tuple[str, list[_Form]]]:
    """What may differ, in the order in which it is tried, each with the forms without it."""
    yield "Unicode form", [_unicode]
    yield "case", [str.casefold]
    yield "blanks", [_blanks]
    deepest = max(text.replace("\\", "/").count("/") for text in (*base, *own))
    yield "folders", [_last_folders(count) for count in range(deepest, 0, -1)]
    yield "suffixes of files", [_suffix]
    yield "leading zeros", [_zeros]
    yield "a final .0", [_point_zero]


def plain_form(text: str) -> str:
    """An id without everything in which nearly equal ids may differ."""
    for form in (_unicode, str.casefold, _blanks, _last_folders(1), _suffix, _zeros, _point_zero):
        text = form(text)
    return text


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
        return Respelled(own, NearMatches(table))
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
        return ""
    return (
        f"{b[both[0]]!r} and {a[both[0]]!r} differ only in spelling, but without such differences "
        "ids repeat: spell them alike."
    )
