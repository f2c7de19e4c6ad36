"""Small trained runs for tests of what reads a run's weights."""

from dataclasses import replace
from functools import cache

import numpy as np

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.model_kinds import ModelKind
from smurf_core.results import RunResult
from smurf_core.training.run import train_run


@cache
def small_run(
    model: ModelKind, task: str = "regression", standardisation: str = "training_fold",
    absent: bool = False,
) -> tuple[RunResult, MultimodalDataset]:  # fmt: skip
    """A run of a few epochs on 90 synthetic samples of 9 persons, and its data."""
    dataset = synthetic_additive(samples=90, task=task)
    people = np.array([f"p{i % 9}" for i in range(90)])
    dataset = replace(dataset, persons=people, folds=None)
    if absent:
        values = dataset.features["B"].values.copy()
        values[::4] = np.nan
        features = {**dataset.features, "B": replace(dataset.features["B"], values=values)}
        dataset = replace(dataset, features=features, factors={})
    config = replace(
        RunConfig.from_preset("quick"),
        preset="custom",
        model=model,
        grid=Grid((2e-2,), ((6, 4),), (0.0,), (0.5,)),
        standardisation=standardisation,
        max_epochs=12,
        restarts=1,
    )
    return train_run(dataset, config, jobs=1), dataset
