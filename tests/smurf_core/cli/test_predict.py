"""`smurf predict`: a person who was held out of the files, and files that do not fit."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smurf_core.fitted import FittedModel
from smurf_core.runs.files import RunFiles
from smurf_core.runs.store import list_runs

DATA = Path(
    os.environ.get("SMURF_TEST_DATA", Path(__file__).resolve().parents[4] / "shared" / "data")
)


@pytest.fixture
def split(tmp_path):
    """VREED's files without one person, and that person's features without the labels."""
    if not (DATA / "vreed").is_dir():
        pytest.skip(f"VREED is not in {DATA}.")
    labels = pd.read_csv(DATA / "vreed/labels.csv")
    person = labels["person"].iloc[0]
    held_out = set(labels.loc[labels["person"] == person, "sample_id"])
    for folder in ("known", "new"):
        (tmp_path / folder).mkdir()
    for name in ("ecg", "gsr", "gaze", "labels"):
        table = pd.read_csv(DATA / f"vreed/{name}.csv")
        is_new = table["sample_id"].isin(held_out)
        table[~is_new].to_csv(tmp_path / f"known/{name}.csv", index=False)
        if name != "labels":
            table[is_new].to_csv(tmp_path / f"new/{name}.csv", index=False)
    return tmp_path


def forward(model: FittedModel, tables: dict[str, pd.DataFrame]) -> np.ndarray:
    """Logits by a plain forward pass: standardise, multiply, rectify, add up."""
    total = model.baseline.astype(float)
    for modality, table in tables.items():
        x = table[list(model.features[modality])].to_numpy(dtype=np.float32)
        x = (x - model.scaler.feature_means[modality]) / model.scaler.feature_sds[modality]
        x = np.clip(x, -model.scaler.clip, model.scaler.clip)
        *hidden, last = model.towers[modality,]
        for layer in hidden:
            x = np.maximum(x @ layer.weight.T + layer.bias, 0)
        out = x @ last.weight.T + last.bias
        total = total + out.reshape(len(x), -1, len(model.outputs)).sum(axis=1)
    return total


def test_a_person_held_out_of_the_files_is_predicted_as_by_a_plain_forward_pass(
    split, smurf, quick, workspace
):
    assert smurf("train", split / "known", "--model", "smurf", *quick).code == 0
    (run,) = list_runs(workspace)
    done = smurf("predict", run.id, split / "new", "--output", split / "out")
    assert done.code == 0, done.error
    result = RunFiles.of(workspace, run.id).read_result()
    files = {"ecg": "ecg", "gsr": "gsr", "gaze": "gaze"}
    tables = {n: pd.read_csv(split / f"new/{file}.csv") for n, file in files.items()}
    by_modality = {
        modality: next(t for t in tables.values() if set(names) <= set(t.columns))
        for modality, names in result.fold_results[0].model.features.items()
    }
    models = [fold.model for fold in result.fold_results]
    plain = np.stack([forward(model, by_modality) for model in models])
    features = {
        modality: table[list(models[0].features[modality])].to_numpy(dtype=np.float32)
        for modality, table in by_modality.items()
    }
    fitted = np.stack([model.predict(features) for model in models])
    np.testing.assert_allclose(fitted, plain, atol=1e-4)
    table = pd.read_csv(split / "out/predictions.csv")
    assert table["sample_id"].tolist() == tables["ecg"]["sample_id"].tolist()
    logits = table[[f"logit {name}" for name in result.outputs]].to_numpy()
    np.testing.assert_allclose(logits, plain.mean(axis=0), atol=1e-4)
    spread = table[[f"spread {name}" for name in result.outputs]].to_numpy()
    np.testing.assert_allclose(spread, plain.std(axis=0, ddof=1), atol=1e-4)
    parts = pd.read_csv(split / "out/contributions.csv")
    sums = parts.groupby(["sample_id", "output"], sort=False)["contribution"].sum()
    baseline = np.stack([model.baseline for model in models]).mean(axis=0)
    np.testing.assert_allclose(
        sums.to_numpy().reshape(len(table), -1) + baseline, logits, atol=1e-4
    )
    one = smurf("predict", run.id, split / "new", "--output", split / "one", "--fold", 2)
    assert one.code == 0
    logits = pd.read_csv(split / "one/predictions.csv")[[f"logit {n}" for n in result.outputs]]
    np.testing.assert_allclose(logits.to_numpy(), plain[1], atol=1e-4)
    refused = smurf("predict", run.id, split / "new", "--output", split / "two", "--fold", 9)
    assert refused.code == 2
    assert "no fold 9; there are folds 1 to 5" in refused.error


def test_missing_modalities_and_files_of_something_else_are_said(split, smurf, quick, workspace):
    assert smurf("train", split / "known", "--model", "late_fusion", *quick).code == 0
    (split / "new/gsr.csv").unlink()
    done = smurf("predict", "last", split / "new", "--output", split / "out")
    assert "No file contains modality 'eda'. It counts as absent for all samples." in done.out
    table = pd.read_csv(split / "out/predictions.csv")
    assert table["absent"].notna().all()
    assert len(set(table["absent"])) == 1
    (split / "else").mkdir()
    (split / "else/x.csv").write_text("sample_id,y\na,1\nb,2\n")
    refused = smurf("predict", "last", split / "else", "--output", split / "out2")
    assert "none of the features that the model needs" in refused.error
    assert not (split / "out2").exists()
