"""What pairs of modalities share, and what the losses left."""

import streamlit as st

from app.charts.heatmaps import pair_matrix, share_matrix, signed_heatmap
from app.charts.scatter import scatter_with_line
from app.charts.theme import modality_colours
from app.components.messages import finished_run, told
from app.loading import contributions_of, pairs_of, shares_of
from smurf_core.configuration import MODEL_TITLES, has_redundant_heads

st.title("Redundancy")
run = finished_run()
with told():
    if not has_redundant_heads(run.config.model):
        st.info(
            f"{MODEL_TITLES[run.config.model]} has one contribution a modality and separates no "
            "redundancy: choose a SMURF run in the sidebar."
        )
        st.stop()
    contributions = contributions_of(run)
    pairs, shares = pairs_of(run), shares_of(run)
    output = contributions.outputs[0]
    if contributions.is_classification:
        output = st.selectbox("Class", contributions.outputs, key=f"redundancy_class_{run.id}")
    here = pairs[pairs["output"] == output]
    left, right = st.columns(2)
    with left:
        st.subheader("Do both sides agree?")
        st.plotly_chart(
            signed_heatmap(pair_matrix(here, contributions.modalities, "r"), title="r"),
            key="pair_r",
            config={"displaylogo": False},
        )
        st.markdown(
            "Pearson's r between ŷ_IJ and ŷ_JI: what I derives of what it shares with J, and the "
            "reverse. L_cor asks for 1; near 0, the pair shares nothing that the model could use."
        )
    with right:
        st.subheader("How much is it?")
        st.plotly_chart(
            signed_heatmap(
                share_matrix(shares[shares["output"] == output], contributions.modalities),
                title="share",
                percent=True,
                limit=max(0.05, float(shares["share"].abs().max())),
            ),
            key="share_matrix",
            config={"displaylogo": False},
        )
        st.markdown(
            "Shares of the prediction's variance: row I, column J is what I says and shares with "
            "J; the diagonal is what a modality says alone."
        )
    st.subheader("A pair, sample by sample")
    names = [f"{row['modality']} and {row['shared_with']}" for row in here.to_dict("records")]
    chosen = st.selectbox("Pair", range(len(names)), format_func=names.__getitem__, key="pair")
    row = here.to_dict("records")[chosen]
    one, other = row["modality"], row["shared_with"]
    c = contributions.outputs.index(output)
    st.plotly_chart(
        scatter_with_line(
            contributions.redundant(one, other)[:, c].astype(float),
            contributions.redundant(other, one)[:, c].astype(float),
            contributions.sample_ids,
            x_title=f"{one}, shared with {other}",
            y_title=f"{other}, shared with {one}",
            colour=modality_colours(contributions.modalities)[one],
            diagonal=True,
        ),
        key="pair_scatter",
        config={"displaylogo": False},
    )
    st.markdown("On the line, both modalities say exactly the same.")
    st.subheader("What L_uncor left")
    st.dataframe(
        here[["modality", "shared_with", "r", "covariance", "share", "left_first", "left_second"]],
        hide_index=True,
        width="stretch",
        column_config={
            "modality": "Modality",
            "shared_with": "Shared with",
            "r": st.column_config.NumberColumn("r of both sides", format="%.3f"),
            "covariance": st.column_config.NumberColumn("Covariance", format="%.3f"),
            "share": st.column_config.NumberColumn("Share of variance", format="percent"),
            "left_first": st.column_config.NumberColumn(
                "Unique with redundant, first", format="%.3f",
                help="Pearson's r between the first modality's unique contribution and its "
                "redundant one. L_uncor asks for 0.",
            ),
            "left_second": st.column_config.NumberColumn(
                "Unique with redundant, second", format="%.3f",
                help="The same for the second modality.",
            ),
        },
    )  # fmt: skip
