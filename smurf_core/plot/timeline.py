"""A session over its samples: predictions, targets and ratings above stacked contributions."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from smurf_core.evaluation.timeline import Layer, Timeline
from smurf_core.plot.contributions import SHARED_PATTERN
from smurf_core.plot.theme import NEUTRAL, PALE, modality_colours
from smurf_core.plot.timeline_traces import add_traces
from smurf_core.ratings.traces.account import TraceAccount
from smurf_core.reporting.numbers import plain, signed
from smurf_core.terms import spoken

# Pixels of the parts, and of what is around them.
_WITH_PARTS, _ALONE, _WITH_TRACES = (146, 180), (176,), (118, 134, 88)
# Below: labels of ticks and the title. With less, Plotly moves the title onto the labels.
_ABOVE, _BELOW = 8, 46
_MARK = "#d6249f"
_TICKS = 20  # most labels under the figure


def timeline_figure(
    shown: Timeline,
    modalities: tuple[str, ...],
    chosen: int,
    unit: str,
    *,
    traces: TraceAccount | None = None,
) -> go.Figure:
    """The samples of a session from left to right; `chosen` is the one that is open, from 0.

    Above: prediction and target as lines, human ratings as points, unexpected moments marked.
    Below: contributions stacked from zero, up and down: plain alone, hatched shared, pale and
    outlined where the verdict is not good. Without layers only the upper part is drawn. Below
    these, with `traces`: raters' traces over each sample's length. Samples are at x = 1, 2, …
    """
    has_parts = bool(shown.layers)
    heights = list(_WITH_PARTS if has_parts else _ALONE)
    if traces is not None:
        heights = [*_WITH_TRACES[: len(heights)], _WITH_TRACES[-1]]
    rows = len(heights)
    figure = make_subplots(
        rows=rows, cols=1, shared_xaxes=True, vertical_spacing=0.04 if rows < 3 else 0.03,
        row_heights=heights,
    )  # fmt: skip
    x = np.arange(1, len(shown) + 1)
    _lines(figure, shown, x, modalities)
    for layer in shown.layers:
        _stack(figure, layer, shown, x, modalities)
    if traces is not None:
        add_traces(figure, rows, shown.sample_ids.tolist(), traces)
    figure.add_vrect(
        x0=chosen + 0.5, x1=chosen + 1.5, fillcolor=NEUTRAL, opacity=0.28, line_width=0,
        layer="below", row="all", col=1,
    )  # fmt: skip
    at = np.arange(0, len(shown), -(-len(shown) // _TICKS))
    text = [_clock(shown.starts[i]) if shown.is_timed else str(i + 1) for i in at]
    figure.update_xaxes(
        range=[0.4, len(shown) + 0.6], tickvals=(at + 1).tolist(), ticktext=text, zeroline=False
    )
    figure.update_xaxes(
        title="Start of the sample (min:s)" if shown.is_timed else "Sample", title_standoff=4,
        row=rows,
    )  # fmt: skip
    figure.update_yaxes(title=unit, row=1, nticks=5, title_standoff=4)
    if has_parts:
        figure.update_yaxes(
            title="Contributions", row=2, nticks=5, zeroline=True, zerolinecolor=NEUTRAL,
            title_standoff=4,
        )  # fmt: skip
    figure.update_layout(
        height=sum(heights) + _ABOVE + _BELOW,
        margin={"l": 10, "r": 10, "t": _ABOVE, "b": _BELOW},
        barmode="relative",
        bargap=0.15,
        clickmode="event+select",
        dragmode=False,
        legend={"font": {"size": 11}, "tracegroupgap": 0, "itemsizing": "constant"},
        hovermode="closest",
    )
    return figure


def _lines(figure: go.Figure, shown: Timeline, x: np.ndarray, modalities: tuple[str, ...]) -> None:
    """The upper part."""
    ids = shown.sample_ids.tolist()
    for name, values, width, dash, symbol in (
        ("Target", shown.target, 1.5, "dot", "circle-open"),
        ("Prediction", shown.prediction, 2.5, "solid", "circle"),
    ):
        figure.add_scatter(
            x=x, y=values, name=name, mode="lines+markers", row=1, col=1,
            # Without a colour, a line has the theme's first one, which is a modality's.
            line={"color": NEUTRAL, "width": width, "dash": dash},
            marker={"size": 5, "symbol": symbol, "color": NEUTRAL},
            customdata=[[i, plain(v)] for i, v in zip(ids, values, strict=True)],
            hovertemplate=f"%{{customdata[0]}}: {name.lower()} %{{customdata[1]}}<extra></extra>",
            **_undimmed(1.0),
        )  # fmt: skip
    colours = modality_colours(modalities)
    # What is drawn comes first in the legend, then what a click on the legend draws.
    for names, values in sorted(shown.ratings.items(), key=lambda rated: len(rated[0])):
        is_single = len(names) == 1
        figure.add_scatter(
            x=x, y=values, name=f"People: {spoken(names)}", mode="markers", row=1, col=1,
            visible=True if is_single else "legendonly",
            marker={"symbol": "x-thin-open", "size": 6,
                    "color": colours[names[0]] if is_single else NEUTRAL},
            customdata=[[i, plain(v)] for i, v in zip(ids, values, strict=True)],
            hovertemplate=f"%{{customdata[0]}}: people, from {spoken(names)}, "
            "%{customdata[1]}<extra></extra>",
            **_undimmed(1.0),
        )  # fmt: skip
    marked = np.flatnonzero(shown.unexpected > 0)
    if len(marked):
        high = np.nanmax([shown.prediction.max(), shown.target.max(), *_tops(shown)])
        low = np.nanmin([shown.prediction.min(), shown.target.min()])
        figure.add_scatter(
            x=x[marked], y=np.full(len(marked), high + 0.08 * ((high - low) or 1)),
            name="Unexpected", mode="markers", row=1, col=1,
            marker={"symbol": "triangle-down", "size": 9, "color": _MARK},
            customdata=[[ids[i], plain(shown.unexpected[i], 2)] for i in marked],
            hovertemplate="%{customdata[0]}: unexpected, %{customdata[1]} sd<extra></extra>",
            **_undimmed(1.0),
        )  # fmt: skip


def _tops(shown: Timeline) -> list[float]:
    """The highest rating of each kind that is drawn at first."""
    return [float(np.nanmax(v)) for names, v in shown.ratings.items() if len(names) == 1]


def _stack(
    figure: go.Figure, layer: Layer, shown: Timeline, x: np.ndarray, modalities: tuple[str, ...]
) -> None:
    """One part of the lower part's stacks."""
    colour = modality_colours(modalities).get(layer.source, NEUTRAL)
    what = f"{layer.source}, shared" if layer.is_shared else f"{layer.source} alone"
    name = (what if layer.source else "several together") + ("" if layer.is_good else " (not good)")
    opacity = 1.0 if layer.is_good else PALE
    figure.add_bar(
        x=x, y=layer.values, name=name, row=2, col=1,
        marker={
            "color": colour,
            "opacity": opacity,
            "line": {"color": colour, "width": 0 if layer.is_good else 1},
            "pattern": {**SHARED_PATTERN, "shape": "/" if layer.is_shared else ""},
        },
        customdata=[
            [i, signed(v)] for i, v in zip(shown.sample_ids.tolist(), layer.values, strict=True)
        ],
        hovertemplate=f"%{{customdata[0]}}: {name} %{{customdata[1]}}<extra></extra>",
        **_undimmed(opacity),
    )  # fmt: skip


def _undimmed(opacity: float) -> dict[str, dict[str, dict[str, float]]]:
    """A click opens a sample: it must not make all others pale, which would be doubt."""
    return {kind: {"marker": {"opacity": opacity}} for kind in ("selected", "unselected")}


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
