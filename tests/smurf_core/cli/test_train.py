import json
import time

import pytest

from smurf_core.cli.configuring import read_config
from smurf_core.configuration import RunConfig
from smurf_core.runs import store, studies


def test_models_are_trained_on_an_imported_study_and_compared(trained):
    ended = trained.ended
    assert ended.code == 0, ended.error
    for words in ("SMURF", "Late fusion", "majority class", "Accuracy"):
        assert words in ended.out
    fusion, smurf = store.list_runs(trained.workspace)
    assert (fusion.config.model, smurf.config.model) == ("late_fusion", "smurf")
    assert smurf.config.grid.hidden_layers == ((4,),)
    assert fusion.study_id == smurf.study_id == trained.study


def test_the_roles_of_an_imported_study_are_settled(trained, quick):
    ended = trained("train", trained.study, "--person", "person", *quick)
    assert ended.code == 2
    assert "cannot be changed" in ended.error
    ended = trained("train", trained.study, "--target", "y", *quick)
    assert ended.code == 2
    assert "has no target 'y', only label" in ended.error


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--model", "transformer"), ("--model", "'transformer' is not one of late_fusion,")),
        (("--preset", "huge"), ("--preset", "'huge' is not one of quick,")),
        (("--selection", "banana"), ("--selection", "is not one of published,")),
        (("--standardisation", "banana"), ("--standardisation", "is not one of training_fold,")),
        (("--search", "banana"), ("--search", "is not one of full, halving.")),
        (("--device", "tpu"), ("--device", "is not one of auto, cpu,")),
        (("--task", "banana"), ("--task", "is not one of auto, regression, classification.")),
        (("--layers", "wide"), ("Error: --layers 'wide': write widths as 20-10, or linear.",)),
        (("--learning-rate", "0"), ("Error: Learning rates must be above 0.",)),
        (("--modality", "voice"), ("Error: --modality 'voice': write NAME=COLUMN",)),
        (("--target", "nothing"), ("nothing",)),
        (("--restarts", "0"), ("restarts must be at least 1",)),
        (("--clip", "far"), ("Error: --clip 'far': write a number as 5, or none.",)),
        (
            ("--model", "mro_smurf", "--layers", "linear", "--components", "1"),
            ("multiplies features, which principal components cannot be traced back to",),
        ),
        (("--model", "explained"), ("has no outputs of a given model",)),
        (("--clip", "0"), ("clip must be above 0 standard deviations, got 0.",)),
    ],
)
def test_bad_options_end_with_a_sentence(smurf, workspace, table, options, words):
    ended = smurf("train", table, *options)
    assert ended.code == 2
    shown = " ".join(ended.error.replace("│", " ").split())
    assert [word for word in words if word not in shown] == [], shown
    assert "Traceback" not in ended.error
    assert store.list_runs(workspace) == []


def test_a_run_that_fails_ends_with_its_sentence(smurf, table, quick):
    ended = smurf("train", table, "--device", "mps", *quick)
    assert ended.code == 2
    assert "no mps device" in ended.error


def test_features_are_clipped_at_5_unless_something_else_is_asked(smurf, workspace, table, quick):
    for options in ((), ("--clip", "3"), ("--clip", "none"), ("--standardisation", "none")):
        assert smurf("train", table, *quick, *options).code == 0
    runs = store.list_runs(workspace)[::-1]  # the oldest first
    assert [run.config.clip for run in runs] == [5, 3, None, None]
    assert "standardisation training_fold, clipped at 5 sd" in smurf("show", runs[0].id).out
    assert "standardisation none, not clipped" in smurf("show", runs[3].id).out


def test_a_run_on_principal_components_shows_how_many(smurf, workspace, table, quick):
    ended = smurf("train", table, *quick, "--model", "smurf", "--components", 1)
    assert ended.code == 0, ended.error
    (run,) = store.list_runs(workspace)
    assert run.config.components == 1
    shown = " ".join(smurf("show", run.id).out.split())
    assert "at most 1 principal component per modality" in shown
    ended = smurf("train", table, *quick, "--components", 0)
    assert ended.code == 2
    assert "--components" in ended.error


def test_a_detached_run_is_cancelled_and_resumed(smurf, workspace, table, quick, a_worker_process):
    ended = smurf("train", table, *quick, "--detach")
    assert ended.code == 0
    run_id = ended.out.split()[-1]
    smurf("cancel", run_id)
    deadline = time.monotonic() + 60
    while store.get_run(workspace, run_id).is_active and time.monotonic() < deadline:
        time.sleep(0.05)
    if store.get_run(workspace, run_id).status == "cancelled":
        assert smurf("resume", run_id).code == 0
    assert store.get_run(workspace, run_id).status == "finished"


def test_only_the_expected_data_is_trained_on(smurf, workspace, table, quick):
    ended = smurf("train", table, *quick, "--expect-data", "0" * 64)
    assert ended.code == 2
    assert "This is not the data that was trained on" in ended.error
    assert [study.name for study in studies.list_studies(workspace)] == ["study"]
    assert store.list_runs(workspace) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be opened"),
        ("model: smurf", "is not the configuration of a run"),
        ("[" * 100_000, "is not the configuration of a run"),
        ("[]", "cannot be used. The configuration of the run must be names with values"),
        ('{"speed": 3}', "has no field 'speed' and lacks 'model', 'preset', 'grid'"),
        (
            json.dumps({**RunConfig().to_dict(), "selection": "banana"}),
            "selection must be published or one_standard_error, got 'banana'",
        ),
    ],
)
def test_a_config_that_is_none_is_refused(smurf, table, tmp_path, text, words):
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text)
    ended = smurf("train", table, "--config", path)
    assert ended.code == 2
    assert words in ended.error
    assert ended.error.count("\n") == 1


def test_the_config_of_a_run_trains_the_same_again(trained, tmp_path):
    trained("export", trained.smurf, "--folder", tmp_path / "out")
    config = json.loads((tmp_path / "out" / "run.json").read_text())["config"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    known = store.get_run(trained.workspace, trained.smurf).config
    assert read_config(tmp_path / "config.json") == known
