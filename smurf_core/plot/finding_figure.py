"""The small figure beside a finding: its numbers with their intervals, and what no effect is."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from smurf_core.plot.theme import NEUTRAL, PALETTE, modality_colours
from smurf_core.reporting.key_findings import KeyFinding

_ROW_HEIGHT = 26
_AXES = {
    "score": "Score on held-out samples", "share": "Share of the variance",
    "r": "r of the two sides", "contribution": "Contribution",
}  # fmt: skip
_AGREEMENT = "r of people and model"


def finding_figure(finding: KeyFinding, modalities: tuple[str, ...]) -> go.Figure:
    """One row per number: a point with its interval; pale and open where it is no finding.

    The dashed line is what no effect would be. Modalities have their colours.
    """
    colours = modality_colours(modalities)
    value, low, high = (
        np.array([getattr(number, name) for number in finding.numbers], dtype=float)
        for name in ("value", "low", "high")
    )
    good = np.array([number.is_good for number in finding.numbers])
    figure = go.Figure(
        go.Scatter(
            x=value,
            y=[number.what for number in finding.numbers],
            mode="markers",
            error_x={
                "type": "data", "symmetric": False, "color": NEUTRAL, "thickness": 1.5,
                "array": high - value, "arrayminus": value - low,
            },
            marker={
                "size": 11,
                "color": [colours.get(number.what, PALETTE[0]) for number in finding.numbers],
                "symbol": np.where(good, "circle", "circle-open").tolist(),
                "opacity": np.where(good, 1.0, 0.45).tolist(),
                "line": {"width": 2},
            },
            customdata=[number.text(finding.unit) for number in finding.numbers],
            hovertemplate="%{y}: %{customdata}<extra></extra>",
            showlegend=False,
        )
    )  # fmt: skip
    figure.add_vline(x=finding.reference, line={"color": NEUTRAL, "dash": "dash"})
    known = np.concatenate([value, low, high, [finding.reference]])
    least, most = np.nanmin(known), np.nanmax(known)
    room = 0.08 * (most - least or 1.0)
    figure.update_layout(
        height=62 + _ROW_HEIGHT * len(finding.numbers),
        margin={"l": 8, "r": 8, "t": 4, "b": 40},
        xaxis={
            "title": _AGREEMENT if finding.name == "people" else _AXES[finding.unit],
            "range": [least - room, most + room],
            "tickformat": ".0%" if finding.unit == "share" else None, "zeroline": False,
        },
        yaxis={"autorange": "reversed", "automargin": True, "title": None},
    )  # fmt: skip
    return figure
