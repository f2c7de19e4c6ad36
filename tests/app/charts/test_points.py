"""Coloured points carry their sample; margins count them."""

import numpy as np
import pandas as pd
import pytest

from app.charts.attributions import attribution_bars
from app.charts.colouring import Colouring
from app.charts.judgments import informativeness_boxes
from app.charts.scatter import coloured_scatter

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
    figure = coloured_scatter(
        X, Y, IDS, x_title="x", y_title="y", colouring=colouring, in_scope=scope
    )
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
