"""Which collection of a study is shown, and what it has."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.state.session import moment, workspace
from app.widgets.page_head import answer
from smurf_core.ratings.catalogue import (
    CollectionInfo,
    collection_info,
    list_collections,
    open_collection,
)
from smurf_core.ratings.store import Collection

NEXT = "next_collection"


def choose_collection(study_id: str) -> Collection | None:
    """The chosen collection, the newest if none was chosen; None if there is none."""
    known = list_collections(workspace(), study_id)
    if not known:
        return None
    key = f"collection_{study_id}"
    if (wanted := st.session_state.pop(NEXT, None)) in [info.id for info in known]:
        st.session_state[key] = wanted
    labels = {info.id: _label(info) for info in known}
    if len(known) == 1:
        return open_collection(workspace(), study_id, known[0].id)
    chosen = st.selectbox(
        "Collection", list(labels), format_func=labels.__getitem__, key=key, width=460,
        persist_state="session",
    )  # fmt: skip
    return open_collection(workspace(), study_id, chosen)


def what_is_there(collection: Collection | None) -> None:
    """What has been collected, in one sentence."""
    if collection is None:
        answer("No ratings are collected in this study yet.")
        return
    info = collection_info(collection)
    who = "simulated raters" if info.is_simulated else "raters"
    state = "" if info.is_open else " The collection is closed."
    answer(f"{info.answers:,} of {info.items:,} ratings by {info.raters} {who}.{state}")


def progress_bar(text: str) -> Callable[[int, int], None]:
    """A bar for what takes a while: called with what is done and all; the last call removes it."""
    bar = st.progress(0.0, text)

    def step(done: int, total: int) -> None:
        if done >= total:
            bar.empty()
        else:
            bar.progress(done / total, f"{text}: {done:,} of {total:,}")

    return step


def _label(info: CollectionInfo) -> str:
    made = " (simulated raters)" if info.is_simulated else ""
    return f"{info.title} · {moment(info.created)}{made}"
