"""OpenFace is a program that writes a CSV: a small script stands for the program here.

`tests.openface` has the script.
"""

import sys

import numpy as np
import pandas as pd
import pytest

from smurf_core.cli import main
from smurf_core.errors import InputError
from smurf_core.extraction.store import FeatureStore
from smurf_core.extraction.utterances import Utterance
from smurf_core.extraction.video import OPENFACE_VARIABLE, extract_faces
from tests.openface import write_openface


@pytest.fixture
def program(tmp_path):
    return str(write_openface(tmp_path))


@pytest.fixture
def videos(tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "talk.mp4").write_text("0 1 2 3 ? 2 2 2 2 2")
    (folder / "blurred.mp4").write_text("? ? ?")
    (folder / "empty.mp4").write_text("")
    return folder


def test_a_recording_is_tracked_once_and_cut_into_its_utterances(program, videos, tmp_path):
    talk = videos / "talk.mp4"
    utterances = [
        Utterance("first", talk, 0.0, 0.5),
        Utterance("second", talk, 0.5, 1.0),
        Utterance("all", talk),
        Utterance("blurred", videos / "blurred.mp4"),
        Utterance("empty", videos / "empty.mp4"),
    ]
    store = FeatureStore(tmp_path / "kept")
    found = extract_faces(utterances, store, program=program)
    table = found.features.set_index("sample_id")
    # Of the first five frames the last was not tracked well: 0, 1, 2, 3 are left.
    np.testing.assert_allclose(table["AU12_r_mean"], [1.5, 2.0, 16 / 9])
    np.testing.assert_allclose(table["AU12_r_sd"].iloc[:2], [np.std([0, 1, 2, 3]), 0])
    np.testing.assert_allclose(table["AU12_r_slope"].iloc[:2], [10, 0], atol=1e-9)
    np.testing.assert_allclose(table["AU12_c_share"], [0.5, 1.0, 7 / 9])
    blurred, empty = found.failures["problem"]
    assert "no frame was tracked with a confidence of 0.8" in blurred
    assert "OpenFace ended with code 1" in empty
    assert "Could not open the video file" in empty
    again = extract_faces(utterances, store, program=program)
    pd.testing.assert_frame_equal(again.features, found.features)
    assert again.reused == 3
    # What failed is tried again; what was tracked is not.
    assert (videos / "calls").read_text().split() == [
        "talk.mp4", "blurred.mp4", "empty.mp4", "empty.mp4",
    ]  # fmt: skip


def test_without_openface_its_own_files_are_read(program, videos, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="FeatureExtraction is not on PATH: install OpenFace"):
        extract_faces([Utterance("talk", videos / "talk.mp4")], FeatureStore(tmp_path / "kept"))
    store = FeatureStore(tmp_path / "kept")
    tracked = extract_faces([Utterance("talk", videos / "talk.mp4")], store, program=program)
    (csv,) = (tmp_path / "kept").rglob("*.csv")
    read = extract_faces([Utterance("talk", csv)], FeatureStore(tmp_path / "other"))
    pd.testing.assert_frame_equal(read.features, tracked.features)
    (tmp_path / "labels.csv").write_text("id,y\n1,2\n")
    found = extract_faces([Utterance("labels", tmp_path / "labels.csv")], store)
    assert "is not a file of OpenFace's FeatureExtraction" in found.failures["problem"].iloc[0]


def test_openface_is_found_in_a_folder_and_by_a_variable(program, videos, tmp_path, monkeypatch):
    talk = [Utterance("talk", videos / "talk.mp4")]
    store = FeatureStore(tmp_path / "kept")
    assert len(extract_faces(talk, store, program=str(tmp_path)).features) == 1
    monkeypatch.setenv(OPENFACE_VARIABLE, str(tmp_path))
    assert extract_faces(talk, store).reused == 1


def test_the_command_writes_features_and_failures(program, videos, home, monkeypatch, capsys):
    output = videos.parent / "faces.csv"

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["smurf", "extract", "video", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        reported = capsys.readouterr()
        return ended.value.code or 0, reported.out, reported.err

    code, reported, _ = call(videos, "--openface", program, "--output", output)
    assert code == 0
    assert "1 of 3 samples" in reported
    assert pd.read_csv(output)["sample_id"].tolist() == ["talk"]
    failed = pd.read_csv(videos.parent / "faces_failures.csv")
    assert failed["sample_id"].tolist() == ["blurred", "empty"]
    code, _, error = call(videos, "--openface", program, "--output", "faces.xyz")
    assert code == 2
    assert "end it with .csv or .parquet" in error
    code, _, error = call(videos / "nothing", "--output", output)
    assert code == 2
    assert "name a folder or a table" in error
