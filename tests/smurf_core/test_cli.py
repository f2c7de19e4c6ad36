"""The command as its users call it: arguments in, text and exit code out."""

import json
import sys
import time

import numpy as np
import pandas as pd
import pytest
import yaml

from smurf_core.cli import main
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs import store, studies
from smurf_core.runs.workspace import HOME_VARIABLE, Workspace
from tests.broken_files import BROKEN_FILES, good_table

FAST = ("--layers", "4", "--auxiliary-weight", "0.5", "--learning-rate", "0.01", "--restarts", "1")
FAST += ("--jobs", "1")


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Workspace:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return Workspace.default()


@pytest.fixture
def smurf(workspace, monkeypatch, capsys):
    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["smurf", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return ended.value.code or 0, told.out, told.err

    return call


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "study.csv"
    good_table(60).to_csv(path, index=False)
    return path


def test_files_are_trained_shown_listed_and_exported(smurf, workspace, table, tmp_path):
    code, told, _ = smurf("train", table, "--model", "smurf", "--model", "late_fusion", *FAST)
    assert code == 0
    assert "study: 60 samples, 15 persons, 2 classes of label; features: audio 3, video 2" in told
    for words in ("SMURF", "Late fusion", "majority class", "Accuracy"):
        assert words in told
    fusion, smurf_run = store.list_runs(workspace)
    assert (fusion.config.model, smurf_run.config.model) == ("late_fusion", "smurf")
    assert smurf_run.config.grid.hidden_layers == ((4,),)

    code, told, _ = smurf("runs")
    assert code == 0
    assert smurf_run.id in told
    code, told, _ = smurf("show", smurf_run.id[:6])
    assert "lr 0.01, layers 4" in told
    assert "redundant audio, with video" in told
    code, told, _ = smurf("show", "last")
    assert "unique audio" in told
    assert "redundant" not in told  # Late fusion has none.

    code, told, _ = smurf(
        "evaluate", smurf_run.id, "--compare", fusion.id, "--folder", tmp_path / "tables",
        "--permutations", 100,
    )  # fmt: skip
    assert code == 0
    found = {path.stem: pd.read_csv(path) for path in (tmp_path / "tables").iterdir()}
    assert all(f"{name}.csv" in told for name in found)
    assert set(found["comparison"]["model"]) == {smurf_run.id, fusion.id}
    assert set(found["missing_modalities_comparison"]["available"]) == {
        "audio", "video", "audio+video",
    }  # fmt: skip
    shares = found["variance_shares"].groupby("output")["share"].sum()
    np.testing.assert_allclose(shares, 1)
    assert set(found["typical_unique"]["output"]) == {"calm", "tense"}
    assert "human_judgments" not in found

    code, told, _ = smurf("export", smurf_run.id, "--folder", tmp_path / "out")
    assert code == 0
    tidy = pd.read_csv(tmp_path / "out" / "contributions.csv")
    predictions = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert len(predictions) == 60
    assert len(tidy) == 60 * 4 * 2
    logits = tidy.groupby(["sample_id", "output"])["contribution"].sum().unstack()  # noqa: PD010
    shown = predictions.set_index("sample_id")[["logit calm", "logit tense"]]
    baseline = (shown.to_numpy() - logits.loc[shown.index].to_numpy())[:, 0]
    # What is left is the fold's baseline: one value a fold.
    assert len(np.unique(baseline.round(4))) <= 5
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["config"]["seed"] == 0
    assert run["data"]["sources"][0]["name"] == "study.csv"
    code, _, error = smurf("export", smurf_run.id, "--folder", tmp_path / "out")
    assert code == 2
    assert "exists; name a new folder" in error


def test_the_same_files_are_imported_once(smurf, workspace, table):
    for _ in range(2):
        assert smurf("train", table, *FAST)[0] == 0
    assert len(studies.list_studies(workspace)) == 1
    first, second = store.list_runs(workspace)
    assert first.study_id == second.study_id


def test_an_imported_study_is_trained_by_its_id(smurf, workspace):
    data = synthetic_additive(samples=60)
    study = studies.add_study(workspace, data)
    assert smurf("train", study, *FAST)[0] == 0
    code, _, error = smurf("train", study, "--target", "y", *FAST)
    assert code == 2
    assert "roles are settled" in error
    assert study in smurf("studies")[1]


def test_options_give_columns_their_roles(smurf, table, tmp_path):
    code, told, _ = smurf(
        "check", table, "--target", "audio_rate", "--modality", "voice=audio_pitch,audio_energy",
        "--modality", "face=video_*", "--write", tmp_path / "study.yaml",
    )  # fmt: skip
    assert code == 0
    assert "regression of audio_rate; features: voice 2, face 2" in told
    assert smurf("check", table, "--mapping", tmp_path / "study.yaml")[1] == told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--model", "transformer"), "--model 'transformer' is not known; there are late_fusion"),
        (("--preset", "huge"), "No preset 'huge'; there are quick"),
        (("--layers", "wide"), "--layers 'wide': write widths as 20-10, or linear."),
        (("--learning-rate", "0"), "Learning rates must be above 0."),
        (("--modality", "voice"), "write NAME=COLUMN"),
        (("--target", "nothing"), "nothing"),
        (("--restarts", "0"), "restarts must be at least 1"),
        (("--device", "mps", *FAST), "no mps device"),
    ],
)
def test_bad_options_are_told_in_a_sentence(smurf, table, options, words):
    code, _, error = smurf("train", table, *options)
    assert code == 2
    assert words in error
    assert "Traceback" not in error


@pytest.mark.parametrize(
    "case", [case for case in BROKEN_FILES if not case.is_read], ids=lambda case: case.name
)
def test_broken_files_end_with_code_2_and_leave_studies_alone(smurf, workspace, case, tmp_path):
    (tmp_path / "broken").mkdir()
    before = studies.ensure_synthetic_study(workspace)
    code, told, error = smurf("train", *case.make(tmp_path / "broken"))
    assert code == 2
    assert error.startswith("Error: ")
    assert error.count("\n") == 1
    assert all(word in error for word in case.words)
    assert "Traceback" not in told + error
    assert [study.id for study in studies.list_studies(workspace)] == [before]
    assert store.list_runs(workspace) == []


def test_unknown_runs_are_told(smurf):
    for command in ("show", "export", "cancel", "resume"):
        code, _, error = smurf(command, "nothing")
        assert code == 2
        assert "no run 'nothing'" in error


def test_what_is_not_there_is_verified_too(smurf):
    code, told, _ = smurf(
        "verify", "--seeds", 1, "--samples", 120, "--jobs", 1, "--setting", "none"
    )
    assert code == 0
    assert "largest sd of what should be zero 0." in told
    code, told, _ = smurf(
        "verify", "--seeds", 1, "--samples", 120, "--jobs", 1, "--setting", "bimodal",
        "--learning-rate", 0.002, "--auxiliary-weight", 0.7,
    )  # fmt: skip
    assert code == 0
    assert "lr 0.002, layers linear, weight decay 0, λ 0.7" in told
    code, _, error = smurf("verify", "--setting", "quadrimodal")
    assert code == 2
    assert "No setting quadrimodal" in error


def test_basins_tell_right_from_wrong(smurf):
    code, told, _ = smurf("basins", "--starts", 4, "--samples", 600)
    assert code == 0
    assert "0.01 of the usual" in told
    assert "4 of 4" in told


def test_a_detached_run_is_cancelled_and_taken_up_again(smurf, workspace, table):
    code, told, _ = smurf("train", table, *FAST, "--weight-decay", "0", "--detach")
    assert code == 0
    run_id = told.split()[-1]
    smurf("cancel", run_id)
    deadline = time.monotonic() + 60
    while store.get_run(workspace, run_id).is_active and time.monotonic() < deadline:
        time.sleep(0.1)
    if store.get_run(workspace, run_id).status == "cancelled":
        code, told, _ = smurf("resume", run_id)
        assert code == 0
    assert store.get_run(workspace, run_id).status == "finished"


def test_verification_prints_every_seed_and_the_paper(smurf):
    code, told, _ = smurf("verify", "--seeds", 1, "--samples", 120, "--jobs", 1)
    assert code == 0
    lines = told.splitlines()
    assert lines[1].split()[:2] == ["bimodal", "0"]
    assert lines[2].split()[:2] == ["trimodal", "0"]
    assert "of 1 seeds (paper 0.964)" in told


def test_a_simulated_study_is_made_and_its_files_can_be_checked(smurf, workspace, tmp_path):
    code, told, _ = smurf("simulate-study", "--samples", 60, "--persons", 6)
    assert code == 0
    (study,) = studies.list_studies(workspace)
    assert told.startswith(f"{study.id}: simulated")
    assert study.origin == "simulated"
    code, told, _ = smurf(
        "simulate-study", "--samples", 60, "--persons", 6, "--files", tmp_path / "files"
    )
    assert code == 0
    assert "labels.csv" in told
    code, _, error = smurf("simulate-study", "--persons", 2)
    assert code == 2
    assert "at least 5 persons" in error


def test_a_study_is_imported_as_its_yaml_says(smurf, workspace, table, tmp_path):
    mapping = tmp_path / "study.yaml"
    mapping.write_text(
        "name: By hand\nfiles: {study.csv: mixed}\ntarget: label\nid: sample_id\n"
        "modalities: {voice: ['audio_*'], face: ['video_*']}\nmedia_folder: clips\n"
    )
    code, _, error = smurf("import", mapping)
    assert code == 2
    assert "There is no folder" in error
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "s01.wav").write_bytes(b"RIFF")
    for _ in range(2):  # The second time it is found again.
        code, told, error = smurf("import", mapping)
        assert (code, error) == (0, "")
    assert "1 of 60 samples have a recording" in told
    (study,) = studies.list_studies(workspace)
    assert told.split()[-1] == study.id
    assert (study.name, study.modalities) == ("By hand", ("voice", "face"))
    assert studies.media_of(workspace, study.id).folder == str(tmp_path / "clips")
    mapping.write_text("files: {../study.csv: mixed}\n")
    code, _, error = smurf("import", mapping)
    assert code == 2
    assert "within the mapping's folder" in error


def test_files_are_imported_with_guessed_roles(smurf, workspace, table):
    code, told, _ = smurf("import", table, "--name", "Guessed")
    assert code == 0
    assert studies.get_study(workspace, told.split()[-1]).name == "Guessed"


def test_ratings_are_of_the_target_that_is_named(smurf, tmp_path):
    table = good_table(60).rename(columns={"label": "valence"})
    table["valence"] = np.linspace(-1, 1, 60)
    table["arousal"] = np.linspace(1, -1, 60)
    table = table.assign(valence_A=0.5, arousal_A=0.25)
    table.to_csv(tmp_path / "study.csv", index=False)
    written = tmp_path / "roles.yaml"
    for target in ("valence", "arousal"):
        code, _, error = smurf(
            "check", tmp_path / "study.csv", "--target", target, "--write", written
        )
        assert (code, error) == (0, "")
        assert list(yaml.safe_load(written.read_text())["judgments"]) == [f"{target}_A"]
