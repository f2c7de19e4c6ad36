"""Points with a straight line through them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from scipy import stats

from app.charts.theme import NEUTRAL, PALETTE

Array = npt.NDArray[np.float64]


def scatter_with_line(
    x: Array,
    y: Array,
    sample_ids: npt.NDArray[np.str_],
    *,
    x_title: str,
    y_title: str,
    colour: str = PALETTE[0],
    diagonal: bool = False,
) -> go.Figure:
    """Samples as points and their least-squares line with its 95% band (of the mean).

    `customdata` holds the sample ids. With `diagonal`, the line x = y in place of a fit.
    """
    figure = go.Figure(
        go.Scattergl(
            x=x, y=y, mode="markers", customdata=sample_ids,
            marker={"size": 6, "color": colour, "opacity": 0.65},
            hovertemplate="%{customdata}<br>%{x:.3f}, %{y:.3f}<extra></extra>", showlegend=False,
        )
    )  # fmt: skip
    if len(x) > 2 and np.ptp(x) > 0:
        at = np.linspace(x.min(), x.max(), 50)
        if diagonal:
            line, half = at, np.zeros_like(at)
        else:
            slope, start = np.polyfit(x, y, 1)
            line = start + slope * at
            left = y - start - slope * x
            spread = np.sqrt((left**2).sum() / (len(x) - 2))
            distance = (at - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()
            half = stats.t.ppf(0.975, len(x) - 2) * spread * np.sqrt(1 / len(x) + distance)
        figure.add_scatter(
            x=np.concatenate([at, at[::-1]]), y=np.concatenate([line - half, (line + half)[::-1]]),
            fill="toself", fillcolor="rgba(138,146,155,0.25)", line={"width": 0},
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        figure.add_scatter(
            x=at, y=line, mode="lines", line={"color": NEUTRAL, "width": 2}, hoverinfo="skip",
            showlegend=False,
        )  # fmt: skip
    figure.update_layout(
        height=420,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": x_title, "automargin": True},
        yaxis={"title": y_title, "automargin": True},
        dragmode="pan",
    )
    return figure
