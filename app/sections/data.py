"""The parts of the page Data, one function each."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.state.address import in_address
from app.widgets.figures import FIGURE_CONFIG
from app.widgets.messages import escaped
from app.widgets.number_table import show_table
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.description import NEAR_DUPLICATE, OUTLIER_DEVIATIONS, Description
from smurf_core.plot.data import (
    component_heatmap,
    feature_scales,
    target_distribution,
    value_distribution,
)

_NUMBER = st.column_config.NumberColumn
_OUTLIERS = (
    f"Share of values more than {OUTLIER_DEVIATIONS:g} robust standard deviations (1.4826 × median "
    "absolute deviation) from the feature's median. Empty if most values are equal."
)
_SD = "Standard deviation over the samples that have the modality, in the feature's own unit."


def modalities(described: Description) -> None:
    """How many features and samples each modality has, and which samples lack which modality."""
    st.subheader("Modalities")
    show_table(
        described.modalities,
        key="modality_table",
        column_config={
            "modality": "Modality",
            "features": _NUMBER("Features", format="localized"),
            "samples": _NUMBER("Samples with it", format="localized"),
            "share": _NUMBER("Share", format="percent"),
            "constant": _NUMBER("Constant", help="Features with only one value."),
            "near_duplicates": _NUMBER(
                "Near-duplicates",
                help=f"Features whose |Pearson's r| with another of the modality is above "
                f"{NEAR_DUPLICATE:g}.",
            ),
            "outliers": _NUMBER("Outliers", format="percent", help=_OUTLIERS),
            "smallest_sd": _NUMBER("Smallest sd", format="%.3g", help=_SD),
            "largest_sd": _NUMBER("Largest sd", format="%.3g", help=_SD),
        },
    )
    if (described.absences["lacks"] != "").any():
        st.markdown("**Which samples lack which modality**")
        shown = described.absences.replace({"lacks": {"": "nothing"}})
        show_table(
            shown,
            key="absence_table",
            column_config={
                "lacks": "Lacks",
                "samples": _NUMBER("Samples", format="localized"),
                "share": _NUMBER("Share", format="percent"),
                "examples": "Examples",
            },
        )


def target_and_folds(dataset: MultimodalDataset, described: Description) -> None:
    """The target's distribution; persons and folds."""
    left, right = st.columns(2)
    with left:
        st.subheader(f"Target: {escaped(dataset.target_name)}")
        st.altair_chart(target_distribution(dataset), key="target")
    with right:
        st.subheader("Persons and folds")
        if dataset.persons is None:
            st.markdown("No column identifies persons: a person's samples may be in several folds.")
        else:
            sizes = described.persons["samples"]
            each = (
                f"{sizes.min():,} to {sizes.max():,} samples each (median {sizes.median():g})"
                if sizes.min() < sizes.max()
                else f"{sizes.min():,} samples each"
            )
            st.markdown(f"{len(sizes):,} persons with {each}.")
            st.dataframe(
                described.persons,
                hide_index=True,
                width="stretch",
                height=180,
                key="person_table",
                column_config=_TARGET_COLUMNS,
            )
        if dataset.folds is None:
            by_person = ", so that no person is in two" if dataset.persons is not None else ""
            by_class = " with all classes in each" if dataset.task == "classification" else ""
            st.markdown(f"The files define no folds. Training makes five{by_class}{by_person}.")
        else:
            shares = [c for c in described.folds.columns if c.startswith("share of ")]
            show_table(
                described.folds,
                key="fold_table",
                column_config={
                    **_TARGET_COLUMNS,
                    **{
                        name: _NUMBER(title, width=width)
                        for name, (title, width) in _FOLD_COLUMNS.items()
                    },
                    "target_mean": _NUMBER("Mean", width=62, format="%.3g"),
                    "target_sd": _NUMBER("sd", width=58, format="%.3g"),
                    **{c: _NUMBER(c.capitalize(), format="percent") for c in shares},
                },
            )


# Titles and widths in pixels: with mean and sd, they fit half of a page of 1,280 pixels.
_FOLD_COLUMNS = {
    "fold": ("Fold", 50), "training": ("Train", 52), "validation": ("Valid.", 54),
    "test": ("Test", 50), "persons_tested": ("Persons", 68),
}  # fmt: skip
_TARGET_COLUMNS: dict[str, Any] = {
    "person": "Person",
    "samples": "Samples",
    "most_frequent": "Most frequent class",
    "target_mean": _NUMBER("Target, mean", format="%.3g"),
    "target_sd": _NUMBER("Target, sd", format="%.3g"),
}


def features(dataset: MultimodalDataset, described: Description, key: str) -> None:
    """Scales of all features; one modality's features, and the distribution of the chosen one."""
    st.subheader("Features")
    st.altair_chart(feature_scales(described.features, dataset.modalities), key="scales")
    st.markdown(
        "One tick per feature. Unequal scales do no harm if training standardises features; a "
        "feature far from the others may be in another unit."
    )
    picker = f"features_of_{key}"
    in_address("modality", picker, dataset.modalities, dataset.modalities[0])
    modality = st.selectbox("Modality", dataset.modalities, key=picker)
    own = described.features[described.features["modality"] == modality]
    own = own.drop(columns="modality").reset_index(drop=True)
    left, right = st.columns([3, 2])
    with left:
        chosen = show_table(
            own,
            height=290,
            on_select="rerun",
            selection_mode="single-row",
            key=f"feature_table_{modality}_{key}",
            column_config={
                "feature": "Feature",
                "outliers": _NUMBER("Outliers", format="percent", help=_OUTLIERS),
                "sd": _NUMBER("sd", format="%.3g", help=_SD),
                **{
                    name: _NUMBER(name.capitalize(), format="%.3g")
                    for name in ("mean", "minimum", "median", "maximum")
                },
            },
        )
    rows = chosen["selection"]["rows"]
    position = rows[0] if rows and rows[0] < len(own) else 0
    with right:
        held = dataset.features[modality]
        st.altair_chart(
            value_distribution(held.values[:, position], held.names[position]),
            key="feature_distribution",
        )
        st.markdown(":small[Choose a row to see its distribution.]")
    doubles = described.near_duplicates
    if len(doubles):
        with st.expander(f"Near-duplicate features ({len(doubles):,} pairs)"):
            show_table(
                doubles,
                key="doubles",
                column_config={
                    "modality": "Modality",
                    "feature": "Feature",
                    "double": "Duplicate",
                    "r": _NUMBER("Pearson's r", format="%.4f"),
                },
            )


def between_modalities(described: Description) -> None:
    """Correlations of the first principal components: what modalities share before any training."""
    st.subheader("Between modalities")
    components = described.components
    if components["r"].notna().any():
        st.plotly_chart(component_heatmap(components), key="components", config=FIGURE_CONFIG)
    st.markdown(
        "Pearson's r between the first principal components of standardised features, over the "
        "samples that have both modalities. A component's sign is arbitrary. Strong correlations "
        "make redundancy possible; weak ones do not rule it out."
    )
    if described.sampled < int(described.absences["samples"].sum()):
        st.markdown(
            f":small[Components, near-duplicates, medians and outliers are computed from "
            f"{described.sampled:,} evenly spaced samples.]"
        )


def files(provenance: dict[str, Any]) -> None:
    """The files that a study was imported from, and how they matched."""
    sources = provenance.get("sources", [])
    if not sources:
        return
    with st.expander("Source files"):
        show_table(
            pd.DataFrame(sources)[["name", "reader", "bytes", "sha256"]],
            key="sources",
            column_config={
                "name": "File",
                "reader": "Read as",
                "bytes": _NUMBER("Bytes", format="localized"),
                "sha256": "SHA-256",
            },
        )
        if provenance.get("joins"):
            st.dataframe(
                pd.DataFrame(provenance["joins"]),
                hide_index=True,
                width="stretch",
                key="joins",
                column_config={
                    "table": "Table",
                    "rows": "Rows",
                    "matched": "Match a sample",
                    "absent": "Samples without a row",
                    "extra": "Rows without a sample",
                },
            )
