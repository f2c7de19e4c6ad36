"""Study, *From recordings*: recordings are dropped, features extracted, and a study is made."""

import time

import pytest

from app.sections.study import recordings_form
from app.sections.study.starts import TAB
from smurf_core.errors import InputError
from smurf_core.extraction.video import OPENFACE_VARIABLE
from smurf_core.from_recordings import process
from smurf_core.from_recordings.jobs import list_jobs, state_of
from smurf_core.runs import studies
from tests.openface import write_openface
from tests.recordings import write_recordings
from tests.studio import plain_text

PATIENCE = 120  # seconds


@pytest.fixture
def page(open_page, home):
    """The open tab; its first uploader belongs to *Upload*."""
    page = open_page("study")
    page.button(key="from_recordings").click().run()
    assert page.session_state[TAB] == "From recordings"
    return page


def drop(page, folder):
    box = page.file_uploader[1]
    for path in sorted(folder.iterdir()):
        box = box.upload(path.name, path.read_bytes())
    box.run()
    assert not page.exception
    return page


def ended(page, home):
    """The page after the process of its only job has ended."""
    (job,) = list_jobs(home)
    deadline = time.monotonic() + PATIENCE
    while state_of(job).is_active and time.monotonic() < deadline:
        time.sleep(0.1)
    page.run()
    assert not page.exception
    return page


def test_recordings_become_a_study_after_a_cancel_and_a_reload(
    page, open_page, home, tmp_path, monkeypatch
):
    pytest.importorskip("opensmile", reason="needs the extra [extract]")
    (tmp_path / "program").mkdir()
    write_openface(tmp_path / "program")
    monkeypatch.setenv(OPENFACE_VARIABLE, str(tmp_path / "program"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))  # No model is at hand.
    monkeypatch.delenv("SENTENCE_TRANSFORMERS_HOME", raising=False)
    write_recordings(tmp_path / "disk", 10)
    drop(page, tmp_path / "disk")
    said = plain_text(page)
    assert "10 of 10 rows have a recording." in said
    assert "The package sentence_transformers is not installed" in said or "The model" in said
    assert {box.label.partition(":")[0]: box.value for box in page.checkbox}.items() >= {
        "Sound": True, "Words": False, "Face": True,
    }.items()  # fmt: skip
    page.button(key="extract").click().run()
    assert not page.exception
    assert not list((home.root / "uploads").iterdir())
    (job,) = list_jobs(home)
    page.button(key=f"cancel_{job.id}").click().run()
    assert not page.exception
    assert state_of(job).status == "cancelled"
    assert "Cancelled. Utterances that are done are kept" in plain_text(page)

    # A new session knows of it: nothing is in the old one.
    page = open_page("study")
    page.session_state[TAB] = "From recordings"
    page.button(key=f"continue_{job.id}").click().run()
    assert state_of(job).is_active
    ended(page, home)
    said = plain_text(page)
    assert "Features of audio and video were extracted. 1 failed" in said
    (failures,) = (d.value for d in page.dataframe if "Why" in d.value)
    assert failures["Recording"].tolist() == ["talk 02.wav"]
    assert [bar.proto.text.replace("\\", "") for bar in page.get("progress")] == [
        "Sound: 10 of 10 utterances, 1 failed", "Face: 10 of 10 utterances",
    ]  # fmt: skip
    assert not page.error
    assert len(page.get("download_button")) == 7  # Two tables in three formats, and study.yaml.
    page.button(key="extracted_import").click().run()
    assert not page.exception
    (study,) = (s for s in studies.list_studies(home) if s.origin == "recorded")
    assert (study.name, study.samples, study.modalities) == ("talks", 10, ("audio", "video"))
    assert "Its recordings are played" in plain_text(page)
    assert studies.media_of(home, study.id) is not None
    assert list_jobs(home) == []


def test_what_cannot_be_used_is_reported_and_a_job_is_deleted(page, home, tmp_path, monkeypatch):
    monkeypatch.setattr(recordings_form, "start", lambda *_: None)  # No process for this test.
    write_recordings(tmp_path / "disk", 3)
    for path in (tmp_path / "disk").glob("*.mp4"):
        path.unlink()
    table = (tmp_path / "disk" / "talks.csv").read_bytes()
    page.file_uploader[1].upload("talks.csv", table).run()
    assert "Also drop the recordings that talks.csv names" in page.error[0].value.replace("\\", "")
    drop(page, tmp_path / "disk")
    assert not page.error
    said = plain_text(page)
    assert "None of the recordings is a video." in said
    assert "A study needs at least two modalities" in said
    chosen = next(box for box in page.selectbox if box.label == "Sample id")
    chosen.set_value("speaker").run()
    assert "sample ids are missing or repeat" in page.error[0].value
    chosen = next(box for box in page.selectbox if box.label == "Sample id")
    chosen.set_value("utt_id").run()
    page.button(key="extract").click().run()
    (job,) = list_jobs(home)
    assert state_of(job).status == "stopped"
    page.button(key=f"delete_now_{job.id}").click().run()
    assert not page.exception
    assert list_jobs(home) == []


def test_a_job_that_cannot_be_read_is_said_and_can_be_deleted(open_page, home):
    folder = home.root / "extractions" / "abc"
    folder.mkdir(parents=True)
    (folder / "job.json").write_text("{")
    page = open_page("study")
    assert "This extraction cannot be read: delete it." in plain_text(page)
    page.button(key="delete_now_abc").click().run()
    assert not page.exception
    assert not folder.exists()
    with pytest.raises(InputError, match="was deleted"):
        process.start(home, "abc")
