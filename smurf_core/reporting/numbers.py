"""Formats of numbers, the same on pages, in reports and in LaTeX."""

from __future__ import annotations

from math import floor, isfinite, isnan, log10

from smurf_core.terms import partner_label

MINUS = "−"


def signed(value: float, digits: int = 3) -> str:
    """A contribution as text, with its sign: +0.120, −0.035; a dash for NaN."""
    if isnan(value):
        return "–"
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return f"{'+' if value > 0 else MINUS}{text}"


def plain(value: float, digits: int = 3) -> str:
    """A number with a proper minus sign, but none before zero; a dash for NaN."""
    if isnan(value):
        return "–"
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def digits_for(size: float, significant: int = 3) -> int:
    """Digits after the point that give a number of this size so many significant ones, at most 6.

    >>> digits_for(2.5), digits_for(0.013), digits_for(1200)
    (2, 4, 0)
    """
    if not (isfinite(size) and size > 0):
        return significant
    return min(max(significant - 1 - floor(log10(size)), 0), 6)


def mean_and_spread(mean: float, sd: float) -> str:
    """A mean over folds with its standard deviation, as in the paper's tables."""
    if isnan(mean):
        return "not defined"
    return plain(mean) if isnan(sd) else f"{plain(mean)} ± {sd:.3f}"


def percent(share: float, digits: int = 0) -> str:
    """A share in percent with a proper minus sign, but none before zero; a dash for NaN."""
    return "–" if isnan(share) else f"{plain(100 * share, digits)}%"


def interval_text(low: float, high: float) -> str:
    """An interval of shares as text; empty if it is not known."""
    if isnan(low) or isnan(high):
        return ""
    return f"[{percent(low)[:-1]}, {percent(high)[:-1]}]"


def bounds(low: float, high: float, digits: int = 2) -> str:
    """An interval of any number as text, after a space; empty if it is not known."""
    return "" if isnan(low) or isnan(high) else f" [{plain(low, digits)}, {plain(high, digits)}]"


def term_label(modality: str, shared_with: str) -> str:
    """The label of a contribution in figures and tables: `A, shared with B and C`."""
    if modality == shared_with:
        return f"{modality} alone"
    return f"{modality}, shared with {partner_label(shared_with)}"


def p_text(p: float) -> str:
    """A p-value with three digits, never 0."""
    if isnan(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
