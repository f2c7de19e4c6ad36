"""A run's error beside that of a constant."""

import numpy as np
import pytest

from smurf_core.evaluation.baseline import against_baseline
from tests.smurf_core.evaluation.conftest import make_dataset, make_result


def test_the_log_loss_is_compared_with_that_of_the_training_folds_frequencies(random):
    data = make_dataset(np.array([0, 0, 1] * 10))
    values = np.zeros((30, 3, 3, 2), np.float32)
    values[np.arange(30), 0, 0, data.target] = 3  # Always right, and quite sure …
    values[0, 0, 0, 1 - data.target[0]] = 40  # … but once wrong and very sure.
    result = make_result(data, lambda _: (values, np.zeros(2, np.float32)))
    table = against_baseline(result, data)
    assert table["metric"].tolist() == ["log_loss"] * 5
    for fold in range(5):
        test, training = data.folds.test[fold], data.folds.training[fold]
        counts = np.array([(data.target[training] == c).sum() + 1 for c in range(2)])
        expected = -np.log((counts / counts.sum())[data.target[test]]).mean()
        np.testing.assert_allclose(table["baseline"][fold], expected, rtol=1e-6)
    # log(1 + e⁻³) where it is right; 37 where it is wrong, in one of fold 1's six samples.
    np.testing.assert_allclose(table["value"][1:], np.log1p(np.exp(-3)), rtol=1e-5)
    np.testing.assert_allclose(table["value"][0], (37 + 5 * np.log1p(np.exp(-3))) / 6, rtol=1e-5)


@pytest.mark.parametrize("offset", [0.0, 10.0])
def test_the_rmse_is_compared_with_that_of_the_training_folds_mean(random, offset):
    data = make_dataset(random.normal(size=40))
    values = np.zeros((40, 3, 3, 1), np.float32)
    values[:, 0, 0, 0] = data.target + offset
    result = make_result(data, lambda _: (values, np.zeros(1, np.float32)))
    table = against_baseline(result, data)
    np.testing.assert_allclose(table["value"], offset, atol=1e-6)
    for fold in range(5):
        test, training = data.folds.test[fold], data.folds.training[fold]
        away = data.target[test] - data.target[training].mean()
        np.testing.assert_allclose(table["baseline"][fold], np.sqrt((away**2).mean()), rtol=1e-5)
