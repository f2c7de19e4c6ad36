"""The command as its users call it: arguments in, text and exit code out, in this process."""

import contextlib
import io
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from smurf_core.cli import main
from smurf_core.processes import launcher
from smurf_core.processes.worker import work
from smurf_core.runs import store
from smurf_core.runs.workspace import HOME_VARIABLE, Workspace
from tests.broken_files import good_table

# What one configuration needs, in a moment.
QUICK = (
    "--layers", "4", "--auxiliary-weight", "0.5", "--learning-rate", "0.01", "--weight-decay", "0",
    "--restarts", "1", "--jobs", "1",
)  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    error: str


def call(*arguments: object) -> Ended:
    out, error = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(error),
    ):
        patch.setattr(sys, "argv", ["smurf", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    return Ended(int(ended.value.code or 0), out.getvalue(), error.getvalue())


class _WorkerHere(threading.Thread):
    """The worker's own loop in a thread of this process, which has the libraries loaded."""

    def poll(self) -> int | None:
        return None if self.is_alive() else 0


@contextlib.contextmanager
def training_here() -> Iterator[None]:
    """Commands train in this process: torch in a new one takes longer to load than these runs."""
    begun: list[_WorkerHere] = []

    def start(workspace: Workspace) -> _WorkerHere:
        begun.append(_WorkerHere(target=work, args=(workspace,), daemon=True))
        begun[-1].start()
        return begun[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launcher, "_start", start)
        yield
        for one in begun:
            one.join(60)


_start_process = launcher._start


@pytest.fixture(scope="module", autouse=True)
def trains_here() -> Iterator[None]:
    """What the tests of a module share is also trained here."""
    with training_here():
        yield


@pytest.fixture
def a_worker_process(trains_here, monkeypatch) -> None:
    """Runs are trained by a process of their own, as users have it."""
    monkeypatch.setattr(launcher, "_start", _start_process)


@pytest.fixture
def workspace(home) -> Workspace:
    return home


@pytest.fixture
def smurf(workspace) -> Callable[..., Ended]:
    """Calls the command on an empty workspace."""
    return call


@pytest.fixture
def quick() -> tuple[str, ...]:
    return QUICK


@pytest.fixture
def table(tmp_path) -> Path:
    return _table(tmp_path)


def _table(folder: Path) -> Path:
    path = folder / "study.csv"
    table = good_table(60)
    for column in ("audio_pitch", "video_smile"):  # Both know the label.
        table[column] += 3.0 * (table["label"] == "tense")
    table.to_csv(path, index=False)
    return path


@dataclass(frozen=True)
class Trained:
    """A workspace with two finished runs of one study, and what the commands printed."""

    workspace: Workspace
    table: Path
    study: str
    late_fusion: str
    smurf: str
    imported: Ended
    ended: Ended

    def __call__(self, *arguments: object) -> Ended:
        return call(*arguments)


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    table = _table(folder)
    with pytest.MonkeyPatch.context() as patch, training_here():
        patch.setenv(HOME_VARIABLE, str(folder / "home"))
        workspace = Workspace.default()
        imported = call("import", table)
        study = imported.out.split()[-1]
        ended = call("train", study, "--model", "smurf", "--model", "late_fusion", *QUICK)
    late_fusion, smurf = (run.id for run in store.list_runs(workspace))
    return Trained(workspace, table, study, late_fusion, smurf, imported, ended)


@pytest.fixture
def trained(trained_once, monkeypatch) -> Trained:
    """Calls the command on a workspace with finished runs, which tests must not change."""
    monkeypatch.setenv(HOME_VARIABLE, str(trained_once.workspace.root))
    return trained_once
