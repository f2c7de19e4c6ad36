"""Predictions of new samples: kept beside their run, read back, deleted, and the same as before."""

import errno
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError
from smurf_core.evaluation.outlying import new_sample_marks, outlying_samples
from smurf_core.explained import explained
from smurf_core.runs import store
from smurf_core.runs.new_samples import (
    delete_predictions,
    list_predictions,
    read_predictions,
    save_predictions,
)
from smurf_core.runs.predicting import predict_files
from tests.studio import result_of, trained, with_a_far_sample


def new_files(folder, data) -> list[SourceFile]:
    """The features of a data set as one CSV file per modality, as a study's."""
    files = []
    for name, features in data.features.items():
        table = pd.DataFrame(features.values, columns=list(features.names))
        table.insert(0, "sample_id", [f"new{i}" for i in range(len(table))])
        table.to_csv(folder / f"{name}.csv", index=False)
        files.append(SourceFile(f"{name}.csv", folder / f"{name}.csv"))
    return files


@pytest.fixture(params=["regression", "classification"])
def predicted(request, trained_home, tmp_path):
    """The workspace, a run, and its predictions of 60 new samples, one without A, one far."""
    run = next(
        run
        for run in store.list_runs(trained_home)
        if result_of(trained_home, run).task == request.param
    )
    data = synthetic_additive(samples=60, seed=5, task=request.param)
    values = data.features["A"].values.copy()
    values[3], values[5, 0] = np.nan, 500  # The other columns are also in B and C.
    features = {**data.features, "A": replace(data.features["A"], values=values)}
    files = new_files(tmp_path, replace(data, features=features, factors={}))
    return trained_home, run, predict_files(trained_home, run.id, files)


def test_what_was_kept_is_read_back_equal_in_every_value(predicted):
    workspace, run, found = predicted
    saved = save_predictions(workspace, run.id, ["new.csv"], found)
    again = read_predictions(workspace, run.id, saved.id)
    pd.testing.assert_frame_equal(again.to_frame(), found.to_frame(), check_exact=True)
    pd.testing.assert_frame_equal(
        again.contribution_frame(), found.contribution_frame(), check_exact=True
    )
    assert again.problems == found.problems
    assert again.summary() == found.summary()
    assert list_predictions(workspace, run.id) == [saved]
    assert (saved.name, saved.samples) == ("new.csv", 60)


def test_absent_and_far_samples_are_marked(predicted):
    _, _, found = predicted
    table = found.to_frame()
    assert table.loc[3, "absent"] == "A"
    assert (table["absent"] != "").sum() == 1
    assert table.loc[5, "outlying"].startswith("A: ")
    assert table.loc[5, "outside"] >= 1
    assert "A: u_A" in table.loc[5, "outside_features"]
    assert (table.drop(index=5)["outlying"] == "").all()
    assert found.summary().startswith("60 samples predicted; 1 lack a modality, 0 lack features, ")


def test_a_far_sample_has_the_mark_of_its_study(home):
    data = with_a_far_sample(synthetic_additive(samples=80))
    study = trained(home, data, "smurf")
    run = store.list_runs(home, study)[0]
    result = result_of(home, run)
    table = outlying_samples(result, explained(result, data)).set_index("sample_id")
    far = {name: features.values[[33]] for name, features in data.features.items()}
    fold = int(table.loc["s33", "fold"]) - 1
    (mark,) = new_sample_marks(result, data, far, fold=fold)
    assert mark == table.loc["s33", "mark"] != ""
    # The other folds were trained on it: their standard deviations are larger.
    assert new_sample_marks(result, data, far)[0] == ""


def test_deleted_predictions_are_gone_and_say_so(predicted):
    workspace, run, found = predicted
    saved = save_predictions(workspace, run.id, ["new.csv"], found)
    delete_predictions(workspace, run.id, saved.id)
    delete_predictions(workspace, run.id, saved.id)
    assert list_predictions(workspace, run.id) == []
    with pytest.raises(InputError, match="were deleted"):
        read_predictions(workspace, run.id, saved.id)
    with pytest.raises(InputError, match="There are no predictions"):
        read_predictions(workspace, run.id, "../x")


@pytest.mark.parametrize("name", ["arrays.safetensors", "samples.parquet", "predictions.json"])
def test_damage_is_found(predicted, name):
    workspace, run, found = predicted
    saved = save_predictions(workspace, run.id, ["new.csv"], found)
    path = workspace.run_folder(run.id) / "new_samples" / saved.id / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(InputError, match="are damaged"):
        read_predictions(workspace, run.id, saved.id)


def test_a_full_disk_leaves_nothing_behind(predicted, monkeypatch):
    workspace, run, found = predicted

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("smurf_core.durable.flush", full)
    with pytest.raises(InputError, match="The disk is full"):
        save_predictions(workspace, run.id, ["new.csv"], found)
    monkeypatch.undo()
    assert list_predictions(workspace, run.id) == []
    assert not list((workspace.run_folder(run.id) / "new_samples").iterdir())
