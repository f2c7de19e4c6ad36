"""A study's runs as a table, and actions on the chosen ones."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pandas as pd
import streamlit as st

from app.loading import performance_of
from app.sections.train.live_run import resume
from app.state.navigation import page_path
from app.state.session import (
    RUN,
    current_study,
    known_targets,
    moment,
    select_run,
    select_target,
    unselect,
    why_not,
    workspace,
)
from app.widgets.broken import broken_entries
from app.widgets.messages import escaped, offer_undo, show_errors
from app.widgets.status import status_badge
from smurf_core.errors import InputError
from smurf_core.evaluation.metrics import METRIC_TITLES, METRICS
from smurf_core.reporting.explanations import explain
from smurf_core.reporting.numbers import mean_and_spread
from smurf_core.runs import store
from smurf_core.runs.entries import BrokenEntry
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import RunInfo

# Runs × samples whose results are read for the table: takes about a second.
_BUDGET = 100_000


def run_table() -> None:
    """All runs of the study, newest first; the newest is chosen by default."""
    study = current_study()
    runs = store.list_runs(workspace(), study.id)
    targets = known_targets(study.id)
    has_targets = len(targets) > 1
    metrics = list(dict.fromkeys(next(iter(METRICS[task])) for task in targets.values()))
    if not runs:
        is_viewer = why_not("editor", study.id) is not None
        how = "" if is_viewer else ": choose a model above and press *Start training*"
        st.markdown(f"No runs yet{how}.")
    else:
        event = st.dataframe(
            pd.DataFrame(
                {
                    "Run": [run.name for run in runs],
                    **({"Target": [run.target for run in runs]} if has_targets else {}),
                    "Model": [run.config.kind.title for run in runs],
                    "Status": [run.status for run in runs],
                    **_scores(runs, metrics, study.samples),
                    "Preset": [run.config.preset for run in runs],
                    "Seed": [run.config.seed for run in runs],
                    "Time": [_spent(run) for run in runs],
                    "Started": [moment(run.created) for run in runs],
                    "Note": [run.note for run in runs],
                }
            ),
            hide_index=True,
            width="stretch",
            height=min(300, 38 + 35 * len(runs)),
            on_select="rerun",
            selection_mode="multi-row",
            # Rows are positions: in a list that has changed, a choice would mean another run.
            key=f"runs_{'_'.join(run.id for run in runs)}",
            column_config={
                **{
                    METRIC_TITLES[metric]: st.column_config.TextColumn(
                        help=explain(metric, "mean_and_sd")
                    )
                    for metric in metrics
                },
                "Seed": st.column_config.NumberColumn(format="%d"),
            },
        )
        rows = [row for row in event["selection"]["rows"] if row < len(runs)]
        chosen = [runs[row] for row in rows]
        if len(chosen) > 1:
            _several(chosen)
        else:
            _one(chosen[0] if chosen else runs[0], has_targets=has_targets)
    broken_entries(store.list_broken_runs(workspace(), study.id), "run", _delete)
    offer_undo("deleted_run", "undo_run", partial(store.restore_run, workspace()))


def _scores(runs: list[RunInfo], metrics: list[str], samples: int) -> dict[str, list[str]]:
    """The metrics of finished runs, newest first, as far as they can be read quickly.

    A metric that does not apply to a run's target is a dash.
    """
    left = _BUDGET
    written: dict[str, list[str]] = {METRIC_TITLES[metric]: [] for metric in metrics}
    for position, run in enumerate(runs):
        left -= samples if run.is_finished else 0
        scores = dict.fromkeys(written, "–")
        if run.is_finished and (left >= 0 or position == 0):
            scores = _scores_of(run) or dict.fromkeys(written, "cannot be read")
        for title, column in written.items():
            column.append(scores.get(title, "–"))
    return written


def _scores_of(run: RunInfo) -> dict[str, str]:
    """Title of each metric → its mean and spread; empty if the run cannot be read."""
    with suppress(InputError):
        return {
            METRIC_TITLES[row["metric"]]: mean_and_spread(row["mean"], row["sd"])
            for row in performance_of(run).to_dict("records")
        }
    return {}  # The pages that open the run show why.


def _spent(run: RunInfo) -> str:
    return f"{run.finished - run.started:.0f} s" if run.started and run.finished else "–"


def _several(chosen: list[RunInfo]) -> None:
    finished = [run.id for run in chosen if run.is_finished]
    targets = {run.target for run in chosen}
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(chosen)} runs chosen**", width="stretch")
        if st.button(
            "Compare", key="compare_runs", icon=":material/balance:",
            disabled=len(finished) < 2 or len(targets) > 1,
            help="Side by side, with tests. Needs two finished runs of one target.",
        ):  # fmt: skip
            st.session_state[f"compared_{chosen[0].study_id}_{chosen[0].target}"] = finished
            select_target(chosen[0].target)
            st.switch_page(page_path("compare"))


def _one(run: RunInfo, *, has_targets: bool) -> None:
    forbidden = why_not("editor", run.study_id)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        target = f" · {escaped(run.target)}" if has_targets else ""
        device = f" · {run.device}" if run.device else ""
        about = f"{target} · {moment(run.created)}{device}"
        st.markdown(
            f"{status_badge(run.status)} **{escaped(run.name)}**{about}"
            + (f"  \n{escaped(run.note)}" if run.note else "")
            + (f"  \n{escaped(run.error)}" if run.error else ""),
            width="stretch",
        )
        if run.is_finished and st.button("Open run", key=f"open_{run.id}"):
            select_run(run.id)
            st.switch_page(page_path("overview"))
        if run.status in ("cancelled", "failed", "crashed"):
            st.button(
                "Resume", key=f"resume_{run.id}", on_click=resume, args=(run.id,),
                disabled=bool(forbidden), help=forbidden,
            )  # fmt: skip
        if lines := RunFiles.of(workspace(), run.id).last_lines():
            with st.popover("Log", icon=":material/article:"):
                st.code("\n".join(lines), language=None, height=300)
        with st.popover("Rename, annotate", icon=":material/edit:"):
            name = st.text_input("Name", run.name, key=f"name_{run.id}", max_chars=120)
            note = st.text_area("Note", run.note, key=f"note_{run.id}", max_chars=2_000)
            if st.button("Save", key=f"save_{run.id}", disabled=bool(forbidden), help=forbidden):
                with show_errors():
                    store.rename_run(workspace(), run.id, name)
                    store.annotate_run(workspace(), run.id, note)
                    st.rerun()
        if st.button(
            "Delete", key=f"delete_{run.id}", icon=":material/delete:", disabled=bool(forbidden),
            help=forbidden,
        ):  # fmt: skip
            _delete(run)
            st.rerun()


def _delete(run: RunInfo | BrokenEntry) -> None:
    store.delete_run(workspace(), run.id)
    unselect(RUN, run.id)
    st.session_state["deleted_run"] = (run.id, run.name)
