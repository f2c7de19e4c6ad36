"""Raters' traces on the timeline: the mean with its band, and thin lines of single raters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from smurf_core.plot.theme import NEUTRAL, PALE
from smurf_core.ratings.traces.account import TraceAccount
from smurf_core.ratings.traces.course import MeanTrace
from smurf_core.reporting.numbers import plain

Array = npt.NDArray[np.float64]
_EDGE = 0.03  # between a trace and the end of its sample's place
_MEAN, _BAND = "#0f8a7e", "15,138,126"  # no modality's colour


def add_traces(
    figure: go.Figure, row: int, sample_ids: Sequence[str], account: TraceAccount
) -> None:
    """Draw the traces of a session's samples into a row of a figure.

    Sample i has the place from i + 0.5 to i + 1.5, over which its clip goes from start to end.
    Where raters do not agree, the mean is pale and dotted.
    """
    scale = account.traces.scale
    placed = [(i, account.means[s]) for i, s in enumerate(sample_ids) if s in account.means]
    for rater in sorted({int(r) for _, mean in placed for r in mean.raters}):
        x, y = _joined(
            [
                (_place(i, mean), mean.lines[list(mean.raters).index(rater)])
                for i, mean in placed
                if rater in mean.raters
            ]
        )
        figure.add_scatter(
            x=x, y=y, mode="lines", name=f"Trace of rater {rater}", row=row, col=1,
            line={"width": 0.7, "color": NEUTRAL}, opacity=0.7, showlegend=False,
            hoverinfo="skip",
        )  # fmt: skip
    opacity = 1.0 if account.is_agreed else PALE
    bands = [_band(_place(i, mean), mean) for i, mean in placed]
    x, y = _joined([band for band in bands if len(band[0])])
    figure.add_scatter(
        x=x, y=y, mode="lines", fill="toself", name="95% interval of the trace", row=row, col=1,
        line={"width": 0, "color": _MEAN}, fillcolor=f"rgba({_BAND},{0.22 * opacity:.2f})",
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    x, y = _joined([(_place(i, mean), mean.mean) for i, mean in placed])
    seconds, values = _joined([(mean.times, mean.mean) for _, mean in placed])
    who = "simulated raters" if account.traces.is_simulated else "raters"
    figure.add_scatter(
        x=x, y=y, mode="lines", name=f"Mean trace of {who}", row=row, col=1, opacity=opacity,
        line={"width": 2, "color": _MEAN, "dash": "solid" if account.is_agreed else "dot"},
        customdata=[[plain(t, 1), plain(v)] for t, v in zip(seconds, values, strict=True)],
        hovertemplate="mean trace %{customdata[1]} after %{customdata[0]} s<extra></extra>",
    )  # fmt: skip
    pad = 0.03 * (scale.high - scale.low)
    figure.update_yaxes(
        title=scale.name, range=[scale.low - pad, scale.high + pad], nticks=4, row=row,
        title_standoff=4,
    )  # fmt: skip


def _place(sample: int, mean: MeanTrace) -> Array:
    """The times of a clip on the figure's axis."""
    share = np.clip(mean.times / mean.length, 0, 1)
    return np.asarray(sample + 0.5 + _EDGE + (1 - 2 * _EDGE) * share)


def _band(x: Array, mean: MeanTrace) -> tuple[Array, Array]:
    """The interval as a closed line."""
    known = np.isfinite(mean.low)
    low, high = mean.low[known], mean.high[known]
    return np.concatenate([x[known], x[known][::-1]]), np.concatenate([high, low[::-1]])


def _joined(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Lines with a gap between them."""
    gap = np.array([np.nan])
    x = [piece for own, _ in parts for piece in (own, gap)]
    y = [piece for _, own in parts for piece in (own, gap)]
    return (np.concatenate(x), np.concatenate(y)) if parts else (gap, gap)
