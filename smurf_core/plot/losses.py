"""What remains of the score without each modality."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from smurf_core.plot.text_column import add_text_column
from smurf_core.plot.theme import NEUTRAL, PALE, modality_colours
from smurf_core.reporting.loss_sentences import change_text

_ROW_HEIGHT = 30


def loss_bars(
    losses: pd.DataFrame, modalities: tuple[str, ...], *, title: str, chance: float
) -> go.Figure:
    """One bar per modality: the score without it, between chance and the score with all.

    `losses` is the table of `smurf_core.evaluation.modality_losses.modality_losses`. Whiskers are
    intervals of the change. A bar is pale if its interval includes no change.
    """
    colours = modality_colours(modalities)
    names = [f"without {name}" for name in losses["modality"]]
    without, full = losses["without"], float(losses["full"].iloc[0])
    is_clear = ~((losses["ci_low"] <= 0) & (losses["ci_high"] >= 0)) & losses["ci_low"].notna()
    figure = go.Figure(
        go.Bar(
            orientation="h",
            y=names,
            x=without,
            error_x={
                "type": "data", "symmetric": False, "color": NEUTRAL, "thickness": 1.5,
                "array": np.nan_to_num(losses["ci_high"] - losses["change"]),
                "arrayminus": np.nan_to_num(losses["change"] - losses["ci_low"]),
            },
            marker={
                "color": [colours[name] for name in losses["modality"]],
                "opacity": np.where(is_clear, 1.0, PALE),
            },
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
            showlegend=False,
        )
    )  # fmt: skip
    words = [
        change_text(row["change"], row["ci_low"], row["ci_high"])
        for row in losses.to_dict("records")
    ]
    add_text_column(figure, names, words, begin=0.77)
    for x, label, dash in ((full, "all", "solid"), (chance, "chance", "dot")):
        figure.add_vline(
            x=x, line={"color": NEUTRAL, "dash": dash, "width": 1.5}, annotation_text=label,
            annotation_position="top",
        )  # fmt: skip
    least = float(np.nanmin([0.0, chance, without.min(), (full + losses["ci_low"]).min()]))
    most = float(np.nanmax([full, without.max(), (full + losses["ci_high"]).max()]))
    room = 0.05 * (most - least or 1)
    figure.update_layout(
        height=95 + _ROW_HEIGHT * len(losses),
        margin={"l": 10, "r": 10, "t": 25, "b": 45},
        xaxis={
            "title": title, "automargin": True,
            "range": [least - room if least < 0 else 0, most + room],
        },
        yaxis={"autorange": "reversed", "automargin": True},
        bargap=0.3,
    )  # fmt: skip
    return figure
