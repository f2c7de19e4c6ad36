"""The selected samples, listed below the figure in which they were selected."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app.state.navigation import page_path
from app.state.selection import Scope
from app.widgets.downloads import download_view
from app.widgets.number_table import show_table
from app.widgets.sample_table import column_config, shown_columns
from smurf_core.data.dataset import MultimodalDataset


def selected_samples(scope: Scope, table: pd.DataFrame, dataset: MultimodalDataset) -> None:
    """List the scope's samples (`table` as `sample_table_of` gives it); a chosen row is opened."""
    if scope.is_all:
        st.markdown("Click points, or draw a box or lasso around them, to list them here.")
        return
    own = table[scope.mask(table["sample_id"].to_numpy(dtype=str))]
    st.subheader(f"Selected samples ({len(own):,})")
    show_table(
        own[shown_columns(own, dataset)],
        height=240,
        on_select="rerun",
        selection_mode="single-row",
        key="selected_samples",
        column_config=column_config(own, dataset),
    )
    with st.container(horizontal=True):
        open_in_samples("selected_samples", own["sample_id"], key="open_sample")
        download_view(own, "selected_samples")


def opens_chosen(table_key: str, sample_ids: pd.Series[str]) -> Callable[[], None]:
    """What a table's `on_select` calls to open the chosen row's sample.

    `table_key` is the table's own key, `sample_ids` the samples of its rows.
    """

    def open_chosen() -> None:
        rows = st.session_state[table_key]["selection"]["rows"]
        if rows:
            st.session_state["sample"] = str(sample_ids.iloc[rows[0]])

    return open_chosen


def open_in_samples(table_key: str, sample_ids: pd.Series[str], *, key: str) -> None:
    """A button that opens the row chosen in a table, else its first, on the page *Samples*.

    `table_key` is the table's own key, `sample_ids` the samples of its rows, `key` the button's.
    """
    if st.button(
        "Open in Samples", key=key, icon=":material/open_in_new:",
        help="Opens the chosen row, or the first if none is chosen.", disabled=sample_ids.empty,
    ):  # fmt: skip
        chosen = st.session_state[table_key]["selection"]["rows"]
        rows = [row for row in chosen if row < len(sample_ids)]
        st.session_state["sample"] = str(sample_ids.iloc[rows[0] if rows else 0])
        st.switch_page(page_path("samples"))
