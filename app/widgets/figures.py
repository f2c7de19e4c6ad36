"""Figures in which samples can be selected, and the picker for the colour of points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.loading import colour_columns_of, contributions_of, sample_table_of
from app.state.address import in_address
from app.state.selection import select_samples
from app.state.session import current_run
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.samples import colour_columns, sample_table
from smurf_core.explained import explained
from smurf_core.plot.colouring import Colouring
from smurf_core.plot.points import Points

# Of every Plotly figure. Points are drawn by WebGL at the screen's own resolution, not at twice it:
# without a graphics card, that takes a fifth of the time from a click to what it changes.
FIGURE_CONFIG = {"displaylogo": False, "plotGlPixelRatio": 1}


def selectable_chart(
    figure: Any,
    points: Points,
    key: str,
    origin: str,
    then: Callable[[list[str]], None] = lambda _: None,
) -> None:
    """A Plotly figure whose points, boxes and lassos set the selection of the whole app.

    The figure's `customdata` contains ids of `points`. An empty event changes nothing: Streamlit
    sends one whenever the figure changes. *Clear* in the bar removes the selection.
    `then` is called with what was selected.
    """

    def take() -> None:
        ids = points.selected(st.session_state.get(key))
        if ids:
            select_samples(ids, origin)
            then(ids)

    st.plotly_chart(
        figure,
        key=key,
        on_select=take,
        selection_mode=("points", "box", "lasso"),
        config=FIGURE_CONFIG,
    )


def colour_column_picker(
    dataset: MultimodalDataset, contributions: Contributions, *, key: str = "colour_by"
) -> Colouring | None:
    """Ask for the column that colours points: person, fold, class, error, or a column of the data.

    Returns None if the user wants one colour. The table of the current run's samples is cached;
    for other contributions it is computed again.
    """
    run = current_run()
    if run is not None and contributions_of(run) is contributions:
        table, options = sample_table_of(run), colour_columns_of(run)
    else:
        table = sample_table(explained(contributions, dataset))
        options = colour_columns(table)
    in_address("colour", key, [None, *options], None)  # Another study has other columns.
    name = st.selectbox(
        "Colour by",
        options,
        index=None,
        key=key,
        placeholder="One colour",
        persist_state="session",
        width=240,
    )
    return Colouring.of(table[name]) if name else None
