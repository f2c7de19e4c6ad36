"""The figure of the sign-basin demonstration."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from smurf_core.plot.theme import NEUTRAL

_STYLES = (("#3f90da", "circle"), ("#e76300", "x"))


def basin_scatter(rows: pd.DataFrame, right_from: float) -> go.Figure:
    """Final objective against recovery of the true factors, one point per start.

    `rows` has the columns of `experiments.basins.Start`; a start with a recovery of at least
    `right_from` counts as in the right basin.
    """
    figure = go.Figure()
    for (scale, part), (colour, symbol) in zip(rows.groupby("output_scale"), _STYLES, strict=False):
        figure.add_scatter(
            x=part["objective"], y=part["recovery"], mode="markers",
            name=f"output weights start at {scale:g} of the usual",
            marker={"size": 11, "color": colour, "symbol": symbol, "opacity": 0.8},
            customdata=part[["seed", "prediction_r"]],
            hovertemplate="start %{customdata[0]}: objective %{x:.4f}, recovery %{y:.3f}, "
            "prediction r %{customdata[1]:.4f}<extra></extra>",
        )  # fmt: skip
    figure.add_hline(y=right_from, line={"color": NEUTRAL, "dash": "dash"})
    figure.update_layout(
        height=380,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "Objective at the end (lower is better)", "automargin": True},
        yaxis={
            "title": "Mean recovery of the true factors (r)", "range": [-0.05, 1.05],
            "automargin": True,
        },
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        uirevision="kept",
    )  # fmt: skip
    return figure
