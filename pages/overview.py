"""Who contributes how much to the predictions of a run."""

import streamlit as st

from app.charts.contributions import variance_bars
from app.charts.theme import mean_and_spread, plain, term_label
from app.components.messages import escaped, facts, finished_run, told
from app.loading import contributions_of, performance_of, shares_of, stability_of
from app.navigation import page_path
from app.session import current_study
from app.words import overview_sentences
from smurf_core.configuration import MODEL_TITLES, has_redundant_heads
from smurf_core.evaluation.metrics import METRIC_TITLES
from smurf_core.evaluation.redundancy import ALL_OUTPUTS

study = current_study()
st.title("Overview")
run = finished_run()
with told():
    contributions = contributions_of(run)
    st.markdown(
        f"**{escaped(study.name)}** · {MODEL_TITLES[run.config.model]} · "
        f"{len(contributions):,} samples, each explained by a model that did not see it."
    )
    if study.origin != "recorded":
        st.info(f"This data is {study.origin}.")
    facts(
        {
            METRIC_TITLES[row["metric"]]: mean_and_spread(row["mean"], row["sd"])
            for row in performance_of(run).to_dict("records")
        }
    )

    st.subheader("What carries the prediction")
    shares = shares_of(run)
    outputs = list(dict.fromkeys(shares["output"]))
    output = outputs[0]
    if len(outputs) > 1:
        output = st.selectbox(
            "Class",
            outputs,
            key=f"overview_class_{run.id}",
            format_func=lambda name: "All classes" if name == ALL_OUTPUTS else name,
        )
    shown = shares[(shares["output"] == output)]
    if not has_redundant_heads(run.config.model):
        shown = shown[shown["kind"] == "unique"]
    agreement = stability_of(run)
    if not has_redundant_heads(run.config.model):
        agreement = agreement[agreement["kind"] == "unique"]
    for sentence in overview_sentences(shown, agreement):
        st.markdown(f"- {escaped(sentence)}")
    st.plotly_chart(
        variance_bars(shown, contributions.modalities),
        key="shares",
        config={"displaylogo": False},
    )
    st.markdown(
        "Each part is the covariance of a contribution with the prediction over the prediction's "
        "variance; all parts add up to one. A part below zero works against the others. Plain: "
        "what a modality says alone. Hatched: what it says together with another one."
    )
    shown = shown.merge(
        agreement[["order", "modality", "shared_with", "verdict", "restart_r", "fold_r"]],
        on=["order", "modality", "shared_with"],
    )
    table = shown.assign(
        restart_r=shown["restart_r"].map(plain),
        fold_r=shown["fold_r"].map(plain),
        contribution=[
            term_label(i, j) for i, j in zip(shown["modality"], shown["shared_with"], strict=True)
        ],
    )[["contribution", "kind", "share", "own_share", "sd", "verdict", "restart_r", "fold_r"]]
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config={
            "contribution": "Contribution",
            "kind": "Kind",
            "share": st.column_config.NumberColumn("Share of variance", format="percent"),
            "own_share": st.column_config.NumberColumn(
                "Own variance",
                format="percent",
                help="Over the prediction's; without covariances, these do not add up to one.",
            ),
            "sd": st.column_config.NumberColumn("Standard deviation", format="%.3f"),
            "verdict": st.column_config.TextColumn(
                "Verdict",
                help="Stable: restarts and folds agree, median r of 0.8 or more. Too small to "
                "tell: below 1% of the prediction's variance.",
            ),
            "restart_r": st.column_config.TextColumn(
                "r, restarts", help="Median over pairs of restarts, on test samples."
            ),
            "fold_r": st.column_config.TextColumn(
                "r, folds", help="Median over pairs of folds' models, on all samples."
            ),
        },
    )
    st.download_button(
        "Download table", table.to_csv(index=False), "variance_shares.csv", "text/csv",
        key="download_shares", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
    st.page_link(page_path("samples"), label="Look at single samples", icon=":material/search:")
