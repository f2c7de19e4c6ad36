"""Makes a store of version 4, of before persons had roles, with a waiting run and a slice.

It runs only with commit 059d5fb. In a checkout of that commit:

    PYTHONPATH=$PWD python make_version_4.py FOLDER
"""

import shutil
import sys
from pathlib import Path

from smurf_core.configuration import RunConfig
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs import slices, store, studies
from smurf_core.runs.workspace import Workspace

home = Path(sys.argv[1]) / "version_4"
workspace = Workspace(home)
data = synthetic_additive(samples=40)
study = studies.add_study(workspace, data)
store.create_run(workspace, study, RunConfig.from_preset("quick"), name="waiting", jobs=1)
slices.add_slice(workspace, study, "ten", data.sample_ids[:10], origin="the table")
shutil.make_archive(str(home), "zip", home)
