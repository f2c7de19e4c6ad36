"""Numbers as people write them: decimal commas, thousands, percent, units, nested brackets.

`2,961` may be 2961 or 2.961. All cells of a file decide together; if they do not, the column stays
text, and the user is asked (`decimal_sign`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from smurf_core.data.problems import Problem, listing
from smurf_core.data.readers.interface import Undecided
from smurf_core.data.readers.missing_words import filled
from smurf_core.data.sources import SourceFile

_SIGN = r"^[+-]?"
_EXPONENT = r"([eE][+-]?\d+)?$"
_WHOLE = _SIGN + r"\d+$"
# A sign before exactly three digits, as in 2.961: a decimal sign, or one between thousands.
_EITHER = {mark: _SIGN + rf"[1-9]\d{{0,2}}[{mark}]\d{{3}}$" for mark in ".,"}
_DECIMAL = {mark: _SIGN + rf"(\d*[{mark}]\d+|\d+[{mark}])" + _EXPONENT for mark in ".,"}
_GROUPS = {mark: _SIGN + rf"[1-9]\d{{0,2}}([{mark}]\d{{3}}){{2,}}$" for mark in ".,"}
_BOTH = {
    ".": _SIGN + r"[1-9]\d{0,2}(,\d{3})+\.\d+$",  # decimal sign → thousands with it
    ",": _SIGN + r"[1-9]\d{0,2}(\.\d{3})+,\d+$",
}
_OTHER = {".": ",", ",": "."}
_BLANK_GROUPS = _SIGN + r"\d{1,3}([ '’\x{a0}\x{202f}\x{2009}]\d{3})+([.,]\d+)?$"
_GROUP_MARKS = r"[ '’\x{a0}\x{202f}\x{2009}]"
_NESTED = r"^(\[\s*[^\[\],\s]+\s*\]|\[\[\s*[^\[\],\s]+\s*\]\]|\[\[\[\s*[^\[\],\s]+\s*\]\]\])$"
_UNITS = (
    "%|‰|ms|msec|s|sec|seconds|min|h|Hz|kHz|MHz|dB|dBFS|°|°C|°F|deg|rad|mm|cm|m|km|px|kg|g|bpm|BPM|"
    "mV|µV|uV|μV|V|µS|uS|μS|mA|st|semitones|years|yrs|y"
)
_WITH_UNIT = rf"^(?P<number>[^A-Za-z%‰°µμ]*\d[.,]?)[ \x{{a0}}\x{{202f}}]*(?P<unit>{_UNITS})$"
# What may be a number: it starts with a digit after signs, and letters are at most a unit.
_LIKELY = r"^[\[('\s<>~≈=$€£]*[+\-−]?\s*[.,]?\d[^A-Za-z_/]*([A-Za-zµμ%°‰]{1,10}\W*)?$"
_DATES = r"^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}"


@dataclass(frozen=True)
class Forms:
    """Columns written as plain numbers, those left open, and what to report."""

    rewritten: Mapping[str, pa.ChunkedArray] = field(default_factory=dict)
    undecided: Mapping[str, Undecided] = field(default_factory=dict)
    commas: tuple[str, ...] = ()  # columns whose decimal sign is a comma
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Written:
    """A column without units, brackets and blanks, and the forms that its cells have."""

    name: str
    raw: pa.ChunkedArray
    cells: pa.ChunkedArray
    removed: tuple[str, ...] = ()  # the kinds of marks that were taken off
    forms: frozenset[str] = frozenset()  # decimal signs that are certain
    open: frozenset[str] = frozenset()  # signs that may be either
    is_mixed_with_whole: bool = False


def number_forms(
    odd: Mapping[str, pa.ChunkedArray],
    plain: Mapping[str, pa.ChunkedArray],
    source: SourceFile,
    *,
    delimiter: str = ",",
    has_point: bool = False,
) -> Forms:
    """Write columns as plain numbers, on the evidence of all cells of a file.

    `odd` are columns that are not all plain numbers, with missing cells null, and `plain` columns
    with decimal points, as they are in the file. A sign before three digits is between thousands if
    the file's decimal sign is the other one. `delimiter` is the file's: a semicolon is usual with
    commas. With `has_point`, further columns have a decimal point that is certain.
    """
    written = [_written(name, cells) for name, cells in odd.items() if _is_likely(cells)]
    has_commas = any("," in column.forms | column.open for column in written)
    certain = {mark for column in written for mark in column.forms} | (
        {"."} if has_point else set()
    )
    has_point = has_point or any(has_certain_point(cells) for cells in plain.values())
    if has_commas or delimiter == ";" or not has_point:
        examined = [_written(name, filled(cells)) for name, cells in plain.items()]
        certain |= {mark for column in examined for mark in column.forms}
        written += [column for column in examined if column.open]
    else:
        certain.add(".")
    rewritten: dict[str, pa.ChunkedArray] = {}
    undecided: dict[str, Undecided] = {}
    commas: list[str] = []
    thousands: dict[str, tuple[str, str]] = {}
    for column in written:
        decimal = _decimal_of(column, certain, has_commas=has_commas, delimiter=delimiter)
        if decimal is None:
            undecided[column.name] = _as_undecided(column)
        elif decimal:
            cells, example = as_plain(column.cells, decimal)
            rewritten[column.name] = cells
            if example:
                thousands[column.name] = example
            if decimal == "," and (column.forms or column.open) and not _is_all_groups(column):
                commas.append(column.name)
        elif column.removed:
            rewritten[column.name] = column.cells
    return Forms(
        rewritten, undecided, tuple(commas), _reported(written, rewritten, thousands, source)
    )


def _is_likely(cells: pa.ChunkedArray) -> bool:
    """True if at least half of the cells may be numbers, and they are not dates."""
    held = len(cells) - cells.null_count
    likely = pc.sum(pc.match_substring_regex(cells, _LIKELY)).as_py() or 0
    dates = pc.sum(pc.match_substring_regex(cells, _DATES)).as_py() or 0
    return bool(2 * likely >= held and 2 * dates < held)


def has_certain_point(cells: pa.ChunkedArray) -> bool:
    """True if numbers have a decimal point that cannot be one between thousands."""
    return any(
        bool(pc.any(certain_points(filled(cells.slice(0, most)))).as_py()) for most in (5, None)
    )


def certain_points(cells: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """True for each cell with a decimal point that cannot be one between thousands."""
    return _matches(cells, _DECIMAL["."], but=_EITHER["."])


def _matches(
    cells: pa.Array | pa.ChunkedArray, pattern: str, *, but: str = ""
) -> pa.Array | pa.ChunkedArray:
    matches = pc.match_substring_regex(cells, pattern)
    return pc.and_not(matches, pc.match_substring_regex(cells, but)) if but else matches


def _any(cells: pa.ChunkedArray, pattern: str, *, but: str = "") -> bool:
    return bool(pc.any(_matches(cells, pattern, but=but)).as_py())


def _written(name: str, raw: pa.ChunkedArray) -> _Written:
    """A column without brackets, units and blanks between thousands."""
    cells, removed = pc.replace_substring(raw, "−", "-"), []
    nested = pc.match_substring_regex(cells, _NESTED)
    if pc.any(nested).as_py():
        bare = pc.replace_substring_regex(cells, r"[\[\]\s]", "")
        cells = pc.if_else(nested, bare, cells)
        removed.append("nested")
    cells, unit = _without_unit(cells)
    if unit:
        removed.append("percent" if unit in "%‰" else "unit")
    grouped = pc.match_substring_regex(cells, _BLANK_GROUPS)
    has_blanks = bool(pc.any(grouped).as_py())
    if has_blanks:
        cells = pc.if_else(grouped, pc.replace_substring_regex(cells, _GROUP_MARKS, ""), cells)
        removed.append("groups")
    certain, unsure = set(), set()
    for mark in ".,":
        either = _any(cells, _EITHER[mark])
        if has_blanks and either:  # Thousands have another sign, so this one is decimal.
            certain.add(mark)
        elif either:
            unsure.add(mark)
        if _any(cells, _DECIMAL[mark], but=_EITHER[mark]) or _any(cells, _BOTH[mark]):
            certain.add(mark)
        if _any(cells, _GROUPS[mark]):
            certain.add(_OTHER[mark])
    mixed = bool(unsure) and _any(cells, _WHOLE) and not _any(cells, _SIGN + r"\d{4,}$")
    return _Written(name, raw, cells, tuple(removed), frozenset(certain), frozenset(unsure), mixed)


def _without_unit(cells: pa.ChunkedArray) -> tuple[pa.ChunkedArray, str]:
    """Cells without their unit if all of them have the same one; otherwise unchanged."""
    parts = pc.extract_regex(cells, _WITH_UNIT)
    if len(parts) - parts.null_count < len(cells) - cells.null_count or not len(parts):
        return cells, ""
    units = pc.unique(pc.drop_null(pc.struct_field(parts, "unit"))).to_pylist()
    if len(units) != 1:
        return cells, ""
    return pc.utf8_trim_whitespace(pc.struct_field(parts, "number")), units[0]


def _decimal_of(
    column: _Written, certain: set[str], *, has_commas: bool, delimiter: str
) -> str | None:
    """The decimal sign of a column: empty if nothing is to be changed, None if it is not known."""
    if len(column.forms) > 1 or len(column.open) > 1:
        return ""  # both signs are decimal: the cells that are not plain numbers are reported
    if column.forms:
        return next(iter(column.forms))
    if not column.open:
        return ""
    if len(certain) == 1:
        return next(iter(certain))
    is_usual = not has_commas and delimiter != ";" and not column.is_mixed_with_whole
    return "." if column.open == {"."} and not certain and is_usual else None


def as_plain(
    cells: pa.ChunkedArray, decimal: str
) -> tuple[pa.ChunkedArray, tuple[str, str] | None]:
    """Cells without signs between thousands and with a decimal point, and an example of these."""
    mark = _OTHER[decimal]
    groups = _SIGN + rf"[1-9]\d{{0,2}}([{mark}]\d{{3}})+([{decimal}]\d+)?$"
    matches = pc.match_substring_regex(cells, groups)
    example = None
    if pc.any(matches).as_py():
        before = cells.filter(matches)[0].as_py()
        cells = pc.if_else(matches, pc.replace_substring(cells, mark, ""), cells)
        example = (before, before.replace(mark, "").replace(decimal, "."))
    if decimal == ",":
        numbers = pc.match_substring_regex(cells, _DECIMAL[","])
        cells = pc.if_else(numbers, pc.replace_substring(cells, ",", "."), cells)
    return cells, example


def _is_all_groups(column: _Written) -> bool:
    """True if the commas' column has no comma: only its points between thousands were removed."""
    return "," not in column.forms | column.open


def _as_undecided(column: _Written) -> Undecided:
    mark = next(iter(column.open))
    matches = pc.match_substring_regex(column.cells, _EITHER[mark])
    row = pc.index(matches.fill_null(False), pa.scalar(True)).as_py()
    text = column.cells[row].as_py()
    thousands, decimal = text.replace(mark, ""), text.replace(mark, ".")
    raw = column.raw[row].as_py()
    return Undecided(row + 1, raw, mark, decimal, thousands, column.cells)


def _reported(
    written: Sequence[_Written],
    rewritten: Mapping[str, pa.ChunkedArray],
    thousands: Mapping[str, tuple[str, str]],
    source: SourceFile,
) -> tuple[Problem, ...]:
    """One note for each kind of mark that was taken off."""
    removed: dict[str, list[_Written]] = {}
    for column in written:
        if column.name in rewritten:
            for kind in column.removed:
                removed.setdefault(kind, []).append(column)
    problems = []
    if thousands:
        before, after = next(iter(thousands.values()))
        message = f"{len(thousands)} columns ({listing(thousands)}) have signs between thousands."
        remedy = f"{before!r} was read as {after}."
        problems.append(Problem("note", message, source.name, remedy=remedy))
    words = {
        "nested": "have numbers in brackets",
        "percent": "are in percent",
        "unit": "have a unit in each cell",
        "groups": "have blanks or apostrophes between thousands",
    }
    for kind, columns in removed.items():
        names = [column.name for column in columns]
        changed = pc.not_equal(columns[0].raw, columns[0].cells).fill_null(False)
        row = pc.index(changed, pa.scalar(True)).as_py()
        before = columns[0].raw[row].as_py()
        after = rewritten[columns[0].name][row].as_py()
        message = f"{len(names)} columns ({listing(names)}) {words[kind]}."
        remedy = f"{before!r} was read as {after}."
        problems.append(Problem("note", message, source.name, remedy=remedy))
    return tuple(problems)


def number_like_texts(columns: Mapping[str, pa.ChunkedArray], source: SourceFile) -> list[Problem]:
    """Warnings of columns that stay text although most of their cells contain a number."""
    found: dict[str, str] = {}
    for name, cells in columns.items():
        held = len(cells) - cells.null_count
        # Whole numbers with a letter, such as 3a, and codes with zeros in front are names.
        is_name = pc.match_substring_regex(cells, r"^[+-]?\d+[A-Za-z]?$")
        if 2 * (pc.sum(is_name).as_py() or 0) >= held or not _is_likely(cells):
            continue
        texts = cells.filter(
            pc.invert(pc.match_substring_regex(cells, _DECIMAL["."] + "|" + _WHOLE))
        )
        found[name] = str(texts[0].as_py() if len(texts) else cells.drop_null()[0].as_py())[:40]
    if not found:
        return []
    example = next(iter(found.values()))
    message = (
        f"{len(found)} columns ({listing(found)}) have cells such as {example!r}, which are text."
    )
    remedy = "They are not features; to use them, write plain numbers with one unit."
    return [Problem("warning", message, source.name, remedy=remedy)]
