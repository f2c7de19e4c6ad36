"""OpenFace is a program that writes a CSV: a small script stands for the program here.

The script writes the layout that FeatureExtraction 2.2 really writes, with `-f`, `-out_dir` and
`-of`; that interface is all that is used of OpenFace. It reads what it is to write from the
"video", and counts its calls.
"""

import sys

import numpy as np
import pandas as pd
import pytest

from smurf_core.cli import main
from smurf_core.errors import InputError
from smurf_core.extraction.store import FeatureStore
from smurf_core.extraction.utterances import Utterance
from smurf_core.extraction.video import extract_faces

PROGRAM = """#!{python}
import pathlib, sys
given = dict(zip(sys.argv[1:7:2], sys.argv[2:8:2]))
assert list(given) == ["-f", "-out_dir", "-of"], sys.argv
assert sys.argv[7:] == ["-aus", "-pose", "-gaze"], sys.argv
video = pathlib.Path(given["-f"])
with (video.parent / "calls").open("a") as calls:
    calls.write(video.name + " ")
text = video.read_text()
if not text.strip():
    sys.exit("Could not open the video file: " + str(video))
rows = ["frame, face_id, timestamp, confidence, success, gaze_angle_x, pose_Rx, AU12_r, AU12_c"]
for k, intensity in enumerate(text.split()):
    confidence = "0.30" if intensity == "?" else "0.98"
    intensity = "0" if intensity == "?" else intensity
    on = "1.00" if float(intensity) > 1 else "0.00"
    start = f"{{k + 1}}, 0, {{k / 10:.3f}}, {{confidence}}, 1, 0.1, 0.02"
    rows.append(f"{{start}}, {{intensity}}, {{on}}")
(pathlib.Path(given["-out_dir"]) / (given["-of"] + ".csv")).write_text("\\n".join(rows) + "\\n")
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "FeatureExtraction"
    path.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


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
