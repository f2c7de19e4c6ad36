"""`smurf explain`: from a folder of features and a model's outputs to sentences."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def files(tmp_path):
    """Features of two modalities, and outputs of a model for three classes in any order."""
    random = np.random.default_rng(0)
    n, classes = 150, ("sad", "calm", "tense")
    shared = random.normal(size=(n, 3))
    ids = [f"clip{k:03d}" for k in range(n)]
    tables = {"labels": pd.DataFrame({"sample_id": ids})}
    total = np.zeros((n, 3))
    for modality in ("audio", "video"):
        own = random.normal(size=(n, 3))
        seen = np.concatenate([own, shared], axis=1)
        names = [f"{modality}_{k}" for k in range(6)]
        tables[modality] = pd.DataFrame(seen, columns=names).assign(sample_id=ids)
        output = 2 * (own + shared / 2)
        total += output
        for k, name in enumerate(classes):
            tables["labels"][f"{modality}_logit_{name}"] = output[:, k]
    chosen = (total + random.gumbel(size=total.shape)).argmax(axis=1)
    tables["labels"]["emotion"] = [classes[k] for k in chosen]
    tables["labels"]["person"] = [f"p{k // 10}" for k in range(n)]
    for name, table in tables.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def test_a_given_model_is_explained_from_files(smurf, files):
    outputs = [
        f"{m}={','.join(f'{m}_logit_{c}' for c in ('sad', 'calm', 'tense'))}"
        for m in ("audio", "video")
    ]
    ended = smurf(
        "explain", files, "--target", "emotion", "--person", "person", "--refits", 10,
        "--modality", "audio=audio.csv", "--modality", "video=video.csv",
        "--output", outputs[0], "--output", outputs[1],
    )  # fmt: skip
    assert ended.code == 0, ended.error
    # R² is 1 only if the columns were matched with the classes by their names.
    assert "add up to the predictions of the given model: R² = 1.000" in ended.out
    assert "redundant audio, with video" in ended.out


def test_a_study_without_outputs_is_refused_in_one_sentence(smurf):
    ended = smurf("explain", "synthetic")
    assert ended.code == 2
    assert "add --output MODALITY=COLUMN for each modality" in ended.error


def test_outputs_of_one_modality_only_are_refused(smurf, files):
    ended = smurf(
        "explain", files, "--target", "emotion", "--modality", "audio=audio.csv",
        "--modality", "video=video.csv", "--output", "audio=audio_logit_sad",
    )  # fmt: skip
    assert ended.code == 2
    assert "'video'" in ended.error or "video has none" in ended.error
