"""Makes a store of version 3, of before runs had a target, with a study of two targets.

It runs only with commit 2124237. In a checkout of that commit:

    PYTHONPATH=$PWD python make_version_3.py FOLDER
"""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.dataset import FurtherTarget
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.processes import worker
from smurf_core.runs import store, studies
from smurf_core.runs.workspace import Workspace

home = Path(sys.argv[1]) / "version_3"
workspace = Workspace(home)
config = replace(
    RunConfig.from_preset("quick"),
    preset="custom",
    grid=Grid((2e-2,), ((4,),), (0.0,), (0.5,)),
    max_epochs=15,
    restarts=1,
)
data = synthetic_additive(samples=60)
mood = (np.arange(60) % 3 - 1).astype(np.int64)  # -1: every third sample has no mood
data = replace(
    data, further_targets={"mood": FurtherTarget("classification", mood, ("calm", "tense"))}
)
study = studies.add_study(workspace, data)
store.create_run(workspace, study, config, name="finished", jobs=1)
worker.work(workspace)
store.create_run(workspace, study, config, name="waiting", jobs=1)
shutil.make_archive(str(home), "zip", home)
