"""Extraction as a job: a real process, real eGeMAPS, killed, continued, and made a study."""

import json
import os
import signal
import time

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.importing.assembly import assemble
from smurf_core.data.importing.guessing import guess_mapping
from smurf_core.data.media import find_clip
from smurf_core.errors import InputError
from smurf_core.extraction.features import extract_features
from smurf_core.extraction.store import FeatureStore
from smurf_core.extraction.video import OPENFACE_VARIABLE
from smurf_core.from_recordings import process
from smurf_core.from_recordings.at_hand import why_not
from smurf_core.from_recordings.jobs import (
    create_job,
    folder_of,
    job_folder,
    list_jobs,
    state_of,
)
from smurf_core.from_recordings.study import (
    job_mapping,
    job_problems,
    job_sources,
    study_of_job,
)
from smurf_core.from_recordings.table import guess_columns, plan, read_table, split_uploads
from smurf_core.people.person import Person
from smurf_core.ratings import ffmpeg
from smurf_core.runs import own_studies, studies
from smurf_core.runs.doctor import LOST, examine
from tests.openface import write_openface
from tests.recordings import uploaded, write_recordings, write_voice

PATIENCE = 120  # seconds


def planned(home, folder):
    table, recordings = split_uploads(uploaded(folder, home.root / "uploads"))
    rows = read_table(table)
    return plan(rows, recordings, guess_columns(rows, recordings))


def wait(job, until):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        state = state_of(job)
        if until(state):
            return state
        time.sleep(0.05)
    raise AssertionError(f"{state}\n{job.log.read_text()}")


@pytest.fixture
def openface(tmp_path, monkeypatch):
    (tmp_path / "program").mkdir()
    write_openface(tmp_path / "program")
    monkeypatch.setenv(OPENFACE_VARIABLE, str(tmp_path / "program"))


@pytest.mark.skipif(os.name != "posix", reason="Sends a signal that only POSIX systems have.")
def test_a_killed_job_continues_after_the_clips_that_are_done(home, tmp_path):
    pytest.importorskip("opensmile", reason="needs the extra [extract]")
    write_recordings(tmp_path / "disk", 12)
    for path in (tmp_path / "disk").glob("*.mp4"):
        path.unlink()
    job = create_job(home, "talks", planned(home, tmp_path / "disk"), ["audio"])
    assert len(list((home.root / "uploads").iterdir())) == 1  # Recordings moved, not the table.
    assert state_of(job).status == "stopped"  # It was never started.
    process.start(home, job.id)
    process.start(home, job.id)  # A second click.
    wait(job, lambda state: state.parts[0].done >= 4)
    os.kill(json.loads((job.folder / "lease.json").read_text())["pid"], signal.SIGKILL)
    state = wait(job, lambda state: not state.is_active)
    assert state.status == "stopped"
    assert "killed" in state.sentence
    kept = {path: path.stat().st_mtime_ns for path in (home.root / "features").rglob("*.npy")}
    assert 3 <= len(kept) < 11  # One of the first four is broken.
    process.start(home, job.id)
    state = wait(job, lambda state: not state.is_active)
    assert state.status == "finished", state
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    (part,) = state.parts
    assert (part.total, part.done, part.failed, part.features) == (12, 12, 1, 88)
    (failure,) = state.failures
    assert (failure.sample, failure.file) == ("u02", "talk 02.wav")
    assert failure.problem.startswith("talk 02.wav cannot be read as sound")
    # The folder of recordings, as `smurf extract audio` reads it: the same function and store.
    found = extract_features("audio", job.recordings, FeatureStore.of(home.root))
    assert (len(found.features), len(found.failures)) == (11, 1)


def test_a_job_becomes_a_study_whose_recordings_are_played(home, tmp_path, openface):
    pytest.importorskip("opensmile", reason="needs the extra [extract]")
    table = write_recordings(tmp_path / "disk", 10)
    kinds = ["audio", "text", "video"]
    job = create_job(home, "talks", planned(home, tmp_path / "disk"), kinds, model="/no/model")
    process.work(home, job.id)
    state = state_of(job)
    assert state.status == "finished"
    assert state.done == ("audio", "video")
    assert [part.problem for part in state.parts if part.problem]  # No model is here.
    sources = job_sources(job)
    mapping = guess_mapping(sources, job_mapping(job))
    assert (mapping.target, mapping.person) == ("valence", "speaker")
    assembly = assemble(sources, mapping, unread=job_problems(job))
    said = " ".join(map(str, assembly.problems))
    assert "u02: talk 02.wav cannot be read as sound" in said
    assert "No features of text were extracted." in said
    study = study_of_job(home, job, assembly)
    assert list_jobs(home) == []
    data = studies.load_study(home, study)
    assert data.modalities == ("audio", "video")
    assert data.present.sum(axis=0).tolist() == [9, 10]
    np.testing.assert_allclose(data.target, table["valence"].astype(np.float32))
    settings = studies.media_of(home, study)
    clips = [find_clip(settings, data, sample) for sample in data.sample_ids.tolist()]
    assert {(clip.path.suffix, clip.start, clip.end) for clip in clips} == {(".mp4", 0.0, 0.3)}
    assert len(list((home.study_folder(study) / "media").iterdir())) == 10  # One file per clip.
    assert examine(home).problems == ()
    # What was kept of recorded data goes when the study is removed for good.
    assert list((home.root / "features").rglob("*.npy"))
    studies.delete_study(home, study)
    studies.purge_studies(home, older_than=-1)
    assert not (home.root / "features").exists()


@pytest.mark.filterwarnings("default")  # Warnings of other projects about one another.
def test_transcripts_are_embedded_where_a_model_is_at_hand(home, tmp_path, tiny_model):
    assert why_not("text", str(tiny_model)) == ""
    write_recordings(tmp_path / "disk", 3)
    planned_here = planned(home, tmp_path / "disk")
    job = create_job(home, "talks", planned_here, ["text"], model=str(tiny_model))
    process.work(home, job.id)
    assert pd.read_parquet(job.features("text")).shape == (3, 17)


def test_the_sound_of_a_video_is_heard_and_what_browsers_do_not_play_is_converted(home, tmp_path):
    pytest.importorskip("opensmile", reason="needs the extra [extract]")
    disk = tmp_path / "disk"
    disk.mkdir()
    write_voice(tmp_path / "low.wav", 110, 0.5)
    picture = ("-f", "lavfi", "-i", "color=c=blue:s=32x32:d=0.5:r=10")
    for name, codecs in (("seen.avi", ("-c:v", "mpeg4", "-c:a", "pcm_s16le")), ("heard.aiff", ())):
        shown = picture if codecs else ()
        ffmpeg._run(*shown, "-i", str(tmp_path / "low.wav"), *codecs, str(disk / name))
    ffmpeg._run(*picture, str(disk / "mute.mp4"))
    pd.DataFrame({"id": ["seen", "heard", "mute"], "y": 1.0}).to_csv(disk / "t.csv", index=False)
    job = create_job(home, "three", planned(home, disk), ["audio"])
    process.work(home, job.id)
    features = pd.read_parquet(job.features("audio")).set_index("sample_id")
    pitch = features["F0semitoneFrom27.5Hz_sma3nz_amean"]
    np.testing.assert_allclose(pitch[["seen", "heard"]], 24, atol=0.2)  # Two octaves above.
    (failure,) = state_of(job).failures
    assert failure.problem == "mute.mp4 has no sound."
    made = {path.suffix: ffmpeg.streams(path) for path in job.playable.iterdir()}
    assert made == {".mp4": {"video", "audio"}, ".mp3": {"audio"}}


def test_what_is_not_at_hand_is_said_and_fails_alone(home, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    monkeypatch.delenv(OPENFACE_VARIABLE, raising=False)
    assert "OpenFace is not installed" in why_not("video")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert why_not("text", "no/model")
    write_recordings(tmp_path / "disk", 3)
    job = create_job(home, "talks", planned(home, tmp_path / "disk"), ["video"])
    process.work(home, job.id)
    state = state_of(job)
    assert state.status == "failed"
    assert "FeatureExtraction is not on PATH" in state.parts[0].problem
    assert state.sentence == "Nothing could be extracted."


def test_deleted_and_forgotten_jobs_leave_nothing(home, tmp_path):
    write_recordings(tmp_path / "disk", 3)
    first, second, third = (
        create_job(home, "talks", planned(home, tmp_path / "disk"), ["audio"]) for _ in range(3)
    )
    own_studies.ensure_synthetic_study(home)
    process.delete_job(home, first.id)
    assert {job.id for job in list_jobs(home)} == {second.id, third.id}
    assert examine(home).problems == ()
    (third.folder / "job.json").write_text("{")
    with pytest.raises(InputError, match="delete it"):
        state_of(third)
    for job in (second, third):
        for path in (*job.folder.iterdir(), job.folder):
            os.utime(path, (time.time() - 8 * 86_400,) * 2)
    said = {problem.where: problem.what for problem in examine(home).problems}
    assert "left 8 days ago, with its recordings" in said[f"extractions/{second.id}"]
    assert "cannot be read" in said[f"extractions/{third.id}"]
    assert all(problem.done for problem in examine(home, repair=True).problems)
    assert not list(folder_of(home).iterdir())
    (lost,) = (home.root / LOST).iterdir()
    assert len(list((lost / "extractions").iterdir())) == 2
    with pytest.raises(InputError, match="was deleted, or became a study"):
        process.start(home, second.id)


def test_on_a_server_with_sign_in_each_person_has_their_own_extractions(home, tmp_path):
    write_recordings(tmp_path / "talks", 3)
    one, other = (home.acting_as(Person(name)) for name in ("one@x", "other@x"))
    job = create_job(one, "study", planned(home, tmp_path / "talks"), ("audio",))
    assert [found.id for found in list_jobs(one)] == [job.id]
    assert [found.id for found in list_jobs(home)] == [job.id]
    assert list_jobs(other) == []
    for act in (process.start, process.cancel, process.delete_job, job_folder):
        with pytest.raises(InputError, match="was deleted, or became a study"):
            act(other, job.id)
    process.delete_job(one, job.id)
    assert list_jobs(home) == []


def test_extractions_count_as_a_person_s_part_of_the_disk(home, tmp_path, monkeypatch):
    write_recordings(tmp_path / "talks", 3)
    size = sum(path.stat().st_size for path in (tmp_path / "talks").glob("*.wav"))
    one, other = (home.acting_as(Person(name)) for name in ("one@x", "other@x"))
    monkeypatch.setenv("SMURF_DISK_GB", str(1.5 * size / 1e9))
    job = create_job(one, "study", planned(home, tmp_path / "talks"), ("audio",))
    with pytest.raises(InputError, match="GB with what is added, and"):
        create_job(one, "study", planned(home, tmp_path / "talks"), ("audio",))
    create_job(other, "study", planned(home, tmp_path / "talks"), ("audio",))
    process.delete_job(one, job.id)
    create_job(one, "study", planned(home, tmp_path / "talks"), ("audio",))
