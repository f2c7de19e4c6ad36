"""The map of samples by their contributions."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from smurf_core.evaluation.sample_map import SampleMap
from smurf_core.plot.points import Points
from smurf_core.plot.scatter import coloured_scatter
from smurf_core.reporting.shape_sentences import axis_title

_HEIGHT = 430  # with the sentence above it, it is on the first screen


def sample_map_figure(found: SampleMap, points: Points, opened: str = "") -> go.Figure:
    """The samples of a map as points in its two directions; a ring marks the open sample."""
    # In two lines, they fit beside a card.
    x_title, y_title = (axis_title(found, k).replace(": ", ":<br>", 1) for k in (0, 1))
    figure = coloured_scatter(points, x_title=x_title, y_title=y_title, with_line=False)
    at = np.flatnonzero(points.sample_ids == opened)
    if len(at):
        figure.add_scattergl(
            x=points.x[at], y=points.y[at], mode="markers", hoverinfo="skip", showlegend=False,
            marker={"size": 14, "color": "#bd1f01", "symbol": "circle-open", "line": {"width": 3}},
        )  # fmt: skip
    figure.update_layout(height=_HEIGHT)
    return figure
