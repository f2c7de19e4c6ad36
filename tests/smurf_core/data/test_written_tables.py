"""Tables as people and their programs write them: read right or refused, never read wrongly."""

import numpy as np
import pandas as pd
import pytest

from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.importing.mapping import StudyMapping
from smurf_core.data.importing.tables import read_tables
from smurf_core.data.readers.frames import ReadingOptions
from smurf_core.data.readers.registry import find_sources
from smurf_core.errors import InputError

ROWS = 40


def truth() -> pd.DataFrame:
    """Numbers with and without decimals, small and large, that every style below can write."""
    random = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "clip": [f"clip{i:03d}" for i in range(ROWS)],
            "valence": random.normal(size=ROWS).round(2),
            "audio_count": random.integers(100, 9000, ROWS),
            "audio_level": (random.normal(size=ROWS) * 3000).round(1),
            "video_smile": random.normal(size=ROWS).round(2),
            "video_brow": random.normal(size=ROWS).round(2),
        }
    )


def styled(thousands: str, decimal: str, minus: str = "-", after: str = "") -> pd.DataFrame:
    """The table as text, with signs between thousands and for decimals."""

    def written(cell: object) -> str:
        if isinstance(cell, str):
            return cell
        text = f"{cell:,}".replace(",", "\0").replace(".", decimal).replace("\0", thousands)
        return text.replace("-", minus) + after

    return truth().map(written)


def lines_of(table: pd.DataFrame, delimiter: str = ",", quoted: bool = False) -> list[str]:
    mark = '"' if quoted else ""
    rows = [list(table.columns), *table.astype(str).to_numpy().tolist()]
    return [delimiter.join(f"{mark}{cell}{mark}" for cell in row) for row in rows]


def plain(delimiter: str = ",") -> list[str]:
    return lines_of(truth(), delimiter)


def _with(lines: list[str], *, above=(), second=(), below=()) -> list[str]:
    return [*above, lines[0], *second, *lines[1:], *below]


def _percent() -> list[str]:
    table = truth().astype(object)
    table["video_smile"] = [f"{x}%".replace(".", ",") for x in truth()["video_smile"]]
    return lines_of(table, ";")


# Files whose numbers are those of `truth`, and a word that a problem must have.
READ = {
    "swiss": (lines_of(styled("'", "."), ";"), "apostrophes"),
    "swiss_typographic": (lines_of(styled("’", "."), ";"), "apostrophes"),
    "no_break_space": (lines_of(styled("\u00a0", ","), ";"), "blanks"),
    "narrow_no_break_space": (lines_of(styled("\u202f", ","), "\t"), "blanks"),
    "space": (lines_of(styled(" ", "."), "\t"), "blanks"),
    "space_and_comma": (lines_of(styled(" ", ","), ";"), "blanks"),
    "german": (lines_of(styled(".", ","), ";"), "thousands"),
    "german_quoted_in_commas": (lines_of(styled(".", ","), ",", quoted=True), "thousands"),
    "german_tabs": (lines_of(styled(".", ","), "\t"), "thousands"),
    "english_quoted": (lines_of(styled(",", "."), ",", quoted=True), "thousands"),
    "english_tabs": (lines_of(styled(",", "."), "\t"), "thousands"),
    "minus_sign": (lines_of(styled("", ".", minus="−"), ","), ""),
    "units": (lines_of(styled("", ".", after=" ms"), ","), "unit"),
    "percent_and_commas": (_percent(), "percent"),
    "units_below_header": (
        _with(plain(), second=[",a.u.,n,dB,a.u.,a.u."]), "more rows are a header"),
    "units_in_brackets_below_header": (
        _with(plain(), second=["[-],[-1 to 1],[n],[dB],[a.u.],[a.u.]"]), "more rows are a header"),
    "questions_below_header": (
        _with(plain(), second=['"Which clip?","How, 1","How many, 2","How, 3","A, 4","B, 5"']),
        "more rows are a header"),
    "totals": (
        _with(plain(), below=["Mean,0.1,4000,3.1,0.2,0.3", "SD,1,200,3000,1,1"]), "totals"),
    "total_in_german": (_with(plain(), below=["Summe:,0.1,4000,3.1,0.2,0.3"]), "totals"),
    "comments_above": (_with(plain(), above=["# made by us", "# on 2024-05-01, twice"]), "above"),
    "comments_between": (
        [*plain()[:9], "# a pause of 5 minutes", *plain()[9:]], ""),
    "padded_comments_between": (
        [*plain()[:9], "# a pause of 5 minutes,,,,,", *plain()[9:]], "comments"),
    "footer": (
        _with(plain(), below=["", "Note: ratings from -1 to 1", "Exported by R 4.3"]), "notes"),
    "footer_with_commas": (_with(plain(), below=["* p < .05, two-sided, n = 40"]), "notes"),
    "padded_footer": (
        _with(plain(), below=[",,,,,", "Note: ratings from -1 to 1,,,,,"]), "notes"),
    "padded_metadata": (
        _with(plain(), below=[",,,,,", "Exported on:,2024-05-01,,,,"]), "notes"),
    "titles": (_with(plain(), above=["Study 3: features", "Exported 12.04.2024", ""]), "above"),
    "titles_with_commas": (
        _with(plain("\t"), above=["Results, of study 3", "by A, B and C"]), "above"),
    "padded_titles": (_with(plain(), above=["Study 3,,,,,", ",,,,,"]), "above"),
    "keys_above": (_with(plain(";"), above=["Name;Study 3", "Date;2024-05-01", ""]), "above"),
    "excel_hint": (_with(plain(";"), above=["sep=;"]), "above"),
    "doubled_semicolons": (lines_of(truth(), ";;"), "no name and no cells"),
    "doubled_tabs": (lines_of(truth(), "\t\t"), "no name and no cells"),
    "delimiter_after_rows": ([plain()[0], *(f"{line}," for line in plain()[1:])], "no cells"),
    "delimiter_after_header": ([plain()[0] + ",", *plain()[1:]], ""),
    "delimiter_after_all": ([f"{line}," for line in plain()], "no cells"),
    "blanks_between": (["   ".join(line.split(",")) for line in plain()], ""),
    "aligned": (truth().to_string(index=False).splitlines(), ""),
    "header_as_comment": (["# " + plain()[0], *plain()[1:]], ""),
    "header_again_below": ([*plain()[:21], plain()[0], *plain()[21:]], "header is there 2 times"),
    "header_twice": ([plain()[0], *plain()], ""),
    "row_names": ([plain("\t")[0], *(f"{k}\t{x}" for k, x in enumerate(plain("\t")[1:], 1))],
                  "row names"),
    "bars": (plain("|"), ""),
    "a_full_row_above": (
        _with(plain(), above=["Author,Smith,Title,Faces,Language,English"]), "above the header"),
    "a_row_above_one_cell_short": (
        _with(plain("\t"), above=["Study\t3\tof\tour\tlab"]), "above the header"),
}  # fmt: skip


def files_of(tmp_path, lines: list[str], name: str = "study.csv"):
    (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return find_sources([tmp_path / name])


@pytest.mark.parametrize("name", READ)
def test_table_written_another_way_has_the_same_numbers(name, tmp_path):
    lines, word = READ[name]
    sources = files_of(tmp_path, lines)
    (table,) = read_tables(sources)
    pd.testing.assert_frame_equal(table.frame, truth(), check_dtype=False)
    assert table.bad_cells == {}
    assert word in " ".join(str(problem) for problem in table.problems)
    # The preview, from which roles are guessed, and the import agree.
    assembly = assemble(sources, guess_mapping(sources))
    features = assembly.dataset.features
    assert features["audio"].names == ("audio_count", "audio_level")
    expected = truth()[["audio_count", "audio_level"]].to_numpy(dtype=np.float32)
    np.testing.assert_array_equal(features["audio"].values, expected)
    assert len(assembly.dataset) == ROWS


def _cells(column: str, cells: list[str], delimiter: str = ",") -> list[str]:
    return lines_of(truth().astype(object).assign(**{column: cells}), delimiter, quoted=True)


# Files that may not be read as numbers, and words of the message.
REFUSED = {
    "percent_and_numbers": (
        _cells("video_smile", ["45.1%" if i % 4 else "0.451" for i in range(ROWS)]),
        ("video_smile", "45.1%")),
    "few_percent": (
        _cells("video_smile", ["0.45" if i % 4 else f"{i}.1%" for i in range(ROWS)]),
        ("video_smile", "0.1%", "number is needed")),
    "two_units": (
        _cells("video_smile", [f"{i}.1 s" if i % 2 else f"{i}100 ms" for i in range(ROWS)]),
        ("video_smile", "ms")),
    "both_decimal_signs": (
        _cells("video_smile", [f"{i}.5" if i % 3 else f"{i},5" for i in range(ROWS)]),
        ("video_smile", "number is needed")),
    "no_header": (plain()[1:], ("starts with a row of data",)),
    "no_header_and_titles": (["Study 3", *plain()[1:]], ("starts with a row of data",)),
    "no_header_of_words": (
        [f"clip{i:03d},{'calm' if i % 2 else 'tense'}" for i in range(ROWS)],
        ("starts with a row of data",)),
    "first_sample_without_numbers": (
        [plain()[0], "anna,failed,failed,failed,failed,failed",
         *(f"{chr(97 + i % 26) * 3}{chr(97 + i // 26)}," + line.partition(",")[2]
           for i, line in enumerate(plain()[2:]))],
        ("number is needed", "'failed'")),
    "decimal_commas_unquoted": (
        ["clip,valence", *(f"clip{i:03d},0,{i}" for i in range(ROWS))], ("3 cells", "2 columns")),
    "cut_off": ([*plain()[:-1], plain()[-1][:12]], ("row 40", "2 cells")),
    "a_sample_without_cells_is_kept": ([*plain()[:-1], "clip039"], ("row 40", "1 cells")),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_table_that_may_be_wrong_is_refused_or_warned_of(name, tmp_path):
    lines, words = REFUSED[name]
    sources = files_of(tmp_path, lines)
    try:
        assembly = assemble(sources, guess_mapping(sources))
    except InputError as error:
        message = str(error)
        assert "\n" not in message
        assert len(message) < 400
    else:  # The column is text, which is no feature.
        assert "video_smile" not in assembly.dataset.features["video"].names
        message = " ".join(str(p) for p in assembly.problems if p.severity == "warning")
    assert [word for word in words if word not in message] == [], message


def _open_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "clip": [f"c{i}" for i in range(20)],
            "audio_a": [f"{i + 1},{100 + 7 * i}" for i in range(20)],
            "audio_b": [f"{i + 3},{200 + 7 * i}" for i in range(20)],
            "video_a": [f"{30 - i},{300 + 7 * i}" for i in range(20)],
            "video_b": [f"{40 - i},{400 + 7 * i}" for i in range(20)],
            "score": range(20),
        }
    )


@pytest.mark.parametrize(("sign", "first"), [(",", 1.1), (".", 1100.0)])
def test_decimal_sign_is_asked_where_no_cell_decides_it(sign, first, tmp_path):
    sources = files_of(tmp_path, lines_of(_open_table(), "\t"), "study.tsv")
    with pytest.raises(InputError, match=r"'1,100' may be 1100 or 1\.100.*--decimal"):
        guess_mapping(sources)
    known = StudyMapping(reading={"decimal": sign})
    assembly = assemble(sources, guess_mapping(sources, known))
    assert assembly.dataset.features["audio"].values[0, 0] == pytest.approx(first)
    assert dict(assembly.sources[0].options)["decimal"] == sign


def test_evidence_may_be_in_the_last_row(tmp_path):
    """The first rows were thought to be enough."""
    table = pd.concat([_open_table()] * 30, ignore_index=True).astype(object)
    table["clip"] = [f"c{i}" for i in range(len(table))]
    table.loc[len(table) - 1, "video_b"] = "0,5"
    sources = files_of(tmp_path, lines_of(table, "\t"), "study.tsv")
    (preview,) = read_tables(sources, rows=200)
    assert preview.frame["audio_a"][0] == pytest.approx(1.1)
    assert len(preview.frame) == 200


def test_points_without_other_evidence_are_decimal_in_a_comma_separated_file(tmp_path):
    lines = [
        "clip,audio_a,video_a",
        *(f"c{i},{1 + i}.{100 + i},{2 + i}.{200 + i}" for i in range(9)),
    ]
    (table,) = read_tables(files_of(tmp_path, lines))
    assert table.frame["audio_a"].tolist()[:2] == [1.1, 2.101]


def test_whole_numbers_beside_points_before_three_digits_are_asked(tmp_path):
    """257 and 2.961 in one column: pandas would write 257.0, and 2.961 may be 2961."""
    cells = ["2.961", "257", "3.264", "8.656", "99", "1.080"] * 3
    lines = ["clip;dur", *(f"c{i};{cell}" for i, cell in enumerate(cells))]
    with pytest.raises(InputError, match=r"'2\.961' may be 2961 or 2\.961"):
        read_tables(files_of(tmp_path, lines))
    (table,) = read_tables(files_of(tmp_path, lines), options=ReadingOptions(decimal=","))
    assert table.frame["dur"].tolist()[:3] == [2961, 257, 3264]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_keep_what_is_below_titles(encoding, tmp_path):
    lines = _with(lines_of(styled(".", ","), ";"), above=["Müller, Übung"])
    (tmp_path / "study.csv").write_bytes("\r\n".join(lines).encode(encoding))
    (table,) = read_tables(find_sources([tmp_path / "study.csv"]))
    pd.testing.assert_frame_equal(table.frame, truth(), check_dtype=False)


def test_sheet_with_titles_groups_and_notes_has_the_same_numbers(tmp_path):
    rows = [["Study 3"], [], ["", "rating", "audio", "", "video", ""],
            ["clip", "", "count", "level", "smile", "brow"],
            *truth().to_numpy().tolist(), ["Note: pilot data"]]  # fmt: skip
    rows = [row + [""] * (6 - len(row)) for row in rows]
    pd.DataFrame(rows).to_excel(tmp_path / "s.xlsx", index=False, header=False)
    (table,) = read_tables(find_sources([tmp_path / "s.xlsx"]))
    np.testing.assert_allclose(
        table.frame.iloc[:, 2:].to_numpy(dtype=float), truth().iloc[:, 2:].to_numpy(dtype=float)
    )
    assert table.frame.iloc[:, 0].tolist() == truth()["clip"].tolist()


def test_numbers_of_a_sheet_are_decimal_although_texts_have_commas(tmp_path):
    table = pd.DataFrame({"id": ["a", "b", "c"], "typed": [2.961, 3.264, 8.656],
                          "text": ["0,25", "1.234,5", "7,5"]})  # fmt: skip
    table.to_excel(tmp_path / "s.xlsx", index=False)
    (found,) = read_tables(find_sources([tmp_path / "s.xlsx"]))
    assert found.frame["typed"].tolist() == [2.961, 3.264, 8.656]
    assert found.frame["text"].tolist() == [0.25, 1234.5, 7.5]
