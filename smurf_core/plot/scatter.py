"""Scatter plots with a regression line."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
import scipy  # whose parts load when used: stats takes a second that the first paint lacks

from smurf_core.plot.colouring import colour_bar
from smurf_core.plot.points import OUT_OF_SCOPE, Points
from smurf_core.plot.theme import NEUTRAL, PALE, PALETTE

Array = npt.NDArray[np.float64]


def scatter_with_line(
    x: Array,
    y: Array,
    sample_ids: npt.NDArray[np.str_],
    *,
    x_title: str,
    y_title: str,
    colour: str = PALETTE[0],
) -> go.Figure:
    """Points, and their least-squares line with the 95% band of its mean.

    `customdata` contains the sample ids.
    """
    figure = go.Figure(
        go.Scattergl(
            x=x, y=y, mode="markers", customdata=sample_ids,
            marker={"size": 6, "color": colour, "opacity": 0.65},
            hovertemplate="%{customdata}<br>%{x:.3f}, %{y:.3f}<extra></extra>", showlegend=False,
        )
    )  # fmt: skip
    _add_line(figure, x, y)
    figure.update_layout(
        height=420,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": x_title, "automargin": True},
        yaxis={"title": y_title, "automargin": True},
        dragmode="pan",
    )
    return figure


def coloured_scatter(
    points: Points, *, x_title: str, y_title: str, with_line: bool = True, is_good: bool = True
) -> go.Figure:
    """Points with the line of those in scope, its 95% band, and both distributions.

    A column of words gives one trace per word, a column of numbers a colour bar. Samples out of
    scope are grey points. The `customdata` of a point is its sample's id. Line and distributions
    are computed from all samples in scope, including those that are not drawn. All is pale where
    what is shown has no good verdict (`is_good`).
    """
    x, y, colouring = points.x, points.y, points.colouring
    strength = 1.0 if is_good else PALE
    # A legend takes space, which a selection must not change.
    has_words = colouring is not None and not colouring.is_numeric
    figure = go.Figure()
    for group in points.groups:
        at = group.positions[points.drawn[group.positions]]
        marker: dict[str, object] = {"size": 6, "opacity": 0.7 * strength, "color": group.colour}
        extra = "<extra></extra>"
        if group.name == OUT_OF_SCOPE:
            marker |= {"size": 5, "opacity": 0.3}
            extra = f"<extra>{OUT_OF_SCOPE}</extra>"
        elif group.name:
            marker |= {"size": 7, "symbol": group.symbol}
            extra = ""
        elif colouring is not None:
            marker |= colour_bar(colouring.pick(points.inside))
            marker["color"] = colouring.values[at]
        figure.add_scattergl(
            x=x[at], y=y[at], mode="markers", customdata=points.sample_ids[at], marker=marker,
            name=group.name, showlegend=has_words,
            hovertemplate="%{customdata}<br>%{x:.3f}, %{y:.3f}" + extra,
        )  # fmt: skip
    at = np.flatnonzero(points.inside)
    if with_line:
        _add_line(figure, x[at], y[at])
    for group in points.groups:
        if group.name == OUT_OF_SCOPE:
            continue
        # Counted here, not by Plotly: a box over the margins must not select bars as samples.
        for values, over in ((x, "x"), (y, "y")):
            bars = _margin(values[at], values[group.positions], over, group.colour)
            figure.add_trace(bars.update(marker_opacity=0.8 * strength))
    figure.update_layout(
        height=520,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": x_title, "automargin": True, "domain": [0, 0.86]},
        yaxis={"title": y_title, "automargin": True, "domain": [0, 0.84]},
        xaxis2={"domain": [0.88, 1], "showticklabels": False, "showgrid": False, "anchor": "y"},
        yaxis2={"domain": [0.87, 1], "showticklabels": False, "showgrid": False, "anchor": "x"},
        barmode="stack",
        bargap=0,
        dragmode="pan",
        legend={"title": {"text": colouring.title if colouring else ""}, "x": 1.01, "y": 0.84},
    )
    return figure


def _margin(everyone: Array, values: Array, over: str, colour: str) -> go.Bar:
    """Histogram of values as bars along an axis of the scatter plot."""
    edges = np.histogram_bin_edges(everyone, bins=30) if len(everyone) else np.array([0.0, 1.0])
    counts, _ = np.histogram(values, bins=edges)
    middle, width = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    along = {"x": middle, "y": counts} if over == "x" else {"x": counts, "y": middle}
    return go.Bar(
        **along,
        width=width,
        orientation="v" if over == "x" else "h",
        xaxis="x" if over == "x" else "x2",
        yaxis="y2" if over == "x" else "y",
        marker={"color": colour, "line": {"width": 0}},
        hovertemplate="%{y} samples<extra></extra>"
        if over == "x"
        else "%{x} samples<extra></extra>",
        showlegend=False,
    )


def _add_line(figure: go.Figure, x: Array, y: Array) -> None:
    """The least-squares line with its 95% band (of the mean)."""
    if len(x) > 2 and np.ptp(x) > 0:
        at = np.linspace(x.min(), x.max(), 50)
        slope, start = np.polyfit(x, y, 1)
        line = start + slope * at
        left = y - start - slope * x
        spread = np.sqrt((left**2).sum() / (len(x) - 2))
        distance = (at - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
        half = scipy.stats.t.ppf(0.975, len(x) - 2) * spread * np.sqrt(1 / len(x) + distance)
        figure.add_scatter(
            x=np.concatenate([at, at[::-1]]), y=np.concatenate([line - half, (line + half)[::-1]]),
            fill="toself", fillcolor="rgba(138,146,155,0.25)", line={"width": 0},
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        # Drawn by WebGL, like the points: everything else is drawn below them.
        figure.add_scattergl(
            x=at, y=line, mode="lines", line={"color": NEUTRAL, "width": 2}, hoverinfo="skip",
            showlegend=False,
        )  # fmt: skip
