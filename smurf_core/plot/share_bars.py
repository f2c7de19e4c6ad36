"""Bars of the shares of variance with their intervals and verdicts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from smurf_core.evaluation.verdicts import GOOD
from smurf_core.plot.contributions import SHARED_PATTERN, pattern_shape, source_colour
from smurf_core.plot.text_column import add_text_column
from smurf_core.plot.theme import NEUTRAL, PALE, modality_colours
from smurf_core.reporting.numbers import interval_text, percent
from smurf_core.terms import partner_label

_ROW_HEIGHT = 27
# Marks and words, so that colour is not the only sign.
_VERDICT_MARKS = {
    "reliable": "✓ reliable", "too uncertain": "✗ uncertain", "too small": "· small",
    "sides disagree": "✗ sides disagree", "known to others": "✗ known to others",
    "bent": "✗ bent relation",
    "nothing to explain": "", "stable": "✓ stable", "unstable": "✗ unstable",
    "not separated": "✗ not separated",
    "too small to tell": "· small",
}  # fmt: skip
MOST_ROWS = 26  # maximum number of bars; smaller contributions are only in the table


def alone_first(terms: pd.DataFrame) -> pd.DataFrame:
    """The same terms, with each modality's unique term before its redundant ones."""
    position = {key: at for at, key in enumerate(dict.fromkeys(terms["modality"]))}
    keys = list(zip(terms["modality"].map(position), terms["kind"] != "unique", strict=True))
    return terms.iloc[sorted(range(len(terms)), key=keys.__getitem__)].reset_index(drop=True)


def largest_terms(terms: pd.DataFrame) -> pd.DataFrame:
    """The terms that fit into the figure, in their order: those with the largest shares."""
    if len(terms) <= MOST_ROWS:
        return terms
    return terms.loc[terms["share"].abs().nlargest(MOST_ROWS).index.sort_values()]


def shares_with_intervals(
    terms: pd.DataFrame, totals: pd.DataFrame, modalities: tuple[str, ...]
) -> go.Figure:
    """One bar per contribution with its 95% interval, grouped by the source modality.

    `terms` and `totals` are the rows of `share_intervals` for one output; `terms` has a column
    `verdict`. Hatched bars are shared with another modality, crossed bars with several. Pale bars
    are no findings.
    The text at the right shows the share, its interval and the verdict. The sum of a modality's
    bars is shown next to its name. Where `terms` has a column `share_without`, of the shares
    without the samples on which they depend, these are drawn as diamonds and are also in the text.
    """
    colours = modality_colours(modalities)
    is_decided = "share_without" in terms
    summed = totals[totals["kind"] == "both"].set_index(["order", "modality"])
    written = summed["share"].map(percent)
    if is_decided:
        written += " ◇ " + summed["share_without"].map(percent)
    groups = [
        f"<b>{row['modality']}</b>  {written[row['order'], row['modality']]}"
        for row in terms.to_dict("records")
    ]
    labels = part_labels(terms)
    words = [
        f"{percent(row['share'])}  {interval_text(row['ci_low'], row['ci_high'])}  "
        + (f"◇ {percent(row['share_without'])}  " if is_decided else "")
        + _VERDICT_MARKS[row["verdict"]]
        for row in terms.to_dict("records")
    ]
    share = terms["share"].to_numpy(dtype=float)
    low, high = (terms[c].to_numpy(dtype=float) for c in ("ci_low", "ci_high"))
    figure = go.Figure(
        go.Bar(
            orientation="h",
            y=[groups, labels],
            x=share,
            error_x={
                "type": "data",
                "symmetric": False,
                "array": np.nan_to_num(high - share),
                "arrayminus": np.nan_to_num(share - low),
                "color": NEUTRAL,
                "thickness": 1.5,
            },
            marker={
                "color": [
                    source_colour(name, order, colours)
                    for name, order in zip(terms["modality"], terms["order"], strict=True)
                ],
                "opacity": np.where(terms["verdict"].isin(GOOD), 1.0, PALE),
                "pattern": {
                    **SHARED_PATTERN,
                    "shape": list(map(pattern_shape, terms["modality"], terms["shared_with"])),
                },
            },
            customdata=words,
            hovertemplate="%{y}: %{customdata}<extra></extra>",
            showlegend=False,
        )
    )
    if is_decided:
        figure.add_scatter(
            x=terms["share_without"], y=[groups, labels], mode="markers", name="without",
            marker={
                "symbol": "diamond-open", "size": 11, "color": NEUTRAL, "line": {"width": 2},
            },
            hovertemplate="%{x:.1%}<extra></extra>", showlegend=False,
        )  # fmt: skip
    add_text_column(figure, [groups, labels], words, begin=0.67)
    known = [share, low, high, np.zeros(1)]
    known += [terms["share_without"].to_numpy(dtype=float)] if is_decided else []
    least, most = (f(np.concatenate(known)) for f in (np.nanmin, np.nanmax))
    room = 0.05 * (most - least or 1)
    figure.update_layout(
        height=90 + _ROW_HEIGHT * len(terms),
        margin={"l": 10, "r": 10, "t": 10, "b": 50},
        xaxis={
            "title": "Share of the prediction's variance", "tickformat": ".0%",
            "range": [least - room, most + room], "zeroline": True,
        },
        yaxis={"autorange": "reversed", "automargin": True, "title": None},
        bargap=0.25,
    )  # fmt: skip
    return figure


def part_labels(terms: pd.DataFrame) -> list[str]:
    """The labels of terms, grouped by modality, for an axis with two levels.

    Plotly orders the second level by the first occurrence of a label under any modality. Invisible
    spaces make the labels of each modality different, so that rows stay in the table's order.
    """
    position = {name: at for at, name in enumerate(dict.fromkeys(terms["modality"]))}
    return [
        ("alone" if kind == "unique" else f"with {partner_label(other)}")
        + "\u200b" * position[name]
        for name, other, kind in zip(
            terms["modality"], terms["shared_with"], terms["kind"], strict=True
        )
    ]


def paired_shares(agreement: pd.DataFrame, first: str, second: str) -> go.Figure:
    """Shares of two runs, term by term, from a table of `side_by_side` and the runs' names.

    A share whose verdict is not good is pale; one that is not known is not drawn.
    """
    labels = [[f"<b>{name}</b>" for name in agreement["modality"]], part_labels(agreement)]
    figure = go.Figure()
    for who, name, symbol, colour in (
        ("first", first, "circle", "#3f90da"),
        ("second", second, "diamond-open", "#e76300"),
    ):
        figure.add_scatter(
            x=agreement[f"{who}_share"], y=labels, mode="markers", name=name,
            marker={
                "symbol": symbol, "size": 11, "color": colour, "line": {"width": 2},
                "opacity": np.where(agreement[f"{who}_verdict"].isin(GOOD), 1.0, PALE),
            },
            hovertemplate="%{y}: %{x:.1%}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_layout(
        height=120 + 24 * len(agreement),
        margin={"l": 10, "r": 10, "t": 10, "b": 50},
        xaxis={"title": "Share of the prediction's variance", "tickformat": ".0%"},
        yaxis={"autorange": "reversed", "automargin": True, "title": None},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure
