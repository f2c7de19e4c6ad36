"""Models beside each other, with tests that respect persons and folds (Table 2)."""

import streamlit as st

from app.charts.bars import bars_with_spread
from app.charts.theme import mean_and_spread, plain
from app.components.messages import told
from app.loading import comparison_of
from app.navigation import page_path
from app.session import current_study, run_label, workspace
from smurf_core.evaluation.metrics import LOWER_IS_BETTER, METRIC_TITLES
from smurf_core.runs.store import list_runs

study = current_study()
st.title("Compare")
finished = [run for run in list_runs(workspace(), study.id) if run.status == "finished"]
if len(finished) < 2:
    st.info("Two finished runs of this study are needed, for example SMURF and late fusion.")
    st.page_link(page_path("train"), label="Train a model", icon=":material/model_training:")
    st.stop()
with told():
    by_id = {run.id: run for run in finished}
    labels = {run.id: f"{run_label(run)} · {run.id[:4]}" for run in finished}
    chosen = st.multiselect(
        "Runs", list(by_id), default=list(by_id)[:6], format_func=labels.__getitem__,
        key=f"compared_{study.id}",
    )  # fmt: skip
    if len(chosen) < 2:
        st.info("Choose two runs or more.")
        st.stop()
    smurf = [run_id for run_id in chosen if by_id[run_id].config.model == "smurf"]
    reference = st.selectbox(
        "Against", chosen, index=chosen.index(smurf[0]) if smurf else 0,
        format_func=labels.__getitem__, key=f"reference_{study.id}_{'-'.join(chosen)}",
    )  # fmt: skip
    with st.spinner("Testing…"):
        table = comparison_of([by_id[run_id] for run_id in chosen], reference)
    metric = st.selectbox(
        "Metric", list(dict.fromkeys(table["metric"])), format_func=METRIC_TITLES.__getitem__,
        key=f"compare_metric_{study.task}",
    )  # fmt: skip
    shown = table[table["metric"] == metric].assign(run=lambda t: t["model"].map(labels))
    st.plotly_chart(
        bars_with_spread(
            shown,
            name="run",
            title=METRIC_TITLES[metric]
            + (" (lower is better)" if metric in LOWER_IS_BETTER else ""),
        ),
        key="compare_bars",
        config={"displaylogo": False},
    )
    numbers = ("difference", "ci_low", "ci_high", "p_person", "p_resampled", "effect_size")
    st.dataframe(
        shown.assign(
            result=list(map(mean_and_spread, shown["mean"], shown["sd"])),
            **{column: shown[column].map(plain) for column in numbers},
        )[["run", "result", "mark", *numbers]],
        hide_index=True,
        width="stretch",
        column_config={
            "run": "Run",
            "result": METRIC_TITLES[metric],
            "mark": st.column_config.TextColumn("", width=40, help="↑ better, ↓ worse (p < 0.05)"),
            "difference": "Difference",
            "ci_low": "from",
            "ci_high": "to",
            "p_person": st.column_config.TextColumn(
                "p, persons",
                help="Paired permutation test: predictions are swapped for whole persons.",
            ),
            "p_resampled": st.column_config.TextColumn(
                "p, folds", help="Corrected resampled t-test (Nadeau and Bengio, 2003) over folds."
            ),
            "effect_size": st.column_config.TextColumn(
                "d", help="Fold-wise difference over its standard deviation."
            ),
        },
    )
    first = table.iloc[0]
    st.markdown(
        f"{first['n']:,} samples of {first['persons']:,} "
        f"{'persons' if first['persons'] < first['n'] else 'samples, taken as independent'}. "
        "Bars are means over test folds, with their standard deviation."
    )
    st.download_button(
        "Download table", table.to_csv(index=False), "comparison.csv", "text/csv",
        key="download_compare", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
