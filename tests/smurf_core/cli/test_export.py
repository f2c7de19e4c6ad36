import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from smurf_core.evaluation.performance import performance
from smurf_core.evaluation.redundancy import variance_shares
from smurf_core.explained import explained
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import get_run
from smurf_core.runs.studies import load_study

needs_r = pytest.mark.skipif(
    shutil.which("Rscript") is None, reason="Rscript (r-base-core) is not installed"
)


def test_a_run_is_exported_as_tables(trained, tmp_path):
    ended = trained("export", trained.smurf, "--folder", tmp_path / "out")
    assert ended.code == 0
    tidy = pd.read_csv(tmp_path / "out" / "contributions.csv")
    predictions = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert len(predictions) == 60
    assert len(tidy) == 60 * 4 * 2
    logits = tidy.groupby(["sample_id", "output"])["contribution"].sum().unstack()  # noqa: PD010
    shown = predictions.set_index("sample_id")[["logit calm", "logit tense"]]
    baseline = (shown.to_numpy() - logits.loc[shown.index].to_numpy())[:, 0]
    # What is left is the fold's baseline: one value per fold.
    assert len(np.unique(baseline.round(4))) <= 5
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["config"]["seed"] == 0
    assert run["data"]["sources"][0]["name"] == "study.csv"
    again = trained("export", trained.smurf, "--folder", tmp_path / "out")
    assert again.code == 2
    assert "exists; name a new folder" in again.error


def test_the_format_of_an_export_is_checked(trained, tmp_path):
    ended = trained("export", "last", "--folder", tmp_path / "out", "--format", "ods")
    assert ended.code == 2
    assert "'ods' is not one of csv, parquet" in ended.error
    assert not (tmp_path / "out").exists()


def test_every_evaluation_is_written_as_a_table(trained, tmp_path):
    ended = trained(
        "evaluate", trained.smurf, "--compare", trained.late_fusion,
        "--folder", tmp_path / "tables", "--permutations", 100,
    )  # fmt: skip
    assert ended.code == 0
    found = {path.stem: pd.read_csv(path) for path in (tmp_path / "tables").glob("*.csv")}
    assert found["gate"]["is_open"].all()
    sentences = (tmp_path / "tables" / "sentences.txt").read_text().splitlines()
    assert any("the prediction" in sentence for sentence in sentences)
    assert all(sentence in ended.out for sentence in sentences)
    assert all(f"{name}.csv" in ended.out for name in found)
    assert set(found["comparison"]["model"]) == {trained.smurf, trained.late_fusion}
    assert set(found["missing_modalities_comparison"]["available"]) == {
        "audio", "video", "audio+video",
    }  # fmt: skip
    shares = found["variance_shares"].groupby("output")["share"].sum()
    np.testing.assert_allclose(shares, 1)
    assert set(found["typical_unique"]["output"]) == {"calm", "tense"}
    assert "human_judgments" not in found


def test_every_fold_is_exported_with_the_samples_that_trained_it(trained, tmp_path):
    folder = tmp_path / "all"
    trained("export", trained.smurf, "--folder", folder, "--every-fold", "--format", "parquet")
    everything = pd.read_parquet(folder / "contributions_by_fold.parquet")
    tested = pd.read_parquet(folder / "contributions.parquet")
    assert set(everything["role"]) == {"training", "validation", "test"}
    sizes = everything.groupby("fold")["sample_id"].nunique()
    assert (sizes == tested["sample_id"].nunique()).all()
    keys = ["sample_id", "fold", "output", "order", "modality", "shared_with"]
    both = everything[everything["role"] == "test"].merge(tested, on=keys, suffixes=("", "_tested"))
    assert len(both) == len(tested)
    assert (both["contribution"] == both["contribution_tested"]).all()


READERS = {
    "xlsx": lambda path: pd.read_excel(path),
    "sav": lambda path: pyreadstat.read_sav(str(path))[0],
    "dta": lambda path: pd.read_stata(path),
}


@pytest.mark.parametrize("format", READERS)
def test_an_export_for_another_program_has_the_same_cells(format, trained, tmp_path):
    trained("export", trained.smurf, "--folder", tmp_path / "csv")
    ended = trained("export", trained.smurf, "--folder", tmp_path / "out", "--format", format)
    assert ended.code == 0
    for name in ("predictions", "contributions", "candidates"):
        expected = pd.read_csv(tmp_path / "csv" / f"{name}.csv")
        found = READERS[format](tmp_path / "out" / f"{name}.{format}")
        assert len(found) == len(expected)
        for position, column in enumerate(expected.columns):
            if pd.api.types.is_numeric_dtype(expected[column]):
                np.testing.assert_allclose(
                    found.iloc[:, position].astype(float), expected[column], rtol=1e-6
                )


@needs_r
def test_r_repeats_the_main_table_from_the_export(trained, tmp_path):
    trained("export", trained.smurf, "--folder", tmp_path / "out")
    compare_with_r(trained.workspace, trained.smurf, tmp_path / "out")


def compare_with_r(workspace, run_id, folder):
    """Table 2 and the shares of variance by base R, against our own."""
    subprocess.run(
        ["Rscript", "main_table.R"], cwd=folder, check=True, capture_output=True, timeout=120
    )
    info = get_run(workspace, run_id)
    result, dataset = (
        RunFiles.of(workspace, run_id).read_result(),
        load_study(workspace, info.study_id),
    )
    expected = performance(result, dataset)
    found = pd.read_csv(folder / "performance_r.csv")
    assert found["metric"].tolist() == expected["metric"].tolist()
    for column in ("mean", "sd", "folds", "pooled", "n"):
        np.testing.assert_allclose(found[column], expected[column], atol=1e-6)
    shares = variance_shares(explained(result, dataset).contributions)
    names = ["order", "modality", "shared_with", "output"]
    both = shares.merge(pd.read_csv(folder / "shares_r.csv"), on=names, suffixes=("", "_r"))
    assert len(both) == len(shares)
    np.testing.assert_allclose(both["share_r"], both["share"], atol=1e-6)
    np.testing.assert_allclose(both["own_share_r"], both["own_share"], atol=1e-6)


@needs_r
def test_r_repeats_the_main_table_of_a_regression(smurf, workspace, table, quick, tmp_path):
    study = pd.read_csv(table)
    study["valence"] = study["audio_pitch"] + study["video_smile"]
    study.drop(columns="label").to_csv(table, index=False)
    assert smurf("train", table, "--model", "smurf", *quick).code == 0
    assert smurf("export", "last", "--folder", tmp_path / "out").code == 0
    run_id = json.loads((tmp_path / "out" / "run.json").read_text())["run"]
    compare_with_r(workspace, run_id, tmp_path / "out")
