"""The demo: the simulated affect study with trained models, which a first start opens."""

from __future__ import annotations

import sqlite3
import time

from smurf_core.configuration import RunConfig
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.generated.simulated import simulated_affect, write_clips
from smurf_core.data.media import suggested_media
from smurf_core.model_kinds import ModelKind
from smurf_core.runs.own_studies import ensure_own_study
from smurf_core.runs.store import enter_run
from smurf_core.runs.studies import enter_media, find_study
from smurf_core.runs.workspace import Workspace

DEMO_STUDY = "demo"
# What `add_simulated_study` makes by default: asked for, it finds the demo.
_SIZE = {"samples": 600, "persons": 30, "seed": 2024}
# In the order of training: the first one fills every page within seconds.
_MODELS: tuple[ModelKind, ...] = ("exclusive", "late_fusion", "smurf")


def ensure_demo(workspace: Workspace) -> str:
    """Make the simulated affect study with its clips, and queue its three models; return its id.

    A deleted demo comes back, and models are queued again if no run of it is left; `launch` trains
    them. Visits at the same moment make one demo, and a start that is cut short leaves the whole
    demo or none.
    """
    provenance = {"simulated": _SIZE}
    study_id = find_study(workspace, provenance) or ensure_own_study(
        workspace,
        DEMO_STUDY,
        lambda: simulated_affect(
            samples=_SIZE["samples"], persons=_SIZE["persons"], seed=_SIZE["seed"]
        ),
        provenance=provenance,
        furnish=lambda connection, dataset: _furnish(workspace.as_machine(), connection, dataset),
    )
    with workspace.transaction() as connection:
        connection.execute(
            "UPDATE study SET deleted = NULL WHERE id = ? AND deleted IS NOT NULL", (study_id,)
        )
        _queue_models(connection, study_id)
    return study_id


def _furnish(
    workspace: Workspace, connection: sqlite3.Connection, dataset: MultimodalDataset
) -> None:
    folder = workspace.study_folder(DEMO_STUDY) / "media"
    write_clips(dataset, folder)
    enter_media(connection, DEMO_STUDY, suggested_media(str(folder.resolve()), dataset.samples))
    _queue_models(connection, DEMO_STUDY)


def _queue_models(connection: sqlite3.Connection, study_id: str) -> None:
    if connection.execute(
        "SELECT 1 FROM run WHERE study_id = ? AND deleted IS NULL", (study_id,)
    ).fetchone():
        return
    now = time.time()
    (target,) = connection.execute(
        "SELECT target_name FROM study WHERE id = ?", (study_id,)
    ).fetchone()
    for place, model in enumerate(_MODELS):
        # The first one is the newest, which pages open. For a training of seconds, starting
        # further processes takes longer than it saves.
        config = RunConfig.from_preset("quick", model, clip=5.0)
        enter_run(connection, study_id, target, config, jobs=1, created=now - place)
