"""Parts of the page *Missing modalities*: switches, Table 5, and the sensor-dropout curve."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from app.loading import (
    contributions_of,
    dropout_of,
    explained_of,
    gate_of,
    losses_of,
    missing_of,
    own_gate_of,
    subset_predictions_of,
)
from app.state.address import in_address, list_in_address
from app.state.selection import Scope, pinned_sample, select_samples
from app.widgets.downloads import download_view
from app.widgets.figures import FIGURE_CONFIG, selectable_chart
from app.widgets.messages import bullets, facts, numbers_first
from app.widgets.number_table import show_table
from app.widgets.page_head import answer
from app.widgets.selected_samples import open_in_samples
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import Task
from smurf_core.evaluation.gate import held_out_score
from smurf_core.evaluation.metrics import LOWER_IS_BETTER, METRIC_TITLES, METRICS, score
from smurf_core.evaluation.missing import sample_changes
from smurf_core.explained import Explained
from smurf_core.plot.bars import bars_with_spread
from smurf_core.plot.dropout import before_and_after, dropout_lines
from smurf_core.plot.losses import loss_bars
from smurf_core.plot.points import Points
from smurf_core.reporting.bundle import run_titles
from smurf_core.reporting.explanations import explain
from smurf_core.reporting.loss_sentences import loss_sentences
from smurf_core.reporting.numbers import mean_and_spread, plain
from smurf_core.runs.store import RunInfo
from smurf_core.terms import subset_name

# The scatter is drawn again at every switch: more points would slow it down.
MOST_POINTS = 3_000
LIGHT = 5_000  # up to so many samples, all are drawn
LISTED = 100  # the samples that change most
_STALE = "missing_selection_changed"
_OFF = "missing_off"  # Names of what is switched off, as the address has them.


def losses(run: RunInfo, scope: Scope) -> str | None:
    """The page's answer: what is lost without each modality; the one that is missed most.

    None where there is nothing to explain.
    """
    gate = gate_of(run, scope)
    if not gate.is_open:
        return None
    table = losses_of(run, scope)
    said = loss_sentences(table, gate)
    if said:
        answer(said[0])
    title = "Pearson's r" if gate.metric == "r" else METRIC_TITLES[gate.metric]
    st.plotly_chart(
        loss_bars(table, contributions_of(run).modalities, title=title, chance=gate.chance),
        key="losses",
        config=FIGURE_CONFIG,
        alt="The score without each modality, with 95% intervals of the change over persons",
    )
    bullets(said[1:])
    return str(table["modality"].iloc[0])


@st.fragment
def switches(run: RunInfo, scope: Scope, off: str | None) -> None:
    """One switch per modality: metrics, the chosen sample, scatter and table follow at once.

    `off` is the modality that is off when the page opens.
    """
    if st.session_state.pop(_STALE, False):
        st.rerun()  # The whole page: its samples have changed.
    contributions, predictions = contributions_of(run), subset_predictions_of(run)
    keys = {name: f"has_{name}_{run.study_id}" for name in contributions.modalities}
    _switched_off(keys, off)
    with st.container(horizontal=True, gap="large"):
        switched = tuple(name for name, key in keys.items() if st.toggle(name, key=key))
        reconstructed = st.toggle(
            "Linear reconstruction", value=True, key="reconstructed", help=explain("reconstruction")
        )
    if not switched:
        st.info("At least one modality is needed: switch one on.")
        return
    mask = scope.mask(contributions.sample_ids)
    if not mask.any():
        st.info("None of these samples was tested in a fold: show others.")
        return
    remaining = predictions.of(switched, reconstructed=reconstructed)
    explained = explained_of(run)
    truth = explained.target
    task: Task = "classification" if contributions.is_classification else "regression"
    shown = explained.select(mask)
    first = "balanced_accuracy" if contributions.is_classification else "r"

    def value(metric: str, prediction: np.ndarray) -> str:
        if metric == first:  # As on all pages: r within folds.
            return plain(held_out_score(shown, prediction[mask]))
        return plain(score(task, metric, truth[mask], prediction[mask]))

    if own_gate_of(run, scope).has_enough:  # Of eleven samples, r may be 0.97 by chance.
        facts(
            {
                METRIC_TITLES[metric]: f"{value(metric, remaining)} "
                f"(all {value(metric, predictions.full)})"
                for metric in dict.fromkeys([first, *METRICS[task]])
            }
        )
    output = _output(run, contributions)
    chosen = _chosen_sample(contributions, predictions.full, remaining, truth, output)
    numbers_first()
    left, right = st.columns(2)
    rows = np.flatnonzero(mask)
    points = Points(
        predictions.full[rows, output].astype(float),
        remaining[rows, output].astype(float),
        contributions.sample_ids[rows],
        most=len(rows) if len(rows) <= LIGHT else MOST_POINTS,
    )
    with left:
        selectable_chart(
            before_and_after(
                points,
                title=contributions.outputs[output],
                available=subset_name(switched),
                chosen=None if chosen is None else str(contributions.sample_ids[chosen]),
            ),
            points,
            key="missing_scatter",
            origin="Missing modalities",
            then=_choose,
        )
        st.markdown(
            "On the line, nothing changes. Metrics are for all samples shown, pooled over folds "
            "(r: within folds). The other modalities' contributions remain; a linear model, fitted "
            "only on training samples, brings them to the scale of the whole prediction."
            + points.note()
        )
    with right:
        if len(switched) == len(contributions.modalities):
            st.info(
                "All modalities are switched on. Switch one off to see which samples suffer most."
            )
        else:
            _who_suffers(shown, remaining[mask])


def _output(run: RunInfo, contributions: Contributions) -> int:
    if not contributions.is_classification:
        return 0
    key, outputs = f"missing_class_{run.id}", contributions.outputs
    in_address("class", key, outputs, outputs[0])
    return outputs.index(st.selectbox("Class", outputs, key=key, width=260))


def _switched_off(keys: Mapping[str, str], off: str | None) -> None:
    """Keep in the address which modalities are off; `keys` are those of their switches."""
    default = [off] if off else []
    shown = all(key in st.session_state for key in keys.values())
    if shown:
        st.session_state[_OFF] = [name for name, key in keys.items() if not st.session_state[key]]
    else:
        st.session_state.pop(_OFF, None)
    list_in_address("off", _OFF, list(keys), default)
    for name, key in keys.items():
        st.session_state[key] = name not in st.session_state[_OFF]


def _chosen_sample(
    contributions: Contributions,
    full: np.ndarray,
    remaining: np.ndarray,
    truth: np.ndarray,
    output: int,
) -> int | None:
    """Show the prediction of the open or pinned sample; return its position."""
    wanted = st.session_state.get("sample") or pinned_sample()
    found = np.flatnonzero(contributions.sample_ids == (wanted or ""))
    if len(found) == 0:
        return None
    row = int(found[0])
    name = contributions.outputs[output]
    is_class = contributions.is_classification
    target = contributions.outputs[int(truth[row])] if is_class else plain(float(truth[row]))
    facts(
        {
            "Chosen sample": str(wanted),
            f"Logit of {name}" if is_class else "Prediction": (
                f"{plain(float(remaining[row, output]))} (all {plain(float(full[row, output]))})"
            ),
            "True class" if is_class else f"True {name}": target,
        }
    )
    return row


def _who_suffers(explained: Explained, remaining: np.ndarray) -> None:
    table = sample_changes(explained, remaining)
    shown = table.head(LISTED).reset_index(drop=True)
    is_class = explained.contributions.is_classification

    def take() -> None:
        rows = st.session_state["suffering"]["selection"]["rows"]
        if rows:
            select_samples(shown["sample_id"].iloc[rows].tolist(), "Missing modalities")
            st.session_state["sample"] = str(shown["sample_id"].iloc[rows[0]])
            st.session_state[_STALE] = True

    number = st.column_config.NumberColumn
    st.markdown(f"**Most changed samples** ({len(shown)} of {len(table):,})")
    show_table(
        shown,
        height=360,
        on_select=take,
        selection_mode="multi-row",
        key="suffering",
        column_config={
            "sample_id": "Sample",
            "target": "Truth" if is_class else number("Truth", format="%.3f"),
            "full": "All" if is_class else number("All", format="%.3f"),
            "remaining": "Rest" if is_class else number("Rest", format="%.3f"),
            "change": number(
                "Change",
                format="%+.3f",
                help="Change of the true class's probability." if is_class
                else "In the target's unit.",
            ),
            "worse": number(
                "Worse by", format="%+.3f",
                help="How much the true class's probability fell." if is_class
                else "How much the absolute error grew.",
            ),
        },
    )  # fmt: skip
    with st.container(horizontal=True):
        open_in_samples("suffering", shown["sample_id"], key="open_suffering")
        download_view(table.reset_index(drop=True), "changed_samples")


def _choose(ids: list[str]) -> None:
    if len(ids) == 1:
        st.session_state["sample"] = ids[0]
    st.session_state[_STALE] = True


def table_5(run: RunInfo, finished: list[RunInfo], metric: str, scope: Scope) -> None:
    """Every subset of modalities, of every finished run, side by side."""
    title = METRIC_TITLES[metric] + (" (lower is better)" if metric in LOWER_IS_BETTER else "")
    table = missing_of(run, scope)
    mine = table[table["metric"] == metric]
    tested = int(scope.mask(contributions_of(run).sample_ids).sum())
    st.plotly_chart(
        bars_with_spread(
            mine, name="available", title=title, reference=float(mine["full"].iloc[0])
        ),
        key="missing_bars",
        config=FIGURE_CONFIG,
    )
    st.markdown(
        f"The run in the sidebar, with linear reconstruction, {tested:,} tested samples: mean "
        f"± sd over {mine['folds'].max()} test folds; dashed line: all modalities.",
        help=explain("reconstruction", "mean_and_sd"),
    )
    labels = run_titles(finished)
    key = f"missing_runs_{run.study_id}_{run.target}"
    list_in_address("runs", key, list(labels), list(labels)[:4])
    chosen = st.multiselect("Compare with", list(labels), format_func=labels.__getitem__, key=key)
    others = [other for other in finished if other.id in chosen]
    if not others:
        return
    parts = [missing_of(other, scope).assign(run=labels[other.id]) for other in others]
    long = pd.concat(parts, ignore_index=True)
    long = long[long["metric"] == metric]
    wide = long.assign(text=list(map(mean_and_spread, long["mean"], long["sd"]))).pivot_table(
        index="available", columns="run", values="text", sort=False, aggfunc="first"
    )
    wide = wide.rename_axis(index=None, columns=None).reset_index(names="Available")
    st.dataframe(wide, hide_index=True, width="stretch", key="missing_table")
    download_view(long.reset_index(drop=True), "missing_modalities")


def dropout(run: RunInfo, contributions: Contributions, metric: str, scope: Scope) -> None:
    """The metric against the share of samples that miss a modality."""
    reconstructed = st.toggle(
        "With linear reconstruction", value=True, key="dropout_reconstructed",
        help=explain("reconstruction"),
    )  # fmt: skip
    curve = dropout_of(run, metric, scope, reconstructed=reconstructed)
    if curve["mean"].isna().any():
        st.info(
            f"{METRIC_TITLES[metric]} is not defined for these samples in some fold: show more."
        )
        return
    st.plotly_chart(
        dropout_lines(
            curve,
            contributions.modalities,
            METRIC_TITLES[metric] + (" (lower is better)" if metric in LOWER_IS_BETTER else ""),
        ),
        key="dropout",
        config=FIGURE_CONFIG,
    )
    st.markdown(
        f"One modality is missing for a random share of the samples, {curve['draws'].max()} draws "
        "per point: mean over folds, averaged over draws, with a band that covers 95% of them. The "
        "failure is simulated; the predictions come from the run.",
        help=explain("dropout"),
    )
    with st.expander("Numbers"):
        st.dataframe(curve, hide_index=True, width="stretch", key="dropout_table")
        download_view(curve, "sensor_dropout")
