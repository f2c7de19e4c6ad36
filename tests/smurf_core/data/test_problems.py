import pytest

from smurf_core.data.problems import Problem, listing, problem_table, refuse_errors
from smurf_core.errors import InputError


def test_problem_says_where_it_is_what_it_is_and_what_was_done():
    problem = Problem(
        "note", "is constant.", file="a.csv", column="pitch", row=3, remedy="Dropped."
    )
    assert str(problem) == "a.csv, column 'pitch', row 3: is constant. Dropped."


def test_problem_is_one_line_whatever_the_file_is_called():
    assert "\n" not in str(Problem("note", "odd name", file="a\nb.csv"))


def test_problem_table_lists_errors_first():
    table = problem_table([Problem("note", "n"), Problem("error", "e"), Problem("warning", "w")])
    assert table["severity"].tolist() == ["error", "warning", "note"]


def test_table_of_no_problems_has_its_columns():
    assert list(problem_table([]).columns) == [
        "severity", "file", "column", "row", "message", "remedy",
    ]  # fmt: skip


def test_errors_are_refused_with_the_first_and_their_number():
    problems = [Problem("note", "n"), *(Problem("error", f"e{i}.", file="f") for i in range(3))]
    with pytest.raises(InputError, match=r"f: e0\. \(2 more errors"):
        refuse_errors(problems)


def test_warnings_are_not_refused():
    refuse_errors([Problem("warning", "w")])


def test_listing_counts_what_it_leaves_out():
    assert listing("abcde") == "a, b, c and 2 more"
    assert listing("abc") == "a, b, c"
