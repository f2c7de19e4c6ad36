"""What to train and how: the settings of a run, kept in the address."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import get_args

import streamlit as st

from app.widgets.messages import escaped
from smurf_core.configuration import (
    Device,
    Grid,
    RunConfig,
    Selection,
    Standardisation,
    parse_layers,
    preset_grid,
    suggested_clip,
    suggested_standardisation,
)
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.model_kinds import DEFAULT_MODEL, MODEL_KINDS, PAPER_MODELS, ModelKind, kinds_for
from smurf_core.reporting.explanations import explain
from smurf_core.training.suiting import check_suits

PRESET_NOTES = {
    "quick": "A few configurations: seconds on small data.",
    "standard": "A broader grid: minutes.",
    "paper": "The authors' published grid, 600 configurations per fold: hours on large data.",
    "synthetic": "The published search for synthetic data: linear, 1,000 epochs, not standardised.",
    "custom": "Your own grid.",
}
SELECTION_NOTES: dict[Selection, str] = {
    "one_standard_error": "Best factorisation of those that predict alike (one standard error)",
    "published": "Best validation metric only (as published)",
}
STANDARDISATION_NOTES: dict[Standardisation, str] = {
    "training_fold": "Over the training fold",
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
    rates = left.text_input("Learning rates", "0.002 0.01", key="grid_rates", bind="query-params")
    layers = right.text_input(
        "Hidden layers",
        "10 20-10",
        key="grid_layers",
        bind="query-params",
        help="Widths joined by a dash; `linear` for none.",
    )
    decays = left.text_input("Weight decays", "0.001", key="grid_decays", bind="query-params")
    weights = right.text_input(
        "Weights λ of the auxiliary losses",
        "0.25 0.5",
        key="grid_weights",
        bind="query-params",
        help=explain("auxiliary_weight"),
    )
    return Grid(
        learning_rates=_numbers(rates, "Learning rates"),
        hidden_layers=tuple(
            parse_layers(part, "Hidden layers") for part in layers.replace(",", " ").split()
        ),
        weight_decays=_numbers(decays, "Weight decays"),
        auxiliary_weights=_numbers(weights, "Weights λ"),
    )


def ask_configuration(dataset: MultimodalDataset) -> RunConfig:
    """The form; returns its settings. Raises `InputError` for settings that cannot be trained.

    Every setting is kept in the address, so neither a refresh nor another page loses it.
    """
    left, right = st.columns(2)
    kinds = sorted(kinds_for(bool(dataset.given_outputs)), key=lambda kind: kind != DEFAULT_MODEL)
    model: ModelKind = left.selectbox(
        "Model",
        kinds,
        format_func=lambda kind: MODEL_KINDS[kind].title,
        key="model",
        bind="query-params",
    )
    left.markdown(MODEL_KINDS[model].description)
    presets = list(PRESET_NOTES)
    preset = right.selectbox(
        "Search", presets, key="preset", bind="query-params", format_func=str.capitalize
    )
    right.markdown(PRESET_NOTES[preset])
    grid = _custom_grid() if preset == "custom" else preset_grid(preset, model)
    with st.expander("More settings"):
        first, second, third = st.columns(3)
        rules = list(SELECTION_NOTES)
        rule = first.selectbox(
            "Which configuration wins",
            rules,
            key="selection",
            bind="query-params",
            help=explain("one_standard_error"),
            format_func=SELECTION_NOTES.__getitem__,
        )
        scalings: list[Standardisation] = ["training_fold", "within_person", "none"]
        if dataset.persons is None:
            scalings.remove("within_person")
        scaling = second.selectbox(
            "Features are standardised",
            scalings,
            key=f"standardisation_{preset}_{dataset.origin}",
            bind="query-params",
            index=scalings.index(suggested_standardisation(preset, dataset.origin)),
            format_func=STANDARDISATION_NOTES.__getitem__,
            help="A regression target is also standardised on the training fold. If features are "
            "not standardised, neither is the target, except for the normalised losses, which "
            "always need it.",
        )
        suggested = suggested_clip(preset, dataset.origin, standardisation=scaling)
        clip = second.number_input(
            "Clipped at (standard deviations)",
            0.5,
            None,
            suggested,
            0.5,
            key=f"clip_{preset}_{dataset.origin}_{scaling}",
            bind="query-params",
            disabled=scaling == "none",
            placeholder="not clipped",
            help="Standardised features beyond this bound are set to it, so that single samples "
            "far outside the training data do not decide what a run relies on. Empty: not at "
            "all, as published. Features that are not standardised are not clipped.",
        )
        wide, most = _widest(dataset)
        of_outputs = MODEL_KINDS[model].explains_outputs
        components = third.number_input(
            "Principal components per modality",
            1,
            None,
            None,
            key="components",
            bind="query-params",
            placeholder="all features",
            disabled=of_outputs,
            help="Outputs of a given model are followed in all features."
            if of_outputs
            else "A modality with more features is trained on so many leading components of its "
            "training samples. Contributions and attributions are of the features all the same. "
            "Empty: all features.",
        )
        restarts = third.number_input(
            "Restarts of the chosen configuration",
            1,
            20,
            3,
            key="restarts",
            bind="query-params",
            help="The restart with the best validation objective is used; the others show how "
            "stable its factorisation is.",
        )
        seed = first.number_input("Seed", 0, 1_000_000, 0, key="seed", bind="query-params")
        device = second.selectbox(
            "Device",
            get_args(Device),
            key="device",
            bind="query-params",
            help="auto uses a GPU if there is one.",
        )
        folds = third.number_input(
            "Folds",
            3,
            20,
            5,
            key="folds",
            bind="query-params",
            disabled=dataset.folds is not None,
            help="The study defines its own folds." if dataset.folds is not None else None,
        )
        halving = first.toggle(
            "Drop poor configurations early",
            key="halving",
            bind="query-params",
            help="Successive halving: of the configurations with equal λ, the half with the higher "
            "validation objective is dropped repeatedly. This is faster and nearly as good "
            "(see docs/performance.md). Switch it off to train the whole grid, as published.",
        )
    base = RunConfig.from_preset("quick" if preset == "custom" else preset, model)
    config = replace(
        base,
        preset=preset,
        grid=grid,
        selection=rule,
        standardisation=scaling,
        clip=clip,
        components=None if of_outputs else components,
        restarts=int(restarts),
        seed=int(seed),
        device=device,
        fold_count=int(folds),
        search="halving" if halving else "full",
    )
    check_suits(dataset, config)
    grid = config.grid
    if config.trains_networks and components is None and most > len(dataset):
        st.markdown(
            f"{escaped(wide)} has {most:,} features and the study {len(dataset):,} samples: "
            "*Principal components per modality* in *More settings* makes training faster."
        )
    count = len(grid.configurations(model))
    then = f"then {config.restarts} starts of each fold's best"
    if config.kind.is_solved:
        count = len(grid.hidden_layers) * len(grid.auxiliary_weights)
        then = "solved without random starts"
    folds_there = len(dataset.folds) if dataset.folds is not None else config.fold_count
    st.markdown(
        f"{count} configuration{'s' if count > 1 else ''} in {folds_there} "
        f"fold{'s' if folds_there > 1 else ''}, {then}; {os.cpu_count()} cores here."
    )
    return config


def _widest(dataset: MultimodalDataset) -> tuple[str, int]:
    """The modality with the most features, and how many."""
    widths = {name: features.values.shape[1] for name, features in dataset.features.items()}
    name = max(widths, key=widths.__getitem__)
    return name, widths[name]


def paper_configurations(asked: RunConfig) -> list[RunConfig]:
    """The models that the paper's Table 2 compares, with the search and settings of the form.

    A custom grid stays as it is; a preset has its own grid for each model.
    """
    return [
        replace(
            asked,
            model=model,
            grid=asked.grid if asked.preset == "custom" else preset_grid(asked.preset, model),
        )
        for model in PAPER_MODELS
    ]
