"""The page's tabs: the list beside the card, what is behind it, What if, and the gallery.

Each is computed only while it is open. All are parts of one fragment, and what follows one sample
is another: *Next* changes the card alone, not the list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from app.loading import explained_of
from app.sections.samples.browser import browse, filtered
from app.sections.samples.card import show_card
from app.sections.samples.change import show_what_if
from app.sections.samples.classes import show_difference
from app.sections.samples.detail import show_details
from app.sections.samples.gallery import show_gallery
from app.sections.samples.lists import ListName, title_of, typical_list
from app.sections.samples.map import show_map
from app.state.address import kept, write
from app.state.selection import Scope
from app.widgets.messages import escaped, show_callback_error, show_errors
from app.widgets.slice_metrics import slice_metrics
from app.widgets.tabs import tabs
from app.widgets.walk import walk
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import StudyInfo


@dataclass(frozen=True)
class Shown:
    """What the page shows: a list of a run's samples, of all or of a scope."""

    study: StudyInfo
    run: RunInfo
    dataset: MultimodalDataset
    scope: Scope
    name: ListName
    is_open: bool  # there is something to explain


@st.fragment
def sample_tabs(shown: Shown, table: pd.DataFrame) -> None:
    """The open tab; `table` has all samples in scope, as `sample_table_of` gives them."""
    panes: dict[str, Callable[[Shown, pd.DataFrame], None]] = {
        "Sample": _sample_tab,
        "Details": _details_tab,
        "What if": lambda shown, table: _what_if_pane(shown, _ids(table)),
        "Gallery": lambda shown, table: show_gallery(shown.run, _ids(table), title_of(shown.name)),
    }
    parts: dict[str, Callable[[], None]] = {
        title: partial(_listed, shown, table, pane) for title, pane in panes.items()
    }
    parts["Map"] = partial(_map_tab, shown)
    tabs("samples_tab", parts)


def _listed(shown: Shown, table: pd.DataFrame, show: Callable[[Shown, pd.DataFrame], None]) -> None:
    """Show the samples of the chosen list, if there are any."""
    with show_errors():
        if shown.name != "all":
            table = typical_list(shown.run, shown.scope, shown.name, table)
        if table.empty:
            st.info("No sample stands out by a contribution whose verdict is good: see *Overview*.")
            return
        show(shown, table)


def _ids(table: pd.DataFrame) -> np.ndarray:
    return table["sample_id"].to_numpy()


def _sample_tab(shown: Shown, table: pd.DataFrame) -> None:
    left, right = st.columns([2, 3])
    with left:
        if shown.name == "all":
            table, origin = filtered(table, shown.dataset), "a filter of Samples"
        else:
            origin = f"the list “{title_of(shown.name)}” of Samples"
        if table.empty:
            st.info("No samples match: shorten the search, or widen the filters.")
            return
        browse(table, shown.dataset, origin)
    with right:
        _card_pane(shown, _ids(table))


def _details_tab(shown: Shown, table: pd.DataFrame) -> None:
    _details_pane(shown, _ids(table))
    st.subheader("Metrics")
    if st.toggle("All samples, the selection and each slice", key="by_slice"):
        slice_metrics(shown.study, explained_of(shown.run))


def _map_tab(shown: Shown) -> None:
    """All samples of the run, whatever is listed; the one that was clicked is beside them."""
    with show_errors():
        show_map(shown.study, shown.run, shown.dataset, shown.scope)


@st.fragment
def _card_pane(shown: Shown, ids: np.ndarray) -> None:
    with show_errors():
        sample = _walk(ids)
        show_card(sample, shown.study, shown.dataset, shown.run)
        if shown.dataset.task == "classification":
            show_difference(sample, shown.run)


@st.fragment
def _details_pane(shown: Shown, ids: np.ndarray) -> None:
    with show_errors():
        sample = _walk(ids)
        show_details(sample, shown.dataset, shown.run, is_open=shown.is_open)


@st.fragment
def _what_if_pane(shown: Shown, ids: np.ndarray) -> None:
    with show_errors():
        sample = _walk(ids)
        show_what_if(sample, shown.study, shown.dataset, shown.run, is_open=shown.is_open)


def _walk(ids: np.ndarray) -> str:
    """The open sample with buttons to the rows above and below; its id is in the address."""
    show_callback_error()
    wanted = kept("sample", "sample")
    places = np.flatnonzero(ids == wanted)
    if wanted and not len(places) and wanted != st.session_state.get("sample"):
        st.warning(
            f"The link leads to the sample {escaped(wanted)}, which is not in this list: its first "
            "sample is shown.",
            icon=":material/link_off:",
        )
    at = int(places[0]) if len(places) else 0
    sample = str(ids[at])

    def go(to: int) -> None:
        st.session_state["sample"] = str(ids[to])

    walk(f"Sample {sample}", at, len(ids), go)
    st.session_state["sample"] = sample
    write("sample", sample)
    return sample
