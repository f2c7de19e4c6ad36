"""Which configuration wins, by hand-made tables."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from smurf_core.configuration import Configuration, Grid, RunConfig
from smurf_core.errors import InputError
from smurf_core.training.selection import (
    accuracy_by_row,
    choose,
    metric_standard_error,
    pearson_by_row,
)


def candidates(
    metric: list[float], objective: list[float], factorisation: list[float]
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "validation_metric": metric,
            "validation_objective": objective,
            "factorisation_loss": factorisation,
        }
    )


TABLE = candidates([0.50, 0.60, 0.58, 0.40], [1.0, 0.9, 0.8, 0.7], [-0.1, -0.1, -0.3, -0.5])


def test_the_published_rule_takes_the_best_metric() -> None:
    assert choose(TABLE, "published", "smurf", "classification", 60) == 1


def test_the_one_standard_error_rule_takes_the_best_factorised_of_those_alike() -> None:
    # √(0.6 · 0.4 / 60) = 0.063: 0.58 is alike, 0.50 and 0.40 are not.
    assert choose(TABLE, "one_standard_error", "smurf", "classification", 60) == 2


def test_without_an_auxiliary_loss_the_rules_are_the_same() -> None:
    assert choose(TABLE, "one_standard_error", "late_fusion", "classification", 60) == 1


def test_ties_go_to_the_lower_objective() -> None:
    tied = candidates([0.6, 0.6, 0.6], [0.9, 0.7, 0.8], [0.0, 0.0, 0.0])
    assert choose(tied, "published", "smurf", "classification", 60) == 1


def test_metrics_that_read_the_same_count_as_alike_however_small_their_error() -> None:
    perfect = candidates([0.99999, 0.9996, 0.9990], [0.1, 0.2, 0.3], [-0.2, -0.3, -0.4])
    assert choose(perfect, "one_standard_error", "smurf", "regression", 5000) == 1


def test_what_diverged_is_never_chosen() -> None:
    table = candidates([np.nan, 0.2, 0.9], [np.inf, 0.5, np.nan], [np.nan, 0.1, -9.0])
    for rule in ("published", "one_standard_error"):
        assert choose(table, rule, "smurf", "regression", 30) == 1
    nothing = candidates([np.nan], [np.inf], [np.nan])
    with pytest.raises(InputError, match="lower the learning rates"):
        choose(nothing, "published", "smurf", "regression", 30)


def test_standard_errors_are_those_of_simulated_samples() -> None:
    random = np.random.default_rng(0)
    r = 0.6
    pairs = random.multivariate_normal([0, 0], [[1, r], [r, 1]], size=(4000, 100))
    simulated = np.std([stats.pearsonr(p[:, 0], p[:, 1]).statistic for p in pairs])
    assert metric_standard_error(r, 100, "regression") == pytest.approx(simulated, rel=0.05)
    shares = random.binomial(100, 0.3, size=20_000) / 100
    expected = pytest.approx(shares.std(), rel=0.05)
    assert metric_standard_error(0.3, 100, "classification") == expected


def test_metrics_by_row_are_those_of_scipy_and_of_counting() -> None:
    random = np.random.default_rng(1)
    predictions = random.normal(size=(3, 20)).astype(np.float32)
    target = random.normal(size=20).astype(np.float32)
    expected = [stats.pearsonr(row, target).statistic for row in predictions]
    np.testing.assert_allclose(pearson_by_row(predictions, target), expected, rtol=1e-5)
    assert np.isnan(pearson_by_row(np.ones((1, 20), np.float32), target)[0])
    logits = np.array([[[2.0, 0.0, 1.0], [1.0, 3.0, 0.0]]], dtype=np.float32)
    np.testing.assert_allclose(accuracy_by_row(logits, np.array([0, 1, 1])), [2 / 3])


def test_the_published_grid_has_600_configurations_and_120_without_an_auxiliary_loss() -> None:
    grid = RunConfig.from_preset("paper").grid
    assert len(grid.configurations("smurf")) == 600
    assert len(grid.configurations("late_fusion")) == 120
    assert Configuration(1e-5, (5,), 0.0, 0.1) in grid.configurations("e_hgr")


def test_a_configuration_survives_being_written_as_plain_data() -> None:
    config = RunConfig.from_preset("standard", "e_hgr", seed=4, restarts=5)
    assert RunConfig.from_dict(config.to_dict()) == config


def test_impossible_settings_are_refused_in_a_sentence() -> None:
    with pytest.raises(InputError, match="restarts must be at least 1, got 0"):
        RunConfig(restarts=0)
    with pytest.raises(InputError, match="at least one learning rate"):
        Grid((), ((),), (0.0,), (0.1,))
    with pytest.raises(InputError, match="No preset 'fast'"):
        RunConfig.from_preset("fast")
