"""Parts of the page *Compare*: Table 2, two runs side by side, learning curves, the λ sweep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from app.loading import (
    chosen_curves_of,
    comparison_of,
    contributions_of,
    differences_of,
    explained_of,
    side_by_side_of,
    tried_by,
)
from app.state.address import in_address, list_in_address
from app.state.selection import Scope, pinned_run, select_samples
from app.state.session import current_run, workspace
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG, colour_column_picker, selectable_chart
from app.widgets.messages import bullets, escaped
from app.widgets.number_table import show_table
from app.widgets.page_head import answer
from app.widgets.selected_samples import open_in_samples
from smurf_core.data.dataset import MultimodalDataset, Task
from smurf_core.evaluation.comparison import marks_by_chance
from smurf_core.evaluation.metrics import LOWER_IS_BETTER, METRIC_TITLES, METRICS
from smurf_core.evaluation.samples import subset_performance
from smurf_core.evaluation.two_runs import configuration_differences, weight_sweep
from smurf_core.fold_label import fold_label
from smurf_core.model_kinds import REFERENCE_MODEL
from smurf_core.plot.bars import bars_with_spread
from smurf_core.plot.comparison import curves_by_fold, trade_off
from smurf_core.plot.points import Points
from smurf_core.plot.scatter import coloured_scatter
from smurf_core.plot.share_bars import alone_first, paired_shares
from smurf_core.reporting.comparison_sentences import (
    explanations_agree,
    what_factorising_costs,
    who_predicts_better,
)
from smurf_core.reporting.explanations import explain
from smurf_core.reporting.numbers import mean_and_spread, p_text, percent, plain, signed, term_label
from smurf_core.runs.store import RunInfo, curves

LISTED = 200  # samples with the largest differences


@dataclass(frozen=True)
class Compared:
    """Runs that are compared with one of them, by all metrics."""

    runs: dict[str, RunInfo]  # by id
    reference: str
    table: pd.DataFrame  # `compare_models`; models are run ids


def chosen_runs(
    finished: list[RunInfo], titles: dict[str, str], scope: Scope, task: Task
) -> tuple[Compared | None, str]:
    """Ask which runs to compare with which one, by which metric, and compare them."""
    which = f"{finished[0].study_id}_{finished[0].target}"
    by_id = {run.id: run for run in finished}
    key = f"compared_{which}"
    list_in_address("runs", key, list(by_id), list(by_id)[:6])
    chosen = st.multiselect("Runs", list(by_id), format_func=titles.__getitem__, key=key)
    left, right = st.columns(2)
    if chosen:
        key = f"reference_{which}_{'-'.join(chosen)}"
        smurf = [run_id for run_id in chosen if by_id[run_id].config.model == REFERENCE_MODEL]
        in_address("with", key, chosen, (smurf or chosen)[0])
        reference = left.selectbox("Compare with", chosen, format_func=titles.__getitem__, key=key)
    key, metrics = f"compare_metric_{task}", list(METRICS[task])
    in_address("metric", key, metrics, metrics[0])
    metric = right.selectbox("Metric", metrics, format_func=METRIC_TITLES.__getitem__, key=key)
    if len(chosen) < 2:
        st.info("Choose at least two runs.")
        return None, metric
    runs = {run_id: by_id[run_id] for run_id in chosen}
    with st.spinner("Testing…"):
        return Compared(
            runs, reference, comparison_of(list(runs.values()), reference, scope)
        ), metric


def conclusions(
    compared: Compared,
    titles: dict[str, str],
    pair: tuple[RunInfo, RunInfo],
    task: Task,
    scope: Scope,
) -> None:
    """The page's answer in three sentences, about the task's main metric and runs A and B."""
    rows = compared.table[compared.table["metric"] == next(iter(METRICS[task]))]
    kinds = {run_id: run.config.model for run_id, run in compared.runs.items()}
    answer(who_predicts_better(rows, titles, compared.reference))
    first, second = pair
    agreement = explanations_agree(
        side_by_side_of(first, second, scope), first.config.model, second.config.model
    )
    bullets(
        [
            what_factorising_costs(rows, kinds, titles, compared.reference),
            f"A is {titles[first.id]}, B is {titles[second.id]}. {agreement}",
        ]
    )


def table_2(compared: Compared, titles: dict[str, str], metric: str) -> None:
    """Every run compared with one of them, with tests that respect persons and folds."""
    table = compared.table
    shown = table[table["metric"] == metric].assign(run=lambda t: t["model"].map(titles))
    numbers = ("difference", "p_person", "p_person_holm", "p_resampled", "effect_size")
    text = st.column_config.TextColumn
    st.dataframe(
        shown.assign(
            result=list(map(mean_and_spread, shown["mean"], shown["sd"])),
            mark=shown["mark_holm"].where(shown["mark_holm"] != "", shown["mark"]),
            interval=[
                "–" if np.isnan(low) else f"[{plain(low)}, {plain(high)}]"
                for low, high in zip(shown["ci_low"], shown["ci_high"], strict=True)
            ],
            **{
                column: shown[column].map(p_text if column.startswith("p_") else signed)
                for column in numbers
            },
        )[["run", "result", "mark", "difference", "interval", *numbers[1:]]],
        hide_index=True,
        width="stretch",
        key="compare_table",
        column_config={
            "run": "Run",
            "result": text(METRIC_TITLES[metric], help=explain(metric, "mean_and_sd")),
            "mark": text("", width=40, help=explain("mark")),
            "difference": text("Difference", help=explain("difference")),
            "interval": text("95% interval", help=explain("difference_interval")),
            "p_person": text("p, persons", help=explain("p_person")),
            "p_person_holm": text("p, persons (Holm)", help=explain("p_holm")),
            "p_resampled": text("p, folds", help=explain("p_resampled")),
            "effect_size": text("d", help=explain("effect_size")),
        },
    )
    first = table.iloc[0]
    tests, by_chance = marks_by_chance(shown)
    st.markdown(
        f"{first['n']:,} samples of {first['persons']:,} "
        f"{'persons' if first['persons'] < first['n'] else 'samples, taken as independent'}. "
        f"Mean ± standard deviation over {first['folds']} test folds."
        + (
            f" If no run differed, {plain(by_chance, 2)} of {tests} tests would be expected to "
            "have an arrow by chance; a double arrow remains after Holm's correction."
            if tests > 1
            else ""
        )
    )
    download_view(table.reset_index(drop=True), "comparison")


def score_bars(compared: Compared, titles: dict[str, str], metric: str) -> None:
    """Every run's mean over folds with its spread."""
    shown = compared.table[compared.table["metric"] == metric]
    st.plotly_chart(
        bars_with_spread(
            shown.assign(run=shown["model"].map(titles)),
            name="run",
            title=METRIC_TITLES[metric]
            + (" (lower is better)" if metric in LOWER_IS_BETTER else ""),
        ),
        key="compare_bars",
        config=FIGURE_CONFIG,
    )


def two_of(finished: list[RunInfo], titles: dict[str, str]) -> tuple[RunInfo, RunInfo]:
    """Ask for two runs; the pinned one, or the one in the sidebar, comes first."""
    by_id = {run.id: run for run in finished}
    current = current_run()
    wanted = [pinned_run(), current.id if current else None, *by_id]
    order = list(dict.fromkeys(run_id for run_id in wanted if run_id in by_id))
    left, right = st.columns(2)
    which = f"{finished[0].study_id}_{finished[0].target}"
    with left:
        key = f"run_a_{which}"
        in_address("a", key, order, order[0])
        first = st.selectbox("Run A", order, format_func=titles.__getitem__, key=key)
    others = [run_id for run_id in order if run_id != first]
    with right:
        key = f"run_b_{which}_{first}"
        in_address("b", key, others, others[0])
        second = st.selectbox("Run B", others, format_func=titles.__getitem__, key=key)
    return by_id[first], by_id[second]


def side_by_side(first: RunInfo, second: RunInfo, dataset: MultimodalDataset, scope: Scope) -> None:
    """Differences in settings, how well both predict, and whether they explain samples alike."""
    left, right = st.columns(2)
    with left:
        st.markdown("**Differences in settings**")
        asked = configuration_differences(first.config, second.config)
        if asked.empty:
            st.markdown("Nothing: the two runs have the same settings.")
        else:
            st.dataframe(
                asked, hide_index=True, width="stretch", key="asked",
                column_config={"setting": "Setting", "first": "Run A", "second": "Run B"},
            )  # fmt: skip
    with right:
        st.markdown("**How well they predict**")
        scores = [
            subset_performance(found, {scope.label: scope.mask(found.sample_ids)})
            for found in (explained_of(first), explained_of(second))
        ]
        table = pd.DataFrame(
            {
                "Metric": scores[0]["metric"].map(dict(METRIC_TITLES)),
                "Run A": scores[0]["value"].map(plain),
                "Run B": scores[1]["value"].map(plain),
                "B − A": (scores[1]["value"] - scores[0]["value"]).map(signed),
                "n": scores[0]["n"],
            }
        )
        st.dataframe(table, hide_index=True, width="stretch", key="two_scores")
        st.markdown(":small[For the samples shown, pooled over folds.]")
    beside = side_by_side_of(first, second, scope)
    _only_in_one(first, second)
    st.markdown("**What carries their predictions**", help=explain("share", "term_agreement"))
    for sentence in beside.sentences:
        st.warning(escaped(sentence), icon=":material/block:")
    agreement = alone_first(beside.agreement)
    if agreement.empty:
        if not beside.sentences:
            st.info("Neither prediction varies among these samples: show more.")
        return
    st.plotly_chart(
        paired_shares(agreement, "Run A", "Run B"), key="two_shares", config=FIGURE_CONFIG
    )
    st.markdown("Pale: the verdict on this contribution is not good, so it is no finding.")
    with st.expander("Agreement of every contribution", expanded=True):
        st.dataframe(
            pd.DataFrame(
                {
                    "Contribution": list(
                        map(term_label, agreement["modality"], agreement["shared_with"])
                    ),
                    "r": agreement["r"].map(plain),
                    "Share, run A": agreement["first_share"].map(percent),
                    "Verdict, run A": agreement["first_verdict"],
                    "Share, run B": agreement["second_share"].map(percent),
                    "Verdict, run B": agreement["second_verdict"],
                    "n": agreement["n"],
                }
            ),
            hide_index=True,
            width="stretch",
            key="agreement_table",
            column_config={
                "r": st.column_config.TextColumn("r of A and B", help=explain("term_agreement"))
            },
        )
        download_view(agreement, "agreement_of_two_runs")


def _only_in_one(first: RunInfo, second: RunInfo) -> None:
    """Say which contributions only one of two runs has: they have nothing to be compared with."""
    one, other = contributions_of(first).terms, contributions_of(second).terms
    for name, mine, theirs in (("A", one, other), ("B", other, one)):
        alone = [term_label(*term.names[1:]) for term in mine if term not in theirs]
        if alone:
            st.markdown(f"Only in run {name}: {escaped('; '.join(alone))}.")


def sample_by_sample(
    first: RunInfo, second: RunInfo, dataset: MultimodalDataset, scope: Scope, task: Task
) -> None:
    """Where the two differ: a scatter with selectable points, and the largest differences."""
    table = differences_of(first, second)
    is_class = task == "classification"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        what = "Errors"
        if not is_class:
            kinds = ["Predictions", "Errors"]
            in_address("shown", "compare_shown", kinds, kinds[0])
            picked = st.segmented_control("Shown", kinds, key="compare_shown", required=True)
            what = picked or kinds[0]
        colouring = colour_column_picker(dataset, contributions_of(first), key="compare_colour")
    columns = ("first", "second") if what == "Predictions" else ("first_error", "second_error")
    title = (
        "1 − probability of the true class"
        if is_class
        else f"{dataset.target_name}, predicted"
        if what == "Predictions"
        else f"|error| of {dataset.target_name}"
    )
    # In the order of run A's contributions, as colours are.
    ordered = table.sort_index()
    ids = ordered["sample_id"].to_numpy(dtype=str)
    if colouring:
        known = np.isin(contributions_of(first).sample_ids, ids)
        colouring = colouring.pick(known)
    points = Points(
        ordered[columns[0]].to_numpy(dtype=float), ordered[columns[1]].to_numpy(dtype=float), ids,
        colouring=colouring, in_scope=scope.mask(ids),
    )  # fmt: skip
    selectable_chart(
        coloured_scatter(points, x_title=f"{title}, run A", y_title=f"{title}, run B"),
        points,
        key=f"compare_scatter_{what}",
        origin="Compare, two runs",
    )
    if points.note():
        st.markdown(points.note())
    listed = table[scope.mask(table["sample_id"].to_numpy(dtype=str))].reset_index(drop=True)
    shown = listed.head(LISTED)
    if shown.empty:
        st.info("None of the selected samples is explained by both runs.")
        return
    st.markdown(f"**Largest differences** ({len(shown):,} of {len(listed):,})")

    def take() -> None:
        rows = st.session_state["differences"]["selection"]["rows"]
        if rows:
            select_samples(shown["sample_id"].iloc[rows].tolist(), "Compare, largest differences")

    number = st.column_config.NumberColumn
    words = {"target": "Truth", "first": "Run A", "second": "Run B"}
    show_table(
        shown,
        height=320,
        on_select=take,
        selection_mode="multi-row",
        key="differences",
        column_config={
            "sample_id": "Sample",
            **{
                name: label if is_class else number(label, format="%.3f")
                for name, label in words.items()
            },
            "first_error": number("Error, A", format="%.3f"),
            "second_error": number("Error, B", format="%.3f"),
            "difference": number(
                "B − A", format="%+.3f",
                help="Difference of the true class's probability." if is_class
                else "Difference of the predictions.",
            ),
            "gain": number("Gain", format="%+.3f", help="How much smaller run B's error is."),
        },
    )  # fmt: skip
    with st.container(horizontal=True):
        open_in_samples("differences", shown["sample_id"], key="open_difference")
        download_view(listed, "differences_of_two_runs")


def _search_curves(run: RunInfo) -> pd.DataFrame:
    found = curves(workspace(), run.id)
    return found.assign(fold=fold_label(found["fold"].to_numpy()))


def learning_curves(runs: list[RunInfo], titles: dict[str, str]) -> None:
    """Learning curves of the folds' chosen models, or of the search, side by side."""
    kinds = ["Chosen models", "Search"]
    in_address("curves", "curves_of", kinds, kinds[0])
    what = st.segmented_control("Of", kinds, key="curves_of", required=True)
    tables = [
        chosen_curves_of(run) if what == "Chosen models" else _search_curves(run) for run in runs
    ]
    # The first epochs are far above all others and would flatten the rest.
    late = pd.concat([table[table["epoch"] > table["epoch"].max() * 0.02] for table in tables])
    values = late[["training_objective", "validation_objective"]].to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    domain = (float(values.min()), float(np.quantile(values, 0.995))) if len(values) else None
    for place, run, table in zip(st.columns(len(runs)), runs, tables, strict=True):
        with place:
            st.markdown(f"**{escaped(titles[run.id])}**")
            if table.empty and run.config.kind.is_solved:
                st.info("Solved, not trained: there is no learning curve.")
            elif table.empty:
                st.info("This run reported no curve: it ended before its first report.")
            else:
                st.altair_chart(curves_by_fold(table, domain), key=f"curves_{run.id}_{what}")
    st.markdown(
        "One line per fold; dashed lines are training. The best epoch's weights are kept."
        if what == "Chosen models"
        else "What the run reported while training: the best member of each stack at that time; "
        "dashed lines are training.",
        help=explain("objective"),
    )


def sweep(finished: list[RunInfo], titles: dict[str, str], task: Task) -> None:
    """How prediction and factorisation trade off over λ, from all configurations tried."""
    able = {run.id: run for run in finished if run.config.kind.has_auxiliary_loss}
    if not able:
        st.info("No finished run has a factorisation weight (λ): train SMURF.")
        return
    key = f"swept_{finished[0].study_id}_{finished[0].target}"
    list_in_address("swept", key, list(able), list(able)[:3])
    chosen = st.multiselect("Runs", list(able), format_func=titles.__getitem__, key=key)
    candidates = {titles[run_id]: tried_by(able[run_id]) for run_id in chosen}
    candidates = {name: table for name, table in candidates.items() if len(table)}
    if not candidates:
        st.info("Choose a run with a finite validation result.")
        return
    sweeps = {name: weight_sweep(table) for name, table in candidates.items()}
    metric = METRIC_TITLES[next(iter(METRICS[task]))]
    st.plotly_chart(trade_off(candidates, sweeps, metric), key="trade_off", config=FIGURE_CONFIG)
    few = all(len(table) == 1 for table in sweeps.values())
    st.markdown(
        "Up and to the left is better. Faint points: every configuration of every fold. Line: for "
        "each λ the configuration that predicts best in each fold, mean ± sd over folds. These are "
        "chosen on the same validation samples and are therefore slightly optimistic."
        + (" Only one λ was tried: train with several values to see a curve." if few else ""),
        help=explain("auxiliary_weight", "factorisation_loss"),
    )
    with st.expander("Numbers"):
        table = pd.concat([t.assign(run=name) for name, t in sweeps.items()], ignore_index=True)
        table = table[["run", *(c for c in table.columns if c != "run")]]
        st.dataframe(table, hide_index=True, width="stretch", key="sweep_table")
        download_view(table, "lambda_sweep")
