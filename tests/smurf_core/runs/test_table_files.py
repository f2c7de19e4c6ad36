"""Tables as files: round trips, and text that a spreadsheet would run."""

import io

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from smurf_core.data.readers.registry import read
from smurf_core.data.sources import SourceFile
from smurf_core.errors import InputError
from smurf_core.runs.table_files import FORMATS, csv_text, table_bytes

TABLE = pd.DataFrame(
    {
        "sample_id": ["s1", "s2", "s3"],
        "words": ["a, b", "ü", None],
        "share": [0.1, -2.5, np.nan],
        "count": [1, 2, 3],
        "is_open": [True, False, True],
    }
)
HOSTILE = ["=1+1", "+SUM(A1)", "-cmd|' /C calc'!A0", "@x", "\t=1", "plain", "-1", "1e5"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_table_is_read_back_equal_by_our_own_readers(format, tmp_path):
    path = tmp_path / f"table.{format}"
    path.write_bytes(table_bytes(TABLE, format))
    (table,) = read(SourceFile(path.name, path))
    found = table.frame
    assert found["sample_id"].tolist() == ["s1", "s2", "s3"]
    assert found["words"].tolist()[:2] == ["a, b", "ü"]
    assert pd.isna(found["words"][2])
    np.testing.assert_array_equal(found["share"], TABLE["share"])
    assert found["count"].tolist() == [1, 2, 3]
    assert found["is_open"].astype(str).isin(["1", "0", "True", "False"]).all()


def test_text_that_starts_like_a_formula_is_text_in_csv():
    lines = csv_text(pd.DataFrame({"=name": HOSTILE, "x": -1.5})).splitlines()
    cells = [line.removesuffix(",-1.5").strip('"') for line in lines]
    assert cells == ["'=name,x", *("'" + text for text in HOSTILE[:5]), *HOSTILE[5:]]


def test_text_that_starts_like_a_formula_is_text_in_excel():
    book = openpyxl.load_workbook(io.BytesIO(table_bytes(pd.DataFrame({"=a": HOSTILE}), "xlsx")))
    cells = [row[0] for row in book.active.iter_rows()]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.value for cell in cells] == ["=a", *HOSTILE]


@pytest.mark.parametrize("format", ["sav", "dta"])
def test_names_that_a_program_does_not_take_are_shortened_and_kept_as_labels(format, tmp_path):
    names = ["logit very calm", "logit very-calm", "1st", "x" * 80, "X" * 80]
    table = pd.DataFrame([[1.0, np.inf, 3.0, 4.0, 5.0]], columns=names)
    path = tmp_path / f"a.{format}"
    path.write_bytes(table_bytes(table, format))
    reader = pyreadstat.read_sav if format == "sav" else pyreadstat.read_dta
    frame, about = reader(str(path))
    assert list(frame.columns)[:3] == ["logit_very_calm", "logit_very_calm_2", "v_1st"]
    assert about.column_labels[0] == "logit very calm"
    assert frame.iloc[0, [0, 2, 3, 4]].tolist() == [1, 3, 4, 5]
    assert np.isnan(frame.iloc[0, 1])


def test_more_rows_than_excel_takes_are_refused():
    with pytest.raises(InputError, match="Excel takes 1,048,575 rows"):
        table_bytes(pd.DataFrame({"x": np.zeros(1_048_576, np.int8)}), "xlsx")
