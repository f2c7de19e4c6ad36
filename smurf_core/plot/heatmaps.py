"""Heatmaps of signed tables: what pairs share, and true factors against contributions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from smurf_core.data.generated.synthetic import unique_factor
from smurf_core.evaluation.verdicts import GOOD
from smurf_core.evaluation.verification import factor_words
from smurf_core.plot.share_bars import alone_first
from smurf_core.reporting.numbers import plain, term_label
from smurf_core.terms import partner_label, read_sharers, spoken

# Purple through grey to green, with zero in the middle: safe for colour-blind readers, and neither
# is the colour of one of the first three modalities.
DIVERGING = ((0.0, "#9970ab"), (0.5, "#e4e4e4"), (1.0, "#5aae61"))
_ROW_HEIGHT = 44


def signed_heatmap(
    table: pd.DataFrame,
    *,
    title: str,
    limit: float = 1.0,
    percent: bool = False,
    clickable: bool = False,
    doubtful: pd.DataFrame | None = None,
) -> go.Figure:
    """A heatmap of signed numbers [rows, columns], each written in its cell; NaN is left empty.

    Cells that are true in `doubtful`, a table of the same form, are marked with ✗.

    With `clickable`, cells can be selected as points whose `customdata` is (row, column). Plotly
    sends no selection for a heatmap, so each cell is covered by an almost invisible point.
    """
    values = table.to_numpy(dtype=float)

    marks = np.zeros(values.shape, dtype=np.bool_)
    if doubtful is not None:
        shown = doubtful.reindex(index=table.index, columns=table.columns, fill_value=False)
        marks = shown.to_numpy(dtype=np.bool_)

    def written(value: float, is_doubtful: bool) -> str:
        if np.isnan(value):
            return ""
        number = f"{plain(100 * value, 0)}%" if percent else plain(value, 2)
        return f"{number} ✗" if is_doubtful else number

    words = [list(map(written, *row)) for row in zip(values, marks, strict=True)]

    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=[str(name) for name in table.columns],
            y=[str(name) for name in table.index],
            zmin=-limit,
            zmax=limit,
            colorscale=DIVERGING,
            text=words,
            texttemplate="%{text}",
            textfont={"color": "#111111"},
            hovertemplate="%{y} → %{x}: %{text}<extra></extra>",
            hoverongaps=False,
            colorbar={
                "title": {"text": title, "side": "right"},
                "thickness": 12,
                "tickformat": ".0%" if percent else None,
            },
            xgap=2,
            ygap=2,
        )
    )
    if clickable:
        cells = [
            (str(row), str(column))
            for i, row in enumerate(table.index)
            for j, column in enumerate(table.columns)
            if not np.isnan(values[i, j])
        ]
        figure.add_scatter(
            x=[column for _, column in cells],
            y=[row for row, _ in cells],
            customdata=cells,
            mode="markers",
            marker={"symbol": "square", "size": _ROW_HEIGHT - 8, "opacity": 0.01},
            # Otherwise the dimming of unselected points would make the points visible.
            selected={"marker": {"opacity": 0.01}},
            unselected={"marker": {"opacity": 0.01}},
            text=[word for row in words for word in row if word],
            hovertemplate="%{y} → %{x}: %{text}<extra>click to see its samples</extra>",
            showlegend=False,
        )
    figure.update_layout(
        height=110 + _ROW_HEIGHT * len(table),
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"side": "top", "automargin": True},
        yaxis={"autorange": "reversed", "automargin": True},
        dragmode="pan",
    )
    return figure


def heatmap_multiples(
    tables: dict[str, pd.DataFrame], *, title: str, limit: float = 1.0, percent: bool = False
) -> go.Figure:
    """The same signed table for several groups side by side, titled with the groups' names."""
    across = min(4, len(tables))
    down = -(-len(tables) // across)
    first = next(iter(tables.values()))
    figure = make_subplots(
        rows=down, cols=across, subplot_titles=list(tables), shared_yaxes=True, shared_xaxes=True,
        horizontal_spacing=0.02, vertical_spacing=0.24 / down,
    )  # fmt: skip
    for at, table in enumerate(tables.values()):
        (cells, *_) = signed_heatmap(table, title=title, limit=limit, percent=percent).data
        cells.showscale = at == 0
        figure.add_trace(cells, row=1 + at // across, col=1 + at % across)
    figure.update_layout(
        height=60 + down * (70 + _ROW_HEIGHT * len(first)),
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
    )
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_xaxes(automargin=True)
    return figure


def pair_matrix(pairs: pd.DataFrame, modalities: tuple[str, ...], column: str) -> pd.DataFrame:
    """One output's `pair_table` as a symmetric matrix; the diagonal is empty.

    `modalities` may be the subsets of a higher order; pairs of other orders are left out, and so
    is what three and more share.
    """
    matrix = pd.DataFrame(np.nan, index=list(modalities), columns=list(modalities))
    is_here = pairs["modality"].isin(modalities) & (pairs["size"] == 2)
    for row in pairs[is_here].to_dict("records"):
        matrix.loc[row["modality"], row["shared_with"]] = row[column]
        matrix.loc[row["shared_with"], row["modality"]] = row[column]
    return matrix


def residual_matrix(pairs: pd.DataFrame, modalities: tuple[str, ...]) -> pd.DataFrame:
    """The correlation that L_uncor left: row I, column J is r of ŷ_I and ŷ_IJ of one output.

    What I shares with several has a column of its own (`J and K`).
    """
    cells: dict[tuple[str, str], float] = {}
    for row in pairs[pairs["modality"].isin(modalities)].to_dict("records"):
        sharers = read_sharers(row["sharers"])
        for name, left in (("modality", "left_first"), ("shared_with", "left_second")):
            others = spoken([sharer for sharer in sharers if sharer != row[name]])
            cells[row[name], others] = row[left]
    columns = list(dict.fromkeys([*modalities, *(others for _, others in cells)]))
    matrix = pd.DataFrame(np.nan, index=list(modalities), columns=columns)
    for (name, others), value in cells.items():
        matrix.loc[name, others] = value
    return matrix


def share_matrix(shares: pd.DataFrame, modalities: tuple[str, ...]) -> pd.DataFrame:
    """One output's `variance_shares` as a matrix: source × whom it shares with.

    The diagonal contains unique contributions. `modalities` may be the subsets of a higher order.
    What is shared with several has a column of its own (`B and C`); cells of contributions that
    the model does not have are NaN.
    """
    here = shares[shares["modality"].isin(modalities)]
    labels = _partners(here)
    matrix = here.assign(partners=labels).pivot_table(
        index="modality", columns="partners", values="share", sort=False, dropna=False
    )
    columns = list(dict.fromkeys([*modalities, *labels]))
    return matrix.reindex(index=list(modalities), columns=columns)


def doubt_matrix(verdicts: pd.DataFrame, modalities: tuple[str, ...]) -> pd.DataFrame:
    """True in the cells of `share_matrix` whose contribution's verdict is not good.

    `verdicts` has order, modality, shared_with, kind and verdict.
    """
    here = verdicts[verdicts["modality"].isin(modalities)]
    labels = _partners(here)
    columns = list(dict.fromkeys([*modalities, *labels]))
    matrix = pd.DataFrame(False, index=list(modalities), columns=columns)
    for name, other, verdict in zip(here["modality"], labels, here["verdict"], strict=True):
        matrix.loc[name, other] = verdict not in GOOD
    return matrix


def _partners(terms: pd.DataFrame) -> list[str]:
    """Whom terms are shared with; a unique one's is its source, whatever that name contains."""
    return [
        other if kind == "unique" else partner_label(other)
        for other, kind in zip(terms["shared_with"], terms["kind"], strict=True)
    ]


def factor_table(factors: pd.DataFrame, output: str) -> pd.DataFrame:
    """`factor_matrix` of one output as a matrix: true factors × learned contributions, in words.

    Each modality's unique contribution comes before what it shares.
    """
    chosen = alone_first(factors[factors["output"] == output])
    prefix = unique_factor("")
    known = [name.removeprefix(prefix) for name in chosen["factor"] if name.startswith(prefix)]
    names = list(dict.fromkeys([*known, *chosen["modality"]]))
    chosen = chosen.assign(
        term=list(map(term_label, chosen["modality"], chosen["shared_with"])),
        factor=[factor_words(factor, names) for factor in chosen["factor"]],
    )
    order = list(dict.fromkeys(factor_words(factor, names) for factor in factors["factor"]))
    table = chosen.pivot_table(index="factor", columns="term", values="r", sort=False, dropna=False)
    return table.reindex(order)
