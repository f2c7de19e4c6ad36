"""How a feature moves the contributions of its modality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from smurf_core.plot.theme import NEUTRAL, PALETTE
from smurf_core.reporting.numbers import term_label
from smurf_core.shapes import Shape

_ACROSS = 3
_ROW_HEIGHT = 320


def shape_curves(shapes: Sequence[Shape], unit: str, *, colour: str = PALETTE[0]) -> go.Figure:
    """A curve for each contribution, with the folds' curves and, with refits, its 95% band.

    All have the same vertical axis, in the `unit` of the contributions.
    """
    across = min(_ACROSS, len(shapes))
    down = -(-len(shapes) // across)
    figure = make_subplots(
        rows=down,
        cols=across,
        shared_yaxes="all",
        subplot_titles=[term_label(*shape.term.names[1:]) for shape in shapes],
        horizontal_spacing=0.03,
        vertical_spacing=0.22 / down,
    )
    for at, shape in enumerate(shapes):
        place = {"row": 1 + at // across, "col": 1 + at % across}
        x = shape.values
        if shape.has_interval:
            low, high = shape.curve - shape.half_width, shape.curve + shape.half_width
            figure.add_scatter(
                x=np.concatenate([x, x[::-1]]), y=np.concatenate([low, high[::-1]]),
                fill="toself", fillcolor="rgba(138,146,155,0.3)", line={"width": 0},
                hoverinfo="skip", showlegend=False, **place,
            )  # fmt: skip
        for line in shape.by_fold:
            figure.add_scatter(
                x=x, y=line, mode="lines", line={"color": NEUTRAL, "width": 0.8},
                hoverinfo="skip", showlegend=False, **place,
            )  # fmt: skip
        figure.add_scatter(
            x=x, y=shape.curve, mode="lines+markers", name="",
            line={"color": colour, "width": 2.5}, marker={"size": 6, "color": colour},
            hovertemplate=f"{shape.feature} %{{x:.3g}}: %{{y:+.3f}}<extra></extra>",
            showlegend=False, **place,
        )  # fmt: skip
        figure.update_xaxes(title=shape.feature, automargin=True, **place)
    figure.update_yaxes(automargin=True, zeroline=True, zerolinecolor=NEUTRAL)
    for row in range(down):
        figure.update_yaxes(title=unit, row=row + 1, col=1)
    figure.update_layout(
        height=_ROW_HEIGHT * down + 30, margin={"l": 10, "r": 10, "t": 40, "b": 10}
    )
    return figure
