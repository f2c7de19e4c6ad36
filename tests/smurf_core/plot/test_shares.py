import numpy as np
import pandas as pd
import pytest

from smurf_core.evaluation.redundancy import pair_table, share_intervals
from smurf_core.plot.dropout import before_and_after, dropout_lines
from smurf_core.plot.heatmaps import heatmap_multiples, residual_matrix, signed_heatmap
from smurf_core.plot.points import Points
from smurf_core.plot.share_bars import MOST_ROWS, alone_first, largest_terms, shares_with_intervals
from tests.smurf_core.evaluation.conftest import explain
from tests.smurf_core.plot.test_contributions import contributions


def intervals(m: int = 3, orders: int = 1, **more):
    found = share_intervals(explain(contributions(m, orders=orders, **more)), draws=50)
    return found.terms.assign(verdict="stable"), found.totals


@pytest.mark.parametrize("orders", [1, 2])
def test_bars_whiskers_and_words_are_the_tables(orders):
    terms, totals = intervals(orders=orders)
    bars, words = shares_with_intervals(terms, totals, ("A", "B", "C")).data
    np.testing.assert_allclose(np.asarray(bars.x), terms["share"])
    np.testing.assert_allclose(np.asarray(bars.x) + bars.error_x.array, terms["ci_high"])
    np.testing.assert_allclose(np.asarray(bars.x) - bars.error_x.arrayminus, terms["ci_low"])
    shown = f"{round(100 * terms['share'].iloc[1])}%".replace("-", "−")
    assert words.text[1].startswith(f"{shown}  [")
    assert words.text[1].endswith("✓ stable")
    total = totals[(totals["modality"] == "A") & (totals["kind"] == "both")]["share"].iloc[0]
    assert bars.y[0][0] == f"<b>A</b>  {round(100 * total)}%".replace("-", "−")
    assert [label.strip("\u200b") for label in bars.y[1][:3]] == ["alone", "with B", "with C"]
    assert len({*zip(*bars.y, strict=True)}) == len(terms)


def test_what_a_modality_says_alone_comes_before_what_it_shares():
    terms, _ = intervals(orders=2)
    ordered = alone_first(terms)
    firsts = ordered.groupby("modality", sort=False).first()
    assert (firsts["kind"] == "unique").all()
    assert list(firsts.index) == ["A", "B", "C", "A+B", "A+C", "B+C"]
    assert ordered["share"].sum() == pytest.approx(1)
    assert len(ordered) == len(terms)


def test_the_figure_keeps_the_largest_of_many_terms_in_order():
    terms, _ = intervals(5, orders=2)
    kept = largest_terms(terms)
    assert len(kept) == MOST_ROWS
    assert kept.index.is_monotonic_increasing
    left_out = terms.drop(kept.index)["share"].abs().max()
    assert left_out <= kept["share"].abs().min()


def test_cells_can_be_clicked_and_know_their_pair():
    table = pd.DataFrame([[np.nan, 0.5], [0.5, np.nan]], index=["A", "B"], columns=["A", "B"])
    _, points = signed_heatmap(table, title="r", clickable=True).data
    assert [list(cell) for cell in points.customdata] == [["A", "B"], ["B", "A"]]
    assert list(zip(points.y, points.x, strict=True)) == [("A", "B"), ("B", "A")]


def test_what_is_left_is_in_the_row_of_the_modality_that_it_is_about():
    pairs = pair_table(contributions(orders=2))
    matrix = residual_matrix(pairs, ("A", "B", "C"))
    row = pairs[(pairs["modality"] == "A") & (pairs["shared_with"] == "C")].iloc[0]
    assert matrix.loc["A", "C"] == row["left_first"]
    assert matrix.loc["C", "A"] == row["left_second"]
    subsets = residual_matrix(pairs, ("A+B", "A+C", "B+C"))
    assert subsets.notna().to_numpy().sum() == 6


def test_groups_are_side_by_side_on_one_scale():
    tables = {f"g{k}": pd.DataFrame([[k / 10.0]], index=["A"], columns=["A"]) for k in range(6)}
    figure = heatmap_multiples(tables, title="r")
    assert [float(np.asarray(trace.z)[0, 0]) for trace in figure.data] == [k / 10 for k in range(6)]
    assert {(trace.zmin, trace.zmax) for trace in figure.data} == {(-1, 1)}
    assert [a.text for a in figure.layout.annotations] == list(tables)
    assert [trace.showscale for trace in figure.data] == [True] + [False] * 5


def test_the_chosen_sample_is_marked_among_those_drawn():
    x, y = np.array([0.0, 1, 2]), np.array([0.5, 0.5, 3])
    points = Points(x, y, np.array(["a", "b", "c"]))
    figure = before_and_after(points, title="y", available="A", chosen="c")
    points, _, mark = figure.data
    assert list(points.customdata) == ["a", "b", "c"]
    assert (mark.x[0], mark.y[0]) == (2, 3)


def test_dropout_has_a_line_and_a_band_for_every_modality():
    curve = pd.DataFrame(
        {
            "modality": ["A", "A", "B", "B"], "share": [0.0, 1, 0, 1], "mean": [0.9, 0.5, 0.9, 0.7],
            "low": [0.9, 0.4, 0.9, 0.6], "high": [0.9, 0.6, 0.9, 0.8],
        }
    )  # fmt: skip
    band, line, _, other = dropout_lines(curve, ("A", "B"), "r").data
    assert list(line.y) == [0.9, 0.5]
    assert list(band.y) == [0.9, 0.4, 0.6, 0.9]
    assert (line.name, other.name) == ("A missing", "B missing")
    assert line.line.dash != other.line.dash
