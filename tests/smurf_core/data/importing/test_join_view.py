"""The join as it is shown before an import: some rows of all tables, and the evidence."""

import numpy as np
import pandas as pd
import pytest

from smurf_core.cli.roles import Roles, chosen_data
from smurf_core.data.importing.join_view import SAMPLE_ID

CLIPS = [f"clip{k:02d}" for k in range(20)]


@pytest.fixture
def folder(tmp_path):
    """Labels; audio in another order with `.wav` in its ids; video without clip03, with a stray."""
    random = np.random.default_rng(0)
    gender = pd.Series(["f", "m"] * 10, index=CLIPS)
    labels = pd.DataFrame({"clip": CLIPS, "gender": gender.to_numpy(),
                           "valence": random.normal(size=20).round(3)})  # fmt: skip
    audio = pd.DataFrame({"file": [f"{clip}.wav" for clip in CLIPS], "gender": gender.to_numpy(),
                          "pitch": random.normal(size=20).round(3),
                          "energy": random.normal(size=20).round(3)})  # fmt: skip
    video = pd.DataFrame({"clip": [c for c in CLIPS if c != "clip03"] + ["stray"],
                          "brow": random.normal(size=20).round(3),
                          "gaze": random.normal(size=20).round(3)})  # fmt: skip
    labels.to_csv(tmp_path / "labels.csv", index=False)
    audio.sample(frac=1, random_state=1).to_csv(tmp_path / "audio.csv", index=False)
    video.sample(frac=1, random_state=2).to_csv(tmp_path / "video.csv", index=False)
    return tmp_path


def test_joined_rows_are_the_merge_of_pandas(folder):
    shown = chosen_data([str(folder)], Roles()).assembled().joined_rows
    labels, audio, video = (
        pd.read_csv(folder / f"{name}.csv", dtype="str") for name in ("labels", "audio", "video")
    )
    audio["clip"] = audio["file"].str.removesuffix(".wav")
    merged = labels.merge(audio, on="clip", how="left").merge(video, on="clip", how="left")
    merged = merged.set_index("clip").loc[shown[SAMPLE_ID]].fillna("")
    for column in ("valence", "file", "pitch", "brow", "gaze"):
        (found,) = (c for c in shown.columns if c[1] == column)
        assert shown[found].tolist() == merged[column].tolist()
    assert "clip03" in set(shown[SAMPLE_ID])
    alone = shown[shown[SAMPLE_ID] == "clip03"]
    assert alone["video.csv", "brow"].tolist() == [""]


def test_the_evidence_is_said_in_sentences(folder):
    sentences = chosen_data([str(folder)], Roles()).assembled().join_sentences
    assert sentences[0] == (
        "Rows are matched by 'clip' in labels.csv and video.csv and 'file' in audio.csv."
    )
    everything = " ".join(sentences)
    assert "audio.csv: all 20 rows match a sample." in everything
    assert "19 of 20 rows match a sample; rows without a sample: stray" in everything
    assert "samples without a row: clip03." in everything
    assert "audio.csv: 20 ids match without regard to suffixes of files" in everything
    assert "'gender' agrees in labels.csv and audio.csv (20 rows compared)." in everything


def test_columns_that_were_not_chosen_as_key_are_named_with_the_reason(folder):
    for name in ("labels", "audio", "video"):
        table = pd.read_csv(folder / f"{name}.csv")
        table.insert(0, "id", range(1, len(table) + 1))
        table.to_csv(folder / f"{name}.csv", index=False)
    sentences = chosen_data([str(folder)], Roles()).assembled().join_sentences
    (refused,) = (s for s in sentences if s.startswith("Not chosen as key"))
    assert "'id'" in refused
    assert refused.endswith("(other columns disagree under it).")
