"""The table of utterances: columns by their names and cells, and no file named by a user."""

import re
from dataclasses import replace

import pandas as pd
import pytest

from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError
from smurf_core.extraction.utterances import Columns
from smurf_core.from_recordings.table import guess_columns, plan, read_table, split_uploads
from tests.recordings import uploaded, write_recordings


def sources(*names):
    return [SourceFile(name, None) for name in names]


def test_rows_find_their_recordings_by_column_with_or_without_folder_and_suffix():
    recordings = sources("a.WAV", "a.mp4", "b b.wav", "007.mp3", "spare.wav")
    table = pd.DataFrame(
        {"turn": ["t1", "t2", "t3", "t4"], "video": ["x/a.avi", "B B", "007", "no"], "words": "w"}
    )
    columns = guess_columns(table, recordings)
    assert (columns.file, columns.id) == ("video", "video")
    found = plan(table, recordings, replace(columns, id="turn"))
    assert found.table["media"].tolist()[:3] == ["clip_0001", "clip_0002", "clip_0003"]
    assert {stored: r.name for stored, r in found.recordings.items()} == {
        "clip_0001.wav": "a.WAV", "clip_0001.mp4": "a.mp4", "clip_0002.wav": "b b.wav",
        "clip_0003.mp3": "007.mp3",
    }  # fmt: skip
    assert found.sentence == (
        "3 of 4 rows have a recording; none was dropped for t4. No row names spare.wav."
    )
    assert (found.total("audio"), found.total("text")) == (3, 0)
    assert "no transcripts" in found.why_not("text")


def test_columns_are_found_by_their_usual_names(tmp_path):
    write_recordings(tmp_path / "disk", 4)
    table, recordings = split_uploads(uploaded(tmp_path / "disk", tmp_path / "uploads"))
    rows = read_table(table)
    columns = guess_columns(rows, recordings)
    assert columns == Columns("utt_id", "audio file", "start", "end", "transcript")
    found = plan(rows, recordings, columns)
    assert found.table.columns[:4].tolist() == ["sample_id", "media", "start", "end"]
    assert found.text == "transcript"
    assert [found.why_not(kind) for kind in ("audio", "text", "video")] == ["", "", ""]


def test_names_of_uploads_reach_the_disk_in_no_form():
    recordings = sources("../../etc/a.wav", "..\\b.wav", "c;rm -rf.wav", "d\n.wav", "~.wav")
    table = pd.DataFrame({"id": list("12345"), "file": [r.name for r in recordings]})
    found = plan(table, recordings, guess_columns(table, recordings))
    assert len(found.recordings) == 5
    assert all(re.fullmatch(r"clip_\d{4}\.wav", name) for name in found.recordings)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("a.wav",), "Also drop a table"),
        (("t.csv",), "Also drop the recordings that t.csv names"),
        (("a.wav", "t.csv", "u.csv"), "2 files are no recordings (t.csv, u.csv)"),
        (("a.wav", "A .WAV", "t.csv"), "Several recordings are named a.wav"),
    ],
)
def test_what_is_missing_or_double_is_said(names, words):
    with pytest.raises(InputError, match=re.escape(words)):
        split_uploads(sources(*names))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"id": ""}, "Choose the column of sample ids"),
        ({"id": "same"}, "sample ids are missing or repeat"),
        ({"start": "same"}, "seconds must be numbers"),
        ({"file": "same"}, "names one of the recordings (a.wav, b.wav)"),
    ],
)
def test_columns_that_cannot_be_used_are_reported(columns, words):
    table = pd.DataFrame({"id": ["1", "2"], "file": ["a.wav", "b.wav"], "same": "x"})
    given = replace(Columns(id="id", file="file"), **columns)
    with pytest.raises(InputError, match=re.escape(words)):
        plan(table, sources("a.wav", "b.wav"), given)
