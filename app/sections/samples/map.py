"""The tab *Map*: all samples by their contributions, linked to the selection of all pages."""

from __future__ import annotations

import streamlit as st

from app.loading import contributions_of, whole_gate_of
from app.loading_samples import good_terms_of, map_of
from app.sections.samples.card import show_card
from app.state.address import kept, write
from app.state.selection import Scope, current_slice
from app.widgets.downloads import download_view
from app.widgets.figures import colour_column_picker, selectable_chart
from app.widgets.messages import escaped, show_callback_error
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.plot.points import Points
from smurf_core.plot.sample_map import sample_map_figure
from smurf_core.reporting.explanations import explain
from smurf_core.reporting.sentences import nothing_to_explain
from smurf_core.reporting.shape_sentences import map_sentence, no_map
from smurf_core.runs.store import RunInfo
from smurf_core.runs.studies import StudyInfo

_COLOUR = "map_colour"


def show_map(study: StudyInfo, run: RunInfo, dataset: MultimodalDataset, scope: Scope) -> None:
    """The map with the open sample's card beside it; a click or a lasso selects samples."""
    show_callback_error()
    # The page has shown why, if there is nothing to explain.
    if nothing_to_explain(whole_gate_of(run)):
        st.info("There is no map of contributions that explain nothing.")
        return
    if reason := no_map(len(good_terms_of(run))):
        st.info(escaped(reason))
        return
    contributions, found = contributions_of(run), map_of(run)
    said, picker = st.columns([3, 1], vertical_alignment="center")
    said.markdown(escaped(map_sentence(found)), help=explain("map"))
    st.session_state.setdefault(_COLOUR, "target")
    with picker:
        colouring = colour_column_picker(dataset, contributions, key=_COLOUR)
    points = Points(
        found.positions[:, 0],
        found.positions[:, 1],
        contributions.sample_ids,
        colouring=colouring,
        in_scope=scope.mask(contributions.sample_ids),
    )
    sample = kept("sample", "sample") or ""

    def open_first(ids: list[str]) -> None:
        st.session_state["sample"] = ids[0]

    left, right = st.columns([3, 2])
    with left:
        selectable_chart(
            sample_map_figure(found, points, sample),
            points,
            key=f"map_{run.id}",
            origin="the map of Samples",
            then=open_first,
        )
        # The bar above shows what is selected: the whole page runs again.
        if current_slice(study.id) != scope.key:
            st.rerun()
        st.markdown(
            "Click a point to open and select its sample; draw a box or lasso to select several."
            f"{points.note()}"
        )
        download_view(found.loadings, "map_weights")
    with right:
        if sample in contributions.sample_ids:
            write("sample", sample)
            st.markdown(f"**Sample {escaped(sample)}**")
            show_card(sample, study, dataset, run)
        else:
            st.markdown("No sample is open: click a point.")
