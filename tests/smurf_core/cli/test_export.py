import json

import numpy as np
import pandas as pd


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
    ended = trained("export", "last", "--folder", tmp_path / "out", "--format", "xlsx")
    assert ended.code == 2
    assert "'xlsx' is not one of csv, parquet" in ended.error
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
