import numpy as np
import pandas as pd
import pytest

from smurf_core.evaluation.redundancy import pair_table, variance_shares
from smurf_core.plot.bars import bars_with_spread
from smurf_core.plot.heatmaps import factor_table, pair_matrix, share_matrix, signed_heatmap
from smurf_core.plot.scatter import scatter_with_line
from tests.smurf_core.plot.test_contributions import contributions


def test_pair_matrix_is_symmetric_with_an_empty_diagonal():
    pairs = pair_table(contributions())
    matrix = pair_matrix(pairs, ("A", "B", "C"), "r")
    row = pairs[(pairs["modality"] == "A") & (pairs["shared_with"] == "C")].iloc[0]
    assert matrix.loc["A", "C"] == matrix.loc["C", "A"] == row["r"]
    assert np.isnan(np.diag(matrix)).all()


def test_share_matrix_adds_up_to_one_without_interactions():
    shares = variance_shares(contributions())
    matrix = share_matrix(shares, ("A", "B", "C"))
    assert matrix.to_numpy().sum() == pytest.approx(1)
    unique = shares[(shares["modality"] == "B") & (shares["shared_with"] == "B")]["share"].iloc[0]
    assert matrix.loc["B", "B"] == unique


def test_heatmap_is_centred_on_zero_and_writes_its_numbers():
    table = pd.DataFrame([[0.5, np.nan], [-0.25, 1.0]], index=["a", "b"], columns=["c", "d"])
    (heatmap,) = signed_heatmap(table, title="r").data
    assert (heatmap.zmin, heatmap.zmax) == (-1, 1)
    assert [list(row) for row in heatmap.text] == [["0.50", ""], ["−0.25", "1.00"]]
    (shares,) = signed_heatmap(table, title="share", percent=True).data
    assert shares.text[1][0] == "−25%"


def test_factor_table_is_of_one_output():
    factors = pd.DataFrame(
        {
            "factor": ["u_A", "u_A", "u_B", "u_B"],
            "modality": ["A", "B", "A", "B"],
            "shared_with": ["A", "B", "A", "B"],
            "kind": "unique",
            "output": "y",
            "r": [0.9, 0.1, 0.0, 0.8],
        }
    )
    table = factor_table(factors, "y")
    assert table.loc["A alone", "A alone"] == 0.9
    assert table.loc["B alone", "B alone"] == 0.8


def test_factors_are_in_words_and_what_a_modality_says_alone_comes_first():
    rows = [
        (factor, source, other)
        for factor in ("u_audio", "u_text", "r_audio_text")
        for source, other in (("audio", "audio"), ("text", "audio"), ("text", "text"))
    ]
    factors = pd.DataFrame(rows, columns=["factor", "modality", "shared_with"]).assign(
        kind=lambda t: np.where(t["modality"] == t["shared_with"], "unique", "redundant"),
        output="y", r=range(9),
    )  # fmt: skip
    table = factor_table(factors, "y")
    assert table.index.tolist() == ["audio alone", "text alone", "audio and text"]
    assert table.columns.tolist() == ["audio alone", "text alone", "text, shared with audio"]
    assert table.to_numpy().tolist() == [[0, 2, 1], [3, 5, 4], [6, 8, 7]]


def test_line_is_the_least_squares_one_and_points_know_their_sample():
    random = np.random.default_rng(0)
    x = random.normal(size=30)
    y = 2 * x + random.normal(size=30)
    ids = np.array([f"s{i}" for i in range(30)])
    points, band, line = scatter_with_line(x, y, ids, x_title="x", y_title="y").data
    assert list(points.customdata) == ids.tolist()
    slope = (line.y[-1] - line.y[0]) / (line.x[-1] - line.x[0])
    assert slope == pytest.approx(np.polyfit(x, y, 1)[0])
    assert len(band.x) == 2 * len(line.x)


def test_bars_show_means_with_their_spread():
    table = pd.DataFrame({"name": ["a", "b"], "mean": [0.5, 0.25], "sd": [0.1, np.nan]})
    (bars,) = bars_with_spread(table, name="name", title="Accuracy", reference=0.6).data
    assert list(bars.x) == [0.5, 0.25]
    assert list(bars.error_x.array) == [0.1, 0.0]
