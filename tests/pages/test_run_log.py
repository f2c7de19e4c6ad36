"""A run's log can be read on Train, and holds nothing of samples."""

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.processes import worker
from smurf_core.runs import store, studies
from smurf_core.runs.files import RunFiles
from smurf_core.training import run as training
from tests.studio import FAST

SAID = "said by person-quokka: <b>hello</b>"


def test_the_log_of_a_failed_run_is_shown_without_the_errors_message(open_page, home, monkeypatch):
    study = studies.add_study(home, synthetic_additive(samples=60))
    run = store.create_run(home, study, FAST, jobs=1)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SAID)

    monkeypatch.setattr(training, "train_run", fail)
    worker.work(home)
    lines = RunFiles.of(home, run).last_lines()
    line, log = lines[0], "\n".join(lines)
    assert f"run {run} begins: smurf" in line
    assert "RuntimeError" in log
    assert "worker.py" in log
    assert "quokka" not in log
    files = RunFiles.of(home, run)
    files.note("**bold** <script>alert(1)</script>")
    page = open_page("train", study=study)
    (shown,) = page.code
    assert shown.value.endswith("**bold** <script>alert(1)</script>")
    assert f"run {run} ends" in shown.value


def test_only_the_last_lines_are_read(tmp_path):
    files = RunFiles(tmp_path / "run")
    assert files.last_lines() == []
    for number in range(300):
        files.note(f"line {number}")
    assert [line.split("  ")[1] for line in files.last_lines(2)] == ["line 298", "line 299"]
