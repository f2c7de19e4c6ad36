"""Where predictions of numbers are off: over the range of the target, and by person."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from smurf_core.plot.theme import NEUTRAL, PALETTE

MOST_PERSONS = 20
_ROW_HEIGHT = 20


def residuals_over_target(table: pd.DataFrame, target: str) -> go.Figure:
    """Mean of prediction − target in every part of the target's range, with 95% intervals.

    `table` is what `smurf_core.evaluation.residuals.residuals_over_range` returns.
    """
    figure = go.Figure(
        go.Scatter(
            x=table["target"],
            y=table["mean"],
            mode="markers+lines",
            marker={"size": 9, "color": PALETTE[0]},
            line={"color": PALETTE[0], "width": 1, "dash": "dot"},
            error_y=_errors(table, "mean"),
            customdata=table[["low", "high", "n"]],
            hovertemplate="%{customdata[0]:.3g} to %{customdata[1]:.3g}: %{y:+.3f} "
            "(%{customdata[2]} samples)<extra></extra>",
            showlegend=False,
        )
    )
    figure.add_hline(y=0, line={"color": NEUTRAL, "width": 1.5})
    figure.update_layout(
        height=380,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": f"{target} (mean of each part of its range)", "automargin": True},
        yaxis={"title": "Prediction − target", "automargin": True, "zeroline": False},
    )
    return figure


def residuals_of_persons(table: pd.DataFrame) -> go.Figure:
    """Median of prediction − target of the persons with the largest typical error, worst first.

    `table` is what `smurf_core.evaluation.residuals.residuals_by_person` returns.
    """
    shown = table.head(MOST_PERSONS)
    figure = go.Figure(
        go.Scatter(
            x=shown["median"],
            y=shown["person"],
            mode="markers",
            marker={"size": 8, "color": PALETTE[0]},
            error_x=_errors(shown, "median"),
            customdata=shown[["typical_error", "n"]],
            hovertemplate="%{y}: median %{x:+.3f}, typical error %{customdata[0]:.3f} "
            "(%{customdata[1]} samples)<extra></extra>",
            showlegend=False,
        )
    )
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1.5})
    figure.update_layout(
        height=max(380, 90 + _ROW_HEIGHT * len(shown)),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "Median of prediction − target", "automargin": True, "zeroline": False},
        yaxis={"autorange": "reversed", "automargin": True, "type": "category", "title": "Person"},
    )
    return figure


def _errors(table: pd.DataFrame, middle: str) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": table["ci_high"] - table[middle],
        "arrayminus": table[middle] - table["ci_low"],
        "color": NEUTRAL,
        "thickness": 1.5,
        "width": 4,
    }
