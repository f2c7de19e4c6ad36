"""Signed tables as heatmaps: what pairs share, and true factors against contributions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.charts.theme import plain, term_label

# Blue through grey to orange: apart for colour-blind eyes, zero in the middle, light and dark.
DIVERGING = ((0.0, "#2c6fbb"), (0.5, "#e4e4e4"), (1.0, "#c75a00"))
_ROW_HEIGHT = 44


def signed_heatmap(
    table: pd.DataFrame, *, title: str, limit: float = 1.0, percent: bool = False
) -> go.Figure:
    """A table [rows, columns] of signed numbers, each written into its cell; NaN is left empty."""
    values = table.to_numpy(dtype=float)

    def written(value: float) -> str:
        if np.isnan(value):
            return ""
        return f"{value:.0%}".replace("-", "−") if percent else plain(value, 2)

    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=[str(name) for name in table.columns],
            y=[str(name) for name in table.index],
            zmin=-limit,
            zmax=limit,
            colorscale=DIVERGING,
            text=[[written(value) for value in row] for row in values],
            texttemplate="%{text}",
            textfont={"color": "#111111"},
            hovertemplate="%{y} → %{x}: %{text}<extra></extra>",
            hoverongaps=False,
            colorbar={
                "title": {"text": title, "side": "right"},
                "thickness": 12,
                "tickformat": ".0%" if percent else None,
            },
            xgap=2,
            ygap=2,
        )
    )
    figure.update_layout(
        height=110 + _ROW_HEIGHT * len(table),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"side": "top", "automargin": True},
        yaxis={"autorange": "reversed", "automargin": True},
    )
    return figure


def pair_matrix(pairs: pd.DataFrame, modalities: tuple[str, ...], column: str) -> pd.DataFrame:
    """One output's `pair_table` as a symmetric matrix; the diagonal is empty."""
    matrix = pd.DataFrame(np.nan, index=list(modalities), columns=list(modalities))
    for row in pairs.to_dict("records"):
        matrix.loc[row["modality"], row["shared_with"]] = row[column]
        matrix.loc[row["shared_with"], row["modality"]] = row[column]
    return matrix


def share_matrix(shares: pd.DataFrame, modalities: tuple[str, ...]) -> pd.DataFrame:
    """One output's `variance_shares` of first order: who says it × whom it is shared with.

    The diagonal holds unique contributions.
    """
    first = shares[shares["order"] == 1]
    matrix = first.pivot_table(
        index="modality", columns="shared_with", values="share", sort=False, dropna=False
    )
    return matrix.loc[list(modalities), list(modalities)]


def factor_table(factors: pd.DataFrame, output: str) -> pd.DataFrame:
    """`factor_matrix` of one output as a matrix: true factors × learned contributions."""
    chosen = factors[factors["output"] == output]
    chosen = chosen.assign(
        term=[
            term_label(i, j) for i, j in zip(chosen["modality"], chosen["shared_with"], strict=True)
        ]
    )
    return chosen.pivot_table(index="factor", columns="term", values="r", sort=False, dropna=False)
