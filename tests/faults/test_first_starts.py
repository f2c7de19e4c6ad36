"""First starts and imports that end early, or come all at once. Cuts: `test_campaign`."""

import os
import subprocess
import sys

import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs import own_studies, studies
from smurf_core.runs.workspace import Workspace


def test_a_young_folder_is_left_to_the_import_that_writes_it(tmp_path):
    workspace = Workspace(tmp_path)
    half = workspace.root / "studies" / f".{'a' * 12}.{'b' * 32}"
    half.mkdir(parents=True)
    studies.recover_studies(workspace, older_than=60)
    assert half.exists()
    studies.recover_studies(workspace, older_than=0)
    assert not half.exists()


def test_a_start_that_was_taken_up_without_its_origin_is_furnished(tmp_path):
    workspace = Workspace(tmp_path)
    data = synthetic_additive(samples=60)
    origin, furnished = {"made": 1}, []
    for provenance in ({}, origin, origin):
        own_studies.ensure_own_study(
            workspace, "own", lambda: data, provenance=provenance,
            furnish=lambda *_, of=provenance: furnished.append(of),
        )  # fmt: skip
    assert furnished == [{}, origin]
    assert studies.provenance(workspace, "own") == origin


VISITS = """
import multiprocessing, sys
from pathlib import Path
from smurf_core.runs.demo import ensure_demo
from smurf_core.runs.store import list_runs
from smurf_core.runs.studies import list_studies
from smurf_core.runs.workspace import Workspace

def visit(gate, root):
    gate.wait()
    assert ensure_demo(Workspace(root)) == "demo"
    assert [study.id for study in list_studies(Workspace(root))] == ["demo"]
    assert len(list_runs(Workspace(root))) == 3

context = multiprocessing.get_context("fork")
gate = context.Barrier(16)
visits = [context.Process(target=visit, args=(gate, Path(sys.argv[1]))) for _ in range(16)]
for one in visits:
    one.start()
for one in visits:
    one.join()
print(sum(one.exitcode != 0 for one in visits))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Starts processes as only POSIX systems can.")
def test_sixteen_first_visits_at_once_all_work(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", VISITS, str(tmp_path / "home")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.strip() == "0", done.stderr
