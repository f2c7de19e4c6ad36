"""Figures of predictions with fewer modalities."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from smurf_core.plot.points import Points
from smurf_core.plot.theme import NEUTRAL, PALETTE, modality_colours

Array = npt.NDArray[np.float64]
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def before_and_after(
    points: Points, *, title: str, available: str, chosen: str | None = None
) -> go.Figure:
    """Predictions with all modalities (x) against those with fewer (y); `chosen` is marked.

    The figure is kept small, because each switch draws it again. `customdata` contains the sample
    ids.
    """
    full, remaining = points.x, points.y
    figure = go.Figure(
        go.Scattergl(
            x=full[points.drawn], y=remaining[points.drawn], mode="markers",
            customdata=points.sample_ids[points.drawn],
            marker={"size": 6, "color": PALETTE[0], "opacity": 0.6},
            hovertemplate="%{customdata}<br>%{x:.3f} → %{y:.3f}<extra></extra>", showlegend=False,
        )
    )  # fmt: skip
    if len(full):
        ends = [float(min(full.min(), remaining.min())), float(max(full.max(), remaining.max()))]
        figure.add_scattergl(
            x=ends, y=ends, mode="lines", line={"color": NEUTRAL, "width": 2}, hoverinfo="skip",
            showlegend=False,
        )  # fmt: skip
    for at in np.flatnonzero(points.sample_ids == chosen) if chosen is not None else ():
        is_right = full[at] > (full.min() + full.max()) / 2
        figure.add_scattergl(
            x=[full[at]], y=[remaining[at]], mode="markers+text", text=["chosen"],
            textposition="middle left" if is_right else "middle right",
            hoverinfo="skip", showlegend=False,
            marker={"size": 14, "color": "#bd1f01", "symbol": "circle-open", "line": {"width": 3}},
        )  # fmt: skip
    figure.update_layout(
        height=420,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": f"{title}, all modalities", "automargin": True},
        yaxis={"title": f"with {available}", "automargin": True},
        dragmode="pan",
        uirevision="kept",  # A switch does not reset the zoom.
    )
    return figure


def dropout_lines(curve: pd.DataFrame, modalities: tuple[str, ...], title: str) -> go.Figure:
    """The metric against the share of samples without a modality: one line and band per modality.

    `curve` is a table from `dropout_curve`.
    """
    colours = modality_colours(modalities)
    figure = go.Figure()
    for at, (modality, part) in enumerate(curve.groupby("modality", sort=False)):
        colour = colours[str(modality)]
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        x = part["share"].to_numpy()
        figure.add_scatter(
            x=np.concatenate([x, x[::-1]]),
            y=np.concatenate([part["low"], part["high"].to_numpy()[::-1]]),
            fill="toself", fillcolor=f"rgba({red},{green},{blue},0.2)", line={"width": 0},
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=part["mean"], mode="lines+markers", name=f"{modality} missing",
            line={"color": colour, "width": 2, "dash": _DASHES[at % len(_DASHES)]},
            hovertemplate=f"{modality} missing for %{{x:.0%}}: %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        height=380,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={
            "title": "Share of samples without the modality", "tickformat": ".0%",
            "automargin": True,
        },
        yaxis={"title": title, "automargin": True},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    return figure
