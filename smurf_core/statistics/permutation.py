"""Permutation test on persons: could the difference of two models be due to chance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smurf_core.statistics.paired import PairedSums

PERMUTATIONS = 5_000
# Number of swaps in memory at once: for 25,000 samples without persons they take 200 MB.
_SWAPS_AT_ONCE = 1_000


@dataclass(frozen=True)
class PermutationTest:
    """Difference of two models' metric, mean over folds, and its p-value."""

    difference: float
    p: float


def permutation_test(
    folds: Sequence[PairedSums], *, draws: int = PERMUTATIONS, seed: int = 0
) -> PermutationTest:
    """Swap two models' predictions for whole persons at random.

    The statistic is the difference of the metric's mean over folds. The test assumes that the
    predictions for a person could be exchanged if the models were equally good. The test is about
    *these trained models* and new persons.

    Parameters
    ----------
    folds : sequence of PairedSums
        One entry per fold. A person whom several folds test is swapped in all of them at once.
    draws : int
        Number of random swaps.
    seed : int
        Equal seeds give equal p.

    Returns
    -------
    PermutationTest
        difference (first model minus second) and p (two-sided; never 0, because the swap that
        changes nothing is included). NaN if the metric is not defined.

    Notes
    -----
    Good (2005), *Permutation, Parametric and Bootstrap Tests of Hypotheses*; p = (b + 1)/(m + 1)
    with b of m draws as extreme, after Phipson and Smyth (2010), *Statistical Applications in
    Genetics and Molecular Biology* 9.

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> errors = np.abs(random.normal(size=(2, 40))) + np.array([[0.0], [1.0]])
    >>> first, second = (np.column_stack([np.ones(40), e]) for e in errors)
    >>> mean = lambda sums: sums[..., 1] / sums[..., 0]
    >>> fold = PairedSums.of(np.repeat(np.arange(10), 4), first, second, mean)
    >>> permutation_test([fold]).p < 0.01
    True
    """
    count = 1 + max(int(fold.persons.max()) for fold in folds)
    observed = float(np.mean([fold.difference() for fold in folds]))
    random = np.random.default_rng(seed)
    extreme = 0
    for start in range(0, draws, _SWAPS_AT_ONCE):
        at_once = min(_SWAPS_AT_ONCE, draws - start)
        swapped = random.integers(2, size=(at_once, count), dtype=np.int8).astype(np.bool_)
        permuted = np.mean([fold.swapped(swapped) for fold in folds], axis=0)
        extreme += int((np.abs(permuted) >= abs(observed) - 1e-12).sum())
    if np.isnan(observed):
        return PermutationTest(observed, float("nan"))
    return PermutationTest(observed, (extreme + 1) / (draws + 1))
