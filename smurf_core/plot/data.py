"""Figures of a data set."""

from __future__ import annotations

import altair as alt
import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.plot.heatmaps import signed_heatmap
from smurf_core.plot.theme import PALETTE, modality_colours

_MOST_BARS = 200  # a few far outliers would require millions


def target_distribution(dataset: MultimodalDataset) -> alt.Chart:
    """Histogram of the target: counts of each class or range."""
    if dataset.task == "classification":
        counts = np.bincount(dataset.target.astype(int), minlength=len(dataset.class_names))
        table = pd.DataFrame({"class": dataset.class_names, "samples": counts})
        bars: alt.Chart = (
            alt.Chart(table)
            .mark_bar(color=PALETTE[0])
            .encode(
                y=alt.Y("class:N", sort=None, title=None, axis=alt.Axis(labelLimit=300)),
                x=alt.X("samples:Q", title="Samples"),
                tooltip=["class", "samples"],
            )
            .properties(height=alt.Step(30))
        )
        return bars
    return value_distribution(dataset.target.astype(np.float64), dataset.target_name)


def value_distribution(values: npt.NDArray[np.floating], name: str) -> alt.Chart:
    """Histogram of values; missing values are left out."""
    held = values[~np.isnan(values)]
    counts, edges = np.histogram(held, bins="auto" if len(held) < 5_000 else 60)
    if len(counts) > _MOST_BARS:
        counts, edges = np.histogram(held, bins=_MOST_BARS)
    table = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "samples": counts})
    histogram: alt.Chart = (
        alt.Chart(table)
        .mark_bar(color=PALETTE[0])
        .encode(
            x=alt.X("from:Q", bin="binned", title=name),
            x2="to:Q",
            y=alt.Y("samples:Q", title="Samples"),
            tooltip=[
                alt.Tooltip("from", format=".3g"), alt.Tooltip("to", format=".3g"), "samples",
            ],
        )
        .properties(height=240)
    )  # fmt: skip
    return histogram


def feature_scales(features: pd.DataFrame, modalities: tuple[str, ...]) -> alt.Chart:
    """Standard deviation of each feature of `feature_table`, one line of ticks per modality."""
    colours = modality_colours(modalities)
    shown = features.loc[features["sd"] > 0, ["modality", "feature", "sd", "median"]]
    chart: alt.Chart = (
        alt.Chart(shown)
        .mark_tick(thickness=2, size=22, opacity=0.6)
        .encode(
            x=alt.X(
                "sd:Q",
                scale=alt.Scale(type="log"),
                title="Standard deviation (feature's own unit, logarithmic)",
            ),
            y=alt.Y("modality:N", sort=list(modalities), title=None),
            color=alt.Color(
                "modality:N",
                scale=alt.Scale(domain=list(colours), range=list(colours.values())),
                legend=None,
            ),
            tooltip=[
                "modality", "feature", alt.Tooltip("sd", format=".3g"),
                alt.Tooltip("median", format=".3g"),
            ],
        )
        .properties(height=alt.Step(34))
    )  # fmt: skip
    return chart


def component_heatmap(components: pd.DataFrame) -> go.Figure:
    """`component_correlations` as a matrix: components of one modality × those of others."""

    def label(name: str, component: int) -> str:
        return f"{name} {component}"

    rows = dict.fromkeys(
        label(n, c) for n, c in zip(components["modality"], components["component"], strict=True)
    )
    columns = dict.fromkeys(
        label(n, c) for n, c in zip(components["other"], components["other_component"], strict=True)
    )
    matrix = pd.DataFrame(np.nan, index=list(rows), columns=list(columns))
    for row in components.to_dict("records"):
        place = (
            label(row["modality"], row["component"]),
            label(row["other"], row["other_component"]),
        )
        matrix.loc[place] = row["r"]
    return signed_heatmap(matrix, title="Pearson's r")
