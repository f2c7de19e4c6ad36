"""The samples of a selection below the figure in which they were selected."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.components.sample_browser import column_config, shown_columns
from app.navigation import page_path
from app.selection import Scope, download_view
from smurf_core.data.dataset import MultimodalDataset


def selected_samples(scope: Scope, table: pd.DataFrame, dataset: MultimodalDataset) -> None:
    """List the scope's samples (`table` as `sample_table_of` gives it); a chosen row is opened."""
    if scope.is_all:
        st.markdown("Click points, or draw a box or lasso around some: they are listed here.")
        return
    own = table[scope.mask(table["sample_id"].to_numpy(dtype=str))]
    st.subheader(f"Selected samples ({len(own):,})")
    event = st.dataframe(
        own[shown_columns(own, dataset)],
        hide_index=True,
        width="stretch",
        height=240,
        on_select="rerun",
        selection_mode="single-row",
        key="selected_samples",
        column_config=column_config(own, dataset),
    )
    rows = [row for row in event["selection"]["rows"] if row < len(own)]
    with st.container(horizontal=True):
        if st.button(
            "Open in Samples", key="open_sample", icon=":material/open_in_new:",
            help="Opens the chosen row, else the first.", disabled=own.empty,
        ):  # fmt: skip
            st.session_state["sample"] = str(own["sample_id"].iloc[rows[0] if rows else 0])
            st.switch_page(page_path("samples"))
        download_view(own, "selected_samples")
