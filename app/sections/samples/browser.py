"""All samples as a table that can be searched, filtered and sorted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app.state.selection import select_samples
from app.widgets.downloads import download_view
from app.widgets.number_table import show_table
from app.widgets.sample_table import column_config, column_title, shown_columns
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.samples import transcript_column

_DATA_ORDER = "As in the data"


def filtered(table: pd.DataFrame, dataset: MultimodalDataset) -> pd.DataFrame:
    """The samples that pass the user's filters, in the chosen order."""
    keep = np.ones(len(table), dtype=np.bool_)
    transcript = transcript_column(dataset)
    left, right = st.columns(2, vertical_alignment="bottom")
    words = left.text_input(
        "Find", key="find", placeholder="Id, person or words", label_visibility="collapsed"
    )
    if words:
        places = [c for c in ("sample_id", "person", transcript) if c and c in table]
        hits = [table[c].astype("str").str.contains(words, case=False, regex=False) for c in places]
        keep &= np.any(hits, axis=0)
    numbers = [str(c) for c in table if pd.api.types.is_numeric_dtype(table[c]) and c != "fold"]
    is_reversed = False
    with right.popover("Sort, filter", icon=":material/filter_alt:", width="stretch"):
        order = st.selectbox(
            "Order by", [_DATA_ORDER, *numbers], key="order", format_func=column_title
        )
        if order != _DATA_ORDER:
            is_reversed = st.toggle("Largest first", value=True, key="largest_first")
        for column, title in (("person", "Persons"), ("target", "Target"), ("fold", "Folds")):
            if column in table and column not in numbers:
                kinds = sorted(table[column].unique())
                chosen = st.multiselect(title, kinds, key=f"only_{column}", placeholder="All")
                if chosen:
                    keep &= table[column].isin(chosen).to_numpy()
        if "correct" in table:
            which = st.segmented_control("Show", ["right", "wrong"], key="show_only")
            if which:
                keep &= (table["correct"] == which).to_numpy()
        limited = st.multiselect(
            "Limit numbers", numbers, key="limited", placeholder="Error, contributions…"
        )
        for column in limited:
            keep &= _within(table[column])
    found = table if keep.all() else table[keep]  # A quarter of a million rows take time.
    if order != _DATA_ORDER:
        found = found.sort_values(order, ascending=not is_reversed, kind="stable")
    return found


def _within(column: pd.Series) -> np.ndarray:
    """A slider over a column's range; samples without a value pass while it is wide open."""
    values = column.to_numpy(dtype=np.float64)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if not low < high:
        st.markdown(f"All samples have the same {column_title(column.name)}.")
        return np.ones(len(values), dtype=np.bool_)
    title = column_title(column.name)
    step = (high - low) / 200
    at_least, at_most = st.slider(
        title, low, high, (low, high), step=step, format="%.3g", key=f"range_{column.name}"
    )
    if at_least <= low and at_most >= high - step / 2:
        return np.ones(len(values), dtype=np.bool_)
    return (values >= at_least) & (values <= at_most)


def browse(table: pd.DataFrame, dataset: MultimodalDataset, origin: str) -> None:
    """List the samples. One chosen row is opened; several can become the selection of all pages."""
    ids = table["sample_id"].to_numpy()
    key = "samples"

    def open_chosen() -> None:
        rows = [row for row in st.session_state[key]["selection"]["rows"] if row < len(ids)]
        if rows:
            st.session_state["sample"] = str(ids[rows[-1]])

    event = show_table(
        table[shown_columns(table, dataset)],
        height=330,
        on_select=open_chosen,
        selection_mode="multi-row",
        key=key,
        column_config=column_config(table, dataset),
    )
    rows = [row for row in event["selection"]["rows"] if row < len(ids)]
    some = list(dict.fromkeys(str(ids[row]) for row in rows))
    # Only the lists of typical samples contain a sample more than once.
    distinct = len(np.unique(ids)) if "score" in table else len(ids)
    with st.container(horizontal=True, vertical_alignment="center"):
        # The bar above shows what is selected: the whole page runs again.
        if len(some) > 1 and st.button(
            f"Select these {len(some)} samples", key="select_rows",
            on_click=select_samples, args=(some, f"rows of {origin}"),
        ):  # fmt: skip
            st.rerun()
        if st.button(
            f"Select all {distinct:,} listed", key="select_listed",
            on_click=lambda: select_samples(list(ids), origin),
            help="Selects these samples on all pages. You can then keep them as a slice.",
        ):  # fmt: skip
            st.rerun()
        download_view(table, "samples")
