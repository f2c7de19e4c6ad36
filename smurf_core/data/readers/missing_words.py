"""Words for "no value" in cells of text."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# Cells that mean "no value" in a column of numbers. Praat writes --undefined--, C's printf 1.#QNAN.
MISSING = (
    "", "NA", "N/A", "n/a", "na", "n.a.", "N.A.", "NaN", "nan", "-nan", "NAN", "+nan", "#N/A",
    "#NA", "#NUM!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NULL!", "null", "NULL", "Null",
    "nil", "None", "none", "?", "-", "--", "---", "–", "—", ".", "..", "*", "<NA>", "NaT",
    "--undefined--", "undefined", "Undefined", "missing", "Missing", "MISSING", "nan(ind)",
    "-nan(ind)", "1.#QNAN", "-1.#IND", "1.#IND", "1.#QNAN0", "-1.#IND00", "1.#QNAN00",
    "nan(snan)", "k.A.", "k. A.",
    # Excel and people in German, French, Spanish and Chinese
    "#NV", "#WERT!", "#BEZUG!", "#ZAHL!", "#VALEUR!", "#NOMBRE!", "#DIV/0 !", "#¡VALOR!",
    "#¡DIV/0!", "#¡NUM!", "fehlt", "fehlend", "manquant", "n.d.", "n.v.", "s.d.", "缺失",
)  # fmt: skip
_WORDS = pa.array(MISSING)
# Fewer of these are certain: a class may be named "none", a word may be "?".
MISSING_TEXT = ("", "NA", "N/A", "NaN", "nan", "#N/A", "null", "NULL", "<NA>", "--undefined--")
_INITIALS = r"^[A-Z]{2}$"


def filled(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells without blanks around them; null where a number is missing."""
    trimmed = pc.utf8_trim_whitespace(cells)
    return pc.if_else(pc.is_in(trimmed, value_set=_WORDS), None, trimmed)


def filled_texts(trimmed: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells of text; null where a word for "no value" is no name."""
    words = missing_words(trimmed)
    return pc.if_else(pc.is_in(trimmed, value_set=pa.array(words)), None, trimmed)


def missing_words(trimmed: pa.ChunkedArray) -> tuple[str, ...]:
    """The words that are missing in a column; NA is not where all others are two initials."""
    if not has_word(trimmed, ("NA",)):
        return MISSING_TEXT
    others = [word for word in MISSING_TEXT if word != "NA"]
    names = pc.drop_null(pc.if_else(pc.is_in(trimmed, value_set=pa.array(others)), None, trimmed))
    are_initials = pc.all(pc.match_substring_regex(names, _INITIALS)).as_py()
    is_name = are_initials and len(pc.unique(names)) > 3  # NA and at least three others
    return tuple(others) if is_name else MISSING_TEXT


def has_word(trimmed: pa.ChunkedArray, words: tuple[str, ...]) -> bool:
    """True if a cell is one of the words."""
    return bool(pc.any(pc.is_in(trimmed, value_set=pa.array(words))).as_py())
