"""The selection: one for all pages, kept when the page is switched or refreshed.

A selection is always stored in the workspace, under a name as a slice or without one, and its id
is part of the address (`slice=`): a link, a refresh or a new connection restores it. The
pinned sample and the pinned run are kept in the same way (`pin=`, `pin_run=`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from app.state.address import leads, linked, write
from app.state.callbacks import callback
from app.state.session import comparable_runs, workspace
from smurf_core.runs.slices import SliceInfo, find_slice, list_slices, remember_selection
from smurf_core.runs.store import RunInfo, get_run
from smurf_core.runs.studies import get_study
from smurf_core.sample_choice import Selectable

SampleIds = npt.NDArray[np.str_]
Part = TypeVar("Part", bound=Selectable)
# Names of query parameters; in session state each has one value per study.
_SLICE, _PIN, _PIN_RUN = "slice", "pin", "pin_run"
# A study's last unnamed selection, to which the picker goes back from "All samples".
_UNNAMED = "unnamed_slice"
_SHOWN = "shown_study"  # the study of the page on which a click was made
EVERYTHING = ""  # in place of a slice's id


@dataclass(frozen=True)
class Scope:
    """The samples that a page shows: all, the selection, or a slice."""

    label: str
    n: int
    sample_ids: SampleIds | None  # None: all samples
    key: str = EVERYTHING  # the slice's id; what is computed for a scope is cached by it

    @classmethod
    def everything(cls, n: int) -> Scope:
        """All `n` samples of a study."""
        return cls("All samples", n, None)

    @property
    def is_all(self) -> bool:
        """True if no sample is left out."""
        return self.sample_ids is None

    def mask(self, sample_ids: SampleIds) -> npt.NDArray[np.bool_]:
        """True for each of these samples in the scope, [n]."""
        if self.sample_ids is None:
            return np.ones(len(sample_ids), dtype=np.bool_)
        return np.asarray(pd.Index(sample_ids).isin(self.sample_ids))

    def apply(self, whole: Part) -> Part:
        """Restrict contributions, a run's result or predictions to the scope's samples."""
        return whole if self.sample_ids is None else whole.select(self.sample_ids)


def settle_selection() -> None:
    """Restore the selection from the address or session; the entry point calls it in every run."""
    study: str | None = st.session_state.get("study")
    if study is None:
        return
    st.session_state[_SHOWN] = study
    for key in (_SLICE, _PIN, _PIN_RUN):
        # The address is read when a session starts and where it leads; otherwise it follows.
        if leads(key) or (f"{key}_of_study" not in st.session_state and linked(key)):
            _kept(key)[study] = linked(key) or EVERYTHING
        _kept(key).setdefault(study, EVERYTHING)
    if kept_slice := _kept(_SLICE)[study]:
        found = find_slice(workspace(), study, kept_slice)
        if found is None:  # An old link, or a slice that was deleted.
            _kept(_SLICE)[study] = EVERYTHING
            st.warning(
                "The selection that was shown here, or that the link leads to, was deleted: all "
                "samples are shown.",
                icon=":material/link_off:",
            )
        elif not found.name:
            _kept(_UNNAMED)[study] = found.id
    for key in (_SLICE, _PIN, _PIN_RUN):
        _to_address(key)


@callback
def select_samples(sample_ids: Sequence[str] | SampleIds, origin: str) -> None:
    """Select these samples in all views; `origin` describes where the selection was made."""
    study = _study()
    if study is None:
        return
    if len(sample_ids) == 0:
        clear_selection(current_slice(study))
        return
    slice_id = remember_selection(workspace(), study, sample_ids, origin=origin)
    _kept(_UNNAMED)[study] = slice_id
    look_at(slice_id)


def clear_selection(slice_id: str) -> None:
    """Show all samples again in place of this slice, if it is shown. Named slices are kept."""
    study = _study()
    if study is not None and _kept(_SLICE).get(study) == slice_id:
        forget_unnamed(study)
        look_at(EVERYTHING)


def look_at(slice_id: str) -> None:
    """Show a slice on all pages from now on, or `EVERYTHING`."""
    study = _study()
    if study is not None:
        _kept(_SLICE)[study] = slice_id
        _to_address(_SLICE)


def current_slice(study_id: str) -> str:
    """The id of the slice that a study's pages show, or `EVERYTHING`."""
    return _kept(_SLICE).get(study_id, EVERYTHING)


def known_slices(study_id: str) -> dict[str, SliceInfo]:
    """The unnamed selection, if there is one, then the named slices, by their ids."""
    unnamed = find_slice(workspace(), study_id, _kept(_UNNAMED).get(study_id, EVERYTHING))
    found = {unnamed.id: unnamed} if unnamed else {}
    return found | {info.id: info for info in list_slices(workspace(), study_id)}


def forget_unnamed(study_id: str) -> None:
    """Forget a study's unnamed selection, for example because it has a name now."""
    _kept(_UNNAMED).pop(study_id, None)


@callback
def pin_sample(sample_id: str | None) -> None:
    """Pin a sample of the shown study to compare others with; None unpins it."""
    if sample_id is not None:
        get_study(workspace(), _study() or "")
    _pin(_PIN, sample_id)


def pinned_sample() -> str | None:
    """The sample that others are compared with, if one is pinned in this study."""
    return _kept(_PIN).get(_study() or "") or None


@callback
def pin_run(run_id: str | None) -> None:
    """Pin a run to compare others with; None unpins it. Of a deleted one, nothing is pinned."""
    if run_id is not None:
        get_run(workspace(), run_id)
    _pin(_PIN_RUN, run_id)


def pinned_run() -> str | None:
    """The run that others are compared with, if one is pinned in this study."""
    return _kept(_PIN_RUN).get(_study() or "") or None


def run_pinned_beside(run: RunInfo) -> RunInfo | None:
    """The finished run that is pinned in this study, if it is another one of the same target."""
    pinned = pinned_run()
    runs = comparable_runs(run) if pinned not in (None, run.id) else []
    return next((other for other in runs if other.id == pinned), None)


def _study() -> str | None:
    """The study that the page shows: a click may come with another choice in the sidebar."""
    study: str | None = st.session_state.get(_SHOWN)
    return study


def _kept(key: str) -> dict[str, str]:
    """Study → the value that is stored for it under a key."""
    kept: dict[str, str] = st.session_state.setdefault(f"{key}_of_study", {})
    return kept


def _pin(key: str, value: str | None) -> None:
    study = _study()
    if study is not None:
        _kept(key)[study] = value or EVERYTHING
        _to_address(key)


def _to_address(key: str) -> None:
    write(key, _kept(key).get(_study() or "", EVERYTHING) or None)
