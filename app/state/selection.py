"""What is selected, everywhere: one selection for all pages, kept through switches and refreshes.

A selection is always stored in the workspace, under a name as a slice or without one, and its id
stands in the address (`slice=`): a link, a refresh or a dropped connection brings it back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from app.loading import colour_columns_of, contributions_of, sample_table_of
from app.state.session import current_run, workspace
from app.widgets.messages import escaped, offer_undo, told
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.samples import colour_columns, sample_table
from smurf_core.explained import Explained, explained
from smurf_core.plot.colouring import Colouring
from smurf_core.plot.points import Points
from smurf_core.runs.slices import (
    SliceInfo,
    add_slice,
    delete_slice,
    find_slice,
    list_slices,
    remember_selection,
    rename_slice,
    restore_slice,
    slice_samples,
)
from smurf_core.runs.store import RunInfo, list_runs
from smurf_core.runs.studies import StudyInfo

SampleIds = npt.NDArray[np.str_]
Held = TypeVar("Held", Contributions, Explained)
# Names of query parameters; in session state each holds a value a study.
_SLICE, _PIN, _PIN_RUN = "slice", "pin", "pin_run"
# A study's last unnamed selection, to which the picker goes back from "All samples".
_UNNAMED = "unnamed_slice"
_EVERYTHING = ""


@dataclass(frozen=True)
class Scope:
    """The samples that a page is shown for: all, the selection, or a slice."""

    label: str
    n: int
    sample_ids: SampleIds | None  # None: all samples
    key: str = ""  # the slice's id, by which what was computed for it is cached; empty for all

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self.sample_ids is None

    def mask(self, sample_ids: SampleIds) -> npt.NDArray[np.bool_]:
        """Which of these samples are in the scope, [n]."""
        if self.sample_ids is None:
            return np.ones(len(sample_ids), dtype=np.bool_)
        return np.asarray(pd.Index(sample_ids).isin(self.sample_ids))

    def apply(self, held: Held) -> Held:
        """The same of the scope's samples."""
        return held if self.sample_ids is None else held.select(self.sample_ids)


def settle_selection() -> None:
    """Bring back what the address or the session remembers; the entry point calls it once a run."""
    study = _study()
    if study is None:
        return
    for key in (_SLICE, _PIN, _PIN_RUN):
        # The address speaks once, when a session starts; then it follows the session.
        if f"{key}_of_study" not in st.session_state and key in st.query_params:
            _kept(key)[study] = st.query_params[key]
        _kept(key).setdefault(study, _EVERYTHING)
    if kept_slice := _kept(_SLICE)[study]:
        found = find_slice(workspace(), study, kept_slice)
        if found is None:  # An old link, or a slice that was deleted.
            _kept(_SLICE)[study] = _EVERYTHING
        elif not found.name:
            _kept(_UNNAMED)[study] = found.id
    for key in (_SLICE, _PIN, _PIN_RUN):
        _to_address(key)


def select_samples(sample_ids: Sequence[str] | SampleIds, origin: str) -> None:
    """Make these samples the selection in all views; `origin` says in words where it was made."""
    study = _study()
    if study is None:
        return
    if len(sample_ids) == 0:
        clear_selection()
        return
    slice_id = remember_selection(workspace(), study, sample_ids, origin=origin)
    _kept(_UNNAMED)[study] = slice_id
    _look_at(slice_id)


def clear_selection() -> None:
    """Select nothing: everything is shown for all samples. Named slices stay."""
    study = _study()
    if study is not None:
        _kept(_UNNAMED).pop(study, None)
        _look_at(_EVERYTHING)


def current_selection(study_id: str) -> SampleIds | None:
    """Ids of the samples that are selected in a study; None where all are."""
    slice_id = _kept(_SLICE).get(study_id, _EVERYTHING)
    return _samples(str(workspace().root), slice_id) if slice_id else None


def scope_picker(study: StudyInfo, dataset: MultimodalDataset) -> Scope:
    """One bar: what the page is shown for, and what can be done with the selection.

    The picker names how many samples each choice has. A selection can be kept as a slice, a slice
    renamed or deleted (with undo).
    """
    choices = _choices(study.id)
    labels = {_EVERYTHING: f"All samples · {len(dataset):,}"} | {
        key: f"{info.name or 'Selection'} · {info.count:,}" for key, info in choices.items()
    }
    current = _kept(_SLICE).get(study.id, _EVERYTHING)
    current = current if current in labels else _EVERYTHING
    key = f"scope_{study.id}"
    st.session_state[key] = current
    with st.container(horizontal=True, vertical_alignment="bottom", key="scope_bar"):
        st.selectbox(
            "Shown for",
            list(labels),
            key=key,
            format_func=labels.__getitem__,
            on_change=lambda: _look_at(st.session_state[key]),
            width=340,
            help="Every number, table and figure of this page is for these samples. Select samples "
            "in any figure or table; keep a selection as a slice to come back to it.",
        )
        info = choices.get(current)
        if info is not None:
            _slice_menu(info)
            st.button(
                "Clear", key="clear_selection", icon=":material/close:", on_click=clear_selection,
                help="Show all samples. Named slices are kept.",
            )  # fmt: skip
    offer_undo("deleted_slice", "undo_slice", lambda slice_id: restore_slice(workspace(), slice_id))
    if info is None:
        return Scope("All samples", len(dataset), None)
    ids = _samples(str(workspace().root), current)
    known = ids[dataset.positions(ids) >= 0]
    return Scope(info.name or "Selection", len(known), known, current)


def named_scopes(study: StudyInfo, dataset: MultimodalDataset) -> list[Scope]:
    """All samples, the selection where there is one, and every named slice."""
    scopes = [Scope("All samples", len(dataset), None)]
    for info in _choices(study.id).values():
        with told():  # One slice that cannot be read leaves the others.
            ids = _samples(str(workspace().root), info.id)
            scopes.append(Scope(info.name or "Selection", len(ids), ids, info.id))
    return scopes


def selectable_chart(
    figure: Any,
    points: Points,
    key: str,
    origin: str,
    then: Callable[[list[str]], None] = lambda _: None,
) -> None:
    """A Plotly figure whose points, boxes and lassos become the selection of the whole app.

    The figure's `customdata` holds ids of `points`. An empty event selects nothing anew: Streamlit
    sends one whenever the figure changes. *Clear* in the bar is there to forget a selection.
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
        config={"displaylogo": False},
    )


def colour_column_picker(
    dataset: MultimodalDataset, contributions: Contributions, *, key: str = "colour_by"
) -> Colouring | None:
    """Ask by which column points are coloured: person, fold, class, error, any of the data set's.

    Returns nothing where the user wants one colour. What is known of the chosen run's samples is
    kept from rerun to rerun; other contributions' is listed anew.
    """
    run = current_run()
    if run is not None and contributions_of(run) is contributions:
        table, options = sample_table_of(run), colour_columns_of(run)
    else:
        table = sample_table(explained(contributions, dataset))
        options = colour_columns(table)
    if st.session_state.get(key) not in (None, *options):
        del st.session_state[key]  # Another study has other columns.
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


def pin_sample(sample_id: str | None) -> None:
    """Keep a sample to compare others against; None forgets it."""
    _pin(_PIN, sample_id)


def pinned_sample() -> str | None:
    """The sample that others are compared against, if one is pinned in this study."""
    return _kept(_PIN).get(_study() or "") or None


def pin_run(run_id: str | None) -> None:
    """Keep a run to compare others against; None forgets it."""
    _pin(_PIN_RUN, run_id)


def pinned_run() -> str | None:
    """The run that others are compared against, if one is pinned in this study."""
    return _kept(_PIN_RUN).get(_study() or "") or None


def run_pinned_beside(run: RunInfo) -> RunInfo | None:
    """The finished run that is pinned in this study, if it is another one."""
    pinned = pinned_run()
    runs = list_runs(workspace(), run.study_id) if pinned not in (None, run.id) else []
    return next((r for r in runs if r.id == pinned and r.status == "finished"), None)


def pin_run_button(run: RunInfo) -> None:
    """Keep a run, or let go of it, to see the next one beside it."""
    is_pinned = pinned_run() == run.id
    st.button(
        "Unpin run" if is_pinned else "Pin run", key="pin_run", icon=":material/keep:",
        on_click=pin_run, args=(None if is_pinned else run.id,),
        help="A pinned run's numbers stand beside those of each run that you choose after it: "
        "scores and shares on Overview, a sample's breakdown on Samples, run A on Compare.",
    )  # fmt: skip


def download_view(frame: pd.DataFrame, name: str) -> None:
    """A button that saves a table as CSV exactly as it is shown: the same rows, order, columns."""
    st.download_button(
        "CSV",
        data=lambda: frame.to_csv(index=not isinstance(frame.index, pd.RangeIndex)
                                  and frame.index.name is not None),
        file_name=f"{name}.csv",
        mime="text/csv",
        key=f"download_{name}",
        icon=":material/download:",
        on_click="ignore",
        help=f"These {len(frame):,} rows as a CSV file.",
    )  # fmt: skip


def _slice_menu(info: SliceInfo) -> None:
    """What can be done with the selection (keep it) or with a slice (rename, delete)."""
    title, icon = ("Slice", ":material/edit:") if info.name else ("Keep", ":material/bookmark:")
    with st.popover(title, icon=icon, key="slice_menu"), told():
        st.markdown(f"{info.count:,} samples, selected in {escaped(info.origin)}.")
        name = st.text_input("Name", value=info.name, key=f"slice_name_{info.id}", max_chars=80)
        if info.name:
            if st.button("Rename", key="rename_slice", disabled=name == info.name):
                rename_slice(workspace(), info.id, name)
                st.rerun()
            if st.button("Delete", key="delete_slice", icon=":material/delete:"):
                delete_slice(workspace(), info.id)
                st.session_state["deleted_slice"] = (info.id, info.name)
                _look_at(_EVERYTHING)
                st.rerun()
        elif st.button("Keep as slice", key="keep_slice", type="primary", disabled=not name):
            ids = _samples(str(workspace().root), info.id)
            kept = add_slice(workspace(), info.study_id, name, ids, origin=info.origin)
            _kept(_UNNAMED).pop(info.study_id, None)
            _look_at(kept)
            st.rerun()


def _choices(study_id: str) -> dict[str, SliceInfo]:
    """The unnamed selection, if there is one, then the named slices."""
    unnamed = find_slice(workspace(), study_id, _kept(_UNNAMED).get(study_id, _EVERYTHING))
    found = {unnamed.id: unnamed} if unnamed else {}
    return found | {info.id: info for info in list_slices(workspace(), study_id)}


def _study() -> str | None:
    study: str | None = st.session_state.get("study")
    return study


def _kept(key: str) -> dict[str, str]:
    """Study → what is remembered of it under a key."""
    kept: dict[str, str] = st.session_state.setdefault(f"{key}_of_study", {})
    return kept


def _look_at(slice_id: str) -> None:
    study = _study()
    if study is not None:
        _kept(_SLICE)[study] = slice_id
        _to_address(_SLICE)


def _pin(key: str, value: str | None) -> None:
    study = _study()
    if study is not None:
        _kept(key)[study] = value or _EVERYTHING
        _to_address(key)


def _to_address(key: str) -> None:
    value = _kept(key).get(_study() or "", _EVERYTHING)
    if value:
        st.query_params[key] = value
    elif key in st.query_params:
        del st.query_params[key]


@st.cache_resource(max_entries=32, show_spinner=False)
def _samples(root: str, slice_id: str) -> SampleIds:
    """A slice's samples never change: renaming leaves them, and a new selection is a new slice."""
    ids = slice_samples(workspace(), slice_id)
    ids.flags.writeable = False
    return ids
