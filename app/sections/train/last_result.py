"""The configuration chosen in every fold of the current run."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.loading import chosen_curves_of, performance_of, result_of
from app.state.session import RUN, comparable_runs
from app.widgets.messages import escaped
from app.widgets.number_table import show_table
from smurf_core.configuration import layers_label
from smurf_core.evaluation.metrics import METRIC_TITLES, METRICS
from smurf_core.fold_label import fold_label
from smurf_core.plot.training import chosen_curves
from smurf_core.reporting.explanations import explain
from smurf_core.reporting.numbers import mean_and_spread
from smurf_core.results import FittedMember
from smurf_core.runs.studies import StudyInfo


def last_result(study: StudyInfo) -> None:
    """Scores and learning curves of the current run."""
    run = next((r for r in comparable_runs(study) if r.id == st.session_state.get(RUN)), None)
    if run is None:
        return
    scores = {row["metric"]: row for row in performance_of(run).to_dict("records")}
    st.subheader(f"{escaped(run.name)}: chosen models")
    result = result_of(run)
    main = next(iter(METRICS[result.task]))
    mean = mean_and_spread(scores[main]["mean"], float("nan"))
    st.markdown(
        f"{METRIC_TITLES[main]} on test samples: **{mean}** (mean of {scores[main]['folds']} folds)"
    )
    is_solved = run.config.kind.is_solved
    show_table(
        pd.DataFrame(
            {
                "Fold": fold_label(fold.fold),
                **_setting(fold.member, is_solved=is_solved),
                f"Validation: {METRIC_TITLES[main]}": fold.member.validation_metric,
            }
            for fold in result.fold_results
        ),
        key="chosen_models",
        column_config={
            f"Validation: {METRIC_TITLES[main]}": st.column_config.NumberColumn(
                format="%.3f", help=explain(main, "validation_metric")
            ),
            "λ": st.column_config.NumberColumn(help=explain("auxiliary_weight")),
            "Learning rate": st.column_config.NumberColumn(format="%g"),
            "Ridge": st.column_config.NumberColumn(format="%g"),
        },
    )
    curves = chosen_curves_of(run)
    if curves.empty:
        towers = any(fold.member.configuration.hidden_layers for fold in result.fold_results)
        trained = "only the towers were trained" if towers else "nothing was trained"
        st.markdown(f"Solved, {trained}: there is no learning curve.")
        return
    step = max(1, len(curves) // 2_000)
    st.altair_chart(chosen_curves(curves[curves["epoch"] % step == 0]), key="chosen_curves")


def _setting(member: FittedMember, *, is_solved: bool) -> dict[str, object]:
    """The chosen configuration, without what a solved model has no use for."""
    chosen = member.configuration
    layers = layers_label(chosen.hidden_layers)
    if is_solved:
        reads = f"Towers {layers} and features" if chosen.hidden_layers else "Features alone"
        return {"Linear in": reads, "Ridge": chosen.weight_decay, "λ": chosen.auxiliary_weight}
    return {
        "Learning rate": chosen.learning_rate,
        "Layers": layers,
        "Weight decay": chosen.weight_decay,
        "λ": chosen.auxiliary_weight,
        "Best epoch": member.best_epoch,
    }
