"""Figures of a run that is training."""

from __future__ import annotations

import altair as alt
import pandas as pd

_COLOURS = ["#3f90da", "#e76300"]


def live_curve(points: pd.DataFrame) -> alt.LayerChart:
    """Objectives over epochs of the best member of the unit that was reported last.

    `points` is a table from `smurf_core.runs.store.curves`.
    """
    last = points.iloc[-1]
    unit = points[(points["fold"] == last["fold"]) & (points["unit"] == last["unit"])]
    tidy = unit.rename(
        columns={"training_objective": "training", "validation_objective": "validation"}
    ).melt("epoch", ["training", "validation"], var_name="samples", value_name="objective")
    chart = alt.Chart(tidy).encode(
        x=alt.X("epoch:Q", title="Epoch", axis=alt.Axis(tickMinStep=1, format="d")),
        y=alt.Y("objective:Q", title="Objective", scale=alt.Scale(zero=False)),
        color=alt.Color(
            "samples:N", title=None, scale=alt.Scale(range=_COLOURS),
            legend=alt.Legend(orient="top"),
        ),
        strokeDash=alt.StrokeDash("samples:N", legend=None),
        tooltip=["samples", "epoch", alt.Tooltip("objective", format=".4f")],
    )  # fmt: skip
    layers: alt.LayerChart = (chart.mark_line() + chart.mark_point(size=20)).properties(height=260)
    return layers


def chosen_curves(curves: pd.DataFrame) -> alt.Chart:
    """Validation objective of the model chosen in each fold: columns fold, epoch, objective."""
    chart: alt.Chart = (
        alt.Chart(curves)
        .mark_line()
        .encode(
            x=alt.X("epoch:Q", title="Epoch"),
            y=alt.Y(
                "validation_objective:Q",
                title="Validation objective",
                scale=alt.Scale(zero=False),
            ),
            color=alt.Color("fold:N", title="Fold"),
            tooltip=["fold", "epoch", alt.Tooltip("validation_objective", format=".4f")],
        )
        .properties(height=260)
    )
    return chart
