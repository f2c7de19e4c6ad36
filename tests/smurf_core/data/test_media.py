"""Recordings: found within the folder that was named, never outside, and cut exactly."""

import io
import os
import sys
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.data.media import (
    Clip,
    MediaSettings,
    check_media,
    confined,
    cut_wave,
    find_clip,
    suggested_media,
)
from smurf_core.errors import InputError
from smurf_core.runs import studies

RATE = 8000
GRID = Path(os.environ.get("SMURF_TEST_DATA", Path(__file__).parents[4] / "shared/data"))
GRID = GRID / "grid_clips"


def write_tone(path: Path, seconds: float = 2.0) -> None:
    """A file of frames that count upwards, so that a cut shows where it was made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.arange(int(seconds * RATE)).astype("<i2").tobytes())


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in ("s00000", "s00001", "sub/long"):
        write_tone(tmp_path / "clips" / f"{name}.wav")
    write_tone(tmp_path / "secret.wav")
    (tmp_path / "clips" / "notes.txt").write_text("not to be played")
    return tmp_path / "clips"


@pytest.fixture
def dataset():
    ids = np.array([f"s{i:05d}" for i in range(4)])
    samples = pd.DataFrame(
        {
            "media": ["sub/long.wav", "sub/long", None, "../secret.wav"],
            "start": [0.25, 0.0, 0.0, 0.0],
            "end": [1.5, 2.0, 2.0, 2.0],
        },
        index=pd.Index(ids),
    )
    ramp = np.arange(4, dtype=np.float32)
    features = {name: Features(ramp[:, None], ("ramp",)) for name in ("audio", "text")}
    return MultimodalDataset("clips", "regression", features, ids, ramp, "y", samples=samples)


def test_clips_are_found_by_sample_id(folder, dataset):
    settings = MediaSettings(str(folder))
    clip = find_clip(settings, dataset, "s00001")
    assert (clip.path, clip.kind, clip.start, clip.end) == (
        folder / "s00001.wav", "audio", 0.0, None,
    )  # fmt: skip
    assert find_clip(settings, dataset, "s00002") is None
    assert check_media(settings, dataset).startswith("2 of 4 samples have a recording; none for ")


def test_settings_are_stored_as_plain_data_and_wrong_ones_are_refused(folder):
    settings = MediaSettings(str(folder), recording="sub/long.wav", start="start")
    plain = settings.to_dict()
    assert MediaSettings.from_dict(plain) == settings
    del plain["version"]  # Settings stored before there was one.
    assert MediaSettings.from_dict(plain) == settings
    with pytest.raises(InputError, match="has no field 'speed' and lacks 'file'; its fields are"):
        MediaSettings.from_dict({k: v for k, v in plain.items() if k != "file"} | {"speed": 2})
    with pytest.raises(InputError, match="start must be text, got 3"):
        MediaSettings.from_dict({**plain, "start": 3})


def test_a_column_of_file_names_and_times_says_what_is_played(folder, dataset):
    settings = suggested_media(str(folder), dataset.samples)
    assert (settings.file, settings.start, settings.end) == ("media", "start", "end")
    clip = find_clip(settings, dataset, "s00000")
    assert (clip.path.name, clip.start, clip.end) == ("long.wav", 0.25, 1.5)
    assert find_clip(settings, dataset, "s00001").path.name == "long.wav"
    assert find_clip(settings, dataset, "s00002") is None
    with pytest.raises(InputError, match="leads out"):
        find_clip(settings, dataset, "s00003")


def test_one_recording_is_played_in_parts(folder, dataset):
    settings = MediaSettings(str(folder), recording="sub/long.wav", start="start", end="end")
    clip = find_clip(settings, dataset, "s00000")
    assert (clip.path.name, clip.start, clip.end) == ("long.wav", 0.25, 1.5)
    assert check_media(settings, dataset) == "4 of 4 samples have a recording."
    backwards = replace(settings, start="end", end="start")
    with pytest.raises(InputError, match="the end after the start"):
        find_clip(backwards, dataset, "s00000")


def test_a_wave_file_is_cut_to_the_sample(folder, dataset):
    cut = cut_wave(Clip(folder / "s00000.wav", "audio", "audio/wav", 0.25, 1.5))
    with wave.open(io.BytesIO(cut)) as file:
        frames = np.frombuffer(file.readframes(RATE * 9), "<i2")
    assert frames.tolist() == list(range(RATE // 4, RATE * 3 // 2))
    assert cut_wave(Clip(folder / "s00000.wav", "audio", "audio/wav")) is None  # as it is
    with pytest.raises(InputError, match="ends before second 5"):
        cut_wave(Clip(folder / "s00000.wav", "audio", "audio/wav", 5.0, 6.0))


@pytest.mark.parametrize(
    "name",
    [
        "../secret.wav", "sub/../../secret.wav", "..\\secret.wav", "/etc/passwd", "/etc/a.wav",
        "C:\\Windows\\a.wav", "C:a.wav", "\\\\host\\share\\a.wav", "notes.txt", "s00000.wav\0.txt",
        "a\n.wav", "sub", ".", "", "gone.wav", "x" * 5000 + ".wav", "~/a.wav", "file:///etc/a.wav",
        "http://example.org/a.wav",
    ],
)  # fmt: skip
def test_no_name_leads_out_of_the_folder(folder, name):
    with pytest.raises(InputError) as reported:
        confined(folder, name)
    assert "\n" not in str(reported.value)


@pytest.mark.skipif(sys.platform == "win32", reason="Links need rights there.")
def test_links_that_lead_out_are_refused(folder, dataset):
    (folder / "s00002.wav").symlink_to(folder.parent / "secret.wav")
    (folder / "linked").symlink_to(folder.parent, target_is_directory=True)
    (folder / "loop.wav").symlink_to(folder / "loop.wav")
    (folder / "s00003.wav").symlink_to(folder / "notes.txt")
    os.mkfifo(folder / "pipe.wav")
    (folder / "inside.wav").symlink_to(folder / "sub" / "long.wav")
    for name in ("s00002.wav", "linked/secret.wav", "loop.wav", "s00003.wav", "pipe.wav"):
        with pytest.raises(InputError):
            confined(folder, name)
    assert confined(folder, "inside.wav") == folder / "sub" / "long.wav"
    assert check_media(MediaSettings(str(folder)), dataset).startswith("2 of 4")


@pytest.mark.parametrize("folder", ["", "clips", "/no/such/folder", "/etc/passwd", "\0"])
def test_a_folder_must_be_there_and_named_whole(folder):
    with pytest.raises(InputError, match="older"):
        MediaSettings(folder)


def test_a_study_remembers_its_recordings(home, folder, dataset):
    study = studies.add_study(home, dataset)
    assert studies.media_of(home, study) is None
    settings = MediaSettings(str(folder), start="start", end="end")
    studies.set_media(home, study, settings)
    assert studies.media_of(home, study) == settings
    studies.set_media(home, study, None)
    assert studies.media_of(home, study) is None


@pytest.mark.skipif(not GRID.is_dir(), reason=f"No talking-face clips in {GRID}.")
def test_real_clips_are_found_by_id(dataset):
    ids = np.array(["bbaf2n", "brbk7n", "lbax4n", "swiz3n"])
    data = replace(dataset, sample_ids=ids, samples=dataset.samples.set_axis(pd.Index(ids)))
    assert check_media(MediaSettings(str(GRID)), data) == "4 of 4 samples have a recording."
    assert find_clip(MediaSettings(str(GRID)), data, "bbaf2n").kind == "video"
