"""From a data set and a configuration to a run's result: folds, training, and what is solved."""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Callable
from dataclasses import replace
from platform import python_version

import numpy as np
from threadpoolctl import threadpool_limits

from smurf_core import __version__
from smurf_core.configuration import RunConfig, layers_label
from smurf_core.data.dataset import Folds, MultimodalDataset
from smurf_core.data.folds import with_made_folds
from smurf_core.errors import InputError
from smurf_core.exclusive.training import solve_run
from smurf_core.fitted import FittedModel
from smurf_core.fold_label import fold_label
from smurf_core.results import FoldResult, RunResult
from smurf_core.training.devices import device_of, device_title
from smurf_core.training.observing import Observer, Progress, ResultCache, TrainingCancelled
from smurf_core.training.suiting import check_suits
from smurf_core.training.workers import ONE_THREAD, Workers, cluster, processes


def train_run(
    dataset: MultimodalDataset,
    config: RunConfig,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    observer: Observer | None = None,
    cache: ResultCache | None = None,
) -> RunResult:
    """Train one model kind over all folds (section 4.5) and explain every sample out of fold.

    Folds are made (person-independent, stratified) where the data names none. `jobs` processes
    share the units, or the workers of the Dask cluster whose `scheduler` is named; the numbers do
    not depend on it. Finished units are kept in and taken from `cache`, here and not on a worker.
    Raises `TrainingCancelled` when the observer asks to stop.
    """
    start = time.perf_counter()
    folds = with_made_folds(dataset, count=config.fold_count, seed=config.seed).folds
    assert folds is not None  # noqa: S101 — for the type checker
    _check_folds(dataset, folds)
    check_suits(dataset, config)
    # A cluster's workers know best what they have.
    device = device_title(device_of(config)) if scheduler is None else scheduler
    solved = None
    with (
        threadpool_limits(ONE_THREAD),
        cluster(scheduler, observer) if scheduler else processes(jobs) as workers,
    ):
        if config.kind.is_solved:
            before = _before_solving(dataset, config, folds, observer, workers)
            solved = solve_run(dataset, config, folds, *before)
            fold_results = solved.fold_results
        else:
            fold_results = _trained(dataset, config, folds, observer, workers, cache)
    return RunResult(
        config=config,
        task=dataset.task,
        modalities=dataset.modalities,
        outputs=dataset.outputs,
        sample_ids=dataset.sample_ids,
        folds=folds,
        fold_results=fold_results,
        data_fingerprint=dataset.fingerprint,
        device=device,
        versions={
            "python": python_version(),
            "torch": _torch_version(config),
            "numpy": np.__version__,
            "smurf-studio": __version__,
        },
        seconds=time.perf_counter() - start,
        sharing=solved.sharing if solved else None,
        refits=solved.refits if solved else None,
    )


def _trained(
    dataset: MultimodalDataset, config: RunConfig, folds: Folds, observer: Observer | None,
    workers: Workers, cache: ResultCache | None,
) -> tuple[FoldResult, ...]:  # fmt: skip
    # Torch takes seconds to import, and a solved run on the user's features needs none.
    from smurf_core.training.engine import Plan

    return tuple(Plan(dataset, config, folds, observer).run(workers, cache))


def _torch_version(config: RunConfig) -> str:
    """With the name of its build where networks were trained: it is loaded then."""
    if config.trains_networks:
        import torch

        return str(torch.__version__)
    return importlib.metadata.version("torch")


def _check_folds(dataset: MultimodalDataset, folds: Folds) -> None:
    for fold in range(len(folds)):
        for role in ("training", "validation", "test"):
            count = int(getattr(folds, role)[fold].sum())
            if count < 2:
                raise InputError(
                    f"Fold {fold_label(fold)} of {dataset.name!r} has {count} {role} samples, at "
                    "least 2 are needed: use fewer folds, or name folds with samples in every role."
                )


def _before_solving(
    dataset: MultimodalDataset, config: RunConfig, folds: Folds, observer: Observer | None,
    workers: Workers,
) -> tuple[dict[tuple[int, ...], list[FittedModel]], Callable[[str, float], None]]:  # fmt: skip
    """Late fusion of every layer setting, whose hidden layers are solved for; and a reporter."""
    settings = [layers for layers in config.grid.hidden_layers if layers]
    share = 0.7 if settings else 0.0

    def report(unit: str, done: float, fraction: float) -> None:
        if observer is None:
            return
        if observer.should_stop():
            raise TrainingCancelled
        nothing = float("nan")
        observer.report(
            Progress(0, len(folds), unit, 0, 1, done, fraction, nothing, nothing, nothing)
        )

    towers = {}
    for k, layers in enumerate(settings):
        report(f"late fusion {layers_label(layers)}", 0.0, share * k / len(settings))
        late_fusion = replace(
            config,
            model="late_fusion",
            grid=replace(config.grid, hidden_layers=(layers,)),
            restarts=1,
        )
        trained = _trained(dataset, late_fusion, folds, None, workers, None)
        towers[layers] = [fold.model for fold in trained]
    return towers, lambda unit, done: report(unit, done, share + (1 - share) * done)
