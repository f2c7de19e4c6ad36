import pickle
import zipfile

import numpy as np
import pytest

from smurf_core.data.importing.assembly import SourceFile, assemble
from smurf_core.data.importing.mapping import read_mapping
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError
from tests.broken_files import BROKEN_FILES, CODE_RAN, good_table

REFUSED = [case for case in BROKEN_FILES if not case.is_read]
READ = [case for case in BROKEN_FILES if case.is_read]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_broken_file_is_refused_with_one_clear_sentence(case, tmp_path):
    paths = case.make(tmp_path)
    with pytest.raises(InputError) as caught:
        assemble(find_sources(paths))
    message = str(caught.value)
    assert [word for word in case.words if word not in message] == [], message
    assert "\n" not in message
    assert message[-1] in ".)"
    assert len(message) < 400
    assert not (tmp_path / CODE_RAN).exists()


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_odd_file_is_read_with_a_problem(case, tmp_path):
    assembly = assemble(find_sources(case.make(tmp_path)))
    shown = " ".join(str(problem) for problem in assembly.problems)
    assert [word for word in case.words if word not in shown] == [], shown
    assert assembly.dataset.modalities == ("audio", "video")
    # The first value that all of these leave as it is.
    first = good_table()["video_smile"][0]
    assert assembly.dataset.features["video"].values[0, 0] == pytest.approx(first)


def test_good_table_has_no_problems(tmp_path):
    good_table().to_csv(tmp_path / "study.csv", index=False)
    assert assemble(find_sources([tmp_path / "study.csv"])).problems == ()


def test_pickles_of_the_table_do_run_code_where_nobody_is_careful(tmp_path):
    case = next(case for case in BROKEN_FILES if case.name == "pickle_that_runs_code")
    (path,) = case.make(tmp_path)
    pickle.loads(path.read_bytes())
    assert (tmp_path / CODE_RAN).exists()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../../etc/passwd.csv", "passwd.csv"),
        ("C:\\data\\face.csv", "face.csv"),
        ("a\nb\x1b[31m.csv", "a�b�[31m.csv"),
        ("..", ".."),
        ("", "unnamed file"),
        ("/", "unnamed file"),
        ("x" * 500 + ".csv", "x" * 116 + ".csv"),
    ],
)
def test_names_from_strangers_are_made_safe_to_show(given, shown, tmp_path):
    assert SourceFile(given, tmp_path).name == shown


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("name", ["study.npz", "study.xlsx"])
def test_damaged_members_of_any_compression_are_refused(tmp_path, name, method):
    good, file = tmp_path / f"good_{name}", tmp_path / name
    if name.endswith(".npz"):
        np.savez(good, **{column: cells.to_numpy() for column, cells in good_table().items()})
    else:
        good_table().to_excel(good, index=False)
    with zipfile.ZipFile(good) as members, zipfile.ZipFile(file, "w", method) as packed:
        for member in members.namelist():
            packed.writestr(member, members.read(member))
        written = packed.infolist()
    content = bytearray(file.read_bytes())
    for member in written:
        middle = member.header_offset + 30 + len(member.filename) + member.compress_size // 2
        content[middle : middle + 8] = b"\xff" * 8
    file.write_bytes(content)
    with pytest.raises(InputError, match="is damaged or"):
        assemble(find_sources([file]))


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no file or folder .*nothing\.csv"):
        find_sources([tmp_path / "nothing.csv"])


def test_folder_without_data_is_refused(tmp_path):
    (tmp_path / "LICENSE").write_text("words")
    (tmp_path / "Readme.txt").write_text("words")
    with pytest.raises(InputError, match="contains no data files"):
        find_sources([tmp_path])


def test_at_least_forty_hostile_files_are_tried():
    kinds = ("runs_code", "evaluates", "bomb", "absurd", "endless", "deep", "link", "circle",
             "huge", "million", "exploding", "another_file", "leads_out", "absolute", "objects",
             "lying", "program", "twice", "too_many", "outside", "virtual", "negative", "nul",
             "many", "cut", "sizes", "torch", "records")  # fmt: skip
    hostile = [case.name for case in REFUSED if any(kind in case.name for kind in kinds)]
    assert len(hostile) >= 40, hostile


def test_mapping_of_exploding_aliases_is_refused_without_expanding_them(tmp_path):
    lines = ["a0: &a0 [lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    (tmp_path / "study.yaml").write_text("\n".join(lines))
    with pytest.raises(InputError, match="No setting a0"):
        read_mapping(tmp_path / "study.yaml")
