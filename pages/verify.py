"""Synthetic data: the true factors against what was learned."""

import streamlit as st

from app.charts.heatmaps import factor_table, signed_heatmap
from app.charts.theme import term_label
from app.components.messages import facts, finished_run, told
from app.loading import contributions_of, dataset_of
from app.navigation import page_path
from app.session import current_study
from smurf_core.configuration import MODEL_TITLES, has_redundant_heads
from smurf_core.evaluation.verification import factor_matrix, recovery

study = current_study()
st.title("Verify")
with told():
    dataset = dataset_of(study.id)
    if not dataset.factors:
        st.info(
            "Only synthetic data has true factors to compare with. Make a synthetic study, train "
            "on it, and see whether a model finds what is there."
        )
        st.page_link(page_path("study"), label="Make synthetic data", icon=":material/science:")
        st.stop()
    run = finished_run()
    contributions = contributions_of(run)
    if not has_redundant_heads(run.config.model):
        st.info(f"{MODEL_TITLES[run.config.model]} does not factorise: choose a SMURF run.")
        st.stop()
    found = recovery(contributions, dataset)
    known = found[found["factor"] != "0"]
    facts(
        {
            "Mean recovery (r)": f"{known['r'].mean():.3f}",
            "Lowest": f"{known['r'].min():.3f}",
            # The paper's are of factors without noise, persons or features that follow them.
            **(
                {"Paper, bimodal and trimodal": "0.964 and 0.922"}
                if dataset.origin == "synthetic"
                else {}
            ),
        }
    )
    st.markdown(
        f"This data is {dataset.origin}. Each learned contribution should correlate with its true "
        "factor (r near 1) and with no other. A pair with both signs reversed shows as r near −1: "
        "the sign-flipped basin, which predictions do not reveal."
    )
    output = contributions.outputs[0]
    if contributions.is_classification:
        output = st.selectbox("Class", contributions.outputs, key=f"verify_class_{run.id}")
    st.plotly_chart(
        signed_heatmap(factor_table(factor_matrix(contributions, dataset), output), title="r"),
        key="factors",
        config={"displaylogo": False},
    )
    here = found[found["output"] == output]
    st.dataframe(
        here.assign(
            contribution=[
                term_label(i, j) for i, j in zip(here["modality"], here["shared_with"], strict=True)
            ]
        )[["contribution", "factor", "r", "sd", "factor_sd"]],
        hide_index=True,
        width="stretch",
        column_config={
            "contribution": "Contribution",
            "factor": "True factor",
            "r": st.column_config.NumberColumn("r", format="%.3f"),
            "sd": st.column_config.NumberColumn("Standard deviation", format="%.3f"),
            "factor_sd": st.column_config.NumberColumn("True factor's", format="%.3f"),
        },
    )
