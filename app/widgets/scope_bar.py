"""One bar: which samples a page shows, and actions on the selection."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from app.loading import samples_of
from app.state.selection import (
    EVERYTHING,
    Scope,
    clear_selection,
    current_slice,
    forget_unnamed,
    known_slices,
    look_at,
)
from app.state.session import why_not, workspace
from app.widgets.messages import escaped, offer_undo, show_errors
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.runs.slices import SliceInfo, add_slice, delete_slice, rename_slice, restore_slice
from smurf_core.runs.studies import StudyInfo


def scope_picker(study: StudyInfo, dataset: MultimodalDataset) -> Scope:
    """Ask which samples the page shows: all, the selection, or a slice.

    The picker shows how many samples each choice has. A selection can be kept as a slice; a slice
    can be renamed or deleted (with undo).
    """
    everything = Scope.everything(len(dataset))
    choices = known_slices(study.id)
    labels = {EVERYTHING: f"{everything.label} · {everything.n:,}"} | {
        key: f"{info.name or 'Selection'} · {_count(info, study, dataset):,}"
        for key, info in choices.items()
    }
    current = current_slice(study.id)
    current = current if current in labels else EVERYTHING
    key = f"scope_{study.id}"
    st.session_state[key] = current
    with st.container(horizontal=True, vertical_alignment="bottom", key="scope_bar"):
        st.selectbox(
            "Samples shown",
            list(labels),
            key=key,
            format_func=labels.__getitem__,
            on_change=lambda: look_at(st.session_state[key]),
            label_visibility="collapsed",
            help="Every number, table and figure on this page is for these samples. Select samples "
            "in any figure or table; keep a selection as a slice to use it again later.",
        )
        info = choices.get(current)
        if info is not None:
            _slice_menu(info)
            st.button(
                "Clear", key="clear_selection", icon=":material/close:", on_click=clear_selection,
                args=(current,),
                help="Show all samples. Named slices are kept.",
            )  # fmt: skip
    offer_undo("deleted_slice", "undo_slice", lambda slice_id: restore_slice(workspace(), slice_id))
    if info is None:
        return everything
    ids = samples_of(workspace(), current)
    known = ids[dataset.positions(ids) >= 0]
    if not len(known):
        st.info(
            f"None of these {info.count:,} samples has the target {escaped(study.target_name)}: "
            "all samples are shown.",
            icon=":material/filter_alt_off:",
        )
        return everything
    return Scope(info.name or "Selection", len(known), known, current)


def _count(info: SliceInfo, study: StudyInfo, dataset: MultimodalDataset) -> int:
    """How many of a slice's samples the data set has: some may lack a further target."""
    if len(dataset) < study.samples:
        with suppress(InputError):  # A slice that cannot be read does not affect the others.
            return int((dataset.positions(samples_of(workspace(), info.id)) >= 0).sum())
    return info.count


def named_scopes(study: StudyInfo, dataset: MultimodalDataset) -> list[Scope]:
    """All samples, the selection if there is one, and every named slice."""
    scopes = [Scope.everything(len(dataset))]
    for info in known_slices(study.id).values():
        with show_errors():  # A slice that cannot be read does not affect the others.
            ids = samples_of(workspace(), info.id)
            scopes.append(Scope(info.name or "Selection", len(ids), ids, info.id))
    return scopes


def _slice_menu(info: SliceInfo) -> None:
    """Actions on the selection (keep it) or on a slice (rename, delete)."""
    title, icon = ("Slice", ":material/edit:") if info.name else ("Keep", ":material/bookmark:")
    with st.popover(title, icon=icon, key="slice_menu"), show_errors():
        st.markdown(f"{info.count:,} samples, selected in {escaped(info.origin)}.")
        forbidden = why_not("editor", info.study_id)
        name = st.text_input("Name", value=info.name, key=f"slice_name_{info.id}", max_chars=80)
        if info.name:
            # Each key names the slice: a click never means another one.
            if st.button(
                "Rename", key=f"rename_slice_{info.id}", help=forbidden,
                disabled=name == info.name or bool(forbidden),
            ):  # fmt: skip
                rename_slice(workspace(), info.id, name)
                st.rerun()
            if st.button(
                "Delete", key=f"delete_slice_{info.id}", icon=":material/delete:", help=forbidden,
                disabled=bool(forbidden),
            ):  # fmt: skip
                delete_slice(workspace(), info.id)
                st.session_state["deleted_slice"] = (info.id, info.name)
                look_at(EVERYTHING)
                st.rerun()
        elif st.button(
            "Keep as slice", key=f"keep_slice_{info.id}", type="primary", help=forbidden,
            disabled=not name or bool(forbidden),
        ):  # fmt: skip
            ids = samples_of(workspace(), info.id)
            kept = add_slice(workspace(), info.study_id, name, ids, origin=info.origin)
            forget_unnamed(info.study_id)
            look_at(kept)
            st.rerun()
