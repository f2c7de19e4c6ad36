"""Bars of attributions: the features behind a contribution."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from smurf_core.reporting.numbers import signed

SHOWN = 12


def attribution_bars(table: pd.DataFrame, name: str, *, title: str, colour: str) -> go.Figure:
    """Bars for the largest rows of a table with columns `name` and attribution, largest on top.

    All rows after the first twelve are one last bar, so that the bars add up to the total.
    """
    rows = table.loc[:, [name, "attribution"]].head(SHOWN)
    if len(table) > SHOWN:
        rest = table["attribution"].iloc[SHOWN:].sum()
        other = pd.DataFrame({name: [f"{len(table) - SHOWN} others"], "attribution": [rest]})
        rows = pd.concat([rows, other], ignore_index=True)
    low, high = min(rows["attribution"].min(), 0), max(rows["attribution"].max(), 0)
    room = 0.2 * (high - low or 1)
    figure = go.Figure(
        go.Bar(
            orientation="h",
            y=rows[name].astype("str"),
            x=rows["attribution"],
            marker={"color": colour},
            text=[signed(value) for value in rows["attribution"]],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )
    figure.update_layout(
        height=90 + 26 * len(rows),
        margin={"l": 10, "r": 10, "t": 10, "b": 50},
        xaxis={"title": title, "range": [low - room, high + room], "zeroline": True},
        yaxis={"autorange": "reversed", "automargin": True, "title": None, "type": "category"},
    )
    return figure
