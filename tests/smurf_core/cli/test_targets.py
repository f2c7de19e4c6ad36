"""Several targets of one study on the command line: import, train, show, export, report."""

import json
import subprocess

import numpy as np
import pandas as pd
import pytest

from smurf_core.runs import store, studies
from smurf_core.runs.files import RunFiles
from smurf_core.runs.workspace import HOME_VARIABLE, Workspace
from tests.smurf_core.cli.conftest import QUICK, call
from tests.two_targets import WITHOUT_MOOD, N, written

BOTH = ("--target", "valence", "--target", "mood")
MODEL = ("--model", "late_fusion")


@pytest.fixture(scope="module")
def _both(tmp_path_factory):
    """Imported and trained once: home, study, what training printed, and the run of each target."""
    folder = tmp_path_factory.mktemp("targets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(folder / "home"))
        study = call("import", written(folder), *BOTH).out.split()[-1]
        ended = call("train", study, "--all-targets", *MODEL, *QUICK)
        runs = {run.target: run for run in store.list_runs(Workspace.default())}
    return folder, study, ended, runs


@pytest.fixture
def both(_both, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(_both[0] / "home"))
    return _both


def test_one_command_trains_all_targets_and_shows_each(both):
    _, study, ended, runs = both
    assert (ended.code, list(runs)) == (0, ["mood", "valence"])
    assert {run.study_id for run in runs.values()} == {study}
    first, second = ended.out.index("Target valence:"), ended.out.index("Target mood:")
    assert "CCC" in ended.out[first:second]
    assert "Accuracy" in ended.out[second:]


def test_a_run_of_a_further_target_has_the_numbers_of_a_study_of_it_alone(both, tmp_path):
    folder, _, _, runs = both
    call("train", folder / "study.csv", "--target", "mood", *MODEL, *QUICK)
    workspace = Workspace.default()
    alone = store.list_runs(workspace)[0]
    assert alone.study_id != runs["mood"].study_id
    one, other = (RunFiles.of(workspace, run.id).read_result() for run in (alone, runs["mood"]))
    store.delete_run(workspace, alone.id)
    assert one.data_fingerprint == other.data_fingerprint
    assert len(one.sample_ids) == N - WITHOUT_MOOD
    np.testing.assert_array_equal(one.contributions().values, other.contributions().values)


def test_lists_and_show_name_the_target(both):
    _, study, _, runs = both
    listed = call("runs").out
    assert "target" in listed
    assert all(name in listed for name in runs)
    (line,) = [line for line in call("studies").out.splitlines() if study in line]
    assert "regression, classification" in line
    assert "valence, mood" in line
    shown = call("show", runs["mood"].id)
    assert shown.code == 0
    assert "It predicts mood; other targets of its study: valence." in shown.out
    assert "test Accuracy" in shown.out
    assert "test Accuracy" not in call("show", runs["valence"].id).out


def test_an_export_is_of_the_runs_target(both, tmp_path):
    *_, runs = both
    ended = call("export", runs["mood"].id, "--folder", tmp_path / "mood")
    assert "It predicts mood; other targets of its study: valence." in ended.out
    assert json.loads((tmp_path / "mood" / "run.json").read_text())["target"] == "mood"
    table = pd.read_csv(tmp_path / "mood" / "predictions.csv")
    assert set(table["target"]) == {"calm", "tense"}
    assert len(table) == N - WITHOUT_MOOD


def test_runs_of_different_targets_are_not_compared(both, tmp_path):
    *_, runs = both
    for command in ("evaluate", "report"):
        ended = call(command, runs["mood"].id, "--compare", runs["valence"].id)
        assert ended.code == 2
        assert "predicts valence, and run" in ended.error
        assert "only runs of one target can be compared" in ended.error


def test_an_evaluation_of_a_further_target_has_no_human_judgments(both, tmp_path):
    *_, runs = both
    for target, has_judgments in (("valence", True), ("mood", False)):
        ended = call("evaluate", runs[target].id, "--folder", tmp_path / target)
        assert ended.code == 0, ended.error
        assert (tmp_path / target / "human_judgments.csv").exists() == has_judgments


def test_a_report_of_a_further_target_trains_it_again(both, tmp_path):
    folder, study, _, runs = both
    ended = call("report", runs["mood"].id, "--output", tmp_path / "report")
    assert ended.code == 0, ended.error
    script = (tmp_path / "report" / "rerun.sh").read_text()
    assert "--target mood --config" in script
    assert "classification of mood" in (tmp_path / "report" / "model" / "model_card.md").read_text()
    assert "<dt>Target</dt><dd>mood</dd>" in (tmp_path / "report" / "report.html").read_text()
    subprocess.run(["bash", "-n", tmp_path / "report" / "rerun.sh"], check=True)
    last = script.strip().splitlines()[-1]
    fingerprint = last.split("--expect-data ")[1]
    again = call(
        "train", folder / "study.csv", "--mapping", tmp_path / "report" / "study.yaml",
        "--target", "mood", "--config", tmp_path / "report" / "config.json",
        "--expect-data", fingerprint, "--jobs", "1",
    )  # fmt: skip
    assert (again.code, "expected" in again.error) == (0, False), again.error
    newest = store.list_runs(Workspace.default())[0]
    assert (newest.study_id, newest.target) == (study, "mood")
    store.delete_run(Workspace.default(), newest.id)


def test_without_a_choice_the_first_target_is_trained_and_the_others_are_named(
    both, a_worker_process
):
    _, study, _, _ = both
    workspace = Workspace.default()
    ended = call("train", study, *MODEL, *QUICK, "--detach")
    newest = store.list_runs(workspace)[0]
    store.delete_run(workspace, newest.id)
    assert newest.target == "valence"
    assert "This study has 2 targets; this is about valence." in ended.out
    assert "--target (mood)" in ended.out


def test_a_target_that_the_study_lacks_is_refused_before_anything_is_queued(both):
    _, study, _, _ = both
    workspace = Workspace.default()
    before = [run.id for run in store.list_runs(workspace)]
    ended = call("train", study, "--target", "joy", *QUICK)
    assert ended.code == 2
    assert "has no target 'joy', only valence, mood" in ended.error
    ended = call("train", study, "--target", "mood", "--all-targets", *QUICK)
    assert ended.code == 2
    assert "keep one" in ended.error
    with pytest.raises(ValueError, match="has no target 'joy'"):
        store.create_run(workspace, study, store.list_runs(workspace)[0].config, target="joy")
    assert [run.id for run in store.list_runs(workspace)] == before


def test_files_with_two_named_targets_are_one_study_and_two_runs(
    smurf, workspace, tmp_path, a_worker_process
):
    ended = smurf("train", written(tmp_path), *BOTH, *MODEL, *QUICK, "--detach")
    assert ended.code == 0, ended.error
    runs = store.list_runs(workspace)
    assert [run.target for run in runs] == ["mood", "valence"]
    (study,) = {run.study_id for run in runs}
    info = studies.get_study(workspace, study)
    assert studies.targets_of(workspace, info) == {
        "valence": "regression", "mood": "classification",
    }  # fmt: skip
    for run in runs:
        store.request_cancel(workspace, run.id)
