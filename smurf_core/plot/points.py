"""The samples of a scatter plot: which are drawn, and which are selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from smurf_core.plot.colouring import ColourGroup, Colouring, colour_groups
from smurf_core.plot.theme import NEUTRAL, PALETTE

Array = npt.NDArray[np.float64]
# Without a graphics card, a browser needs 0.1 s to select among so many, and 0.1 s to draw them.
MOST_POINTS = 5_000
OUT_OF_SCOPE = "not in scope"


@dataclass(frozen=True)
class Points:
    """All samples with their positions, even if a figure draws only some of them.

    If there are more than `most`, samples close to others of their colour are not drawn.
    A box or lasso also selects the samples that are not drawn.
    """

    x: Array  # [n]
    y: Array  # [n]
    sample_ids: npt.NDArray[np.str_]  # [n]
    colour: str = PALETTE[0]  # used if there is no column for colours
    colouring: Colouring | None = None
    in_scope: npt.NDArray[np.bool_] | None = None  # [n]; None: all samples
    most: int = MOST_POINTS

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def inside(self) -> npt.NDArray[np.bool_]:
        """True for each sample in scope, [n]."""
        return np.ones(len(self), dtype=np.bool_) if self.in_scope is None else self.in_scope

    @cached_property
    def groups(self) -> list[ColourGroup]:
        """The samples of each colour; those out of scope, if any, come first."""
        at = np.flatnonzero(self.inside)
        found = [ColourGroup("", self.colour, "circle", at)]
        if self.colouring is not None and not self.colouring.is_numeric:
            found = [
                ColourGroup(group.name, group.colour, group.symbol, at[group.positions])
                for group in colour_groups(self.colouring.pick(self.inside))
            ]
        outside = np.flatnonzero(~self.inside)
        rest = [ColourGroup(OUT_OF_SCOPE, NEUTRAL, "circle", outside)] if len(outside) else []
        return rest + found

    @cached_property
    def drawn(self) -> npt.NDArray[np.bool_]:
        """True for each sample that is drawn, [n]: first one per crowd, then a second one, …"""
        n = len(self)
        if n <= self.most:
            return np.ones(n, dtype=np.bool_)
        order = np.random.default_rng(0).permutation(n)
        # A crowd: the samples of one colour in one square of a grid over the area.
        side = int(np.sqrt(self.most))
        crowd = (self._group_of * side + _steps(self.x, side)) * side + _steps(self.y, side)
        by_crowd = order[np.argsort(crowd[order], kind="stable")]
        first = np.r_[0, np.flatnonzero(np.diff(crowd[by_crowd])) + 1]
        sizes = np.diff(np.r_[first, n])
        turn = np.empty(n, dtype=np.int64)
        turn[by_crowd] = np.arange(n) - np.repeat(first, sizes)
        place = np.empty(n, dtype=np.int64)
        place[order] = np.arange(n)
        chosen = np.argpartition((turn * 2 + ~self.inside) * n + place, self.most)[: self.most]
        drawn = np.zeros(n, dtype=np.bool_)
        drawn[chosen] = True
        return drawn

    def note(self) -> str:
        """A note on grey points and on samples that are not drawn; empty if there are none."""
        count = int(self.drawn.sum())
        grey = "" if self.inside.all() else " Grey points are not in scope."
        if count == len(self):
            return grey
        return (
            f"{grey} The figure draws {count:,} of {len(self):,} samples: where they are close "
            "together, some are left out. A box or lasso also selects those."
        )

    def selected(self, event: Mapping[str, Any] | None) -> list[str]:
        """Sample ids of the points in a Plotly event, and of the samples in its regions.

        Samples that are not drawn count only if a drawn sample of their colour is selected, because
        a colour can be hidden in the legend.
        """
        ids = plotly_selected_ids(event)
        selection = (event or {}).get("selection") or {}
        regions = [_box(self, box) for box in selection.get("box") or ()]
        regions += [_lasso(self, lasso) for lasso in selection.get("lasso") or ()]
        if not regions or self.drawn.all():
            return ids
        picked = np.isin(self.sample_ids, ids)
        shown = np.isin(self._group_of, np.unique(self._group_of[picked]))
        picked |= np.any(regions, axis=0) & shown & ~self.drawn
        return [str(sample) for sample in self.sample_ids[picked]]

    @cached_property
    def _group_of(self) -> npt.NDArray[np.int64]:
        found = np.zeros(len(self), dtype=np.int64)
        for k, group in enumerate(self.groups):
            found[group.positions] = k
        return found


def plotly_selected_ids(event: Mapping[str, Any] | None) -> list[str]:
    """Sample ids of the points in a Plotly chart's selection, in its order.

    They are read from each point's `customdata` (its first entry): a point's index counts within
    its trace, and a chart that is coloured by a column has one trace per colour. Points without
    customdata (lines, bands) are not samples.
    """
    points = ((event or {}).get("selection") or {}).get("points") or []
    found: dict[str, None] = {}
    for point in points:
        data = point.get("customdata")
        if isinstance(data, Mapping):  # Streamlit may send a list as {"0": …}.
            data = list(data.values())
        if isinstance(data, (list, tuple)):
            data = data[0] if data else None
        if data is not None:
            found[str(data)] = None
    return list(found)


def _steps(values: Array, count: int) -> npt.NDArray[np.int64]:
    """The position of each value in `count` equal steps from the lowest to the highest value."""
    low, span = values.min(), np.ptp(values)
    scaled = (values - low) * (count / span) if span > 0 else np.zeros(len(values))
    return np.minimum(scaled.astype(np.int64), count - 1)


def _box(points: Points, box: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
    if not _is_main(box):
        return np.zeros(len(points), dtype=np.bool_)
    (left, right), (low, high) = sorted(box["x"]), sorted(box["y"])
    return np.asarray(
        (points.x >= left) & (points.x <= right) & (points.y >= low) & (points.y <= high)
    )


def _lasso(points: Points, lasso: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
    """Even-odd rule: a ray from a point to the right crosses the outline an odd number of times."""
    inside = np.zeros(len(points), dtype=np.bool_)
    if not _is_main(lasso):
        return inside
    xs: Sequence[float] = lasso["x"]
    ys: Sequence[float] = lasso["y"]
    for k, (x1, y1) in enumerate(zip(xs, ys, strict=True)):
        x0, y0 = xs[k - 1], ys[k - 1]
        if y0 != y1:
            crosses = (points.y > min(y0, y1)) & (points.y <= max(y0, y1))
            inside ^= crosses & (points.x < x0 + (points.y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def _is_main(region: Mapping[str, Any]) -> bool:
    """True if a region is in the scatter, not in the margins."""
    return (region.get("xref", "x"), region.get("yref", "y")) == ("x", "y")
