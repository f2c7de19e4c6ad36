"""Choose a model and how it is searched for, start, watch, and look back at runs."""

import os
from dataclasses import replace
from functools import partial
from typing import get_args

import pandas as pd
import streamlit as st

from app.charts.training import chosen_curves
from app.components.live_run import live_runs, resume, status_badge
from app.components.messages import escaped, offer_undo, told
from app.loading import dataset_of, performance_of, result_of
from app.navigation import page_path
from app.session import current_study, moment, select_run, workspace
from smurf_core.configuration import (
    MODEL_TITLES,
    PRESETS,
    Device,
    Grid,
    ModelKind,
    RunConfig,
    Selection,
    Standardisation,
    layers_label,
    parse_layers,
    suggested_standardisation,
)
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.metrics import METRIC_TITLES, METRICS
from smurf_core.runs import store
from smurf_core.runs.launcher import launch

MODEL_NOTES: dict[ModelKind, str] = {
    "smurf": "Unique and redundant contributions, shaped by L_uncor and L_cor (eq. 10-15).",
    "late_fusion": "One contribution a modality: the plain baseline.",
    "smurf_no_aux": "The same heads as SMURF without its two losses: what they change.",
    "e_hgr": "Correlates the modalities' hidden layers (soft-HGR) in place of their contributions.",
    "smurf_normalised": "Our extension: the same aims without L_cor's liking for variances of "
    "one; see docs/method.md.",
    "mro_smurf": "Adds non-additive interactions of two and more modalities, from products of "
    "embeddings.",
    "mro_smurf_subsets": "The same with a network of its own for every subset of modalities.",
}
PRESET_NOTES = {
    "quick": "A few configurations: seconds on small data.",
    "standard": "A broader grid: minutes.",
    "paper": "The authors' published grid, 600 configurations a fold: hours on large data.",
    "synthetic": "The published search for synthetic data: linear, 1,000 epochs, not standardised.",
    "custom": "Your own grid.",
}
SELECTION_NOTES: dict[Selection, str] = {
    "one_standard_error": "Best factorised of those that predict alike (one standard error)",
    "published": "Best validation metric alone (as published)",
}
STANDARDISATION_NOTES: dict[Standardisation, str] = {
    "training_fold": "On the training fold",
    "within_person": "Within each person (uses that person's unlabelled rows)",
    "none": "Not at all",
}


def _numbers(text: str, what: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise InputError(f"{what}: write numbers separated by spaces.") from None


def _custom_grid() -> Grid:
    left, right = st.columns(2)
    rates = left.text_input("Learning rates", "0.002 0.01", key="grid_rates")
    layers = right.text_input("Hidden layers", "10 20-10", key="grid_layers",
                              help="Widths joined by a dash; `linear` for none.")  # fmt: skip
    decays = left.text_input("Weight decays", "0.001", key="grid_decays")
    weights = right.text_input("Weights λ of the auxiliary losses", "0.25 0.5", key="grid_weights")
    return Grid(
        learning_rates=_numbers(rates, "Learning rates"),
        hidden_layers=tuple(
            parse_layers(part, "Hidden layers") for part in layers.replace(",", " ").split()
        ),
        weight_decays=_numbers(decays, "Weight decays"),
        auxiliary_weights=_numbers(weights, "Weights λ"),
    )


def _ask(dataset: MultimodalDataset) -> RunConfig:
    left, right = st.columns(2)
    kinds = list(MODEL_NOTES)
    model: ModelKind = left.selectbox(
        "Model", kinds, format_func=MODEL_TITLES.__getitem__, key="model", persist_state="session"
    )
    left.markdown(MODEL_NOTES[model])
    presets = list(PRESET_NOTES)
    preset = right.selectbox("Search", presets, key="preset", persist_state="session",
                             format_func=str.capitalize)  # fmt: skip
    right.markdown(PRESET_NOTES[preset])
    grid = _custom_grid() if preset == "custom" else PRESETS[preset]
    with st.expander("More settings"):
        first, second, third = st.columns(3)
        rules = list(SELECTION_NOTES)
        rule = first.selectbox("Which configuration wins", rules, key="selection",
                               format_func=SELECTION_NOTES.__getitem__)  # fmt: skip
        scalings: list[Standardisation] = ["training_fold", "within_person", "none"]
        if dataset.groups is None:
            scalings.remove("within_person")
        scaling = second.selectbox(
            "Features are standardised", scalings, key=f"standardisation_{preset}_{dataset.origin}",
            index=scalings.index(suggested_standardisation(preset, dataset.origin)),
            format_func=STANDARDISATION_NOTES.__getitem__,
        )  # fmt: skip
        restarts = third.number_input(
            "Restarts of the chosen configuration", 1, 20, 3, key="restarts",
            help="The one with the best validation objective speaks; the others show how stable "
            "its factorisation is.",
        )  # fmt: skip
        seed = first.number_input("Seed", 0, 1_000_000, 0, key="seed")
        device = second.selectbox("Device", get_args(Device), key="device",
                                  help="auto takes a GPU where there is one.")  # fmt: skip
        folds = third.number_input(
            "Folds", 3, 20, 5, key="folds", disabled=dataset.folds is not None,
            help="The study names its own folds." if dataset.folds is not None else None,
        )  # fmt: skip
    base = RunConfig.from_preset("quick" if preset == "custom" else preset, model)
    config = replace(
        base, preset=preset, grid=grid, selection=rule, standardisation=scaling,
        restarts=int(restarts), seed=int(seed), device=device, fold_count=int(folds),
    )  # fmt: skip
    count = len(config.grid.configurations(model))
    folds_there = len(dataset.folds) if dataset.folds is not None else config.fold_count
    st.markdown(
        f"{count} configurations in {folds_there} fold{'s' if folds_there > 1 else ''}, then "
        f"{config.restarts} starts of each fold's best; {os.cpu_count()} cores here."
    )
    return config


def _history(study_id: str) -> None:
    runs = store.list_runs(workspace(), study_id)
    if not runs:
        st.markdown("No run yet.")
    for run in runs:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            spent = "" if not (run.started and run.finished) else (
                f" · {run.finished - run.started:.0f} s on {run.device or 'unknown device'}"
            )  # fmt: skip
            st.markdown(
                f"{status_badge(run.status)} **{escaped(run.name)}** · preset "
                f"{run.config.preset} · seed {run.config.seed} · {moment(run.created)}{spent}"
                + (f"  \n{escaped(run.note)}" if run.note else "")
                + (f"  \n{escaped(run.error)}" if run.error else ""),
                width="stretch",
            )
            if run.status == "finished" and st.button("Look inside", key=f"open_{run.id}"):
                select_run(run.id)
                st.switch_page(page_path("overview"))
            if run.status in ("cancelled", "failed", "crashed"):
                st.button("Resume", key=f"resume_{run.id}", on_click=resume, args=(run.id,))
            with st.popover("", icon=":material/more_vert:"):
                name = st.text_input("Name", run.name, key=f"name_{run.id}", max_chars=120)
                note = st.text_area("Note", run.note, key=f"note_{run.id}", max_chars=2_000)
                if st.button("Save", key=f"save_{run.id}"):
                    with told():
                        store.rename_run(workspace(), run.id, name)
                        store.annotate_run(workspace(), run.id, note)
                        st.rerun()
                if st.button("Delete", key=f"delete_{run.id}", icon=":material/delete:"):
                    store.delete_run(workspace(), run.id)
                    st.session_state["deleted_run"] = (run.id, run.name)
                    st.rerun()
    offer_undo("deleted_run", "undo_run", partial(store.restore_run, workspace()))


def _last_result(study_id: str) -> None:
    """Scores and learning curves of the run that is looked at."""
    finished = [r for r in store.list_runs(workspace(), study_id) if r.status == "finished"]
    if not finished:
        return
    run = next((r for r in finished if r.id == st.session_state.get("run")), finished[0])
    scores = {row["metric"]: row for row in performance_of(run).to_dict("records")}
    st.subheader(f"{escaped(run.name)}: what was chosen")
    result = result_of(run)
    main = next(iter(METRICS[result.task]))
    st.markdown(
        f"{METRIC_TITLES[main]} on test samples: **{scores[main]['mean']:.3f}** "
        f"(mean of {scores[main]['folds']} folds)"
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Fold": fold.fold,
                "Learning rate": fold.member.configuration.learning_rate,
                "Layers": layers_label(fold.member.configuration.hidden_layers),
                "Weight decay": fold.member.configuration.weight_decay,
                "λ": fold.member.configuration.auxiliary_weight,
                "Best epoch": fold.member.best_epoch,
                f"Validation: {METRIC_TITLES[main]}": fold.member.validation_metric,
            }
            for fold in result.fold_results
        ),
        hide_index=True,
        width="stretch",
        column_config={
            f"Validation: {METRIC_TITLES[main]}": st.column_config.NumberColumn(format="%.3f"),
            "Learning rate": st.column_config.NumberColumn(format="%g"),
        },
    )
    curves = pd.concat([fold.curves.assign(fold=fold.fold) for fold in result.fold_results])
    step = max(1, len(curves) // 2_000)
    st.altair_chart(chosen_curves(curves[curves["epoch"] % step == 0]), key="chosen_curves")


study = current_study()
st.title("Train")
with told():
    dataset = dataset_of(study.id)
    config = None
    with told():
        config = _ask(dataset)
    if st.button(
        "Start training",
        type="primary",
        key="start",
        icon=":material/play_arrow:",
        disabled=config is None,
    ):
        store.create_run(workspace(), study.id, config)
        launch(workspace())
    live_runs(study.id)
    st.subheader("Runs")
    _history(study.id)
    _last_result(study.id)
