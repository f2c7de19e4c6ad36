"""The jackknife over persons, against every person left out of the samples themselves."""

import numpy as np
import pytest
from scipy import stats

from smurf_core.statistics.correlation import moments, pearson_of_sums
from smurf_core.statistics.jackknife import jackknife_error
from smurf_core.statistics.paired import PairedSums


def fold_of(who, y, a, b):
    return PairedSums.of(who, moments(y, a), moments(y, b), pearson_of_sums)


def test_error_is_that_of_leaving_out_rows_with_folds_as_strata(random):
    """Four persons in each of three folds; r of what is left, by scipy."""
    who = np.repeat(np.arange(12), 5)
    y = random.normal(size=60)
    a, b = y + random.normal(size=(2, 60))
    parts = [np.flatnonzero(who % 3 == fold) for fold in range(3)]
    found = jackknife_error([fold_of(who[at], y[at], a[at], b[at]) for at in parts])

    def difference(keep):
        return np.mean(
            [
                stats.pearsonr(y[at], a[at]).statistic - stats.pearsonr(y[at], b[at]).statistic
                for at in (part[keep[part]] for part in parts)
            ]
        )

    left_out = np.array([difference(who != person) for person in range(12)])
    expected = np.sqrt(sum(3 / 4 * 4 * left_out[fold::3].var() for fold in range(3)))
    assert found.error == pytest.approx(expected, rel=1e-8)
    assert found.degrees == 9


def test_of_a_mean_it_is_the_paired_t_tests_error(random):
    a, b = random.normal(size=(2, 20))
    ones = np.ones(20)
    fold = PairedSums.of(
        np.arange(20),
        np.column_stack([ones, a]),
        np.column_stack([ones, b]),
        lambda s: s[..., 1] / s[..., 0],
    )
    found = jackknife_error([fold])
    assert found.error == pytest.approx(stats.sem(a - b))
    assert found.degrees == 19


def test_a_fold_of_one_person_drops_out_without_her(random):
    """Then leaving a person out is leaving a fold out, and lone persons are one stratum."""
    y = random.normal(size=40)
    a, b = y + random.normal(size=(2, 40))
    who = np.repeat(np.arange(8), 5)
    folds = [fold_of(who[who == p], y[who == p], a[who == p], b[who == p]) for p in range(8)]
    found = jackknife_error(folds)
    assert found.error == pytest.approx(stats.sem([fold.difference() for fold in folds]))
    assert found.degrees == 7


def test_fewer_than_three_persons_have_no_error(random):
    y, a, b = random.normal(size=(3, 10))
    found = jackknife_error([fold_of(np.repeat([0, 1], 5), y, a, b)])
    assert np.isnan(found.error)
    assert found.degrees == 0
