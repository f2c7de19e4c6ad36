"""Trackers, wristbands, ratings over time and annotated speech."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from praatio import textgrid
from pympi.Elan import Eaf

from smurf_core.data.importing.tables import read_tables
from smurf_core.data.readers.registry import find_sources, reader_title
from smurf_core.errors import InputError

SHARED = Path(os.environ.get("SMURF_TEST_DATA", Path(__file__).parents[4] / "shared/data"))
IMPORTS = SHARED / "imports"


def tables_of(*paths, **options):
    return {table.name: table for table in read_tables(find_sources(paths), **options)}


def only(path, **options):
    (table,) = tables_of(path, **options).values()
    return table


def said(table):
    return " ".join(str(problem) for problem in table.problems)


# Faces


def test_py_feat_summarises_the_best_face_of_each_frame_and_input(tmp_path):
    rows = [
        {"frame": frame, "FaceRectX": 1.0, "FaceScore": score, "x_0": 5.0, "AU01": au,
         "happiness": au / 10, "input": f"/videos/{clip}.mp4"}
        for clip, base in (("u1", 0.0), ("u2", 10.0))
        for frame in range(4)
        for score, au in ((0.9, base + frame), (0.85, 99.0))
    ]  # fmt: skip
    rows[0]["FaceScore"], rows[1]["FaceScore"] = 0.1, 0.2  # no face is certain in the first frame
    pd.DataFrame(rows).to_csv(tmp_path / "faces.csv", index=False)
    table = only(tmp_path / "faces.csv")
    assert table.frame["sample_id"].tolist() == ["u1", "u2"]
    np.testing.assert_allclose(table.frame["AU01_mean"], [2.0, 11.5])
    np.testing.assert_allclose(table.frame["happiness_sd"], np.array([np.std([1, 2, 3]),
                                                          np.std([0, 1, 2, 3])]) / 10)  # fmt: skip
    assert "x_0_mean" not in table.frame
    assert table.modality == "video"


def test_libreface_is_cut_by_the_times_of_the_labels(tmp_path):
    frames = pd.DataFrame({"frame_idx": range(40), "frame_time_in_ms": np.arange(40) * 100.0})
    frames["au_12_intensity"] = np.arange(40) / 10
    frames["au_12"] = (np.arange(40) >= 20).astype(int)
    frames["yaw"] = 1.0
    frames["facial_expression"] = "happy"
    frames.to_csv(tmp_path / "talk.csv", index=False)
    pd.DataFrame({"id": ["a", "b"], "start": [0.0, 2.0], "end": [2.0, 4.0]}).to_csv(
        tmp_path / "labels.csv", index=False
    )
    table = tables_of(tmp_path)["talk.csv"].frame
    np.testing.assert_allclose(table["au_12_share"], [0, 1])
    np.testing.assert_allclose(table["au_12_intensity_mean"], [0.95, 2.95])
    np.testing.assert_allclose(table["au_12_intensity_slope"], [1, 1])


def test_neurokit_signals_are_summarised_and_named_by_their_kind(tmp_path):
    signals = pd.DataFrame({"EDA_Raw": [1.0, 2, 3], "EDA_Clean": [1.0, 2, 4], "EDA_Tonic": 0.5})
    signals.to_csv(tmp_path / "p1.csv", index=False)
    table = only(tmp_path / "p1.csv")
    assert table.modality == "eda"
    assert table.frame["EDA_Clean_mean"].tolist() == [pytest.approx(7 / 3)]


# Empatica E4


def e4(folder, values, rate=4, began=1_700_000_000.0):
    folder.mkdir(exist_ok=True)
    (folder / "EDA.csv").write_text("\n".join([f"{began}", f"{rate}.000000", *map(str, values)]))
    (folder / "tags.csv").write_text(f"{began + 3}\n")
    (folder / "IBI.csv").write_text(f"{began}, IBI\n0.5,0.75\n1.25,0.80\n")
    acc = "\n".join("1,2,3" for _ in values)
    (folder / "ACC.csv").write_text(f"{began}, {began}, {began}\n32.0, 32.0, 32.0\n{acc}\n")


@pytest.mark.parametrize("began", [0.0, 1_700_000_000.0])
def test_e4_folder_is_cut_by_times_from_its_start_or_from_1970(began, tmp_path):
    e4(tmp_path / "session", np.arange(16) / 4)
    pd.DataFrame(
        {"id": ["a", "b"], "start": [began, began + 2], "end": [began + 2, began + 4]}
    ).to_csv(tmp_path / "session" / "labels.csv", index=False)
    tables = tables_of(tmp_path / "session")
    assert set(tables) == {"labels.csv", "EDA.csv", "ACC.csv", "IBI.csv"}
    eda = tables["EDA.csv"]
    np.testing.assert_allclose(eda.frame["eda_mean"], [np.mean([0, 1, 2, 3, 4, 5, 6, 7]) / 4,
                                                       np.mean(np.arange(8, 16)) / 4])  # fmt: skip
    np.testing.assert_allclose(tables["IBI.csv"].frame["ibi_mean"], [0.775, np.nan])
    assert "first row is the start of the recording (2023-11-14 22:13:20 UTC)" in said(eda)
    assert "the second its rate (4 per second)" in said(eda)
    assert tables["ACC.csv"].frame.columns[1] == "x_mean"


def test_e4_without_a_rate_is_refused(tmp_path):
    (tmp_path / "EDA.csv").write_text("1700000000.0\nx\n1\n")
    with pytest.raises(InputError, match=r"EDA\.csv, row 2: the rate"):
        only(tmp_path / "EDA.csv")


@pytest.mark.skipif(not IMPORTS.is_dir(), reason="the shared folder data/imports is not there")
def test_case_59_says_what_its_first_rows_are():
    tables = tables_of(IMPORTS / "59_e4_physio_rows")
    expected = pd.read_csv(IMPORTS / "59_e4_physio_rows" / "EDA.csv", header=None, skiprows=2)[0]
    assert tables["EDA.csv"].frame["eda_mean"].tolist() == [pytest.approx(expected.mean())]
    assert "first row is the start of the recording" in said(tables["ACC.csv"])
    assert (
        tables["ACC.csv"].frame["sample_id"].tolist()
        == tables["EDA.csv"].frame["sample_id"].tolist()
    )


# Ratings over time


def test_carma_ratings_become_the_mean_of_each_sample(tmp_path):
    (tmp_path / "rater1.csv").write_text(
        "Time of Rating,27-Nov-2026 10:00:00\nMultimedia File,talk.mp4\n"
        "Lower Label,very negative\nUpper Label,very positive\nMinimum Value,-100\n"
        "Maximum Value,100\nNumber of Steps,9\nSecond,Rating\n%%%%%%,%%%%%%\n"
        "0,10\n1,20\n2,-30\n3,-50\n"
    )
    pd.DataFrame({"id": ["a", "b"], "start": [0, 2], "end": [2, 4]}).to_csv(
        tmp_path / "cuts.csv", index=False
    )
    table = tables_of(tmp_path)["rater1.csv"]
    assert table.frame["rating"].tolist() == [15, -40]
    assert table.modality == ""
    assert "from 'very negative' to 'very positive'" in said(table)


def test_older_carma_and_darma_exports_are_named_after_the_media(tmp_path):
    (tmp_path / "old.csv").write_text(
        "Filename,Lower Label,Upper Label,Second,Rating\n"
        "C:\\Users\\x\\talk.avi,low,high,1,7.5\nC:\\Users\\x\\talk.avi,low,high,2,8.5\n"
    )
    (tmp_path / "darma.csv").write_text(
        "Time of Rating,now,,\nMultimedia File,walk.mp4,,\nMagnitude,100,,\n"
        "Second,Valence,Arousal,B\n%%%%%%,%%%%%%,%%%%%%,%%%%%%\n0,1,4,0\n1,3,6,0\n"
    )
    old, darma = only(tmp_path / "old.csv"), only(tmp_path / "darma.csv")
    assert old.frame.to_dict("list") == {"sample_id": ["talk"], "rating": [8.0]}
    assert darma.frame.to_dict("list") == {
        "sample_id": ["walk"], "Valence": [2.0], "Arousal": [5.0],
    }  # fmt: skip


# Annotated speech


def text_grid(path, form="long_textgrid"):
    grid = textgrid.Textgrid()
    speech = [(0.0, 1.5, "hello there"), (2.0, 3.0, "yes")]
    grid.addTier(textgrid.IntervalTier("speaker A", speech, 0, 4))
    grid.addTier(textgrid.IntervalTier("valence", [(0.0, 1.5, "2"), (2.0, 3.0, "-1")], 0, 4))
    grid.addTier(textgrid.IntervalTier("A - words", [(0.0, 0.7, "hello")], 0, 4))
    grid.addTier(textgrid.PointTier("clicks", [(1.0, "x")], 0, 4))
    grid.save(str(path), format=form, includeBlankSpaces=True)


@pytest.mark.parametrize("form", ["long_textgrid", "short_textgrid"])
def test_textgrid_tiers_are_utterances_with_their_codes(form, tmp_path):
    text_grid(tmp_path / "talk.TextGrid", form)
    table = only(tmp_path / "talk.TextGrid")
    assert table.frame["transcript"].tolist() == ["hello there", "yes"]
    assert table.frame["start"].tolist() == [0, 2]
    assert table.frame["end"].tolist() == [1.5, 3]
    assert table.frame["valence"].tolist() == [2, -1]
    assert table.frame["recording"].tolist() == ["talk", "talk"]
    assert "A - words, clicks contain words, sounds or moments" in said(table)


def test_textgrids_of_several_recordings_are_one_table(tmp_path):
    for name in ("t1", "t2"):
        text_grid(tmp_path / f"{name}.TextGrid")
    table = only(tmp_path)
    assert table.frame["sample_id"].tolist() == ["t1[0]", "t1[1]", "t2[0]", "t2[1]"]


def test_elan_tiers_of_two_speakers_are_utterances_in_their_order(tmp_path):
    file = Eaf(author="x")
    file.remove_tier("default")
    for tier, spans in {
        "A": [(0, 1000, "hi"), (2500, 3000, "oh")], "B": [(1200, 2400, "hello")],
    }.items():  # fmt: skip
        file.add_tier(tier)
        for start, end, text in spans:
            file.add_annotation(tier, start, end, text)
    file.to_file(str(tmp_path / "talk.eaf"))
    (source,) = find_sources([tmp_path / "talk.eaf"])
    assert reader_title(source) == "ELAN"
    table = only(tmp_path / "talk.eaf").frame
    assert table["transcript"].tolist() == ["hi", "hello", "oh"]
    assert table["tier"].tolist() == ["A", "B", "A"]
    assert table["start"].tolist() == [0, 1.2, 2.5]


def test_cut_off_and_changed_files_are_read_or_refused_with_a_sentence(tmp_path):
    text_grid(tmp_path / "talk.TextGrid")
    e4(tmp_path / "e4", np.arange(16))
    test_elan_tiers_of_two_speakers_are_utterances_in_their_order(tmp_path)
    test_older_carma_and_darma_exports_are_named_after_the_media(tmp_path)
    random = np.random.default_rng(0)
    refused: list[str] = []
    for path in sorted(p for p in tmp_path.rglob("*") if p.is_file()):
        content = path.read_bytes()
        for _ in range(60):
            changed = bytearray(content)
            if random.random() < 0.4:
                changed = changed[: random.integers(1, len(content))]
            else:
                for place in random.integers(0, len(content), random.integers(1, 6)):
                    changed[place] = random.integers(256)
            path.write_bytes(bytes(changed))
            try:
                only(path)
            except InputError as error:
                refused.append(str(error))
            except ValueError as error:  # no table: the tags of an E4
                if "unpack" not in str(error) or "expected 1, got 0" not in str(error):
                    raise
        path.write_bytes(content)
    assert len(refused) > 100
    assert [message for message in refused if "\n" in message or len(message) > 400] == []
