"""Figures of human judgments."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from smurf_core.data.dataset import INFORMATIVENESS_LEVELS


def informativeness_boxes(
    table: pd.DataFrame, modality: str, *, colour: str, title: str
) -> go.Figure:
    """The unique contribution's effect where people called a modality no, relevant, sufficient.

    `table` is what `informativeness_table` returns. Boxes are quartiles, the dashed line the
    mean; single samples are drawn where there are at most 500 a level.
    """
    own = table[table["modality"] == modality]
    figure = go.Figure()
    for level in INFORMATIVENESS_LEVELS:
        rows = own[own["level"] == level]
        figure.add_box(
            y=rows["effect"],
            name=f"{level} (n = {len(rows):,})",
            customdata=rows["sample_id"],
            boxmean=True,
            boxpoints="all" if len(rows) <= 500 else False,
            jitter=0.5,
            pointpos=0,
            marker={"size": 4, "opacity": 0.4, "color": colour},
            line={"color": colour},
            hovertemplate="%{customdata}<br>%{y:.3f}<extra></extra>",
            showlegend=False,
        )
    figure.update_layout(
        height=360,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": f"How informative people called {modality}", "automargin": True},
        yaxis={"title": title, "automargin": True, "rangemode": "tozero"},
    )
    return figure
