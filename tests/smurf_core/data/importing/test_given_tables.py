"""Inputs that people bring, with the right values that their README gives."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.tables import read_tables
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError

SHARED = Path(__file__).resolve().parents[4].parent / "shared" / "data"
GIVEN = SHARED / "imports"
BROKEN = sorted((SHARED / "broken").glob("case_*"))

pytestmark = pytest.mark.skipif(not GIVEN.exists(), reason="needs ../shared/data/imports")


def imported(folder: str, name: str = "", **roles):
    """The data set of a folder or a file, by the guess for commands."""
    sources = find_sources([GIVEN / folder / name])
    return assemble(sources, guess_mapping(sources, StudyMapping(**roles)))


def table_of(folder: str, name: str):
    (table,) = read_tables(find_sources([GIVEN / folder / name]))
    return table


def shown(assembly) -> str:
    return " ".join(str(problem) for problem in assembly.problems)


@pytest.mark.parametrize(
    ("folder", "name"), [("08_thousands_tsv", "study.tsv"), ("08b_german_thousands", "study.csv")]
)
def test_signs_between_thousands_are_not_decimal(folder, name):
    true = pd.read_csv(GIVEN / "08_thousands_tsv" / "true_values_not_given.csv.ref")
    table = table_of(folder, name)
    assert table.frame["gaze_dur0"].tolist()[:3] == [3264, 257, 8656]
    pd.testing.assert_frame_equal(table.frame[true.columns], true, check_dtype=False)
    features = imported(folder, name).dataset.features["gaze"]
    np.testing.assert_array_equal(
        features.values, true[list(features.names)].to_numpy(dtype=np.float32)
    )


@pytest.mark.parametrize("name", ["audio.csv", "text.csv"])
def test_no_sample_is_lost_as_a_header(name):
    with pytest.raises(InputError, match="starts with a row of data"):
        table_of("12_ids_and_no_header", name)


def test_numbers_from_0_are_a_header():
    for name, d in (("audio.csv", 6), ("text.csv", 8)):
        table = table_of("16_pandas_default_header", name)
        assert list(table.frame.columns) == [str(j) for j in range(d)]
        assert len(table.frame) == 60
        assert "named by numbers" in str(table.problems[0])


def test_numbers_in_brackets_are_read():
    table = table_of("19_neurokit_nested_cells", "ecg.csv")
    assert table.frame["HRV_0"].tolist()[:2] == [-1.6577, -0.0787]
    assert table.frame.iloc[:, 1:].notna().all(axis=None)


def test_cells_of_a_column_of_mostly_numbers_are_reported():
    assert "60+" in shown(imported("28_text_column_mostly_numbers", "study.csv"))


def test_line_ends_do_not_matter():
    cr, mixed = (table_of("30_line_ends", name).frame for name in ("cr_only.csv", "mixed.csv"))
    pd.testing.assert_frame_equal(cr, mixed)
    assert cr.shape == (60, 8)


def test_rows_of_questions_are_no_samples():
    table = table_of("31_qualtrics", "survey.csv")
    true = pd.read_csv(GIVEN / "31_qualtrics" / "survey.csv", skiprows=[1, 2])
    pd.testing.assert_frame_equal(table.frame, true, check_dtype=False)
    assert "2 more rows are a header" in str(table.problems[0])


def test_two_rows_of_names_are_joined():
    table = table_of("32_pandas_multi_header", "audio.csv")
    true = pd.read_csv(GIVEN / "32_pandas_multi_header" / "audio.csv", header=[0, 1], index_col=0)
    true.columns = [f"{a}_{b}" for a, b in true.columns]
    pd.testing.assert_frame_equal(
        table.frame.set_index("clip"), true, check_dtype=False, check_index_type=False
    )
    assert len(imported("32_pandas_multi_header").dataset) == 60


@pytest.mark.parametrize("name", ["features_as_lists.pkl", "labels_as_lists.pkl"])
def test_lists_of_unequal_length_are_sequences(name):
    dataset = imported("33_mmsa_lists", name).dataset
    assert set(dataset.modalities) == {"text", "audio", "vision"}
    # Written for this project by its own tools: it holds arrays and nothing that runs.
    given = pickle.loads((GIVEN / "33_mmsa_lists" / name).read_bytes())
    assert len(dataset) == sum(len(part["id"]) for part in given.values())
    assert dataset.target[0] == pytest.approx(0.13)
    means = dataset.features["vision"].values[:, 0]
    assert means[0] == pytest.approx(np.asarray(given["train"]["vision"][0])[:, 0].mean(), rel=1e-5)


def test_rows_above_a_sheets_header_are_left_out():
    table = table_of("38_excel_title_rows", "study.xlsx")
    assert table.frame.shape == (40, 6)
    assert table.frame["audio_f0"].tolist()[:2] == [-0.939, -0.293]
    assert "Study 3" in str(table.problems[0])


def test_na_among_initials_is_a_name():
    table = table_of("41_initials_NA", "study.csv")
    assert "'NA'" in " ".join(str(problem) for problem in table.problems)
    assert table.frame["person"].tolist().count("NA") in (0, 10)


def test_na_among_classes_is_reported():
    assert "'NA'" in shown(imported("42_class_NA_for_no_agreement", "study.csv"))


def test_percent_and_one_unit_are_read():
    table = table_of("48_percent_cells", "study.csv")
    assert table.frame["audio_voiced"].tolist()[:2] == [82.9, 70.3]
    assert table.frame["video_smile"].tolist()[:2] == [7.13, 7.5]
    notes = " ".join(str(problem) for problem in table.problems)
    assert "'82.9%' was read as 82.9" in notes


@pytest.mark.parametrize("name", ["ACC.csv", "EDA.csv"])
def test_start_and_rate_of_a_recording_are_no_samples(name):
    """Read as a recording or refused; the first two rows are never values."""
    try:
        tables = read_tables(find_sources([GIVEN / "59_e4_physio_rows" / name]))
    except InputError as error:
        if "Empatica E4" not in str(error):
            raise
    else:
        assert (tables[0].frame.select_dtypes("number").max() < 1e9).all()


def test_praats_undefined_is_missing():
    table = table_of("60_praat_table", "pitch.txt")
    true = pd.read_csv(GIVEN / "60_praat_table" / "pitch.txt", sep="\t", na_values="--undefined--")
    pd.testing.assert_frame_equal(table.frame, true, check_dtype=False)
    assert len(imported("60_praat_table").dataset) == 60


@pytest.mark.parametrize("name", ["study.txt", "study_tab.txt"])
def test_header_one_short_has_row_names(name):
    true = pd.read_csv(GIVEN / "61_r_write_table" / name, sep=r"\s+")
    pd.testing.assert_frame_equal(
        table_of("61_r_write_table", name).frame, true.reset_index(drop=True), check_dtype=False
    )
    assert imported("61_r_write_table", name).dataset.features["audio"].names[0] == "audio_f0"


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.name)
def test_file_with_a_few_changed_bytes_gives_one_sentence(path):
    sources = find_sources([path])
    with pytest.raises(InputError) as caught:
        assemble(sources, guess_mapping(sources))
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    assert message.endswith((".", ")"))
