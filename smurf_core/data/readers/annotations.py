"""Praat TextGrid and ELAN: intervals of tiers as utterances with start, end and text."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

import pandas as pd
import pyarrow as pa

from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.columns import text_column
from smurf_core.data.readers.interface import Table
from smurf_core.data.sources import SourceFile, check_shape
from smurf_core.errors import InputError

_PARTS = re.compile(r"(^|[\s_\-])(words?|phones?|phonemes?|syllables?|MAU|ORT|KAN)$", re.IGNORECASE)
_CLOSE = 0.0005  # seconds by which equal times may differ
Interval = tuple[float, float, str]


@dataclass(frozen=True)
class _Tiers:
    intervals: Mapping[str, list[Interval]]
    points: tuple[str, ...] = ()  # tiers of moments


class TextGridReader:
    """Praat's TextGrid, long or short."""

    title = "Praat TextGrid"
    suffixes = (".textgrid",)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file starts as Praat's text files do and contains a TextGrid."""
        start = head[:400].replace(b"\0", b"")
        return b"ooTextFile" in start and b"TextGrid" in start

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table of utterances."""
        return (_utterances(_text_grid(source), source, self.title, rows),)


class ElanReader:
    """ELAN's annotations."""

    title = "ELAN"
    suffixes = (".eaf",)

    def recognises(self, source: SourceFile, head: bytes) -> bool:
        """True if the file starts with ELAN's document."""
        return b"<ANNOTATION_DOCUMENT" in head[:4096]

    def read(self, source: SourceFile, *, rows: int | None = None) -> tuple[Table, ...]:
        """One table of utterances."""
        return (_utterances(_elan(source), source, self.title, rows),)


def _damaged(source: SourceFile, title: str) -> InputError:
    return InputError(f"{source.name} is damaged or not a file of {title}: save it again.")


def _text_grid(source: SourceFile) -> _Tiers:
    from praatio import textgrid
    from praatio.utilities.errors import PraatioException

    try:
        grid = textgrid.openTextgrid(
            str(source.path), includeEmptyIntervals=False, duplicateNamesMode="rename"
        )
        tiers = {name: grid.getTier(name) for name in grid.tierNames}
        is_points = {n: isinstance(t, textgrid.PointTier) for n, t in tiers.items()}
        intervals = {
            name: [(float(e.start), float(e.end), str(e.label)) for e in tier.entries]
            for name, tier in tiers.items()
            if not is_points[name]
        }
    # Malformed files cause almost any error of the interpreter.
    except (PraatioException, ArithmeticError, AssertionError, AttributeError, LookupError,
            MemoryError, OSError, RecursionError, TypeError, ValueError) as error:  # fmt: skip
        raise _damaged(source, TextGridReader.title) from error
    return _Tiers(intervals, tuple(name for name, is_point in is_points.items() if is_point))


def _elan(source: SourceFile) -> _Tiers:
    from pympi.Elan import Eaf

    try:
        # Parsed twice for the parser's own error: pympi raises a bare `Exception`.
        ElementTree.parse(source.path)  # noqa: S314
        with warnings.catch_warnings(action="ignore"):
            file = Eaf(str(source.path))
            intervals = {
                str(name): sorted(
                    (float(start) / 1000, float(end) / 1000, str(text or ""))
                    for start, end, text, *_ in file.get_annotation_data_for_tier(name)
                )
                for name in file.get_tier_names()
            }
    except (ElementTree.ParseError, ArithmeticError, AssertionError, AttributeError, LookupError,
            MemoryError, OSError, RecursionError, TypeError, ValueError) as error:  # fmt: skip
        raise _damaged(source, ElanReader.title) from error
    return _Tiers(intervals)


def _utterances(tiers: _Tiers, source: SourceFile, title: str, rows: int | None) -> Table:
    """One row per interval; tiers with the same intervals are columns of these rows."""
    filled = {name: [i for i in found if i[2].strip()] for name, found in tiers.intervals.items()}
    filled = {name: found for name, found in filled.items() if found}
    parts = [name for name in filled if _PARTS.search(name)]
    used = {name: found for name, found in filled.items() if name not in parts} or filled
    if not used:
        raise InputError(f"{source.name} has no interval with text in any tier.")
    check_shape(source, sum(len(found) for found in used.values()), 5 + len(used))
    bases, attached = _attached(used)
    lines = sorted((start, end, text, name) for name in bases for start, end, text in used[name])[
        :rows
    ]
    columns: dict[str, list[str | float | None]] = {
        "sample_id": [f"{source.stem}[{k}]" for k in range(len(lines))],
        "recording": [source.stem] * len(lines),
        "start": [start for start, _, _, _ in lines],
        "end": [end for _, end, _, _ in lines],
        "transcript": [text.strip() for _, _, text, _ in lines],
    }
    if len(bases) > 1:
        columns["tier"] = [name for _, _, _, name in lines]
    frame = pd.DataFrame(columns)
    for name, base in attached.items():
        texts = {_key(start, end): text for start, end, text in used[name]}
        cells = [
            texts.get(_key(start, end), "") if own == base else "" for start, end, _, own in lines
        ]
        column = name if name not in frame.columns else f"tier_{name}"
        read = text_column(pa.chunked_array([pa.array(cells, pa.string())]))
        frame[column] = read.values
    left_out = [*(name for name in parts if name not in used), *tiers.points]
    said = [
        Problem("note", f"utterances of {listing(bases)}.", source.name,
                remedy="Each interval with text is one sample.")
    ]  # fmt: skip
    if left_out:
        message = f"{listing(left_out)} contain words, sounds or moments and no utterances."
        said.append(Problem("note", message, source.name, remedy="They were left out."))
    return Table(source.name, frame, problems=tuple(said), pile=title.lower())


def _key(start: float, end: float) -> tuple[int, int]:
    return round(start / _CLOSE), round(end / _CLOSE)


def _attached(used: Mapping[str, list[Interval]]) -> tuple[list[str], dict[str, str]]:
    """Tiers of their own, and those whose intervals are all in one of these, with its name."""
    keys = {name: {_key(start, end) for start, end, _ in found} for name, found in used.items()}
    bases: list[str] = []
    attached: dict[str, str] = {}
    # The tier with the most intervals first; sorting keeps the file's order among equals.
    for name in sorted(used, key=lambda name: -len(keys[name])):
        base = next((base for base in bases if keys[name] <= keys[base]), None)
        if base is None:
            bases.append(name)
        else:
            attached[name] = base
    return bases, attached
