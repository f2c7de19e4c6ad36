"""Which modalities share something: the sets that were offered, and how far members agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from smurf_core.plot.contributions import SHARED_PATTERN, source_colour
from smurf_core.plot.text_column import add_text_column
from smurf_core.plot.theme import NEUTRAL, PALE, PALETTE, modality_colours
from smurf_core.reporting.numbers import interval_text, percent, plain
from smurf_core.terms import read_sharers, read_subset, spoken

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
        f"✓ {percent(row['share'])} of the variance" if row["is_there"] else "not there"
        for row in sharing.to_dict("records")
    ]
    labels = list(map(sharers_label, sharing["sharers"], sharing["size"]))
    figure = go.Figure(
        go.Bar(
            orientation="h",
            y=labels,
            x=sharing["agreement"],
            marker={"color": [PALETTE[0] if found else NEUTRAL for found in there]},
            opacity=0.9,
            customdata=[plain(value, 2) for value in sharing["probability"]],
            hovertemplate="%{y}: r = %{x:.2f}, probability %{customdata}<extra></extra>",
            showlegend=False,
        )
    )
    # Beside the bars: next to a negative one, it would be on its name.
    add_text_column(figure, labels, words, begin=0.78)
    figure.update_layout(
        height=80 + _ROW_HEIGHT * len(sharing),
        margin={"l": 10, "r": 10, "t": 10, "b": 50},
        xaxis={
            "title": "Agreement of the members (r)",
            "range": [min(0.0, float(sharing["agreement"].min())) - 0.05, 1.05],
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
        },
        yaxis={"autorange": "reversed", "automargin": True, "title": None},
        bargap=0.3,
    )
    return figure


def set_facts(sets: pd.DataFrame, modalities: tuple[str, ...]) -> go.Figure:
    """One bar per set: what each member says of what they share; beside it, the facts about it.

    `sets` is the table of `smurf_core.reporting.shared_sets.shared_sets`. Pale bars are no
    findings.
    """
    colours = modality_colours(modalities)
    whole = sets.drop_duplicates(["order", "sharers"]).set_index(["order", "sharers"])
    shares = sets.groupby(["order", "sharers"], sort=False)["share"].sum()
    labels = {key: spoken(read_sharers(key[1])) for key in whole.index}
    figure = go.Figure()
    sources = dict.fromkeys(zip(sets["order"], sets["modality"], strict=True))
    place = {name: at for at, name in enumerate(modalities)}
    for order, name in sorted(sources, key=lambda s: (s[0], place.get(s[1], len(place)))):
        rows = sets[(sets["order"] == order) & (sets["modality"] == name)]
        keys = list(zip(rows["order"], rows["sharers"], strict=True))
        figure.add_bar(
            orientation="h",
            x=rows["share"],
            y=[labels[key] for key in keys],
            name=name,
            marker={
                "color": source_colour(name, order, colours),
                "opacity": np.where(rows["is_good"], 1.0, PALE),
                "pattern": SHARED_PATTERN | {"shape": "/"},
            },
            customdata=[
                f"{percent(row['share'], 1)} {interval_text(row['ci_low'], row['ci_high'])}, "
                f"{row['verdict']}"
                for row in rows.to_dict("records")
            ],
            hovertemplate="%{y}, what " + name + " says: %{customdata}<extra></extra>",
        )
    words = [
        f"{'✓' if row['is_good'] else '✗'} {percent(shares[key])}, sides r = "
        f"{plain(row['agreement'], 2)}, unique |r| ≤ {plain(row['left'], 2)}"
        for key, row in zip(whole.index, whole.to_dict("records"), strict=True)
    ]
    add_text_column(figure, [labels[key] for key in whole.index], words, begin=0.59)
    figure.update_layout(
        barmode="relative",
        height=110 + _ROW_HEIGHT * len(whole),
        margin={"l": 10, "r": 10, "t": 30, "b": 50},
        xaxis={
            "title": "Share of the prediction's variance", "tickformat": ".0%",
            "zeroline": True, "rangemode": "tozero",
        },
        yaxis={
            "autorange": "reversed", "automargin": True, "title": None,
            "categoryorder": "array", "categoryarray": list(labels.values()),
        },
        legend={
            "orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0,
            "title": {"text": "Said by"},
        },
        bargap=0.3,
    )  # fmt: skip
    return figure
