"""Against scikit-learn and scipy."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from smurf_core.evaluation import metrics
from smurf_core.statistics.correlation import pearson_r

RANDOM = np.random.default_rng(0)
TRUTH = RANDOM.normal(size=50)
PREDICTED = (0.5 * TRUTH + RANDOM.normal(size=50) + 1).astype(np.float32)
CLASSES = RANDOM.integers(0, 4, size=60)
LOGITS = RANDOM.normal(size=(60, 4)) + 1.5 * np.eye(4)[CLASSES]


def softmax(logits):
    exponents = np.exp(logits)
    return exponents / exponents.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (pearson_r, lambda a, b: stats.pearsonr(a, b).statistic),
        (metrics.mean_absolute_error, sk.mean_absolute_error),
        (metrics.root_mean_squared_error, sk.root_mean_squared_error),
    ],
)
def test_regression(ours, theirs):
    assert ours(TRUTH, PREDICTED) == pytest.approx(theirs(TRUTH, PREDICTED), rel=1e-6)


def test_concordance_is_lins():
    a, b = TRUTH, PREDICTED.astype(float)
    bias = (a.std() * b.std() * 2) / (a.var() + b.var() + (a.mean() - b.mean()) ** 2)
    assert metrics.concordance(a, b) == pytest.approx(stats.pearsonr(a, b).statistic * bias)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (metrics.accuracy, lambda t, x: sk.accuracy_score(t, x.argmax(1))),
        (metrics.balanced_accuracy, lambda t, x: sk.balanced_accuracy_score(t, x.argmax(1))),
        (metrics.macro_f1, lambda t, x: sk.f1_score(t, x.argmax(1), average="macro")),
        (metrics.log_loss, lambda t, x: sk.log_loss(t, softmax(x))),
    ],
)
def test_classification(ours, theirs):
    assert ours(CLASSES, LOGITS) == pytest.approx(theirs(CLASSES, LOGITS))


def test_classes_that_never_occur_or_are_never_predicted():
    truth = np.array([0, 0, 1, 1])
    logits = np.array([[3, 0, 0], [0, 0, 3], [3, 0, 0], [3, 0, 0]], dtype=float)
    predicted = logits.argmax(1)
    expected = sk.f1_score(truth, predicted, average="macro", zero_division=0)
    assert metrics.macro_f1(truth, logits) == pytest.approx(expected)
    assert metrics.balanced_accuracy(truth, logits) == pytest.approx(0.25)


def test_what_does_not_vary_has_no_correlation():
    assert np.isnan(pearson_r(np.ones(5), np.arange(5.0)))
    assert np.isnan(metrics.concordance(np.ones(5), np.ones(5)))


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_a_correlation_of_fewer_than_five_samples_is_no_score(n):
    truth, predicted = TRUTH[:n], PREDICTED[:n, None]
    for name in metrics.METRICS["regression"]:
        found = metrics.score("regression", name, truth, predicted)
        assert np.isnan(found) == (name in ("r", "ccc") and n < 5)
