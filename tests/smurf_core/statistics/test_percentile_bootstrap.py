"""Shares of a draw of persons, against the covariance of their samples repeated."""

import numpy as np
import pytest

from smurf_core.statistics.percentile_bootstrap import (
    bootstrapped_shares,
    percentile_interval,
    resampled_shares,
    term_sums,
)


def shares_of(terms, folds):
    """cov(t, ŷ) / var(ŷ) of centred terms [n, t], by numpy's covariance."""
    terms = terms.copy()
    for fold in np.unique(folds):
        terms[folds == fold] -= terms[folds == fold].mean(axis=0)
    matrix = np.cov(np.column_stack([terms, terms.sum(axis=1)]).T, ddof=0)
    return matrix[:-1, -1] / matrix[-1, -1]


def made(random, outputs):
    terms = random.normal(size=(60, 5, outputs)) + random.normal(size=(60, 1, outputs))
    # Some persons' samples are tested by several folds.
    return terms, np.arange(60) % 3, np.arange(60) // 4


@pytest.mark.parametrize("outputs", [1, 4])
def test_a_draw_of_persons_gives_the_shares_of_their_samples_repeated(random, outputs):
    terms, folds, persons = made(random, outputs)
    counts = random.multinomial(15, np.full(15, 1 / 15), 5)
    drawn = resampled_shares(term_sums(terms, folds, persons), counts)
    assert drawn.shape == (5, 5, 1 if outputs == 1 else outputs + 1)
    for times, shares in zip(counts, drawn, strict=True):
        rows = np.repeat(np.arange(60), times[persons])
        for c in range(outputs):
            expected = shares_of(terms[rows][:, :, c], folds[rows])
            np.testing.assert_allclose(shares[:, c - outputs], expected, atol=1e-9)


def test_all_classes_together_add_their_covariances(random):
    terms, folds, persons = made(random, 3)
    (shares,) = resampled_shares(term_sums(terms, folds, persons), np.ones((1, 15)))
    centred = terms.copy()
    for fold in range(3):
        centred[folds == fold] -= centred[folds == fold].mean(axis=0)
    total = centred.sum(axis=1, keepdims=True)
    expected = (centred * total).sum(axis=(0, 2)) / (total**2).sum()
    np.testing.assert_allclose(shares[:, 0], expected)


def test_quantiles_are_those_of_a_bootstrap_over_rows_of_persons(random):
    terms, folds, persons = made(random, 1)
    drawn = bootstrapped_shares(term_sums(terms, folds, persons), 15, draws=2_000)
    slow = []
    for _ in range(1_500):
        rows = np.concatenate([np.flatnonzero(persons == p) for p in random.integers(15, size=15)])
        slow.append(shares_of(terms[rows][:, :, 0], folds[rows]))
    expected = np.quantile(slow, [0.025, 0.975], axis=0)
    found = percentile_interval(drawn[:, :, 0])
    # Monte Carlo error of a 2.5% quantile of 1,500 and 2,000 draws: under a tenth of the width.
    assert (np.abs(np.array(found) - expected) < 0.1 * np.ptp(expected, axis=0)).all()


def test_equal_seeds_give_equal_draws_and_one_person_gives_none(random):
    terms, folds, persons = made(random, 3)
    sums = term_sums(terms, folds, persons)
    one, other = (bootstrapped_shares(sums, 15, draws=20, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    alone = bootstrapped_shares(term_sums(terms, folds, 0 * persons), 1)
    assert alone.shape == (1, 5, 4)
    assert np.isnan(percentile_interval(alone)).all()


def test_a_prediction_that_does_not_vary_has_no_shares():
    sums = term_sums(np.zeros((6, 2, 1)), np.zeros(6, int), np.arange(6))
    assert np.isnan(resampled_shares(sums, np.ones((1, 6)))).all()
