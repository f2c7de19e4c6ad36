"""One study with everything that a report shows, trained once: odd names, judgments, text."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.processes import worker
from smurf_core.runs import store, studies
from smurf_core.runs.workspace import Workspace

ODD_NAME = r"<b>100 % of ŷ_λ</b> \ {x} $1 & #2 ~ 中 “é” ± ↓ ↑ − don't"


def odd_dataset() -> MultimodalDataset:
    """80 synthetic samples of three modalities with ratings of people (random) and transcripts."""
    random = np.random.default_rng(0)
    data = synthetic_additive(samples=80)
    names = dict(zip("ABC", ("voice_&_50%", "text", "face"), strict=True))
    ratings = {
        frozenset(names[m] for m in shown): (data.target + random.normal(size=80)).astype("f4")
        for shown in ("AB", "C")
    }
    words = pd.DataFrame(
        {"transcript": [f"Take {i}: 100 % <sure> & {{so}} \\ $5_{i}" for i in range(80)]},
        index=data.samples.index,
    )
    return replace(
        data,
        name=ODD_NAME,
        features={names[m]: f for m, f in data.features.items()},
        judgments=ratings,
        samples=words,
        persons=np.repeat([f"p{i}" for i in range(16)], 5),
        factors={},
    )


@pytest.fixture(scope="session")
def reported(tmp_path_factory) -> Workspace:
    """A workspace with that study and two runs of it, late fusion's the newer."""
    workspace = Workspace(tmp_path_factory.mktemp("reported") / "home")
    study = studies.add_study(workspace, odd_dataset())
    config = replace(
        RunConfig.from_preset("quick"), preset="custom", max_epochs=15, restarts=2,
        grid=Grid((2e-2,), ((4,),), (0.0,), (0.5,)),
    )  # fmt: skip
    for model in ("smurf", "late_fusion"):
        store.create_run(workspace, study, replace(config, model=model), jobs=1)
    worker.work(workspace)
    return workspace
