import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from smurf_core.errors import InputError
from smurf_core.evaluation.confusion import confused, confusion
from smurf_core.evaluation.gate import gate
from smurf_core.explained import explained
from smurf_core.reporting.error_sentences import confusion_sentences
from smurf_core.reporting.sentences import score_text
from tests.smurf_core.evaluation.conftest import make_dataset, predicts


def of(truth, predicted, persons=None):
    """A run that predicts these classes."""
    data = make_dataset(truth, persons)
    logits = np.eye(truth.max() + 1)[predicted] * 4
    return explained(predicts(data, logits), data)


def test_counts_shares_and_chance_are_those_of_a_plain_count(random):
    truth = np.repeat([0, 1, 2], [60, 30, 10])
    predicted = np.where(random.random(100) < 0.6, truth, random.integers(0, 3, 100))
    table = confusion(of(truth, predicted))
    counts = confusion_matrix(truth, predicted)
    np.testing.assert_array_equal(table["n"].to_numpy().reshape(3, 3), counts)
    shares = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(table["share"].to_numpy().reshape(3, 3), shares)
    # Chance names every class as often as it occurs: 60, 30 and 10%.
    chance = np.tile([0.6, 0.3, 0.1], (3, 1))
    np.testing.assert_allclose(table["chance_share"].to_numpy().reshape(3, 3), chance)
    np.testing.assert_allclose(
        table["chance_n"].to_numpy().reshape(3, 3), chance * [[60], [30], [10]]
    )


def test_an_interval_is_about_that_of_persons_drawn_with_replacement(random):
    persons = np.repeat(np.arange(40), 10)
    truth = random.integers(0, 2, 400)
    # Some persons are always predicted wrongly: samples of a person are alike.
    wrong = (random.random(40) < 0.3)[persons]
    predicted = np.where(wrong, 1 - truth, truth)
    table = confusion(of(truth, predicted, persons)).set_index(["true", "predicted"])
    row = table.loc[("c0", "c1")]
    drawn = []
    for _ in range(3000):
        chosen = np.concatenate([np.flatnonzero(persons == p) for p in random.integers(0, 40, 40)])
        t, p = truth[chosen], predicted[chosen]
        drawn.append((p[t == 0] == 1).mean() - (t == 1).mean())
    half = (row["excess_high"] - row["excess_low"]) / 2
    assert half == pytest.approx(2.02 * np.std(drawn), rel=0.1)
    # As independent samples they would seem to say much more.
    alone = confusion(of(truth, predicted)).set_index(["true", "predicted"]).loc[("c0", "c1")]
    assert alone["excess_high"] - alone["excess_low"] < 1.4 * half


def test_only_mistakes_above_chance_are_named(random):
    truth = np.repeat([0, 1, 2], 100)
    predicted = truth.copy()
    predicted[:60] = 1  # 60% of the first class are taken for the second
    predicted[250:280] = random.integers(0, 3, 30)
    shown = of(truth, predicted)
    found = confused(shown)
    assert found[["true", "predicted"]].to_numpy().tolist() == [["c0", "c1"]]
    first, second = confusion_sentences(gate(shown), found)
    assert score_text(gate(shown)) in first
    assert second.startswith("More often than by chance, c0 is taken for c1 in 60% [50, 70]")
    assert second.endswith("by chance in 33%.")


def test_predictions_that_know_nothing_are_seldom_said_to_confuse_classes():
    named = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        truth = random.choice(3, 150, p=[0.5, 0.3, 0.2])
        named += len(confused(of(truth, random.permutation(truth)))) > 0
    assert named <= 10
    closed = confusion_sentences(
        gate(of(truth, random.permutation(truth))), confused(of(truth, truth))
    )
    assert len(closed) == 1
    assert closed[0].startswith("There is nothing to explain")


def test_one_sample_of_a_class_is_no_finding():
    truth = np.array([0] * 60 + [1] * 60 + [2])
    predicted = np.r_[truth[:-1], 0]
    assert confused(of(truth, predicted)).empty


def test_numbers_have_no_confusion(random):
    data = make_dataset(random.normal(size=40))
    with pytest.raises(InputError, match="there are no classes to confuse"):
        confusion(explained(predicts(data, random.normal(size=40)), data))
