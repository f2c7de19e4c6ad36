"""Every sample's prediction, and the contributions that it consists of (Table 6)."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from app.loading import (
    contributions_of,
    dataset_of,
    explained_of,
    sample_table_of,
    verdicts_of,
)
from app.sections.samples.browser import FINDING_NOTES, browse, filtered
from app.sections.samples.detail import show_sample
from app.state.session import current_study
from app.widgets.gate_notice import has_findings
from app.widgets.messages import finished_run, show_errors
from app.widgets.scope_bar import scope_picker
from app.widgets.slice_metrics import slice_metrics
from smurf_core.evaluation.typical import Finding, typical_samples
from smurf_core.evaluation.verdicts import good_terms

LISTS: dict[Finding | Literal["all"], str] = {
    "all": "All",
    "unique": "Large unique",
    "redundant": "Large redundant",
    "unexpected": "Unexpected redundant",
}

study = current_study()
st.title("Samples")
run = finished_run()
with show_errors():
    dataset, contributions = dataset_of(study), contributions_of(run)
    scope = scope_picker(study, dataset)
    finding: Finding | Literal["all"] = "all"
    is_open = has_findings(run, scope, by_sample=True)
    if is_open:
        finding = st.segmented_control(
            "Samples", list(LISTS), default="all", format_func=LISTS.__getitem__,
            key="samples_list", required=True,
        )  # fmt: skip
    table = sample_table_of(run)
    table = table if scope.is_all else table[scope.mask(contributions.sample_ids)]
    if finding == "all":
        table, origin = filtered(table, dataset), "a filter of Samples"
    else:
        st.markdown(FINDING_NOTES[finding])
        good = good_terms(verdicts_of(run), contributions)
        found = typical_samples(scope.apply(explained_of(run)), finding, count=50, terms=good)
        found = found.rename(columns={"prediction": "output prediction"})
        if len(found):
            found = found.dropna(axis=1, how="all")
        table = found.merge(table[["sample_id", "target", "outlying"]], on="sample_id", how="left")
        origin = f"the list “{LISTS[finding]}” of Samples"
    if table.empty and finding != "all":
        st.info("No sample stands out by a contribution whose verdict is good: see *Overview*.")
    elif table.empty:
        st.info("No samples match: shorten the search, widen the filters, or show all samples.")
    else:
        sample = browse(table, dataset, origin)
        st.session_state["sample"] = sample
        st.query_params["sample"] = sample
        show_sample(sample, study, dataset, run, is_open=is_open)
    st.subheader("Metrics")
    if st.toggle("All samples, the selection and each slice", key="by_slice"):
        slice_metrics(study, explained_of(run))
