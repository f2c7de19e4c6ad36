"""Synthetic data: the true factors against the learned contributions."""

from __future__ import annotations

import streamlit as st

from app.loading import explained_of
from app.state.address import in_address
from app.state.selection import Scope
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG
from app.widgets.gate_notice import has_enough
from app.widgets.messages import facts
from app.widgets.number_table import show_table
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.evaluation.verification import factor_matrix, recovery
from smurf_core.plot.heatmaps import factor_table, signed_heatmap
from smurf_core.reporting.explanations import explain
from smurf_core.reporting.numbers import plain, term_label
from smurf_core.runs.store import RunInfo


def true_factors(run: RunInfo, dataset: MultimodalDataset, scope: Scope) -> None:
    """Each true factor against each learned contribution, as a matrix and in numbers."""
    if not has_enough(run, scope):
        return
    explained = scope.apply(explained_of(run))
    contributions, found = explained.contributions, recovery(explained)
    known = found[found["factor"] != "0"]
    facts(
        {
            "Mean recovery (r)": plain(known["r"].mean()),
            "Lowest": plain(known["r"].min()),
            "Samples": f"{len(contributions):,}",
            # The paper's data has no noise, no persons, and no features that follow single factors.
            **(
                {"Paper, bimodal and trimodal": "0.964 and 0.922"}
                if dataset.origin == "synthetic"
                else {}
            ),
        }
    )
    st.markdown(
        f"This data is {dataset.origin}. Rows: what each modality really says alone or shares. "
        "Each learned contribution should correlate with its own row (r near 1) and with no other. "
        "r near −1: it was learned with reversed signs, which no prediction shows.",
        help=explain("recovery"),
    )
    output = contributions.outputs[0]
    if contributions.is_classification:
        key = f"verify_class_{run.id}"
        in_address("class", key, contributions.outputs, output)
        output = st.selectbox("Class", contributions.outputs, key=key, width=260)
    st.plotly_chart(
        signed_heatmap(factor_table(factor_matrix(explained), output), title="r"),
        key="factors",
        config=FIGURE_CONFIG,
    )
    here = found[found["output"] == output]
    table = here.assign(contribution=list(map(term_label, here["modality"], here["shared_with"])))[
        ["contribution", "factor", "r", "sd", "factor_sd"]
    ].reset_index(drop=True)
    with st.expander("Numbers"):
        show_table(
            table.assign(r=table["r"].map(plain)),
            key="recovery_table",
            column_config={
                "contribution": "Contribution",
                "factor": st.column_config.TextColumn(
                    "True factor", help="0: this contribution has no true factor."
                ),
                "r": st.column_config.TextColumn("r", help=explain("recovery")),
                "sd": st.column_config.NumberColumn(
                    "Standard deviation", format="%.3f", help=explain("sd")
                ),
                "factor_sd": st.column_config.NumberColumn(
                    "True factor's", format="%.3f", help="Standard deviation of the true factor."
                ),
            },
        )
        download_view(table, "recovery")
