"""Bars of means with their spread."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from smurf_core.plot.theme import NEUTRAL, PALETTE


def bars_with_spread(
    table: pd.DataFrame, *, name: str, title: str, reference: float | None = None
) -> go.Figure:
    """One bar per row: columns `name`, mean and sd. `reference` is drawn as a line."""
    figure = go.Figure(
        go.Bar(
            orientation="h",
            y=table[name],
            x=table["mean"],
            error_x={"type": "data", "array": table["sd"].fillna(0), "color": NEUTRAL},
            marker={"color": PALETTE[0]},
            text=[f"{value:.3f}".replace("-", "−") for value in table["mean"]],
            textposition="inside",
            insidetextanchor="start",
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        )
    )
    if reference is not None:
        figure.add_vline(x=reference, line={"color": NEUTRAL, "dash": "dash"})
    figure.update_layout(
        height=100 + 36 * len(table),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": title, "automargin": True},
        yaxis={"autorange": "reversed", "automargin": True},
    )
    return figure
