"""Cards of samples side by side: the paper's Table 6 as a figure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from smurf_core.plot.contributions import SHARED_PATTERN, pattern_shape
from smurf_core.plot.theme import NEUTRAL, modality_colours
from smurf_core.reporting.sample_card import Part, SampleCard

_COLUMNS = 3
_BAR, _HEAD, _LABELS = 17, 100, -150  # pixels
_CHARACTERS = 46  # in a line of a card
_MOST = 7  # parts of a card


def card_gallery(cards: Sequence[SampleCard], modalities: tuple[str, ...]) -> go.Figure:
    """Up to 3 × 3 cards: transcript, target and prediction, sentence, and the largest parts.

    Bars are contributions in the modality's colour: plain alone, hatched shared, pale and outlined
    where the verdict is not good; lines are 95% intervals. All cards have one scale.
    """
    colours = modality_colours(modalities)
    shown = list(cards)[: _COLUMNS * _COLUMNS]
    rows = max(1, -(-len(shown) // _COLUMNS))
    parts = [_largest(card) for card in shown]
    bars = max((len(some) for some in parts), default=1)
    ends = [
        abs(part.value) + (0 if part.half_width != part.half_width else part.half_width)
        for some in parts
        for part in some
    ]
    limit = 1.35 * max([*ends, 1e-9])
    gap = _HEAD + 30
    inner = rows * bars * _BAR + (rows - 1) * gap
    figure = make_subplots(
        rows=rows, cols=_COLUMNS, horizontal_spacing=0.19,
        vertical_spacing=gap / inner if rows > 1 else 0,  # Of one row, it may be more than all.
    )  # fmt: skip
    for k, (card, some) in enumerate(zip(shown, parts, strict=True)):
        place = {"row": k // _COLUMNS + 1, "col": k % _COLUMNS + 1}
        labels = [part.label for part in some]
        good = [part.is_good for part in some]
        own = [colours[part.term.source[0]] for part in some]
        figure.add_bar(
            orientation="h", y=labels, x=[part.value for part in some], showlegend=False,
            marker={
                "color": own,
                "opacity": [1.0 if is_good else 0.35 for is_good in good],
                "line": {"color": own, "width": [0 if is_good else 1.5 for is_good in good]},
                "pattern": {
                    **SHARED_PATTERN,
                    "shape": [pattern_shape(*part.term.names[1:]) for part in some],
                },
            },
            error_x={
                "type": "data", "color": NEUTRAL, "thickness": 1, "width": 2,
                "array": [part.half_width for part in some],
                "visible": any(part.half_width == part.half_width for part in some),
            },
            customdata=[[card.written(part), part.verdict] for part in some],
            hovertemplate="%{y}: %{customdata[0]}, %{customdata[1]}<extra></extra>",
            **place,
        )  # fmt: skip
        axis = figure.get_subplot(**place)
        axis.yaxis.update(
            tickvals=labels,
            ticktext=[f"{_safe(part.label)} {card.written_value(part)}" for part in some],
        )
        figure.add_annotation(
            text="<br>".join(_text(card)), showarrow=False, align="left", font={"size": 11},
            xref=f"{axis.xaxis.plotly_name.replace('axis', '')} domain",
            yref=f"{axis.yaxis.plotly_name.replace('axis', '')} domain",
            x=0, xshift=_LABELS, xanchor="left", y=1, yanchor="bottom", yshift=4,
        )  # fmt: skip
    figure.update_xaxes(range=[-limit, limit], zeroline=True, zerolinecolor=NEUTRAL, nticks=5)
    figure.update_yaxes(autorange="reversed", tickfont={"size": 10})
    figure.update_layout(
        height=inner + _HEAD + 40, bargap=0.3,
        margin={"l": 10 - _LABELS, "r": 10, "t": _HEAD, "b": 30},
    )  # fmt: skip
    return figure


def _largest(card: SampleCard) -> list[Part]:
    """The largest parts of a card, in the card's order."""
    parts = card.parts()
    chosen = sorted(parts, key=lambda part: -abs(part.value))[:_MOST]
    return [part for part in parts if part in chosen]


def _text(card: SampleCard) -> list[str]:
    """The lines above a card's bars."""
    head = f"<b>{_safe(card.sample_id)}</b>: target {_safe(card.target)}, predicted "
    lines = [head + _safe(card.prediction)]
    if card.transcript:
        said = textwrap.wrap(f"“{card.transcript}”", _CHARACTERS)
        if len(said) > 2:
            said = [said[0], f"{said[1][: _CHARACTERS - 1]}…"]
        lines += map(_safe, said)
    sentence = textwrap.wrap(card.sentence, _CHARACTERS)
    if len(sentence) > 3:
        sentence = [*sentence[:2], f"{sentence[2][: _CHARACTERS - 1]}…"]
    return [*lines, *(f"<i>{_safe(line)}</i>" for line in sentence)]


def _safe(text: str) -> str:
    """Text in which nothing acts as one of Plotly's tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
