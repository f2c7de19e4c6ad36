"""Swaps of persons, against scipy's exact permutation test and every swap written out."""

import numpy as np
import pytest
from scipy import stats

from smurf_core.statistics.paired import PairedSums
from smurf_core.statistics.permutation import permutation_test


def mean_of(sums):
    return sums[..., 1] / sums[..., 0]


def counted(values):
    return np.column_stack([np.ones_like(values), values])


def test_with_one_sample_per_person_it_is_scipys_paired_permutation_test(random):
    a, b = random.normal(size=(2, 9)) + np.array([[0.4], [0.0]])
    exact = stats.permutation_test(
        (a, b), lambda x, y: np.mean(x) - np.mean(y), permutation_type="samples", n_resamples=10_000
    )
    fold = PairedSums.of(np.arange(9), counted(a), counted(b), mean_of)
    found = permutation_test([fold], draws=20_000)
    assert found.difference == pytest.approx(exact.statistic)
    assert found.p == pytest.approx(exact.pvalue, abs=0.015)


def test_a_person_is_swapped_in_all_folds_at_once(random):
    """Two folds test the same five persons; all 2⁵ swaps of rows, one after the other."""
    who = np.repeat(np.arange(5), 3)
    values = random.normal(size=(2, 2, 15)) + np.array([0.3, 0.0])[None, :, None]
    folds = [PairedSums.of(who, counted(a), counted(b), mean_of) for a, b in values]
    found = permutation_test(folds, draws=20_000)
    every = []
    for bits in range(2**5):
        swap = np.array([bits >> p & 1 for p in range(5)], dtype=bool)[who]
        every.append(
            np.mean([np.where(swap, b, a).mean() - np.where(swap, a, b).mean() for a, b in values])
        )
    assert found.difference == pytest.approx(every[0])
    exact = np.mean(np.abs(every) >= abs(every[0]) - 1e-9)
    assert found.p == pytest.approx(exact, abs=0.015)


def test_p_is_never_zero_and_equal_seeds_give_equal_p(random):
    far = PairedSums.of(np.arange(30), counted(np.ones(30)), counted(np.zeros(30)), mean_of)
    assert permutation_test([far], draws=99).p == 0.01
    a, b = random.normal(size=(2, 30))
    near = PairedSums.of(np.arange(30), counted(a), counted(b), mean_of)
    assert permutation_test([near], draws=99, seed=2) == permutation_test([near], draws=99, seed=2)


def test_what_is_not_defined_has_no_p():
    nothing = PairedSums.of(
        np.arange(3), np.zeros((3, 2)), np.zeros((3, 2)), lambda s: s[..., 0] * np.nan
    )
    assert np.isnan(permutation_test([nothing], draws=9).p)
