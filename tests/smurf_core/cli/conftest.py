"""The command as its users call it: arguments in, text and exit code out, in this process."""

import contextlib
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from smurf_core.cli import main
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
    with pytest.MonkeyPatch.context() as patch:
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
