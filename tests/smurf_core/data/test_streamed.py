"""Numbers that are made block by block are those that the whole text gives."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from smurf_core.data import sources
from smurf_core.data.readers.columns import text_table
from smurf_core.data.readers.footers import without_odd_rows
from smurf_core.data.readers.registry import read
from smurf_core.data.readers.streamed import columns_of
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError

SOURCE = SourceFile("table.csv", None)
# Columns whose kind shows in a later block, or only in the text.
TRICKY = {
    "points": ["0.5", "1.25", "-2.", "3e-4", "7", "8.125"],
    "gaps": ["", "1.25", "NA", " 2.5 ", "--", "3.5"],
    "whole": ["1", "2", "3", "4", "5", "6"],
    "whole with a gap": ["1", "2", "", "4", "n/a", "6"],
    "late point": ["1", "2", "3", "4", "5.5", "6"],
    "late zeros": ["1", "2", "3", "4", "005", "6"],
    "zeros": ["001", "002", "003", "004", "005", "006"],
    "late word": ["1.5", "2.5", "3.5", "4.5", "many", "6.5"],
    "late unit": ["1.5 ms", "2.5 ms", "3.5 ms", "4.5 ms", "5.5 ms", "6.5 ms"],
    "large": ["1", "2", "3", "4", "9007199254740993", "6"],
    "thousands or not": ["1.234", "2.345", "3.456", "4.567", "5.678", "6.789"],
    "thousands, then a point": ["1.234", "2.345", "3.456", "4.567", "5.6789", "6.789"],
    "points behind two digits": ["12.5", "-13.25", "+14.5", "15.1234", "16.5", "17.5"],
    "points that are whole": ["1.0", "2.0", "3.0", "4.0", "5.0", "6.0"],
    "nothing": ["", "", "", "", "", ""],
    "words for nothing": ["none", "", "", "", "none", ""],
    "infinite": ["1.5", "inf", "2.5", "-inf", "3.5", "4.5"],
    "text": ["a", "b", "c", "d", "e", "f"],
    "commas": ["1,5", "2,5", "3,25", "4,5", "5,5", "6,5"],
}


def _streamed(cells, rows_at_once):
    whole = pa.table({name: pa.array(column, pa.string()) for name, column in cells.items()})
    rows = []
    found = columns_of(
        whole.to_batches(rows_at_once), list(cells), whole.select,
        as_text=(), rows=whole.num_rows + 3, report=rows.append,
    )  # fmt: skip
    assert rows[-1] == whole.num_rows
    return found, dict(zip(cells, whole.columns, strict=True))


@pytest.mark.parametrize("rows_at_once", [1, 2, 6])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_blocks_give_what_the_whole_text_gives(rows_at_once, delimiter):
    # More columns than those whose texts are kept, so that both are read in the same way.
    cells = {f"{name} {k}": column for k in range(5) for name, column in TRICKY.items()}
    found, whole = _streamed(cells, rows_at_once)
    a, b = (text_table("t", columns, SOURCE, delimiter=delimiter) for columns in (found, whole))
    some = [name for name in cells if name not in b.texts]
    pd.testing.assert_frame_equal(a.frame[some], b.frame[some])
    assert (a.bad_cells, a.problems) == (b.bad_cells, b.problems)
    assert set(a.undecided) == set(b.undecided)


@pytest.mark.parametrize("name", TRICKY)
def test_one_column_alone_decides_as_its_whole_text_does(name):
    cells = {f"{name} {k}": TRICKY[name] for k in range(80)}
    found, whole = _streamed(cells, 2)
    middle = list(cells)[8:-8]  # Of the others, texts are kept.
    a, b = (text_table("t", columns, SOURCE).frame[middle] for columns in (found, whole))
    pd.testing.assert_frame_equal(a, b)


def test_a_last_block_without_rows_changes_nothing():
    # Rows that are read one by one end with such a block if their number is a round one.
    whole = pa.table({"x": pa.array(["1.234", "2.345"], pa.string())})
    found = columns_of(
        [*whole.to_batches(), whole.to_batches()[0].slice(0, 0)],
        ["x"], whole.select, as_text=(), rows=4, report=lambda _: None,
    )  # fmt: skip
    assert found["x"].to_pylist() == ["1.234", "2.345"]


def test_a_line_of_means_does_not_make_whole_numbers_points(tmp_path):
    names = [f"f{k}" for k in range(100)]
    table = pd.DataFrame(np.arange(1000).reshape(10, 100), columns=names)
    table.insert(0, "id", [f"s{k}" for k in range(10)])
    text = table.to_csv(index=False) + "mean," + ",".join(["4.5"] * 100) + "\n"
    path = tmp_path / "table.csv"
    path.write_text(text)
    (found,) = read(SourceFile(path.name, path))
    assert len(found.frame) == 10
    assert (found.frame[names].dtypes == np.int64).all()


def test_rows_are_taken_off_numbers_as_off_text():
    cells = {"id": ["a", "b", "c", "total"], "x": ["1.5", "2.5", "3.5", "7.5"]}
    cells |= {"y": ["1", "2", "3", "6"]}
    found, whole = _streamed(cells, 2)
    assert pa.types.is_floating(found["x"].type)
    a, b = (without_odd_rows(columns, SOURCE) for columns in (found, whole))
    assert a[1] == b[1]
    assert [len(column) for column in a[0].values()] == [3, 3, 3]


def test_columns_of_a_parquet_file_are_read_in_groups_in_their_order(tmp_path):
    # The name `a` also means what is in a group `a`: asked for one, both are read.
    names = ["a", *(f"f{k}" for k in range(300)), "a.b"]
    cells = {name: np.arange(4.0) + k for k, name in enumerate(names)}
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table(cells), path)
    source, heard = SourceFile(path.name, path), []
    source.heard_by(heard.append)
    (found,) = read(source)
    assert list(found.frame.columns) == names
    pd.testing.assert_frame_equal(found.frame, pd.DataFrame(cells), check_column_type=False)
    assert heard == sorted(heard)
    assert len(heard) > 2
    assert heard[-1] == 1


def test_a_file_reports_how_much_of_it_is_read(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("id,x\n" + "".join(f"s{k},{k}.5\n" for k in range(50)))
    source, heard = SourceFile(path.name, path), []
    source.heard_by(heard.append)
    read(source)
    assert heard[-1] > 0.9


def test_a_table_of_too_many_rows_is_refused_before_they_are_held(tmp_path, monkeypatch):
    # Line ends within cells are counted as rows: memory for all of them would be too much.
    names = [f"f{k}" for k in range(80)]
    row = ",".join(["0.5"] * 80)
    path = tmp_path / "table.csv"
    path.write_text("id," + ",".join(names) + "\n" + "".join(f"s{k},{row}\n" for k in range(100)))
    monkeypatch.setattr(sources, "MAX_TABLE_BYTES", 8 * 81 * 60)
    with pytest.raises(InputError, match=r"table\.csv has 100 rows of 81 columns"):
        read(SourceFile(path.name, path))
