"""The second witness as bars: what each modality and all together predict, alone and in common."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from smurf_core.evaluation.redundancy import ALL_MODALITIES
from smurf_core.plot.contributions import SHARED_PATTERN
from smurf_core.plot.theme import NEUTRAL, modality_colours
from smurf_core.reporting.numbers import plain

_ALL = "all modalities"


def commonality_bars(totals: pd.DataFrame) -> go.Figure:
    """Two bars per modality with 95% intervals: R² that only it has, and R² that others also have.

    `totals` is `Commonality.totals`. Hatched bars are common; the last two are the division of
    the R² of all modalities.
    """
    names = tuple(dict.fromkeys(totals["modality"]))
    colours = modality_colours(names[:-1]) | {ALL_MODALITIES: NEUTRAL}
    figure = go.Figure()
    for kind, shape in (("unique", ""), ("common", "/")):
        rows = totals[totals["kind"] == kind]
        figure.add_bar(
            orientation="h",
            name=kind,
            y=[name or _ALL for name in rows["modality"]],
            x=rows["r2"],
            error_x={
                "type": "data", "symmetric": False, "color": NEUTRAL, "thickness": 1.5,
                "array": (rows["ci_high"] - rows["r2"]).fillna(0),
                "arrayminus": (rows["r2"] - rows["ci_low"]).fillna(0),
            },
            marker={
                "color": [colours[name] for name in rows["modality"]],
                "pattern": {**SHARED_PATTERN, "shape": shape},
            },
            customdata=[
                f"{kind} {plain(value)} [{plain(low)}, {plain(high)}]"
                for value, low, high in zip(
                    rows["r2"], rows["ci_low"], rows["ci_high"], strict=True
                )
            ],
            hovertemplate="%{y}: %{customdata}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        height=120 + 44 * len(names),
        margin={"l": 10, "r": 10, "t": 10, "b": 50},
        xaxis={"title": "Held-out R² of linear late fusion", "zeroline": True},
        yaxis={"autorange": "reversed", "automargin": True},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        bargap=0.3,
    )
    return figure
