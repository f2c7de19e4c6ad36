"""Figures of several runs: learning curves, and prediction against factorisation."""

from __future__ import annotations

import altair as alt
import pandas as pd
import plotly.graph_objects as go

from smurf_core.plot.theme import PALETTE

_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")


def curves_by_fold(curves: pd.DataFrame, domain: tuple[float, float] | None) -> alt.Chart:
    """Objectives over epochs, one colour per fold, training dashed."""
    series = "fold" if "unit" not in curves else "unit"
    keys = ["fold", "epoch", *(["unit"] if series == "unit" else [])]
    tidy = curves.rename(
        columns={"training_objective": "training", "validation_objective": "validation"}
    ).melt(keys, ["training", "validation"], var_name="samples", value_name="objective")
    scale = alt.Scale(zero=False, domain=list(domain)) if domain else alt.Scale(zero=False)
    chart: alt.Chart = (
        alt.Chart(tidy)
        .mark_line(clip=True)
        .encode(
            x=alt.X("epoch:Q", title="Epoch", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("objective:Q", title="Objective", scale=scale),
            color=alt.Color(
                f"{series}:N", title=series.capitalize(), scale=alt.Scale(range=list(PALETTE)),
                legend=alt.Legend(orient="bottom", labelLimit=320),
            ),
            detail="fold:N",
            strokeDash=alt.StrokeDash(
                "samples:N", legend=None,  # Two legends do not fit next to another chart.
                scale=alt.Scale(domain=["validation", "training"], range=[[1, 0], [5, 4]]),
            ),
            tooltip=[
                *([alt.Tooltip("unit")] if series == "unit" else []),
                "fold", "samples", "epoch", alt.Tooltip("objective", format=".4f"),
            ],
        )
        .properties(height=320)
    )  # fmt: skip
    return chart


def trade_off(
    candidates: dict[str, pd.DataFrame], sweeps: dict[str, pd.DataFrame], metric: str
) -> go.Figure:
    """Prediction against factorisation: run → the tables of `candidates_of` and `weight_sweep`.

    Each configuration of each fold is a faint point. The line joins the configurations that predict
    best, in the order of λ (means over folds, whiskers ± sd).
    """
    figure = go.Figure()
    for at, (name, sweep) in enumerate(sweeps.items()):
        colour, symbol = PALETTE[at % len(PALETTE)], _SYMBOLS[at % len(_SYMBOLS)]
        tried = candidates[name]
        figure.add_scattergl(
            x=tried["factorisation_loss"], y=tried["validation_metric"], mode="markers",
            marker={"size": 5, "color": colour, "symbol": symbol, "opacity": 0.18},
            customdata=tried[
                ["auxiliary_weight", "learning_rate", "hidden_layers", "weight_decay", "fold"]
            ],
            hovertemplate="λ %{customdata[0]:g}, learning rate %{customdata[1]:g}, layers "
            "%{customdata[2]}, decay %{customdata[3]:g}, fold %{customdata[4]}<br>%{x:.3f}, "
            "%{y:.3f}<extra></extra>",
            showlegend=False,
        )  # fmt: skip
        spread = {"color": colour, "thickness": 1}
        figure.add_scatter(
            x=sweep["factorisation_loss"], y=sweep["validation_metric"], mode="lines+markers+text",
            name=name, text=_at_the_ends([f"λ {weight:g}" for weight in sweep["auxiliary_weight"]]),
            textposition="top center", customdata=sweep["auxiliary_weight"],
            error_x={"type": "data", "array": sweep["factorisation_sd"].fillna(0), **spread},
            error_y={"type": "data", "array": sweep["metric_sd"].fillna(0), **spread},
            marker={"size": 10, "color": colour, "symbol": symbol},
            line={"color": colour, "width": 2},
            hovertemplate="λ %{customdata:g}: factorisation %{x:.3f}, prediction %{y:.3f}"
            "<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        height=460,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "Factorisation loss on validation samples (lower is better)",
               "automargin": True},
        yaxis={"title": f"{metric} on validation samples", "automargin": True},
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    return figure


def _at_the_ends(labels: list[str]) -> list[str]:
    """The first and the last label: labels between them would overlap."""
    return [label if at in (0, len(labels) - 1) else "" for at, label in enumerate(labels)]
