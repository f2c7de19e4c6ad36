"""Makes a store of version 2, of before leases and checksums.

It runs only with commit f15323c. In a checkout of that commit:

    PYTHONPATH=$PWD python make_version_2.py FOLDER
"""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.processes import worker
from smurf_core.runs import slices, store, studies
from smurf_core.runs.workspace import Workspace

home = Path(sys.argv[1]) / "version_2"
workspace = Workspace(home)
config = replace(
    RunConfig.from_preset("quick"),
    preset="custom",
    grid=Grid((2e-2,), ((4,),), (0.0,), (0.5,)),
    max_epochs=15,
    restarts=1,
)
data = synthetic_additive(samples=60)
study = studies.add_study(workspace, data)
slices.add_slice(workspace, study, "first ten", data.sample_ids[:10], origin="a table")
store.create_run(workspace, study, config, name="finished", jobs=1)
worker.work(workspace)
# A run whose worker is gone: the store says that it is running.
left = store.create_run(workspace, study, config, name="left", jobs=1)
with workspace.connect() as connection:
    connection.execute(
        "UPDATE run SET status = 'running', started = created, pid = 4000000, pid_started = 1"
        " WHERE id = ?",
        (left,),
    )
shutil.make_archive(str(home), "zip", home)
