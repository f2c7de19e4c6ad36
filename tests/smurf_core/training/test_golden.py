"""Training gives the numbers that commit bb85866 gave: every model kind, both tasks, gaps.

`tests/stores/version_1.zip` is a store that this commit wrote: 19 small runs of three studies.
Machines round differently, and training magnifies that from epoch to epoch. So numbers are
compared within a tolerance; on the machine that wrote the store they are equal bit by bit.
"""

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

from smurf_core.results import RunResult
from smurf_core.runs import studies
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import list_runs
from smurf_core.runs.workspace import Workspace
from smurf_core.training.run import train_run

STORE = Path(__file__).resolve().parents[2] / "stores/version_1.zip"
RUNS = 19
# The targets' standard deviations are 1 and more.
TOLERANCE = {"rtol": 1e-4, "atol": 5e-3}


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Workspace:
    folder = tmp_path_factory.mktemp("version_1")
    with ZipFile(STORE) as archive:
        archive.extractall(folder)
    (database,) = folder.rglob("smurf.sqlite")
    return Workspace(database.parent)


def assert_equal_results(found: RunResult, expected: RunResult) -> None:
    """All that a run is used for: what was tried, chosen and learned, and every contribution."""
    for ours, theirs in zip(found.fold_results, expected.fold_results, strict=True):
        pd.testing.assert_frame_equal(ours.candidates, theirs.candidates, **TOLERANCE)
        pd.testing.assert_frame_equal(ours.curves, theirs.curves, **TOLERANCE)
        assert (ours.chosen, len(ours.members)) == (theirs.chosen, len(theirs.members))
        for restart in range(len(theirs.members)):
            explained = found.fold_contributions(ours.fold, restart)
            before = expected.fold_contributions(ours.fold, restart)
            np.testing.assert_allclose(explained.baseline, before.baseline, **TOLERANCE)
            np.testing.assert_allclose(explained.prediction(), before.prediction(), **TOLERANCE)
            pd.testing.assert_frame_equal(explained.to_frame(), before.to_frame(), **TOLERANCE)


@pytest.mark.parametrize("position", range(RUNS))
def test_a_run_trained_again_is_the_run_that_was_written(written, position: int) -> None:
    runs = list_runs(written)
    assert len(runs) == RUNS
    run = runs[position]
    dataset = studies.load_study(written, run.study_id)
    found = train_run(dataset, run.config, jobs=1)
    assert_equal_results(found, RunFiles.of(written, run.id).read_result())
