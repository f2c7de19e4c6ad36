"""Runs have a target: those of a store of before predict their study's first one."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smurf_core.data.dataset import FurtherTarget
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.errors import InputError
from smurf_core.processes import worker
from smurf_core.runs import store, studies
from smurf_core.runs.files import RunFiles
from smurf_core.runs.workspace import Workspace
from tests.studio import FAST

STORES = Path(__file__).resolve().parents[2] / "stores"


def opened(version: int, folder: Path) -> Workspace:
    with zipfile.ZipFile(STORES / f"version_{version}.zip") as written:
        written.extractall(folder)
    return Workspace(folder)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_runs_of_earlier_stores_predict_the_first_target(version, tmp_path):
    space = opened(version, tmp_path)
    runs = store.list_runs(space)
    assert runs
    assert store.list_broken_runs(space) == []
    for run in runs:
        study = studies.get_study(space, run.study_id)
        assert run.target == study.target_name
        dataset = store.dataset_of_run(space, run)
        assert dataset.fingerprint == studies.load_study(space, run.study_id).fingerprint
        if run.is_finished:
            result = RunFiles.of(space, run.id).read_result()
            assert result.data_fingerprint == dataset.fingerprint


def test_a_study_of_version_3_shows_all_its_targets_and_trains_the_further_one(tmp_path):
    space = opened(3, tmp_path)
    (study,) = studies.list_studies(space)
    assert studies.targets_of(space, study) == {"y": "regression", "mood": "classification"}
    waiting = next(run for run in store.list_runs(space) if run.name == "waiting")
    store.request_cancel(space, waiting.id)
    trained = store.create_run(space, study.id, FAST, target="mood", jobs=1)
    worker.work(space)
    run = store.get_run(space, trained)
    assert (run.status, run.target) == ("finished", "mood")
    result = RunFiles.of(space, trained).read_result()
    dataset = store.dataset_of_run(space, run)
    assert result.outputs == dataset.class_names == ("calm", "tense")
    assert len(result.sample_ids) == len(dataset) == 40
    assert [r.id for r in store.finished_runs(space, study.id, "mood")] == [trained]
    assert len(store.finished_runs(space, study.id, "y")) == 1
    with pytest.raises(InputError, match=r"predicts mood, and run .* predicts y"):
        store.require_alike(store.finished_runs(space, study.id, "y")[0], [run])
    assert "predicts mood, and y is chosen" in store.why_not_open(space, trained, study.id, "y")


def test_a_study_whose_files_are_gone_still_names_its_first_target(tmp_path):
    space = opened(3, tmp_path)
    (study,) = studies.list_studies(space)
    (space.study_folder(study.id) / "dataset.json").write_text("[]")
    assert studies.targets_of(space, study) == {"y": "regression"}
    with pytest.raises(InputError, match="no target 'mood', only y"):
        store.create_run(space, study.id, FAST, target="mood")


def test_a_target_that_every_sample_has_shares_the_features(tmp_path):
    data = synthetic_additive(samples=20)
    other = FurtherTarget("regression", np.arange(20, dtype=np.float32))
    data = replace(data, further_targets={"other": other})
    chosen = data.with_target("other")
    assert all(
        np.shares_memory(chosen.features[name].values, block.values)
        for name, block in data.features.items()
    )
