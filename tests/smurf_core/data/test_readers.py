"""Each reader on files written by the usual libraries."""

from datetime import datetime

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openpyxl.utils.exceptions import IllegalCharacterError

from smurf_core.data.readers.interface import PREVIEW_ROWS
from smurf_core.data.readers.missing_words import MISSING
from smurf_core.data.readers.registry import read
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

TABLE = pd.DataFrame(
    {
        "id": ["007", "008", "009"],
        "words": ["a, b", "“c”\nd", None],
        "whole": [1, -2, 3],
        "gaps": pd.array([1, None, 3], dtype="Int64"),
        "real": [0.1, 1e-300, -2.5e10],
        "missing": [np.nan, 1.0, np.nan],
    }
)


def only_table(path, **options):
    (table,) = read(SourceFile(path.name, path), **options)
    return table


WRITERS = {
    "csv": lambda table, path: table.to_csv(path, index=False),
    "tsv": lambda table, path: table.to_csv(path, index=False, sep="\t"),
    "parquet": lambda table, path: table.to_parquet(path),
    "feather": lambda table, path: table.to_feather(path),
    "xlsx": lambda table, path: table.to_excel(path, index=False),
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_table_is_read_back_equal_from(suffix, tmp_path):
    path = tmp_path / f"table.{suffix}"
    WRITERS[suffix](TABLE, path)
    table = only_table(path)
    pd.testing.assert_frame_equal(table.frame, TABLE, check_dtype=False)
    assert table.frame["whole"].dtype == np.int64
    assert table.frame["gaps"].dtype == "Int64"
    assert table.frame["real"].dtype == np.float64
    assert table.bad_cells == {}


@pytest.mark.parametrize("suffix", WRITERS)
def test_preview_holds_the_first_rows_of(suffix, tmp_path):
    path = tmp_path / f"table.{suffix}"
    WRITERS[suffix](TABLE, path)
    table = only_table(path, rows=2)
    pd.testing.assert_frame_equal(table.frame[["id", "whole"]], TABLE[["id", "whole"]].iloc[:2])


def test_preview_of_a_long_table_is_short(tmp_path):
    pd.DataFrame({"a": range(5000), "b": range(5000)}).to_csv(tmp_path / "t.csv", index=False)
    (table,) = read(SourceFile("t.csv", tmp_path / "t.csv"), rows=PREVIEW_ROWS)
    assert len(table.frame) == 200


cells = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True, width=64),
    st.floats(-1e6, 1e6),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    columns=st.lists(st.lists(cells, min_size=3, max_size=3), min_size=2, max_size=5),
    suffix=st.sampled_from(["csv", "tsv", "parquet", "feather"]),
)
def test_any_table_of_numbers_is_read_back_equal(columns, suffix, tmp_path):
    table = pd.DataFrame({f"c{i}": np.array(c, dtype=float) for i, c in enumerate(columns)})
    # An empty last line of a text file is no sample.
    assume(suffix in ("parquet", "feather") or table.iloc[-1].notna().any())
    path = tmp_path / f"table.{suffix}"
    WRITERS[suffix](table, path)
    pd.testing.assert_frame_equal(only_table(path).frame.astype(float), table)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    texts=st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=8),
        min_size=2,
        max_size=6,
    )
)
def test_any_text_is_read_back_or_refused(texts, tmp_path):
    path = tmp_path / "table.csv"
    pd.DataFrame({"id": [f"s{i}" for i in range(len(texts))], "x": texts}).to_csv(path, index=False)
    try:
        found = only_table(path).frame["x"]
    except InputError:
        return
    if pd.api.types.is_numeric_dtype(found):
        return
    for text, cell in zip(texts, found, strict=True):
        assert pd.isna(cell) or cell == text.strip(), (text, cell)


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=6)
# Excel keeps no microseconds.
times = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)).map(
    lambda time: time.replace(microsecond=0)
)
kinds = st.one_of(
    st.lists(st.integers(-(2**53), 2**53), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=4, max_size=4),
    st.lists(words, min_size=4, max_size=4),
    st.lists(st.one_of(st.none(), st.integers(-99, 99)), min_size=4, max_size=4),
    st.lists(times, min_size=4, max_size=4),
)


def same_cell(found, written):
    """Equal, or equal as text without blanks around it; words for "no value" may be missing."""
    if pd.isna(found):
        return pd.isna(written) or str(written).strip() in MISSING
    if isinstance(written, str):
        try:
            return found == written.strip() or float(found) == float(written.replace(",", "."))
        except ValueError:
            return False
    if isinstance(written, bool | np.bool_) and isinstance(found, str):
        return found == str(written)  # text has words for them
    if isinstance(written, pd.Timestamp):
        return pd.Timestamp(found) == written
    # Excel's files hold 16 digits of 17: the largest of all numbers is rounded up to infinity.
    if np.isinf(found):
        return abs(written) >= 1.797693134862315e308 and found * written > 0
    return found == written or abs(found - written) <= 1e-15 * abs(written)


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    columns=st.lists(kinds, min_size=2, max_size=4),
    names=st.lists(words, min_size=4, max_size=4),
    suffix=st.sampled_from(list(WRITERS)),
)
def test_any_table_that_pandas_writes_is_read_back_equal_or_refused(
    columns, names, suffix, tmp_path
):
    table = pd.DataFrame(dict(enumerate(columns)))
    table.columns = names[: len(columns)]
    # A header without any name is an empty line: nothing distinguishes it from the first row.
    assume(any(name.strip() for name in table.columns))
    path = tmp_path / f"any.{suffix}"
    try:
        WRITERS[suffix](table, path)
    except (ValueError, IllegalCharacterError):
        return  # pandas cannot write it: equal names in Parquet, control characters in Excel
    try:
        found = only_table(path)
    except InputError:
        return
    assert len(found.frame) <= len(table)
    titled = any("above the header" in problem.message for problem in found.problems)
    if titled and not all(map(str.strip, table.columns)):
        return  # A header with gaps may be a title.
    if len(found.frame) < len(table):  # Blank rows of a sheet are no samples, nor at a file's end.
        blank = table.map(lambda cell: pd.isna(cell) or not str(cell).strip()).all(axis=1)
        last = len(table) if suffix == "xlsx" else len(table) - (~blank).to_numpy()[::-1].argmax()
        table = table[~blank] if suffix == "xlsx" else table.iloc[:last]
        assert len(found.frame) == len(table)
    bad = {list(found.frame.columns).index(name) for name in found.bad_cells}
    if found.frame.shape[1] != table.shape[1]:  # a saved index, empty columns of a sheet
        return
    for position in set(range(len(columns))) - bad:
        for row, cell in enumerate(found.frame.iloc[:, position]):
            assert same_cell(cell, table.iloc[row, position]), (cell, table.iloc[row, position])


SCRAPS = (
    b"", b"a", b"\xff\xfe", b"a,b", b"PAR1", b"PK\x03\x04", b"ARROW1", b"\x89HDF\r\n\x1a\n",
    b"\x80\x04", b'"', b"\n,\n,", b"a,b\n1,2,3",
)  # fmt: skip


@pytest.mark.parametrize("content", SCRAPS)
@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz", "xlsx", "h5", "pickle"])
def test_scraps_are_refused_with_a_sentence(content, suffix, tmp_path):
    path = tmp_path / f"scrap.{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        only_table(path)
    assert "\n" not in str(caught.value)


def test_numbers_with_leading_zeros_stay_text(tmp_path):
    (tmp_path / "t.csv").write_text("id,x\n01,1\n02,0.5\n")
    frame = only_table(tmp_path / "t.csv").frame
    assert frame["id"].tolist() == ["01", "02"]
    assert frame["x"].tolist() == [1.0, 0.5]


def test_first_bad_cell_of_a_numeric_column_is_kept(tmp_path):
    (tmp_path / "t.csv").write_text("id,x\na,1\nb,oops\nc,3\nd,worse\ne,4\n")
    table = only_table(tmp_path / "t.csv")
    bad = table.bad_cells["x"]
    assert (bad.file, bad.row, bad.text, bad.count) == ("t.csv", 2, "oops", 2)
    np.testing.assert_array_equal(table.frame["x"], [1, np.nan, 3, np.nan, 4])


def test_blanks_around_names_and_numbers_are_taken_off(tmp_path):
    """OpenFace's older files have a blank after every comma."""
    (tmp_path / "t.csv").write_text("frame, confidence, AU01_r\n1, 0.9, 1.5\n2, 0.8, 0.5\n")
    frame = only_table(tmp_path / "t.csv").frame
    assert list(frame.columns) == ["frame", "confidence", "AU01_r"]
    assert frame["AU01_r"].tolist() == [1.5, 0.5]


def test_how_a_table_was_read_is_kept(tmp_path):
    TABLE.to_csv(tmp_path / "t.csv", index=False, sep=";", decimal=",")
    options = only_table(tmp_path / "t.csv").options
    assert options == {"encoding": "utf-8", "delimiter": "semicolon", "decimal": ","}


@pytest.mark.parametrize("units", ["", ";;n;ms\n", ";;n;ms;\n"])
@pytest.mark.parametrize("extra", ["", "video"])
def test_a_header_of_more_names_than_there_are_columns_is_refused(tmp_path, units, extra):
    """Each row was read as one note, in the first column; units below it ended in a traceback."""
    rows = "".join(f"clip{k};{k}.5;1.00{k};{k}.1\n" for k in range(6))
    path = tmp_path / "a.csv"
    path.write_text(f"id;valence;audio_a;{extra};video_a\n{units}{rows}")
    with pytest.raises(InputError) as refused:
        read(SourceFile(path.name, path))
    row = 2 if units.endswith(";\n") else 1  # These units are as wide as the header.
    assert str(refused.value) == (
        f"a.csv, row {row}: 4 cells where the header names 5 columns; close a quote that is open, "
        "add the cells that are missing, or take out the name that has no column."
    )


def test_a_missing_name_is_no_missing_name_of_row_names(tmp_path):
    """Below `clip`, the values of `valence` stood, and all other names were one place off."""
    rows = "".join(f"v{k}\t{k}.5\t0.{k}\t-1.{k}\n" for k in range(6))
    path = tmp_path / "a.tsv"
    path.write_text(f"clip\tvalence\tpitch\n{rows}")
    with pytest.raises(InputError, match="row 1: 4 cells where the header names 3 columns; give"):
        read(SourceFile(path.name, path))
    # As R writes it: row names count, or are the ids themselves.
    path.write_text("clip\tvalence\n" + "".join(f"{k + 1}\t1.{k}\t0.{k}\n" for k in range(6)))
    assert only_table(path).frame["valence"].tolist()[:2] == [0.0, 0.1]
    path.write_text(f"valence\tpitch\tjoy\n{rows}")
    assert only_table(path).frame["valence"].tolist()[:2] == [0.5, 1.5]


@pytest.mark.parametrize(
    ("header", "end", "words"),
    [
        ("clip,valence,,pitch,joy", ",", "column 3 has cells and no name, and 'joy' is a name"),
        ("valence,pitch,joy,", "", "column 4 has numbers and no name"),
    ],
)
def test_names_that_ends_of_lines_have_moved_are_refused(tmp_path, header, end, words):
    """A name too many above rows that end in a delimiter, and one too few in such a header."""
    rows = "".join(f"v{k},{k}.5,0.{k},-1.{k}{end}\n" for k in range(6))
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\n{rows}")
    with pytest.raises(InputError, match=words):
        read(SourceFile(path.name, path))


def test_the_header_again_may_end_in_a_delimiter(tmp_path):
    rows = [f"{k},{k}.5,0.{k}," for k in range(1000, 1010)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["clip,valence,pitch", *rows[:5], "clip,valence,pitch,", *rows[5:]]))
    table = only_table(path)
    assert table.frame["clip"].astype("str").tolist() == [str(k) for k in range(1000, 1010)]
    assert "the header is there 2 times" in str(table.problems[0])


def test_blanks_before_quotes_are_no_part_of_a_cell(tmp_path):
    rows = "".join(f'"v{k}", "{k}.5", "a, b"\n' for k in range(6))
    (tmp_path / "a.csv").write_text(f'"clip", "valence", "words"\n{rows}')
    frame = only_table(tmp_path / "a.csv").frame
    assert frame.columns.tolist() == ["clip", "valence", "words"]
    assert frame["valence"].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert set(frame["words"]) == {"a, b"}


def test_decimal_commas_never_separate_columns(tmp_path):
    """Such tables were read as `v0;1 | 5;-2 | 5` where a name or cells were missing."""
    path = tmp_path / "a.csv"
    rows = "".join(f"v{k};{k},5;-{k},25;{k},1\n" for k in range(4))
    path.write_text(f"clip;pitch;joy;gaze\n{rows}Mean;1,5;2,0\n")
    assert only_table(path).frame["pitch"].tolist() == [0.5, 1.5, 2.5, 3.5]
    ragged = "".join(f"v{k};{k},5;1,{k}" + ";1" * (k % 3) + "\n" for k in range(12))
    path.write_text(f"clip;pitch;joy;gaze\n{ragged}")
    with pytest.raises(InputError, match="decimal commas, and between its other delimiters rows"):
        read(SourceFile(path.name, path))


def test_lists_in_cells_are_no_columns(tmp_path):
    rows = "".join(f"v{k},{k}.5,{k};4;12\n" for k in range(6))
    (tmp_path / "a.csv").write_text(f"clip,valence,action_units\n{rows}")
    frame = only_table(tmp_path / "a.csv").frame
    assert frame["valence"].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert frame["action_units"].tolist()[:2] == ["0;4;12", "1;4;12"]


def test_a_line_of_means_behind_row_numbers_is_left_out(tmp_path):
    rows = "".join(f"{k},{1000 + 7 * k},{k}.5,0.{k}\n" for k in range(10))
    (tmp_path / "a.csv").write_text(f",clip,valence,pitch\n{rows}10,Mean,4.5,0.45\n")
    table = only_table(tmp_path / "a.csv")
    assert len(table.frame) == 10
    assert table.frame["clip"].astype("str").tolist()[:2] == ["1000", "1007"]
    assert "are totals (Mean)" in " ".join(map(str, table.problems))


def test_units_above_a_header_of_too_many_names_are_not_joined_with_it(tmp_path):
    rows = "".join(f"clip{k};{k}.5;1.00{k};{k}.1\n" for k in range(6))
    path = tmp_path / "a.csv"
    path.write_text(f"Study\n\n;;n;ms\nid;valence;audio_a;video_a;video_a\n{rows}")
    with pytest.raises(InputError, match="more than once \\(video_a\\)"):
        read(SourceFile(path.name, path))


def test_blank_lines_above_the_header_are_passed_over(tmp_path):
    (tmp_path / "t.csv").write_text("\n\nid,x\na,1\nb,2\n")
    assert only_table(tmp_path / "t.csv").frame["x"].tolist() == [1, 2]


def test_workbook_gives_a_table_for_each_sheet_with_cells(tmp_path):
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        TABLE.to_excel(book, sheet_name="audio", index=False)
        TABLE[["id", "whole"]].to_excel(book, sheet_name="labels", index=False)
        pd.DataFrame().to_excel(book, sheet_name="empty", index=False)
    tables = read(SourceFile("book.xlsx", tmp_path / "book.xlsx"))
    assert [table.name for table in tables] == ["book.xlsx:audio", "book.xlsx:labels"]
    assert tables[1].frame["whole"].tolist() == [1, -2, 3]


def test_npz_gives_columns_by_array(tmp_path):
    np.savez(
        tmp_path / "a.npz",
        sample_id=np.array(["a", "b"]),
        label=np.array([0, 1]),
        audio=np.array([[1.0, 2.0], [3.0, 4.0]], dtype=np.float32),
        video=np.array([[5], [6]]),
        video_names=np.array(["smile"]),
    )
    frame = only_table(tmp_path / "a.npz").frame
    assert list(frame.columns) == ["sample_id", "label", "audio_0", "audio_1", "smile"]
    assert frame["audio_1"].tolist() == [2, 4]
    assert frame["smile"].tolist() == [5, 6]


def test_npz_written_compressed_is_read(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", audio=np.eye(3), label=np.arange(3))
    assert only_table(tmp_path / "a.npz").frame["audio_2"].tolist() == [0, 0, 1]


def test_hdf5_sequences_are_pooled_over_their_own_steps(tmp_path):
    steps = np.zeros((2, 4, 2))
    steps[0, :3] = [[1, 10], [2, 255], [3, 30]]  # 255: nothing was found; the last step is padding
    steps[1, :1] = [[7, -255]]
    with h5py.File(tmp_path / "audio_train.h5", "w") as file:
        file["d1"] = steps
    table = only_table(tmp_path / "audio_train.h5")
    # Means of (1, 2, 3) and (10, 30); population deviations sqrt(2/3) and 10.
    np.testing.assert_allclose(table.frame["mean_0"], [2, 7])
    np.testing.assert_allclose(table.frame["mean_1"], [20, np.nan])
    np.testing.assert_allclose(table.frame["sd_0"], [np.sqrt(2 / 3), 0], rtol=1e-6)
    np.testing.assert_allclose(table.frame["sd_1"], [10, np.nan])
    reported = " ".join(str(problem) for problem in table.problems)
    assert "2 cells contain exactly -255 or 255" in reported
    assert "4 contain only zeros" in reported


def test_hdf5_single_column_is_called_as_the_file_without_its_split(tmp_path):
    with h5py.File(tmp_path / "y_test.h5", "w") as file:
        file["d1"] = np.array([1.0, 2.0])
    assert only_table(tmp_path / "y_test.h5").frame["y"].tolist() == [1, 2]


def test_hdf5_groups_and_texts_are_read(tmp_path):
    with h5py.File(tmp_path / "study.h5", "w") as file:
        file["audio/pitch"] = np.array([1.0, 2.0])
        file["sample_id"] = ["a", "ß"]
        file["again"] = file["sample_id"]
        file["audio/round"] = file["audio"]
    frame = only_table(tmp_path / "study.h5").frame
    assert frame["audio/pitch"].tolist() == [1, 2]
    assert sorted(frame.columns) in (["audio/pitch", "sample_id"], ["again", "audio/pitch"])
