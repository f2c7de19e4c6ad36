"""The tab *Features* of *Overview*: how a feature moves what its modality contributes."""

from __future__ import annotations

import streamlit as st

from app.loading import contributions_of, verdicts_of
from app.loading_overview import feature_rises_of, shapes_of
from app.state.address import in_address
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG
from app.widgets.gate_notice import has_findings
from app.widgets.messages import bullets, escaped, show_errors
from smurf_core.evaluation.verdicts import GOOD, verdict_of
from smurf_core.plot.shapes import shape_curves
from smurf_core.plot.theme import modality_colours
from smurf_core.reporting.explanations import explain
from smurf_core.reporting.shape_sentences import moved_sentence, shape_sentence
from smurf_core.runs.store import RunInfo
from smurf_core.shapes import shape_table


def feature_shapes(run: RunInfo) -> None:
    """Ask for a modality, a feature and a class; a curve for each contribution that is good."""
    if not has_findings(run):
        return
    contributions = contributions_of(run)
    left, middle, right = st.columns([3, 3, 2], vertical_alignment="bottom")
    key, modalities = f"shapes_of_{run.id}", list(contributions.modalities)
    in_address("modality", key, modalities, modalities[0])
    chosen = left.segmented_control("Modality", modalities, required=True, key=key)
    modality, output = chosen or modalities[0], 0
    if contributions.is_classification:
        key, outputs = f"shapes_class_{run.id}", contributions.outputs
        in_address("feature_class", key, outputs, outputs[0])
        output = outputs.index(right.selectbox("Class", outputs, key=key))
    with show_errors():
        rises = feature_rises_of(run, modality, output)
        if rises.empty:
            st.info(f"No feature of {escaped(modality)} varies: there is no curve.")
            return
        key, features = f"shape_feature_{run.id}_{modality}_{output}", list(rises["feature"])
        in_address("feature", key, features, features[0])
        feature = middle.selectbox("Feature, by how far it moves a contribution", features, key=key)
        found = shapes_of(run, modality, feature, output)
        table = verdicts_of(run)
        verdicts = [verdict_of(table, shape.term) for shape in found]
        bullets(map(shape_sentence, found, verdicts))
        good = tuple(s for s, verdict in zip(found, verdicts, strict=True) if verdict in GOOD)
        if not good:
            return
        name = contributions.outputs[output]
        unit = f"Logit of {name}" if contributions.is_classification else f"Contribution to {name}"
        st.plotly_chart(
            shape_curves(good, unit, colour=modality_colours(contributions.modalities)[modality]),
            key="shapes",
            config=FIGURE_CONFIG,
            alt="How the feature moves each contribution of its modality whose verdict is good",
        )
        st.markdown(escaped(moved_sentence(good)), help=explain("shape"))
        download_view(shape_table(good), "shapes")
