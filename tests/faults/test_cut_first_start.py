"""A first start, or an import, that is cut at any step: the next start works and loses nothing."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs import demo, store, studies
from smurf_core.runs.demo import ensure_demo
from smurf_core.runs.workspace import Workspace

DATA = synthetic_additive(samples=60)
SIMULATED = simulated_affect(samples=40, persons=10)
FIRST, SYNTHETIC, IMPORT = "first start", "synthetic study", "import"


class Killed(BaseException):
    """In place of a kill: nothing catches it, and nothing is cleaned up."""


class Steps:
    """Counts the steps of writing, and ends the work at one of them."""

    def __init__(self, patch: pytest.MonkeyPatch, end_at: int) -> None:
        self.count, self.end_at = 0, end_at
        step = self.step

        class Connection(sqlite3.Connection):
            def execute(self, *arguments: object) -> sqlite3.Cursor:
                step()
                return super().execute(*arguments)

        connect = sqlite3.connect
        patch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=Connection))
        for owner, name in (
            (os, "rename"), (os, "fsync"), (os, "replace"), (pq, "write_table"),
            (Path, "write_text"), (Path, "mkdir"),
        ):  # fmt: skip
            patch.setattr(owner, name, self.counted(getattr(owner, name)))
        remove = shutil.rmtree
        patch.setattr(shutil, "rmtree", lambda *a, **k: None if self.is_over else remove(*a, **k))

    @property
    def is_over(self) -> bool:
        return self.count >= self.end_at

    def step(self) -> None:
        self.count += 1
        if self.is_over:
            raise Killed

    def counted(self, function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            self.step()
            return function(*arguments, **named)

        return call


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(studies, "synthetic_additive", lambda **_: DATA)
    monkeypatch.setattr(demo, "simulated_affect", lambda **_: SIMULATED)


def begin(workspace: Workspace, what: str) -> None:
    if what == FIRST:
        ensure_demo(workspace)
    elif what == SYNTHETIC:
        studies.ensure_synthetic_study(workspace)
    else:
        studies.add_study(workspace, DATA)


@pytest.mark.parametrize("what", [FIRST, SYNTHETIC, IMPORT])
def test_a_store_opens_after_a_cut_at_every_step(tmp_path, what):
    cuts = 0
    # The demo is written in three times as many steps.
    for end_at in range(1, 1_000, 4 if what == FIRST else 1):
        workspace = Workspace(tmp_path / str(end_at))
        with pytest.MonkeyPatch.context() as patch:
            steps = Steps(patch, end_at)
            try:
                begin(workspace, what)
            except Killed:
                cuts += 1
        if not steps.is_over:
            break
        again = ensure_demo if what == FIRST else studies.ensure_synthetic_study
        first = again(workspace)
        adopted = studies.recover_studies(workspace, older_than=0)
        known = {study.id for study in studies.list_studies(workspace)}
        assert first in known
        assert set(adopted) <= known
        # No folder without an entry, no entry without a folder, and nothing half written.
        assert {path.name for path in (workspace.root / "studies").iterdir()} == known
        wanted = SIMULATED if what == FIRST else DATA
        for study in known:
            assert studies.load_study(workspace, study).fingerprint == wanted.fingerprint
        if what == FIRST:
            assert [run.config.model for run in store.list_runs(workspace)] == [
                "exclusive", "late_fusion", "smurf",
            ]  # fmt: skip
            clips = Path(studies.media_of(workspace, first).folder)
            assert len(list(clips.iterdir())) == SIMULATED.features["audio"].present.sum()
    assert cuts > 20


def test_a_young_folder_is_left_to_the_import_that_writes_it(tmp_path):
    workspace = Workspace(tmp_path)
    half = workspace.root / "studies" / f".{'a' * 12}.partial"
    half.mkdir(parents=True)
    studies.recover_studies(workspace, older_than=60)
    assert half.exists()
    studies.recover_studies(workspace, older_than=0)
    assert not half.exists()


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
