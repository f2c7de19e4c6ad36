"""What is left of the predictions when modalities are missing (Table 5)."""

import streamlit as st

from app.charts.bars import bars_with_spread
from app.charts.scatter import scatter_with_line
from app.components.messages import facts, finished_run, told
from app.loading import contributions_of, dataset_of, missing_of, result_of
from app.session import current_study
from smurf_core.contributions import subset_name
from smurf_core.evaluation.metrics import LOWER_IS_BETTER, METRIC_TITLES, METRICS, score
from smurf_core.evaluation.missing import subset_predictions

study = current_study()
st.title("Missing modalities")
run = finished_run()
with told():
    dataset, contributions, result = dataset_of(study.id), contributions_of(run), result_of(run)
    st.markdown(
        "Switch modalities off. What is left are the remaining modalities' contributions, unique "
        "and redundant; a linear model, fitted on training samples alone, puts them on the scale "
        "of the whole prediction (section 4.4 of the paper)."
    )
    with st.container(horizontal=True):
        switched = [
            name
            for name in contributions.modalities
            if st.toggle(name, value=True, key=f"has_{name}_{study.id}")
        ]
    if not switched:
        st.info("At least one modality must be there: switch one on.")
        st.stop()
    recovered = subset_predictions(result).of(tuple(switched))
    truth = dataset.target[dataset.positions(contributions.sample_ids)]
    full = contributions.prediction()
    facts(
        {
            METRIC_TITLES[metric]: f"{score(result.task, metric, truth, recovered):.3f} "
            f"(all {score(result.task, metric, truth, full):.3f})"
            for metric in METRICS[result.task]
        }
    )
    output = 0
    if contributions.is_classification:
        output = st.selectbox(
            "Class", range(len(contributions.outputs)), key=f"missing_class_{run.id}",
            format_func=contributions.outputs.__getitem__,
        )  # fmt: skip
    left, right = st.columns(2)
    with left:
        st.subheader("Every sample")
        st.plotly_chart(
            scatter_with_line(
                full[:, output].astype(float),
                recovered[:, output].astype(float),
                contributions.sample_ids,
                x_title="With all modalities",
                y_title=f"With {subset_name(tuple(switched))}",
                diagonal=True,
            ),
            key="missing_scatter",
            config={"displaylogo": False},
        )
    with right:
        st.subheader("Every subset")
        metric = st.selectbox(
            "Metric", list(METRICS[result.task]), format_func=METRIC_TITLES.__getitem__,
            key=f"missing_metric_{result.task}",
        )  # fmt: skip
        table = missing_of(run)
        shown = table[table["metric"] == metric]
        st.plotly_chart(
            bars_with_spread(
                shown,
                name="available",
                title=METRIC_TITLES[metric]
                + (" (lower is better)" if metric in LOWER_IS_BETTER else ""),
                reference=float(shown["full"].iloc[0]),
            ),
            key="missing_bars",
            config={"displaylogo": False},
        )
        st.markdown("Mean ± sd over test folds; the dashed line is what all modalities reach.")
    st.download_button(
        "Download table", table.to_csv(index=False), "missing_modalities.csv", "text/csv",
        key="download_missing", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
