import numpy as np
import pandas as pd
import pytest

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.plot.data import target_distribution
from smurf_core.plot.training import chosen_curves, live_curve, live_objectives


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_target_distribution_counts_every_sample(task):
    data = synthetic_additive(samples=300, task=task)
    chart = target_distribution(data).to_dict()
    (rows,) = chart["datasets"].values()
    assert sum(row["samples"] for row in rows) == 300
    if task == "classification":
        assert {row["class"]: row["samples"] for row in rows} == dict(
            zip(data.class_names, np.bincount(data.target).tolist(), strict=True)
        )


def test_live_curve_shows_the_unit_that_reported_last():
    points = pd.DataFrame(
        {
            "fold": [0, 0, 1],
            "unit": ["search 10", "search 10", "search 10"],
            "epoch": [20, 40, 20],
            "training_objective": [1.0, 0.5, 0.9],
            "validation_objective": [1.1, 0.6, 0.8],
            "validation_metric": [0.1, 0.2, 0.3],
        }
    )
    shown = live_objectives(points)
    assert set(shown[["samples", "epoch", "objective"]].itertuples(index=False, name=None)) == {
        ("training", 20, 0.9),
        ("validation", 20, 0.8),
    }


def test_live_curve_draws_columns_of_its_table_and_is_made_once():
    # Altair took a third of a watching page's processor time, every second.
    columns = {"epoch": "quantitative", "objective": "quantitative", "samples": "nominal"}
    for layer in live_curve()["layer"]:
        drawn = [part for part in layer["encoding"].values() if isinstance(part, dict)]
        for part in drawn + layer["encoding"]["tooltip"]:
            assert part["type"] == columns[part["field"]]
    assert live_curve() is live_curve()


def test_chosen_curves_keep_their_folds():
    curves = pd.DataFrame({"fold": [0, 1], "epoch": [1, 1], "validation_objective": [1.0, 2.0]})
    (rows,) = chosen_curves(curves).to_dict()["datasets"].values()
    assert {row["fold"]: row["validation_objective"] for row in rows} == {0: 1.0, 1: 2.0}
