"""The confusion matrix beside the one that chance would give."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from smurf_core.reporting.numbers import plain

# From light to middle blue: black numbers can be read on all of it, on a dark page also.
_SHADES = ((0.0, "#f1f4f8"), (1.0, "#6ba3dc"))
_ROW_HEIGHT = 52
_MOST_WRITTEN = 8  # with more classes, counts are left to the hover text


def confusion_matrices(table: pd.DataFrame) -> go.Figure:
    """Row shares and counts: of the predictions on the left, of chance on the right.

    `table` is what `smurf_core.evaluation.confusion.confusion` returns.
    """
    names = list(dict.fromkeys(table["true"]))
    figure = make_subplots(
        rows=1,
        cols=2,
        subplot_titles=("Predictions", "By chance, from the classes' frequencies"),
        shared_yaxes=True,
        horizontal_spacing=0.03,
    )
    for at, (share, count) in enumerate((("share", "n"), ("chance_share", "chance_n")), start=1):
        figure.add_trace(_matrix(table, names, share, count, is_first=at == 1), row=1, col=at)
    figure.update_layout(
        height=130 + _ROW_HEIGHT * len(names), margin={"l": 10, "r": 10, "t": 40, "b": 10}
    )
    figure.update_yaxes(autorange="reversed", automargin=True, type="category")
    figure.update_yaxes(title="True class", row=1, col=1)
    figure.update_xaxes(title="Predicted class", automargin=True, type="category")
    return figure


def _matrix(
    table: pd.DataFrame, names: list[str], share: str, count: str, *, is_first: bool
) -> go.Heatmap:
    def grid(column: str) -> npt.NDArray[np.float64]:
        # The table has the pairs of classes in their order.
        return table[column].to_numpy(dtype=np.float64).reshape(len(names), len(names))

    shares, counts = grid(share), grid(count)
    digits = 0 if is_first else 1
    words = [
        [
            plain(part, 2)
            + (
                f"<br>{plain(n, digits)}"
                if len(names) <= _MOST_WRITTEN and not np.isnan(part)
                else ""
            )
            for part, n in zip(*row, strict=True)
        ]
        for row in zip(shares, counts, strict=True)
    ]
    return go.Heatmap(
        z=shares,
        x=names,
        y=names,
        zmin=0,
        zmax=1,
        colorscale=_SHADES,
        showscale=is_first,
        text=words,
        texttemplate="%{text}",
        textfont={"color": "#111111"},
        customdata=counts,
        hovertemplate="true %{y}, predicted %{x}: share %{z:.2f} of the true class, "
        f"%{{customdata:.{digits}f}} samples<extra></extra>",
        hoverongaps=False,
        xgap=2,
        ygap=2,
        colorbar={
            "title": {"text": "Share of the true class", "side": "right"},
            "thickness": 12,
            "tickformat": ".1f",
        },
    )
