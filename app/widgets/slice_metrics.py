"""Every metric for all samples, the selection and each slice, side by side."""

from __future__ import annotations

import streamlit as st

from app.widgets.downloads import download_view
from app.widgets.scope_bar import named_scopes
from smurf_core.evaluation.metrics import METRIC_TITLES
from smurf_core.evaluation.samples import subset_performance
from smurf_core.explained import Explained
from smurf_core.reporting.numbers import plain
from smurf_core.runs.studies import StudyInfo


def slice_metrics(study: StudyInfo, explained: Explained) -> None:
    """One row per slice: its number of samples, and every metric of their predictions."""
    scopes = named_scopes(study, explained.dataset)
    masks = {scope.label: scope.mask(explained.sample_ids) for scope in scopes}
    found = subset_performance(explained, masks)
    wide = found.set_index(["subset", "n", "metric"])["value"].unstack("metric")
    wide = wide[list(dict.fromkeys(found["metric"]))].loc[list(masks)].reset_index()
    wide.columns.name = None
    shown = wide.rename(columns={"subset": "Samples", **METRIC_TITLES})
    for title in METRIC_TITLES.values():
        if title in shown:
            shown[title] = [plain(value) for value in shown[title]]
    st.dataframe(shown, hide_index=True, width="stretch", key="slice_metrics")
    st.markdown(
        ":small[Out-of-fold predictions, pooled over folds; a dash where fewer than 3 samples, or "
        "no spread among them, leave a metric undefined. *n* counts samples with a prediction.]"
    )
    download_view(wide, "metrics_by_slice")
