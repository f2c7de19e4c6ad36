"""Figures of contributions: one sample's breakdown, and shares of variance."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from smurf_core.contributions import Contributions
from smurf_core.plot.theme import NEUTRAL, PALE, modality_colours, text_on
from smurf_core.reporting.numbers import plain, signed, term_label
from smurf_core.terms import partner_label, read_sharers, read_subset, spoken, subset_name

_ROW_HEIGHT = 30
# White lines over the modality's colour: visible in light and dark mode, and in print.
SHARED_PATTERN = {"fillmode": "overlay", "fgcolor": "white", "size": 7, "solidity": 0.22}
_ALONE, _BY_TWO, _BY_MORE = "", "/", "x"


def pattern_shape(modality: str, shared_with: str) -> str:
    """Plain for what a modality says alone, hatched for a pair, crossed for larger sets."""
    if modality == shared_with:
        return _ALONE
    return _BY_TWO if len(read_sharers(shared_with)) == 1 else _BY_MORE


_STEP = ["part", "kind", "modality", "pattern", "value"]


def breakdown(contributions: Contributions, row: int, output: int) -> pd.DataFrame:
    """The parts of one sample's output, in the order of their addition.

    Columns: part, kind (`baseline`, `unique`, `redundant`, `prediction`), modality (the first of
    its source, which gives the colour), pattern (of its bar), value, and start and end of the
    part. Values are float32 numbers exactly as stored; the last row is the sum of all others.
    """
    baseline = float(contributions.baseline[row, output])
    rows: list[tuple[str, str, str, str, float]] = [("Baseline", "baseline", "", "", baseline)]
    for order in contributions.orders:
        for source in contributions.sources(order):
            own = [term for term in contributions.terms if term.source == source]
            for term in sorted(own, key=lambda term: not term.is_unique):
                _, modality, shared_with = term.names
                value = float(contributions.of(term)[row, output])
                pattern = pattern_shape(modality, shared_with)
                label = term_label(modality, shared_with)
                rows.append((label, term.kind, source[0], pattern, value))
    rows.append(("Prediction", "prediction", "", "", sum(row[4] for row in rows)))
    table = pd.DataFrame(rows, columns=_STEP)
    ends = table["value"].cumsum()
    table["start"] = ends - table["value"]
    table["end"] = ends
    table.loc[table.index[-1], ["start", "end"]] = [0.0, rows[-1][4]]
    return table


def contribution_matrices(
    contributions: Contributions, row: int, output: int
) -> dict[int, pd.DataFrame]:
    """One sample's contributions as matrices, one per order: source × whom it shares with.

    The diagonal contains unique contributions. Order 1 has modalities, higher orders (MRO) have
    subsets. Sets of three and more have columns of their own (`B and C`); cells of contributions
    that the model does not have are NaN.
    """
    found = {}
    for order in contributions.orders:
        sources = contributions.sources(order)
        names = [subset_name(source) for source in sources]
        cells = {
            (
                subset_name(term.source),
                spoken([subset_name(s) for s in term.others or (term.source,)]),
            ): term
            for term in contributions.terms
            if term.order == order
        }
        columns = list(dict.fromkeys([*names, *(partners for _, partners in cells)]))
        matrix = pd.DataFrame(np.float32(np.nan), index=names, columns=columns)
        for (name, partners), term in cells.items():
            matrix.loc[name, partners] = contributions.of(term)[row, output]
        found[order] = matrix
    return found


def change_steps(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The steps from one prediction to another, contribution by contribution, for `waterfall`.

    Both are tables from `breakdown`; parts that are equal in both are left out.
    """
    value = after["value"] - before["value"]
    inner = before["kind"].isin(["unique", "redundant"]) & (value != 0)
    ends = before.iloc[-1]["value"], after.iloc[-1]["value"]
    steps = before[inner].assign(value=value[inner])[_STEP]
    first = pd.DataFrame([["Before", "baseline", "", "", ends[0]]], columns=steps.columns)
    last = pd.DataFrame([["After", "prediction", "", "", ends[1]]], columns=steps.columns)
    table = pd.concat([first, steps, last], ignore_index=True)
    table["end"] = table["value"].cumsum()
    table["start"] = table["end"] - table["value"]
    table.loc[table.index[-1], ["start", "end"]] = [0.0, ends[1]]
    return table


def waterfall(
    parts: pd.DataFrame,
    modalities: tuple[str, ...],
    axis_title: str,
    *,
    pale: Collection[str] = (),
) -> go.Figure:
    """A waterfall from the baseline through each contribution to the prediction, top to bottom.

    Parts named in `pale` are drawn pale and outlined: their verdict is not good.
    """
    colours = modality_colours(modalities)
    is_total = parts["kind"].isin(["baseline", "prediction"])
    figure = go.Figure(
        go.Bar(
            orientation="h",
            y=parts["part"],
            x=parts["end"] - parts["start"],
            base=parts["start"],
            marker={
                "color": [colours.get(name, NEUTRAL) for name in parts["modality"]],
                "opacity": [PALE if part in pale else 1.0 for part in parts["part"]],
                "line": {
                    "color": [colours.get(name, NEUTRAL) for name in parts["modality"]],
                    "width": [1.5 if part in pale else 0 for part in parts["part"]],
                },
                "pattern": {
                    **SHARED_PATTERN,
                    "shape": parts["pattern"].tolist(),
                },
            },
            customdata=[
                plain(value) if total else signed(value)
                for value, total in zip(parts["value"], is_total, strict=True)
            ],
            text=[
                plain(value) if total else signed(value)
                for value, total in zip(parts["value"], is_total, strict=True)
            ],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{customdata}<extra></extra>",
            showlegend=False,
        )
    )
    for i in range(len(parts) - 1):
        end = parts["end"].iloc[i]
        figure.add_shape(
            type="line", x0=end, x1=end, y0=i, y1=i + 1,
            line={"color": NEUTRAL, "width": 1, "dash": "dot"}, layer="below",
        )  # fmt: skip
    low = min(parts["start"].min(), parts["end"].min(), 0)
    high = max(parts["start"].max(), parts["end"].max(), 0)
    room = 0.14 * (high - low or 1)
    figure.update_layout(
        height=90 + _ROW_HEIGHT * len(parts),
        margin={"l": 10, "r": 10, "t": 10, "b": 50},
        xaxis={"title": axis_title, "range": [low - room, high + room], "zeroline": True},
        yaxis={"autorange": "reversed", "automargin": True, "title": None},
        bargap=0.25,
    )
    return figure


def source_colour(modality: str, order: int, colours: dict[str, str]) -> str:
    """A modality's colour; for an interaction that of its first modality, and grey for totals."""
    return colours.get(read_subset(modality, order)[0] if modality else "", NEUTRAL)


def variance_bars(shares: pd.DataFrame, modalities: tuple[str, ...]) -> go.Figure:
    """Each contribution's share of the prediction's variance, stacked in one bar per modality.

    `shares` are the rows of `variance_shares` for one output. Hatched parts are shared with another
    modality, crossed parts with several; shares below zero point to the left.
    """
    colours = modality_colours(modalities)
    figure = go.Figure()
    sources = list(dict.fromkeys(shares["modality"]))
    ordered = shares.assign(is_shared=shares["kind"] == "redundant").sort_values(
        "is_shared", kind="stable"
    )
    for part in ordered.to_dict("records"):
        modality, shared_with, share = part["modality"], part["shared_with"], part["share"]
        is_shared = part["kind"] == "redundant"
        label = term_label(modality, shared_with)
        name = f"shared with {partner_label(shared_with)}" if is_shared else "alone"
        figure.add_bar(
            orientation="h",
            y=[modality],
            x=[share],
            name=label,
            marker={
                "color": source_colour(modality, part["order"], colours),
                "pattern": {**SHARED_PATTERN, "shape": pattern_shape(modality, shared_with)},
                "line": {"width": 1, "color": "white"},
            },
            text=f"{name}<br>{share:.0%}".replace("-", "−") if abs(share) >= 0.03 else "",
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont={"color": text_on(source_colour(modality, part["order"], colours))},
            hovertemplate=f"{label}: %{{x:.1%}} of the prediction's variance<extra></extra>",
            showlegend=False,
        )
    figure.update_layout(
        barmode="relative",
        height=110 + 58 * len(sources),
        margin={"l": 10, "r": 20, "t": 10, "b": 50},
        xaxis={"title": "Share of the prediction's variance", "tickformat": ".0%"},
        yaxis={"autorange": "reversed", "automargin": True},
        bargap=0.3,
        uniformtext={"minsize": 10, "mode": "hide"},
    )
    return figure
