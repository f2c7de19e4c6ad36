import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smurf_core.configuration import Grid, RunConfig
from smurf_core.errors import InputError
from smurf_core.evaluation.complete import tables_of_run
from smurf_core.explained import explained
from smurf_core.fitted import FittedModel
from smurf_core.processes import worker
from smurf_core.reporting.bundle import model_files, report_of, zipped
from smurf_core.reporting.findings import find
from smurf_core.runs import own_studies, store
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import list_runs
from smurf_core.runs.studies import load_study


@pytest.fixture(scope="module")
def files(reported):
    fusion, smurf = list_runs(reported)
    return report_of(reported, smurf, [fusion])


def test_a_report_holds_tables_model_script_and_citation(files, reported):
    smurf = list_runs(reported)[1]
    result = RunFiles.of(reported, smurf.id).read_result()
    contributions = pd.read_parquet(io.BytesIO(files["contributions.parquet"]))
    assert contributions.equals(result.contributions().to_frame())
    card = files["model/model_card.md"].decode()
    assert result.data_fingerprint in card
    assert "10.1145/3678957.3685716" in card
    assert "<b>" not in card.replace("\\<b\\>", "")  # Names are text, not markup.
    assert RunConfig.from_dict(json.loads(files["config.json"])) == result.config
    assert files["citation.bib"].startswith(b"@inproceedings{")


def test_csv_has_the_evaluation_unrounded(files):
    table = pd.read_csv(io.BytesIO(files["tables/table_2_performance.csv"]))
    assert set(table["title"]) == {"SMURF", "Late fusion"}
    assert {"difference", "p_person", "p_resampled"} <= set(table.columns)


def test_a_report_contains_every_evaluation_of_the_run(files, reported):
    """A new evaluation used to need places of its own in the report; many were missing there."""
    smurf = list_runs(reported)[1]
    result = RunFiles.of(reported, smurf.id).read_result()
    expected = tables_of_run(result, explained(result, load_study(reported, smurf.study_id)))
    assert "variance_totals" in expected
    for name, table in expected.items():
        found = pd.read_csv(io.BytesIO(files[f"tables/{name}.csv"]))
        assert list(found.columns) == list(table.columns)
        assert len(found) == len(table)


def test_the_model_explains_samples_without_the_data(reported, tmp_path):
    for info in list_runs(reported):
        dataset = load_study(reported, info.study_id)
        result = RunFiles.of(reported, info.id).read_result()
        found = find({info.id: result}, {info.id: "run"}, dataset, reference=info.id)
        files = model_files(info.name, result, dataset, found)
        for fold in result.fold_results:
            (tmp_path / "model.safetensors").write_bytes(files[f"fold_{fold.fold + 1}.safetensors"])
            model = FittedModel.load(tmp_path / "model.safetensors")
            explained = model.contributions(
                {name: features.values for name, features in dataset.features.items()},
                persons=dataset.persons,
            )
            wanted = result.fold_contributions(fold.fold)
            assert explained.terms == wanted.terms
            np.testing.assert_allclose(explained.values, wanted.values, atol=2e-5)
            np.testing.assert_allclose(explained.prediction(), wanted.prediction(), atol=2e-5)


def test_the_archive_keeps_the_script_executable(files):
    archive = zipfile.ZipFile(io.BytesIO(zipped(files, "report")))
    assert {f"report/{name}" for name in files} == set(archive.namelist())
    assert archive.getinfo("report/rerun.sh").external_attr >> 16 == 0o755
    assert archive.read("report/citation.bib") == files["citation.bib"]


@pytest.mark.skipif(sys.platform == "win32", reason="Runs a shell script.")
def test_the_script_trains_the_same_numbers_again(home, tmp_path):
    study = own_studies.ensure_synthetic_study(home)
    config = RunConfig(
        preset="custom", grid=Grid((2e-2,), ((),), (0.0,), (0.5,)), max_epochs=3, restarts=1,
        seed=7, fold_count=3, patience=None,
    )  # fmt: skip
    store.create_run(home, study, config, jobs=1)
    environment = {**os.environ, "PATH": f"{tmp_path}:{Path(sys.executable).parent}:{os.defpath}"}
    root = Path(__file__).resolve().parents[3]
    # The command as it is installed, of this source tree.
    (tmp_path / "smurf").write_text(
        f'#!/bin/sh\nPYTHONPATH="{root}" exec "{sys.executable}" -m smurf_core "$@"\n'
    )
    (tmp_path / "smurf").chmod(0o755)
    worker.work(home)
    (first,) = list_runs(home)
    for name, content in report_of(home, first).items():
        if "/" not in name:
            (tmp_path / name).write_bytes(content)
    script = ["bash", str(tmp_path / "rerun.sh")]
    subprocess.run(script, check=True, capture_output=True, env=environment, cwd=tmp_path)
    again, _ = list_runs(home)
    one, other = (RunFiles.of(home, run.id).read_result() for run in (first, again))
    assert again.config == first.config
    np.testing.assert_array_equal(one.contributions().values, other.contributions().values)
    wrong = (tmp_path / "rerun.sh").read_text().replace(one.data_fingerprint, "0" * 64)
    (tmp_path / "rerun.sh").write_text(wrong)
    refused = subprocess.run(script, check=False, capture_output=True, env=environment)
    assert refused.returncode == 2
    assert b"not the data that was trained on" in refused.stderr


def test_runs_of_other_studies_and_unfinished_ones_are_refused(reported, home):
    waiting = store.get_run(
        home, store.create_run(home, own_studies.ensure_synthetic_study(home), RunConfig())
    )
    with pytest.raises(InputError, match="only finished runs"):
        report_of(home, waiting)
