"""Figures of a data set."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from app.charts.theme import PALETTE
from smurf_core.data.dataset import MultimodalDataset


def target_distribution(dataset: MultimodalDataset) -> alt.Chart:
    """How often each class, or range of the target, occurs."""
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
    counts, edges = np.histogram(dataset.target, bins="auto" if len(dataset) < 5_000 else 60)
    table = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "samples": counts})
    histogram: alt.Chart = (
        alt.Chart(table)
        .mark_bar(color=PALETTE[0])
        .encode(
            x=alt.X("from:Q", bin="binned", title=dataset.target_name),
            x2="to:Q",
            y=alt.Y("samples:Q", title="Samples"),
            tooltip=[
                alt.Tooltip("from", format=".3g"), alt.Tooltip("to", format=".3g"), "samples",
            ],
        )
        .properties(height=240)
    )  # fmt: skip
    return histogram
