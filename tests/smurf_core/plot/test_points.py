"""Coloured points carry their sample; margins count them."""

import numpy as np
import pandas as pd
import pytest
import scipy

from smurf_core.plot.attributions import attribution_bars
from smurf_core.plot.colouring import Colouring
from smurf_core.plot.judgments import informativeness_boxes
from smurf_core.plot.points import Points, plotly_selected_ids
from smurf_core.plot.scatter import coloured_scatter

N = 60
RANDOM = np.random.default_rng(1)
X, Y = RANDOM.normal(size=N), RANDOM.normal(size=N)
IDS = np.array([f"s{i}" for i in range(N)])
COLUMNS = {
    "words": pd.Series([f"w{i % 3}" for i in range(N)], name="word"),
    "many": pd.Series([f"w{i % 13}" for i in range(N)], name="word"),
    "numbers": pd.Series(np.where(np.arange(N) == 5, np.nan, X * 2), name="loud"),
}


@pytest.mark.parametrize("scope", [None, np.arange(N) % 2 == 0, np.arange(N) < 1, np.arange(N) < 0])
@pytest.mark.parametrize("column", [None, *COLUMNS])
def test_every_point_carries_the_id_of_the_sample_that_it_shows(column, scope):
    colouring = Colouring.of(COLUMNS[column]) if column else None
    points = Points(X, Y, IDS, colouring=colouring, in_scope=scope)
    figure = coloured_scatter(points, x_title="x", y_title="y")
    seen = []
    for trace in figure.data:
        if trace.customdata is None:
            continue
        for x, y, sample in zip(trace.x, trace.y, trace.customdata, strict=True):
            at = list(IDS).index(sample)
            assert (x, y) == (X[at], Y[at])
            if column == "words" and trace.name != "not in scope":
                assert trace.name == f"w{at % 3}"
            seen.append(sample)
    assert sorted(seen) == sorted(IDS)
    inside = N if scope is None else int(scope.sum())
    over_x = [trace for trace in figure.data if trace.type == "bar" and trace.yaxis == "y2"]
    assert sum(sum(trace.y) for trace in over_x) == inside


def test_points_are_read_by_their_sample_not_by_their_place_in_a_trace():
    event = {
        "selection": {
            "points": [
                {"curve_number": 1, "point_index": 0, "customdata": "s7"},
                {"curve_number": 0, "point_index": 0, "customdata": ["s3", "p1"]},
                {"curve_number": 2, "point_index": 0},  # a line
                {"curve_number": 0, "point_index": 0, "customdata": {"0": "s9"}},
                {"curve_number": 4, "point_index": 5, "customdata": "s7"},
            ]
        }
    }
    assert plotly_selected_ids(event) == ["s7", "s3", "s9"]
    assert plotly_selected_ids(None) == []
    assert plotly_selected_ids({"selection": {"points": []}}) == []


MANY = 3_000
CROWD_X = np.append(np.random.default_rng(2).normal(0, 0.05, MANY - 2), [4.0, -4.0])
CROWD_Y = np.append(np.random.default_rng(3).normal(0, 0.05, MANY - 2), [4.0, -4.0])
CROWD_IDS = np.array([f"s{i}" for i in range(MANY)])
WORDS = Colouring.of(pd.Series(np.where(np.arange(MANY) % 10, "usual", "rare"), name="word"))


def crowd(**changes: object) -> Points:
    return Points(CROWD_X, CROWD_Y, CROWD_IDS, **{"most": 400, **changes})  # type: ignore[arg-type]


def event_of(points: Points, positions: np.ndarray, **regions: object) -> dict[str, object]:
    """What the browser sends: of those samples, the ones that it has drawn."""
    drawn = positions[points.drawn[positions]]
    return {"selection": {"points": [{"customdata": CROWD_IDS[k]} for k in drawn], **regions}}


def test_all_are_drawn_where_they_are_few():
    assert Points(X, Y, IDS, most=N).drawn.all()
    assert Points(X, Y, IDS, most=N).note() == ""


def test_what_stands_apart_is_drawn_and_crowds_are_thinned_always_in_the_same_way():
    points = crowd()
    assert points.drawn.sum() == 400
    assert points.drawn[-2:].all()
    assert "400 of 3,000" in points.note()
    np.testing.assert_array_equal(points.drawn, crowd().drawn)


def test_what_is_in_scope_is_drawn_before_what_is_not():
    scope = np.arange(MANY) % 30 == 0
    assert crowd(in_scope=scope).drawn[scope].all()
    assert "Grey" in crowd(in_scope=scope).note()


def test_the_line_and_the_margins_are_of_all_samples_in_scope():
    few, all_of_them = (
        coloured_scatter(crowd(most=most), x_title="x", y_title="y") for most in (400, MANY)
    )
    assert len(few.data[0].x) == 400
    np.testing.assert_allclose(few.data[2].y, all_of_them.data[2].y)
    np.testing.assert_array_equal(few.data[3].y, all_of_them.data[3].y)
    assert sum(few.data[3].y) == MANY


@pytest.mark.parametrize("column", [None, "numbers"])
def test_a_box_selects_every_sample_in_it_drawn_or_not(column):
    colouring = Colouring.of(pd.Series(CROWD_X, name="loud")) if column else None
    points = crowd(colouring=colouring)
    inside = np.flatnonzero((np.abs(CROWD_X - 0.02) <= 0.03) & (np.abs(CROWD_Y) <= 0.04))
    box = {"xref": "x", "yref": "y", "x": [0.05, -0.01], "y": [-0.04, 0.04]}
    found = points.selected(event_of(points, inside, box=[box], lasso=[]))
    assert sorted(found) == sorted(CROWD_IDS[inside])
    assert len(inside) > points.drawn[inside].sum() > 0


def test_a_lasso_selects_every_sample_in_it_drawn_or_not():
    points = crowd()
    corners = np.array([[-0.1, -0.02], [0.0, 0.09], [0.1, 0.0], [0.05, -0.09], [-0.06, -0.07]])
    triangles = scipy.spatial.Delaunay(corners)
    inside = np.flatnonzero(triangles.find_simplex(np.c_[CROWD_X, CROWD_Y]) >= 0)
    lasso = {"xref": "x", "yref": "y", "x": corners[:, 0].tolist(), "y": corners[:, 1].tolist()}
    found = points.selected(event_of(points, inside, box=[], lasso=[lasso]))
    assert sorted(found) == sorted(CROWD_IDS[inside])


def test_a_lasso_around_a_corner_leaves_out_what_the_corner_leaves_out():
    points = crowd()
    x, y = CROWD_X, CROWD_Y
    inside = (x > -0.1) & (x < 0.1) & (y > -0.1) & (y < 0.1) & ~((x > 0) & (y > 0))
    lasso = {"x": [-0.1, 0.1, 0.1, 0, 0, -0.1], "y": [-0.1, -0.1, 0, 0, 0.1, 0.1]}
    found = points.selected(event_of(points, np.flatnonzero(inside), lasso=[lasso]))
    assert sorted(found) == sorted(CROWD_IDS[inside])


def test_a_colour_that_is_hidden_in_the_legend_is_not_selected():
    points = crowd(colouring=WORDS)
    shown = np.flatnonzero(WORDS.values == "usual")
    box = {"xref": "x", "yref": "y", "x": [-9, 9], "y": [-9, 9]}
    assert sorted(points.selected(event_of(points, shown, box=[box]))) == sorted(CROWD_IDS[shown])


def test_a_click_selects_its_point_alone_and_the_margins_select_none():
    points = crowd()
    assert points.selected(event_of(points, np.array([MANY - 1]), box=[])) == [f"s{MANY - 1}"]
    margin = {"xref": "x2", "yref": "y", "x": [-9, 9], "y": [-9, 9]}
    assert points.selected(event_of(points, np.array([], dtype=int), box=[margin])) == []
    assert points.selected(None) == []


def test_boxes_are_in_the_order_of_the_levels_with_n():
    table = pd.DataFrame(
        {
            "sample_id": IDS,
            "modality": "A",
            "level": np.array(["sufficient", "no", "no"])[np.arange(N) % 3],
            "effect": np.abs(X),
        }
    )
    figure = informativeness_boxes(table, "A", colour="#3f90da", title="effect")
    names = [box.name for box in figure.data]
    assert names == ["no (n = 40)", "relevant (n = 0)", "sufficient (n = 20)"]


def test_boxes_of_many_samples_are_drawn_from_their_quartiles():
    effect = np.random.default_rng(0).exponential(size=2_000)
    table = pd.DataFrame({"sample_id": "s", "modality": "A", "level": "no", "effect": effect})
    box = informativeness_boxes(table, "A", colour="#3f90da", title="effect").data[0]
    assert box.y is None
    quartiles = np.quantile(effect, (0.25, 0.5, 0.75))
    assert [box.q1[0], box.median[0], box.q3[0]] == pytest.approx(quartiles)
    fence = quartiles[2] + 1.5 * (quartiles[2] - quartiles[0])
    assert box.upperfence[0] == pytest.approx(effect[effect <= fence].max())
    assert box.mean[0] == pytest.approx(effect.mean())


def test_bars_of_attributions_add_up_however_many_there_are():
    table = pd.DataFrame({"feature": IDS, "attribution": X})
    figure = attribution_bars(table, "feature", title="y", colour="#3f90da")
    assert sum(figure.data[0].x) == pytest.approx(X.sum())
    assert len(figure.data[0].x) == 13
