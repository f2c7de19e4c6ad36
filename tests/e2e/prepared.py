"""A workspace in which every state that a page can be in is a study."""

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.generated.synthetic import synthetic_additive, synthetic_interactions
from smurf_core.data.importing.assembly import assemble
from smurf_core.data.readers.registry import find_sources
from smurf_core.model_kinds import ModelKind
from smurf_core.processes import worker
from smurf_core.processes.launcher import launch
from smurf_core.runs import store, studies
from smurf_core.runs.simulated import add_simulated_study
from smurf_core.runs.workspace import HOME_VARIABLE, Workspace

DATA = Path(
    os.environ.get("SMURF_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)
FAST = replace(
    RunConfig.from_preset("quick"), preset="custom", max_epochs=15, restarts=2,
    grid=Grid((1e-2,), ((4,),), (0.0,), (0.5,)),
)  # fmt: skip
# Without a browser, tests/pages opens every page in these states at each run of the suite.
EVERY_STATE = bool(os.environ.get("SMURF_EVERY_STATE"))
# Trains until it is stopped.
ENDLESS = replace(FAST, max_epochs=10_000_000, patience=None)


def prepare(home: Path) -> dict[str, str]:
    """Studies by state; the run of `training` trains on until its run is cancelled."""
    workspace = Workspace(home)
    workspace.mark_seen("checklist")
    made = {
        "simulated": add_simulated_study(workspace, samples=300, persons=15),
        "no run": _study(workspace, synthetic_additive(samples=80)),
        "training": _study(workspace, synthetic_additive(samples=80)),
    }
    if EVERY_STATE:
        made |= {
            "two modalities": _study(workspace, synthetic_additive(samples=80, modalities=2)),
            "five modalities": _study(workspace, synthetic_additive(samples=80, modalities=5)),
            "interactions": _study(workspace, synthetic_interactions(samples=80)),
            "classes": _study(workspace, synthetic_additive(samples=80, task="classification")),
            "failed": _study(workspace, _constant_target()),
        }
    if (DATA / "vreed").is_dir():
        vreed = assemble(find_sources([DATA / "vreed"])).dataset
        made["vreed"] = _study(workspace, vreed)
    models: dict[str, tuple[ModelKind, ...]] = {"interactions": ("mro_smurf",), "no run": ()}
    for state, study in made.items():
        if state != "training":
            for model in models.get(state, ("late_fusion", "smurf")):
                store.create_run(workspace, study, replace(FAST, model=model), jobs=1)
    worker.work(workspace)
    return made


def start_endless_run(home: Path, study: str) -> str:
    """Start a run that does not end by itself, in a worker of its own; its id."""
    workspace = Workspace(home)
    run = store.create_run(workspace, study, ENDLESS, jobs=1)
    before = os.environ[HOME_VARIABLE]
    os.environ[HOME_VARIABLE] = str(home)
    try:
        launch(workspace)
    finally:
        os.environ[HOME_VARIABLE] = before
    deadline = time.monotonic() + 60
    while store.get_run(workspace, run).progress <= 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    return run


def stop(home: Path, run: str) -> None:
    """Cancel a run and return when it has ended."""
    workspace = Workspace(home)
    store.request_cancel(workspace, run)
    deadline = time.monotonic() + 60
    while store.get_run(workspace, run).is_active and time.monotonic() < deadline:
        time.sleep(0.1)


def _study(workspace: Workspace, dataset: MultimodalDataset) -> str:
    return studies.add_study(workspace, dataset)


def _constant_target() -> MultimodalDataset:
    """Data on which training fails: there is nothing to predict."""
    data = synthetic_additive(samples=80)
    return replace(data, target=np.ones_like(data.target), factors={})
