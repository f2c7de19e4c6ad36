"""Figures of a run that is training."""

from __future__ import annotations

from functools import cache
from typing import Any

import altair as alt
import pandas as pd

_COLOURS = ["#3f90da", "#e76300"]


def live_objectives(points: pd.DataFrame) -> pd.DataFrame:
    """Objectives over epochs of the best member of the unit that was reported last.

    `points` is a table from `smurf_core.runs.store.curves`. Columns: epoch, samples (`training`
    or `validation`), objective.
    """
    last = points.iloc[-1]
    unit = points[(points["fold"] == last["fold"]) & (points["unit"] == last["unit"])]
    shown: pd.DataFrame = unit.rename(
        columns={"training_objective": "training", "validation_objective": "validation"}
    ).melt("epoch", ["training", "validation"], var_name="samples", value_name="objective")
    return shown


@cache
def live_curve() -> dict[str, Any]:
    """The figure of `live_objectives` in Vega-Lite, without its data.

    It is made once: Altair needs 50 ms for it, and every page that watches a training draws it
    every second.
    """
    chart = alt.Chart(alt.NamedData("objectives")).encode(
        x=alt.X("epoch:Q", title="Epoch", axis=alt.Axis(tickMinStep=1, format="d")),
        y=alt.Y("objective:Q", title="Objective", scale=alt.Scale(zero=False)),
        color=alt.Color(
            "samples:N", title=None, scale=alt.Scale(range=_COLOURS),
            legend=alt.Legend(orient="top"),
        ),
        strokeDash=alt.StrokeDash("samples:N", legend=None),
        tooltip=["samples:N", "epoch:Q", alt.Tooltip("objective:Q", format=".4f")],
    )  # fmt: skip
    layers: alt.LayerChart = (chart.mark_line() + chart.mark_point(size=20)).properties(height=260)
    spec: dict[str, Any] = layers.to_dict()
    del spec["data"]
    return spec


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
