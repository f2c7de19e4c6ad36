"""Progress where output is no terminal: lines, not bars."""

import os
import re
import subprocess
import sys

from rich.console import Console

from smurf_core.cli import progress
from smurf_core.processes.worker import StoreObserver
from smurf_core.runs import store
from smurf_core.training.observing import Progress

IMPORTING = ("Reading ", "Joining ", "Noting ", "Imported")


def test_an_import_says_what_share_of_which_file_is_read(table, smurf, monkeypatch):
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    lines = smurf("check", table).error.splitlines()
    assert lines[0] == "Reading study.csv: 0%"
    assert all(re.fullmatch(r"[A-Z][a-z. ]+: \d+%", line) for line in lines)
    shares = [int(line.rpartition(": ")[2][:-1]) for line in lines]
    assert shares == sorted(shares)
    assert shares[-1] == 100


def test_a_pipe_gets_lines_of_folds_and_the_best_metric(table, home, quick):
    ended = subprocess.run(
        [sys.executable, "-m", "smurf_core", "train", str(table), "--model", "smurf", *quick],
        capture_output=True, text=True, timeout=120,
        env={**os.environ, "SMURF_HOME": str(home.root)},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    (run,) = store.list_runs(home)
    # On a busy machine, reading may take long enough to be shown.
    lines = [line for line in ended.stderr.splitlines() if not line.startswith(IMPORTING)]
    start = f"{run.id} SMURF: "
    assert all(line.startswith(start) for line in lines), ended.stderr
    assert any(
        re.search(r"\d+%, fold [1-5] of 5, .*, best validation Accuracy \d\.\d{3}", line)
        for line in lines
    ), ended.stderr
    assert re.fullmatch(rf"{start}finished after \d+ s", lines[-1])
    assert "SMURF" in ended.stdout
    assert not set("\r\x1b━") & set(ended.stderr)


def test_a_line_comes_every_few_seconds_and_only_with_news(workspace, study, config, monkeypatch):
    run_id = store.create_run(workspace, study, config)
    with open(os.devnull, "w") as nowhere:
        console = Console(file=nowhere, record=True)
        lines = progress._Lines(console, workspace, store.list_runs(workspace))

        def seen() -> list[str]:
            lines.show(store.list_runs(workspace))
            return console.export_text().splitlines()

        def report(unit: str, metric: float) -> None:
            StoreObserver(workspace, run_id).report(
                Progress(0, 5, unit, 1, 9, 0.1, 0.25, 1.0, 1.0, metric)
            )

        assert seen() == [f"{run_id} SMURF: queued"]
        assert store.claim(workspace) is not None
        assert seen() == [f"{run_id} SMURF: 0%, starting"]
        report("search 4", 0.25)
        report("search 4", 0.5)
        expected = "25%, fold 1 of 5, search 4, best validation Pearson's r 0.500"
        assert seen() == [f"{run_id} SMURF: {expected}"]
        report("restarts", 0.4)
        assert seen() == []  # It is too soon.
        monkeypatch.setattr(progress, "LINE_SECONDS", 0)
        expected = "25%, fold 1 of 5, restarts, best validation Pearson's r 0.500"
        assert seen() == [f"{run_id} SMURF: {expected}"]
        assert seen() == []  # There is no news.


def test_steps_are_lines_in_a_pipe(capsys):
    with progress.Steps("audio") as show:
        for done in (1, 2, 3):
            show(done, 3)
    assert capsys.readouterr().err == "audio: 1 of 3\naudio: 3 of 3\n"
