"""Which modalities share something: the sets that were offered, and how far members agree."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from smurf_core.plot.theme import NEUTRAL, PALETTE
from smurf_core.reporting.numbers import percent, plain
from smurf_core.terms import read_subset, spoken

_ROW_HEIGHT = 34


def sharers_label(sharers: str, size: int) -> str:
    """The members of a set as figures and pages write them: `A, B and C`."""
    return spoken(read_subset(sharers, size))


def sharing_bars(sharing: pd.DataFrame) -> go.Figure:
    """One bar per offered set: how far its members agree; pale where the set is not there.

    `sharing` is the table of a run (`RunResult.sharing`).
    """
    there = sharing["is_there"].to_numpy(dtype=bool)
    words = [
        f"✓ {percent(row['share'])} of the variance" if row["is_there"] else "· not there"
        for row in sharing.to_dict("records")
    ]
    figure = go.Figure(
        go.Bar(
            orientation="h",
            y=[
                sharers_label(sharers, size)
                for sharers, size in zip(sharing["sharers"], sharing["size"], strict=True)
            ],
            x=sharing["agreement"],
            marker={"color": [PALETTE[0] if found else NEUTRAL for found in there]},
            opacity=0.9,
            text=words,
            textposition="outside",
            cliponaxis=False,
            customdata=[plain(value, 2) for value in sharing["probability"]],
            hovertemplate="%{y}: r = %{x:.2f}, probability %{customdata}<extra></extra>",
            showlegend=False,
        )
    )
    figure.update_layout(
        height=80 + _ROW_HEIGHT * len(sharing),
        margin={"l": 10, "r": 10, "t": 10, "b": 50},
        xaxis={
            "title": "Agreement of the members (r)",
            "range": [min(0.0, float(sharing["agreement"].min())) - 0.05, 1.45],
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
        },
        yaxis={"autorange": "reversed", "automargin": True, "title": None},
        bargap=0.3,
    )
    return figure
