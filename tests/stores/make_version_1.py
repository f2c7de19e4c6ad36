"""Makes a store of version 1: every kind of model, two tasks, and an absent modality.

It runs only with commit bb85866, because a later version of the program writes a later version of
the store. In a checkout of that commit:

    PYTHONPATH=$PWD python make_version_1.py FOLDER

Then zip what is in FOLDER. `version_1.zip` beside this file is the result of one such run.
"""

# ruff: noqa: I001 (some of these modules exist only in that commit)

import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np

from smurf_core.configuration import Grid, RunConfig
from smurf_core.model_kinds import ModelKind
from smurf_core.data.dataset import MultimodalDataset, Task
from smurf_core.data.synthetic import synthetic_additive
from smurf_core.runs import slices, store, studies, worker
from smurf_core.runs.workspace import Workspace


def small_data(task: Task, *, has_gaps: bool = False) -> MultimodalDataset:
    """60 samples of 12 persons; with gaps, every fourth sample lacks modality B."""
    dataset = synthetic_additive(samples=60, task=task)
    persons = np.array([f"p{i % 12}" for i in range(60)])
    name = f"{task}{' with gaps' if has_gaps else ''}"
    dataset = replace(dataset, groups=persons, folds=None, name=name)
    if not has_gaps:
        return dataset
    values = dataset.features["B"].values.copy()
    values[::4] = np.nan
    features = {**dataset.features, "B": replace(dataset.features["B"], values=values)}
    return replace(dataset, features=features, factors={})


def configuration(model: ModelKind, standardisation: str = "training_fold") -> RunConfig:
    """A small grid with and without hidden layers."""
    return replace(
        RunConfig.from_preset("quick"),
        preset="custom",
        model=model,
        grid=Grid((2e-2, 5e-3), ((6, 4), ()), (0.0, 1e-3), (0.5,)),
        standardisation=standardisation,
        max_epochs=60,
        restarts=2,
        fold_count=3,
    )


def main() -> None:
    """Make three studies and their 19 runs, and train them."""
    workspace = Workspace(Path(sys.argv[1]))
    for task in ("regression", "classification"):
        study = studies.add_study(workspace, small_data(task))
        for model in get_args(ModelKind):
            store.create_run(workspace, study, configuration(model), name=model, jobs=1)
        first_ten = small_data(task).sample_ids[:10]
        slices.add_slice(workspace, study, "first ten", first_ten, origin="the fixture")
    study = studies.add_study(workspace, small_data("regression", has_gaps=True))
    for model in ("smurf_normalised", "mro_smurf", "e_hgr"):
        config = configuration(model, "within_person")
        store.create_run(workspace, study, config, name=model, jobs=1)
    store.annotate_run(workspace, store.list_runs(workspace)[0].id, "a note")
    worker.work(workspace)
    print([(run.name, run.status, run.error) for run in store.list_runs(workspace)])


if __name__ == "__main__":
    main()
