"""Which configuration wins, by hand-made tables."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from smurf_core.errors import InputError
from smurf_core.statistics.correlation import pearson_by_row
from smurf_core.training.selection import (
    accuracy_by_row,
    choose,
    influence_by_row,
    paired_standard_errors,
)


def candidates(
    metric: list[float], objective: list[float], factorisation: list[float], noise: float = 0.0
) -> pd.DataFrame:
    """A table whose rows' influences differ by normal noise: by how much models err apart."""
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "validation_metric": metric,
            "validation_objective": objective,
            "factorisation_loss": factorisation,
            "influence": list(random.normal(scale=noise, size=(len(metric), 100))),
        }
    )


# A row's error against the best is about 0.28 / √100 · √2 = 0.04.
TABLE = candidates([0.50, 0.60, 0.58, 0.40], [1.0, 0.9, 0.8, 0.7], [-0.1, -0.1, -0.3, -0.5], 0.28)


def test_the_published_rule_takes_the_best_metric() -> None:
    assert choose(TABLE, "published", "smurf") == 1


def test_the_one_standard_error_rule_takes_the_best_factorised_of_those_alike() -> None:
    assert choose(TABLE, "one_standard_error", "smurf") == 2


def test_models_that_err_on_the_same_samples_are_distinguished() -> None:
    same = TABLE.assign(influence=[np.zeros(100)] * 4)
    assert choose(same, "one_standard_error", "smurf") == 1


def test_without_an_auxiliary_loss_the_rules_are_the_same() -> None:
    assert choose(TABLE, "one_standard_error", "late_fusion") == 1


def test_ties_go_to_the_lower_objective() -> None:
    tied = candidates([0.6, 0.6, 0.6], [0.9, 0.7, 0.8], [0.0, 0.0, 0.0])
    assert choose(tied, "published", "smurf") == 1


def test_metrics_that_read_the_same_count_as_alike_however_small_their_error() -> None:
    perfect = candidates([0.99999, 0.9996, 0.9990], [0.1, 0.2, 0.3], [-0.2, -0.3, -0.4])
    assert choose(perfect, "one_standard_error", "smurf") == 1


def test_what_diverged_is_never_chosen() -> None:
    table = candidates([np.nan, 0.2, 0.9], [np.inf, 0.5, np.nan], [np.nan, 0.1, -9.0])
    for rule in ("published", "one_standard_error"):
        assert choose(table, rule, "smurf") == 1
    nothing = candidates([np.nan], [np.inf], [np.nan])
    with pytest.raises(InputError, match="lower the learning rates"):
        choose(nothing, "published", "smurf")


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_errors_of_differences_are_those_of_simulated_samples(task: str) -> None:
    random = np.random.default_rng(0)
    n, repetitions = 200, 2_000
    differences, errors = [], []
    for _ in range(repetitions):
        y = random.normal(size=n).astype(np.float32)
        common = 0.8 * y + random.normal(size=n)
        both = np.stack([common, common + 0.5 * random.normal(size=n)]).astype(np.float32)
        if task == "regression":
            target, outputs = y, both[:, None, :]
            differences.append(np.diff(pearson_by_row(both, y))[0])
        else:
            target, outputs = (y > 0).astype(np.int64), np.stack([-both, both], axis=1)
            differences.append(np.diff(accuracy_by_row(outputs, target))[0])
        influence = influence_by_row(outputs, target)
        errors.append(paired_standard_errors(influence, 0)[1])
    assert paired_standard_errors(influence, 0)[0] == 0
    assert np.mean(errors) == pytest.approx(np.std(differences), rel=0.05)


def test_metrics_by_row_are_those_of_scipy_and_of_counting() -> None:
    random = np.random.default_rng(1)
    predictions = random.normal(size=(3, 20)).astype(np.float32)
    target = random.normal(size=20).astype(np.float32)
    expected = [stats.pearsonr(row, target).statistic for row in predictions]
    np.testing.assert_allclose(pearson_by_row(predictions, target), expected, rtol=1e-5)
    assert np.isnan(pearson_by_row(np.ones((1, 20), np.float32), target)[0])
    logits = np.array([[[2.0, 0.0, 1.0], [1.0, 3.0, 0.0]]], dtype=np.float32)
    np.testing.assert_allclose(accuracy_by_row(logits, np.array([0, 1, 1])), [2 / 3])
