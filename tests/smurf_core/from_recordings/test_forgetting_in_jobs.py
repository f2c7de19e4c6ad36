"""A person leaves an extraction that is not a study yet: table, recordings, features, progress."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from smurf_core.cli import app
from smurf_core.errors import InputError
from smurf_core.extraction.store import FeatureStore
from smurf_core.from_recordings.forgetting import forget_in_job, jobs_that_name
from smurf_core.from_recordings.jobs import JobFolder, create_job, list_jobs, state_of
from smurf_core.from_recordings.table import guess_columns, plan, read_table, split_uploads
from smurf_core.runs import own_studies
from smurf_core.runs.leases import lease
from smurf_core.runs.studies import load_study
from tests.recordings import uploaded, write_recordings

GONE = ("u02", "u03")  # of person p1


def extracted(home, folder, **changed) -> JobFolder:
    """A job of eight utterances of four persons, as a process leaves it that has done them."""
    written = write_recordings(folder, 8)
    written.assign(**changed).to_csv(folder / "talks.csv", index=False)
    table, recordings = split_uploads(uploaded(folder, home.root / "uploads"))
    rows = read_table(table)
    job = create_job(
        home, "talks", plan(rows, recordings, guess_columns(rows, recordings)), ["audio", "text"]
    )
    ids = pd.read_csv(job.table)["sample_id"]
    pd.DataFrame({"sample_id": ids, "pitch": range(8)}).to_parquet(job.features("audio"))
    lines = [
        {"kind": "audio", "sample": sample, "file": f"talk {k:02d}.wav", "problem": ""}
        for k, sample in enumerate(ids)
    ]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    (job.folder / "progress.jsonl").write_text(text)
    job.log.write_text("talk 02.wav could not be decoded")
    (job.folder / f".utterances.csv.{'a' * 32}").write_text("u02, half written")
    return job


def content(folder) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file())


def test_nothing_of_a_person_is_left_and_all_of_the_others(home, tmp_path):
    job = extracted(home, tmp_path / "disk")
    before = pd.read_csv(job.table, dtype=str)
    assert b"u02" in content(job.folder)
    assert len(list(job.recordings.iterdir())) == 16
    assert forget_in_job(home, job.id, persons=["p1"]) == 2
    after = pd.read_csv(job.table, dtype=str)
    pd.testing.assert_frame_equal(
        after, before[~before["sample_id"].isin(GONE)].reset_index(drop=True)
    )
    assert len(list(job.recordings.iterdir())) == 12
    assert (
        pd.read_parquet(job.features("audio"))["sample_id"].tolist() == after["sample_id"].tolist()
    )
    assert job.job().totals == {"audio": 6, "text": 6}
    state = state_of(job)
    assert [part.done for part in state.parts] == [6, 0]
    for word in (*GONE, "p1", "talk 02", "talk 03"):
        assert word.encode() not in content(job.folder), word
        assert not jobs_that_name(home, [word])


def test_a_recording_of_several_persons_is_kept(home, tmp_path):
    files = [f"talk {k // 4:02d}.wav" for k in range(8)]  # p0 and p1 in the first one
    job = extracted(home, tmp_path / "disk", **{"audio file": files})
    before = sorted(path.name for path in job.recordings.iterdir())
    assert forget_in_job(home, job.id, persons=["p1"]) == 2
    assert sorted(path.name for path in job.recordings.iterdir()) == before


def test_samples_are_removed_by_their_id_and_the_last_takes_the_extraction(home, tmp_path):
    job = extracted(home, tmp_path / "disk")
    assert forget_in_job(home, job.id, samples=["u00"]) == 1
    assert forget_in_job(home, job.id, persons=["p0", "p1", "p2", "p3"]) == 7
    assert list_jobs(home) == []


def test_what_cannot_be_forgotten_is_said(home, tmp_path):
    job = extracted(home, tmp_path / "disk")
    before = content(job.folder)
    for asked, words in (
        ({}, "at least one person or sample"),
        ({"persons": ["nobody"]}, "no person 'nobody'"),
        ({"samples": ["u99"]}, "no sample 'u99'"),
        ({"persons": ["p1"], "samples": ["u99"]}, "no sample 'u99'"),
    ):
        with pytest.raises(InputError, match=words):
            forget_in_job(home, job.id, **asked)
    (job.folder / "lease.json").write_text(json.dumps(lease("me")))
    with pytest.raises(InputError, match="is running: cancel it first"):
        forget_in_job(home, job.id, persons=["p1"])
    (job.folder / "lease.json").unlink()
    assert content(job.folder) == before


def test_the_command_names_extractions_and_forgets_in_them(home, tmp_path, monkeypatch):
    monkeypatch.setenv("SMURF_HOME", str(home.root))
    study = own_studies.ensure_synthetic_study(home)
    sample = load_study(home, study).sample_ids[0]
    job = extracted(home, tmp_path / "disk", utt_id=[sample, *(f"u{k}" for k in range(7))])
    FeatureStore.of(home.root)
    said = CliRunner().invoke(app, ["forget", study, "--sample", sample])
    assert said.exit_code == 0, said.output
    assert f"smurf forget {job.id}" in said.output
    assert jobs_that_name(home, [sample])  # It may be another sample: nothing was removed.
    said = CliRunner().invoke(app, ["forget", job.id, "--sample", sample])
    assert "1 utterances were removed from the extraction" in said.output
    assert not jobs_that_name(home, [sample])
