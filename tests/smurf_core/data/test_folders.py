"""Folders leave nothing out silently: every file that is not read is named with a remedy."""

import pandas as pd
import pytest

from smurf_core.cli.roles import Roles, chosen_data
from smurf_core.data.readers.registry import READERS, SUFFIXES, find_sources, unread
from smurf_core.errors import InputError
from smurf_core.library import read
from tests.broken_files import good_table


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    good_table().to_csv(folder / "study.csv", index=False)
    return folder


LEFT_OUT = {
    "eeg.edf": ("warning", "Extract features"),
    "more.zip": ("warning", "Unpack"),
    "table.ods": ("warning", ".xlsx"),
    "physio.xyz": ("warning", "in a format that is read"),
    "no_suffix": ("warning", "in a format that is read"),
    "clip.wav": ("note", "--media"),
    "study.yaml": ("note", "in place of the folder"),
    "analysis.py": ("note", "CSV"),
    "README.csv": ("note", "rename"),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_file_that_is_not_read_is_named_with_what_to_do(name, folder):
    severity, remedy = LEFT_OUT[name]
    (folder / name).write_bytes(b"1,2\n")
    (problem,) = unread([folder])
    assert (problem.severity, problem.file) == (severity, name)
    assert remedy in problem.remedy
    assert [source.name for source in find_sources([folder])] == ["study.csv"]


def test_a_folder_in_a_folder_is_named_with_its_number_of_files(folder):
    (folder / "face" / "deep").mkdir(parents=True)
    for name in ("a.csv", "deep/b.csv"):
        (folder / "face" / name).write_text("a,b\n1,2\n")
    (problem,) = unread([folder])
    assert problem.file == "face/ (2 files)"
    assert problem.severity == "warning"


def test_hidden_files_and_those_of_the_system_are_not_mentioned(folder):
    for name in (".DS_Store", "Thumbs.db", ".hidden.csv"):
        (folder / name).write_bytes(b"x")
    (folder / "__MACOSX").mkdir()
    assert unread([folder]) == ()


def test_files_that_are_given_themselves_are_never_left_out(folder):
    assert unread([folder / "study.csv"]) == ()


def test_commands_and_the_library_report_what_is_left_out(folder):
    (folder / "eeg.edf").write_bytes(b"x")
    chosen = chosen_data([str(folder)], Roles())
    assert "eeg.edf" in str(chosen.assembled().problems[0])
    assert "eeg.edf" in read(folder).notes[0]


def test_an_error_names_the_files_that_were_not_read(tmp_path):
    """The labels were in such a file, and the message named the tables of features alone."""
    good_table().drop(columns="label").to_csv(tmp_path / "study.csv", index=False)
    (tmp_path / "labels.xyz").write_bytes(b"x")
    with pytest.raises(InputError, match=r"Not read in this folder: labels\.xyz"):
        read(tmp_path)
    with pytest.raises(InputError, match=r"Not read in this folder: labels\.xyz"):
        chosen_data([str(tmp_path)], Roles()).assembled()


def test_a_folder_without_data_says_what_it_contains(tmp_path):
    (tmp_path / "all.zip").write_bytes(b"x")
    with pytest.raises(InputError, match=r"no data files.*all\.zip.*Unpack"):
        find_sources([tmp_path])


def test_every_suffix_of_a_reader_is_read_from_a_folder(tmp_path):
    for suffix in (suffix for reader in READERS for suffix in reader.suffixes):
        assert suffix in SUFFIXES
    for suffix in SUFFIXES:
        (tmp_path / f"a{suffix}").write_bytes(b"x")
    assert {source.suffix for source in find_sources([tmp_path])} == set(SUFFIXES)
    assert unread([tmp_path]) == ()


def test_a_mapping_without_files_reads_its_folder_and_names_the_rest(folder):
    (folder / "study.yaml").write_text("target: label\n")
    (folder / "eeg.edf").write_bytes(b"x")
    chosen = chosen_data([str(folder / "study.yaml")], Roles())
    assert [problem.file for problem in chosen.unread] == ["eeg.edf"]
    pd.testing.assert_frame_equal(pd.read_csv(folder / "study.csv"), good_table())
