import numpy as np
import pandas as pd
import pytest

from smurf_core.evaluation.two_runs import term_agreement, weight_sweep
from smurf_core.plot.basins import basin_scatter
from smurf_core.plot.comparison import curves_by_fold, trade_off
from smurf_core.plot.share_bars import paired_shares
from tests.smurf_core.plot.test_contributions import contributions


def test_two_runs_shares_stand_on_one_row():
    agreement = term_agreement(contributions(), contributions())
    agreement = agreement.assign(first_verdict="stable", second_verdict="unstable")
    first, second = paired_shares(agreement, "Run A", "Run B").data
    np.testing.assert_allclose(np.asarray(first.x), agreement["first_share"])
    np.testing.assert_allclose(np.asarray(second.x), agreement["second_share"])
    assert first.y == second.y
    assert set(first.marker.opacity) == {1.0}
    assert max(second.marker.opacity) < 0.5
    assert sum(first.x) == pytest.approx(1)


def test_every_candidate_is_a_faint_point_and_the_best_of_each_weight_are_joined():
    candidates = pd.DataFrame(
        {
            "auxiliary_weight": [0.1, 0.1, 0.5], "validation_metric": [0.8, 0.9, 0.7],
            "factorisation_loss": [-0.1, -0.3, -0.9], "learning_rate": 0.01,
            "hidden_layers": "10", "weight_decay": 0.0, "fold": 0,
        }
    )  # fmt: skip
    figure = trade_off({"SMURF": candidates}, {"SMURF": weight_sweep(candidates)}, "r")
    tried, best = figure.data
    assert len(tried.x) == 3
    assert tried.marker.opacity < 0.3
    assert list(best.x) == [-0.3, -0.9]
    assert list(best.y) == [0.9, 0.7]
    assert list(best.text) == ["λ 0.1", "λ 0.5"]


def test_curves_have_one_line_per_fold_for_both_objectives():
    curves = pd.DataFrame(
        {"fold": [1, 2], "epoch": 1, "training_objective": 0.5, "validation_objective": [0.6, 0.7]}
    )
    data = curves_by_fold(curves, (0.4, 0.8)).data
    assert sorted(zip(data["fold"], data["samples"], data["objective"], strict=True)) == [
        (1, "training", 0.5), (1, "validation", 0.6), (2, "training", 0.5), (2, "validation", 0.7),
    ]  # fmt: skip


def test_starts_are_drawn_by_their_objective_and_what_they_found():
    rows = pd.DataFrame(
        {
            "output_scale": [1.0, 0.01, 1.0], "seed": [0, 0, 1], "prediction_r": 1.0,
            "objective": [0.4, 0.1, 0.2], "recovery": [0.3, 0.97, 0.95],
        }
    )  # fmt: skip
    small, usual = basin_scatter(rows, 0.9).data
    assert list(small.x) == [0.1]
    assert list(usual.y) == [0.3, 0.95]
    assert small.marker.symbol != usual.marker.symbol
