"""Figures of collections of ratings: sizes to choose from, progress, agreement as it grows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from smurf_core.plot.theme import PALETTE

_MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}


def power_lines(table: pd.DataFrame, wanted: float) -> go.Figure:
    """Power over clips, a line per number of raters; bars are two standard errors.

    `table` comes from `smurf_core.ratings.power.power_table`, `wanted` is the dashed line.
    """
    figure = go.Figure()
    for at, (_, rows) in enumerate(table.groupby("raters_per_cell")):
        raters = int(rows["raters_per_cell"].iloc[0])
        name = f"{raters} rater{'' if raters == 1 else 's'}"
        figure.add_scatter(
            x=rows["clips"], y=rows["power"], mode="lines+markers", name=name,
            error_y={"type": "data", "array": 2 * rows["power_error"], "thickness": 1},
            line={"color": PALETTE[at % len(PALETTE)]},
            hovertemplate="%{x} clips: power %{y:.2f}<extra>" + f"{name}</extra>",
        )  # fmt: skip
    figure.add_hline(wanted, line={"dash": "dash", "width": 1})
    figure.update_layout(
        height=320, margin=_MARGIN,
        xaxis={"title": "Clips", "automargin": True},
        yaxis={"title": "Power", "range": [0, 1.05], "automargin": True},
        legend={"title": "Per clip and condition"},
    )  # fmt: skip
    return figure


def share_power_line(table: pd.DataFrame, wanted: float) -> go.Figure:
    """Power over the unique share; bars are two standard errors.

    `table` comes from `smurf_core.ratings.power.share_table`, `wanted` is the dashed line.
    """
    figure = go.Figure(
        go.Scatter(
            x=table["unique"], y=table["power"], mode="lines+markers", line={"color": PALETTE[0]},
            error_y={"type": "data", "array": 2 * table["power_error"], "thickness": 1},
            hovertemplate="unique share %{x:.0%}: power %{y:.2f}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_hline(wanted, line={"dash": "dash", "width": 1})
    figure.update_layout(
        height=320, margin=_MARGIN,
        xaxis={"title": "Unique share of the target's variance", "tickformat": ".0%",
               "rangemode": "tozero", "automargin": True},
        yaxis={"title": "Power", "range": [0, 1.05], "automargin": True},
    )  # fmt: skip
    return figure


def progress_heatmap(progress: pd.DataFrame) -> go.Figure:
    """Ratings by clip and condition; `smurf_core.ratings.tables.progress_table`."""
    wide = progress.pivot_table(index="condition", columns="clip", values="rated", sort=False)
    needed = int(progress["needed"].max())
    figure = go.Figure(
        go.Heatmap(
            z=wide.to_numpy(dtype=np.float64), x=wide.columns.tolist(), y=wide.index.tolist(),
            zmin=0, zmax=needed, colorscale=[[0, "#eef1f5"], [1, PALETTE[0]]], xgap=1, ygap=1,
            colorbar={"title": "Ratings", "dtick": max(1, needed // 4)},
            hovertemplate="%{x}, %{y}: %{z} of " + f"{needed}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        height=max(180, 90 + 34 * len(wide)), margin=_MARGIN,  # the colour bar needs room
        xaxis={"title": f"{len(wide.columns)} clips", "showticklabels": False, "type": "category"},
        yaxis={"automargin": True, "autorange": "reversed", "type": "category"},
    )  # fmt: skip
    return figure


def growth_line(growth: pd.DataFrame, title: str) -> go.Figure:
    """Agreement with its 95% interval; `smurf_core.ratings.agreement.agreement_growth`."""
    around = pd.concat([growth["ratings"], growth["ratings"][::-1]])
    ends = pd.concat([growth["high"], growth["low"][::-1]])
    figure = go.Figure()
    figure.add_scatter(
        x=around, y=ends, fill="toself", line={"width": 0}, fillcolor="rgba(63,144,218,0.2)",
        hoverinfo="skip", name="95% interval",
    )  # fmt: skip
    figure.add_scatter(
        x=growth["ratings"], y=growth["agreement"], mode="lines+markers", name=title,
        line={"color": PALETTE[0]}, hovertemplate="%{x} ratings: %{y:.2f}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        height=280, margin=_MARGIN, xaxis={"title": "Ratings so far", "automargin": True},
        yaxis={"title": title, "automargin": True},
    )  # fmt: skip
    return figure
