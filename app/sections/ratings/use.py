"""Ratings become the study's judgments, and leave as tidy files."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from app.state.callbacks import callback
from app.state.navigation import page_path
from app.state.session import why_not, workspace
from app.widgets.messages import escaped, show_errors
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.ratings.catalogue import collection_info
from smurf_core.ratings.export import export_ratings
from smurf_core.ratings.store import Collection
from smurf_core.ratings.use import (
    collected,
    stop_using,
    update_used,
    use_ratings,
    used_collection,
    used_stamp,
)
from smurf_core.reporting.bundle import zipped
from smurf_core.runs.studies import StudyInfo

_REFRESH = 5.0  # seconds


def use_tab(study: StudyInfo, dataset: MultimodalDataset, collection: Collection) -> None:
    """What would be used, the button that uses it, and the export."""
    with show_errors():
        st.markdown(escaped(collected(collection, dataset).sentence))
        with st.container(horizontal=True, vertical_alignment="center", key="using"):
            st.button(
                "Use as the study's judgments", type="primary", key=f"use_{collection.id}",
                on_click=callback(use_ratings), args=(workspace(), collection),
            )  # fmt: skip
            if used_stamp(workspace(), study.id) is not None:
                st.button(
                    "Stop using ratings", key=f"stop_{study.id}", on_click=callback(stop_using),
                    args=(workspace(), study.id),
                )  # fmt: skip
                st.page_link(
                    page_path("judgments"), label="Human judgments", icon=":material/groups:"
                )
    format = st.segmented_control(
        "Format", ["csv", "parquet"], default="csv", key=f"format_{collection.id}", required=True
    )
    name = f"ratings-{collection.id}"
    st.download_button(
        "Export (ZIP)", lambda: _archive(collection, format, name), f"{name}.zip",
        "application/zip", key=f"export_{collection.id}", icon=":material/download:",
        on_click="ignore",
        help="Ratings, agreement, raters without names, acts, codebook, design and an R script.",
    )  # fmt: skip


def follow_ratings(study: StudyInfo) -> None:
    """On a page that shows judgments: take the ratings that come in while it is open."""
    if why_not("editor", study.id) or (found := used_collection(workspace(), study.id)) is None:
        return

    def follow() -> None:
        with show_errors():
            if update_used(workspace(), study.id):
                st.rerun()
            info = collection_info(found)
            who = "simulated raters" if info.is_simulated else "raters"
            st.markdown(
                f":small[These judgments follow the ratings that come in: {info.answers:,} of "
                f"{info.items:,} by {info.raters:,} {who}.]"
            )

    is_live = found.is_open and not found.is_simulated
    st.fragment(follow, run_every=_REFRESH if is_live else None)()


def _archive(collection: Collection, format: str, name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        files = export_ratings(collection, Path(folder) / name, format)
        return zipped({path.name: path.read_bytes() for path in files}, name)
