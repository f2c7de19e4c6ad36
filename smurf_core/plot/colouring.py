"""Colours of points by any column: one trace per colour, and a legend or colour bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.plot.theme import NEUTRAL, PALETTE

# Blue to yellow with even steps of lightness: for numbers, safe for colour-blind readers.
SEQUENTIAL = "Viridis"
_OTHER = "other"
_GIVEN = "not given"
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "hexagon",
            "triangle-down", "pentagon")  # fmt: skip


@dataclass(frozen=True)
class Colouring:
    """A column to colour by, one value per sample."""

    title: str
    values: npt.NDArray[np.generic]  # [n]: numbers, or words
    is_numeric: bool

    @classmethod
    def of(cls, column: pd.Series) -> Colouring:
        """Make the colouring of a column: numbers, or groups for folds, truth values and words."""
        title = str(column.name)
        is_numeric = (
            pd.api.types.is_numeric_dtype(column)
            and not pd.api.types.is_bool_dtype(column)
            and title != "fold"
        )
        if is_numeric:
            return cls(title, column.to_numpy(dtype=np.float64), True)
        words = column.astype("str").where(column.notna() & (column != ""), _GIVEN)
        return cls(title, words.to_numpy(dtype=np.str_), False)

    def pick(self, mask: npt.NDArray[np.bool_]) -> Colouring:
        """The colouring of some of the samples."""
        return Colouring(self.title, self.values[mask], self.is_numeric)


@dataclass(frozen=True)
class ColourGroup:
    """Samples of one colour: the positions that are drawn as one trace."""

    name: str
    colour: str
    symbol: str
    positions: npt.NDArray[np.int64]


def colour_groups(colouring: Colouring) -> list[ColourGroup]:
    """Groups of a column of words, most frequent first; the tenth and later ones are *other*.

    Each group has a symbol as well as a colour.
    """
    names, codes, counts = np.unique(
        colouring.values.astype(np.str_), return_inverse=True, return_counts=True
    )
    order = np.argsort(-counts, kind="stable")
    own = order if len(names) <= len(PALETTE) else order[: len(PALETTE) - 1]
    groups = [
        ColourGroup(str(names[k]), PALETTE[at], _SYMBOLS[at], np.flatnonzero(codes == k))
        for at, k in enumerate(own)
    ]
    if len(own) < len(names):
        rest = np.flatnonzero(~np.isin(codes, own))
        groups.append(ColourGroup(_OTHER, NEUTRAL, _SYMBOLS[-1], rest))
    return groups


def colour_bar(colouring: Colouring) -> dict[str, object]:
    """Plotly's marker settings for a column of numbers; outliers do not distort the scale."""
    values = colouring.values.astype(np.float64)
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, [1, 99]) if len(known) else (0.0, 1.0)
    if low == high:
        low, high = float(known.min()), float(known.max())
    return {
        "color": values,
        "colorscale": SEQUENTIAL,
        "cmin": low,
        "cmax": high,
        "showscale": True,
        "colorbar": {"title": {"text": colouring.title, "side": "right"}, "thickness": 12},
    }
