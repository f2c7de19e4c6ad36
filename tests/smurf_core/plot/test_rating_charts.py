"""Charts of how many raters and clips, from tables with known numbers."""

import pandas as pd

from smurf_core.plot.ratings import power_lines, share_power_line

SIZES = pd.DataFrame(
    {
        "raters_per_cell": [1, 1, 3, 3],
        "clips": [60, 120, 60, 120],
        "power": [0.4, 0.7, 0.8, 0.99],
        "power_error": [0.02, 0.03, 0.02, 0.01],
    }
)


def test_power_has_a_line_for_each_number_of_raters():
    figure = power_lines(SIZES, 0.8)
    assert [line.name for line in figure.data] == ["1 rater", "3 raters"]
    assert figure.data[1].x.tolist() == [60, 120]
    assert figure.data[1].y.tolist() == [0.8, 0.99]
    assert figure.data[0].error_y.array.tolist() == [0.04, 0.06]
    assert figure.layout.shapes[0].y0 == 0.8


def test_power_over_shares_has_two_standard_errors_and_what_is_wanted():
    shares = pd.DataFrame({"unique": [0.1, 0.3], "power": [0.5, 0.9], "power_error": [0.03, 0.02]})
    figure = share_power_line(shares, 0.9)
    (line,) = figure.data
    assert (line.x.tolist(), line.y.tolist()) == ([0.1, 0.3], [0.5, 0.9])
    assert line.error_y.array.tolist() == [0.06, 0.04]
    assert figure.layout.shapes[0].y0 == 0.9
    assert figure.layout.xaxis.tickformat == ".0%"
