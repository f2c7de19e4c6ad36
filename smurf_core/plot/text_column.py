"""Text in one column to the right of bars, whatever their lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go


def add_text_column(
    figure: go.Figure, y: Sequence[Any], words: Sequence[str], *, begin: float
) -> None:
    """Write a text for each row of a horizontal bar chart, on an axis of its own.

    Parameters
    ----------
    figure
        Gets the text; its bars keep what is to the left.
    y
        The rows, as the bars name them.
    words
        Their texts.
    begin
        Where the column begins, as a share of the figure's width.
    """
    figure.add_scatter(
        x=[0.0] * len(words), y=y, xaxis="x2", mode="text", text=words,
        textposition="middle right", textfont={"size": 12}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    figure.update_layout(
        xaxis={"domain": [0, begin - 0.01]},
        xaxis2={"domain": [begin, 1], "range": [0, 1], "visible": False, "fixedrange": True},
    )
