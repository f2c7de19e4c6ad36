"""Figures of human judgments."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from smurf_core.data.dataset import INFORMATIVENESS_LEVELS

MOST_POINTS = 500  # maximum number of samples per level that are drawn as points


def informativeness_boxes(
    table: pd.DataFrame, modality: str, *, colour: str, title: str
) -> go.Figure:
    """Effects of the unique contribution, by how informative people called the modality.

    `table` comes from `informativeness_table`. Boxes show quartiles, dashed lines means; single
    samples are drawn if a level has at most 500.
    """
    own = table[table["modality"] == modality]
    figure = go.Figure()
    for level in INFORMATIVENESS_LEVELS:
        rows = own[own["level"] == level]
        name = f"{level} (n = {len(rows):,})"
        if len(rows) > MOST_POINTS:
            figure.add_box(
                **_box(rows["effect"].to_numpy()), name=name, x0=name, line={"color": colour},
                marker={"color": colour}, boxmean=True, hoverinfo="y", showlegend=False,
            )  # fmt: skip
            continue
        figure.add_box(
            y=rows["effect"],
            name=name,
            customdata=rows["sample_id"],
            boxmean=True,
            boxpoints="all",
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


def _box(values: npt.NDArray[np.float64]) -> dict[str, list[float]]:
    """A box from its five numbers and the mean, so that thousands of values need not be sent."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    inside = values[np.abs(values - np.clip(values, low, high)) <= 1.5 * (high - low)]
    found = {"q1": low, "median": middle, "q3": high, "mean": values.mean()}
    found |= {"lowerfence": inside.min(), "upperfence": inside.max()}
    return {name: [float(value)] for name, value in found.items()}
