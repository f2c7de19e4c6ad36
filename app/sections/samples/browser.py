"""All samples as a table that can be searched, filtered, sorted and stepped through."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app.state.selection import select_samples
from app.widgets.downloads import download_view
from app.widgets.sample_table import column_config, column_title, shown_columns
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.samples import transcript_column
from smurf_core.evaluation.typical import Finding

_DATA_ORDER = "As in the data"
_SCORED = (
    "Scores are standard deviations of the prediction. Only contributions whose verdict is good "
    "are listed."
)
FINDING_NOTES: dict[Finding, str] = {
    "unique": f"One modality alone moves these predictions a lot. {_SCORED}",
    "redundant": f"Both modalities say the same, and strongly. {_SCORED}",
    "unexpected": "One modality says what the other should also say but does not: only one side "
    f"is large, or the two sides have opposite signs. {_SCORED}",
}


def filtered(table: pd.DataFrame, dataset: MultimodalDataset) -> pd.DataFrame:
    """The samples that pass the user's filters, in the chosen order."""
    keep = np.ones(len(table), dtype=np.bool_)
    transcript = transcript_column(dataset)
    left, middle, right = st.columns([3, 2, 2], vertical_alignment="bottom")
    words = left.text_input(
        "Find", key="find", placeholder="Part of a sample id, person or transcript"
    )
    if words:
        places = [c for c in ("sample_id", "person", transcript) if c and c in table]
        hits = [table[c].astype("str").str.contains(words, case=False, regex=False) for c in places]
        keep &= np.any(hits, axis=0)
    numbers = [str(c) for c in table if pd.api.types.is_numeric_dtype(table[c]) and c != "fold"]
    order = middle.selectbox(
        "Order by",
        [_DATA_ORDER, *numbers],
        key="order",
        format_func=column_title,
    )
    with right.popover("Filters", icon=":material/filter_alt:", width="stretch"):
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
    is_reversed = False
    if order != _DATA_ORDER:
        is_reversed = left.toggle("Largest first", value=True, key="largest_first")
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


def browse(table: pd.DataFrame, dataset: MultimodalDataset, origin: str) -> str:
    """Show the samples and return the id of the open one.

    One chosen row opens a sample; several can become the selection for all pages. Buttons and
    arrow keys step through the rows in order.
    """
    ids = table["sample_id"].to_numpy()
    key = "samples"

    def open_chosen() -> None:
        rows = [row for row in st.session_state[key]["selection"]["rows"] if row < len(ids)]
        if rows:
            st.session_state["sample"] = str(ids[rows[-1]])

    event = st.dataframe(
        table[shown_columns(table, dataset)],
        hide_index=True,
        width="stretch",
        height=260,
        on_select=open_chosen,
        selection_mode="multi-row",
        key=key,
        column_config=column_config(table, dataset),
    )
    wanted = st.session_state.get("sample") or st.query_params.get("sample")
    places = np.flatnonzero(ids == wanted)
    at = int(places[0]) if len(places) else 0
    rows = [row for row in event["selection"]["rows"] if row < len(ids)]
    some = list(dict.fromkeys(str(ids[row]) for row in rows))
    # Only the lists of typical samples contain a sample more than once.
    distinct = len(np.unique(ids)) if "score" in table else len(ids)
    with st.container(horizontal=True, vertical_alignment="center"):
        _walk(ids, at)
        if len(some) > 1:
            st.button(
                f"Select these {len(some)} samples", key="select_rows",
                on_click=select_samples, args=(some, f"rows of {origin}"),
            )  # fmt: skip
        st.button(
            f"Select all {distinct:,} listed", key="select_listed",
            on_click=lambda: select_samples(list(ids), origin),
            help="Selects these samples on all pages. You can then keep them as a slice.",
        )  # fmt: skip
        download_view(table, "samples")
    return str(ids[at])


def _walk(ids: np.ndarray, at: int) -> None:
    """Buttons to the row above and below."""

    def go(to: int) -> None:
        st.session_state["sample"] = str(ids[to])

    st.button(
        "Previous", key="previous", icon=":material/arrow_back:", shortcut="Left",
        disabled=at == 0, on_click=go, args=(max(at - 1, 0),),
    )  # fmt: skip
    st.button(
        "Next", key="next", icon=":material/arrow_forward:", shortcut="Right",
        disabled=at == len(ids) - 1, on_click=go, args=(min(at + 1, len(ids) - 1),),
    )  # fmt: skip
    st.markdown(f"{at + 1:,} of {len(ids):,}", width="content")
