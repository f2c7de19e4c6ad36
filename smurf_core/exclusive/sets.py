"""Which sets of modalities share anything: dropped one by one while they are not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from smurf_core.exclusive.fold import FoldProblem, Solution
from smurf_core.exclusive.problem import ModalitySet, Weighing

Array = npt.NDArray[np.float64]

# Ridges that are tried; the validation samples choose.
RIDGES = (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0)
# r of a set's members on samples that did not train them, at least.
AGREEMENT = 0.6
# A set's share of the prediction's variance, at least in times of that of the largest set that
# contains it or that it contains. Where outsiders see a shared factor through more noise than
# members do, a small part of it is left for a smaller set; this part follows from the noise.
NESTED = 0.3
SMALLEST_SHARE = 0.005
# Above so many unknowns, draws are asked about the sets that are left only.
_MANY = 600


@dataclass(frozen=True)
class SetEvidence:
    """What validation samples say of a set in the model that still offered it."""

    agreement: float  # mean r of its members
    share: float  # of the prediction's variance
    is_there: bool
    probability: float  # of being there, over the draws; NaN without draws


@dataclass(frozen=True)
class Found:
    """The sets that are there, single modalities among them, and the evidence of all others."""

    sets: tuple[ModalitySet, ...]
    evidence: Mapping[ModalitySet, SetEvidence]


def best_ridge(
    problem: FoldProblem,
    sets: Sequence[ModalitySet],
    weighing: Weighing,
    ridges: Sequence[float] = RIDGES,
) -> tuple[float, Solution]:
    """The ridge with the lowest loss on the fold's validation samples."""
    found = zip(ridges, problem.path(sets, ridges, weighing), strict=True)
    return min(found, key=lambda each: float(problem.losses(each[1]).mean()))


def set_statistics(
    problems: Sequence[FoldProblem], solutions: Sequence[Solution]
) -> tuple[dict[ModalitySet, Array], dict[ModalitySet, Array]]:
    """Agreement of every set's members, and its share of the prediction's variance.

    Both are taken on the folds' validation samples, centred within folds, and are arrays over
    the B solves of each solution. Agreement is the mean of r over pairs of members, on samples
    that have both.
    """
    heads = solutions[0].heads
    sets = tuple(dict.fromkeys(s for _, s in heads))
    b = len(solutions[0].weights)
    pairs = [(s, i, j) for s in sets for i, j in combinations(s, 2)]
    sums = np.zeros((len(pairs), 3, b))
    covariance, variance = np.zeros((len(sets), b)), np.zeros(b)
    for problem, solution in zip(problems, solutions, strict=True):
        rows = problem.source.rows(problem.validation)
        inputs = list(rows.values.values())
        said = {
            (i, s): np.einsum("nr,brc->bnc", inputs[i], solution.of((i, s)), optimize=True)
            for i, s in heads
        }
        for p, (s, i, j) in enumerate(pairs):
            both = rows.present[:, i] & rows.present[:, j]
            if not both.any():
                continue
            first, second = (said[one, s][:, both] for one in (i, j))
            first = first - first.mean(axis=1, keepdims=True)
            second = second - second.mean(axis=1, keepdims=True)
            sums[p] += [
                (one * other).sum(axis=(1, 2))
                for one, other in ((first, second), (first, first), (second, second))
            ]
        by_set = {s: sum(said[i, s] for i in s) for s in sets}
        total = sum(by_set.values())
        total = total - total.mean(axis=1, keepdims=True)
        variance += (total**2).sum(axis=(1, 2))
        for k, s in enumerate(sets):
            covariance[k] += (by_set[s] * total).sum(axis=(1, 2))
    size = np.sqrt(sums[:, 1] * sums[:, 2])
    r = np.where(size > 0, sums[:, 0] / np.where(size > 0, size, 1), 0.0)
    agreement = {
        s: r[[p for p, pair in enumerate(pairs) if pair[0] == s]].mean(axis=0)
        for s in sets
        if len(s) > 1
    }
    shares = covariance / np.where(variance > 0, variance, 1)
    return agreement, dict(zip(sets, shares, strict=True))


def strengths(
    agreement: Mapping[ModalitySet, Array], shares: Mapping[ModalitySet, Array]
) -> dict[ModalitySet, Array]:
    """How far each set meets what is asked of it, for every solve; below 1: it is not there."""
    found = {}
    for s, r in agreement.items():
        size = shares[s] / SMALLEST_SHARE
        nested = [shares[t] for t in agreement if set(t) > set(s) or set(t) < set(s)]
        if nested:
            largest = np.max(nested, axis=0)
            ratio = shares[s] / np.where(largest > 0, NESTED * largest, 1)
            size = np.where(largest > 0, np.minimum(size, ratio), size)
        found[s] = np.minimum(r / AGREEMENT, size)
    return found


def who_shares(
    problems: Sequence[FoldProblem],
    offered: Sequence[ModalitySet],
    weighing: Weighing,
    *,
    ridges: Sequence[float] = RIDGES,
    weights: Array | None = None,
    report: Callable[[float], None] | None = None,
) -> Found:
    """Drop the set that is least there until all that are left are there.

    A set is there when its members agree out of fold (`AGREEMENT`) and it is not the remainder
    of a larger or smaller one (`NESTED`). Sets are chosen as other hyper-parameters are: on
    validation samples, over all folds at once, so that a run has one structure.

    Parameters
    ----------
    problems
        One per fold.
    offered
        Sets to begin with, single modalities among them.
    weighing
        λ and the weight of agreement.
    ridges
        To try, for every fold.
    weights
        [B, n]: draws of persons that give each set's probability of being there.
    report
        Called with the share of the work that is done, from 0 to 1.
    """
    sets = tuple(offered)
    evidence: dict[ModalitySet, SetEvidence] = {}
    chosen = [best_ridge(p, sets, weighing, ridges)[0] for p in problems]
    most = sum(len(s) > 1 for s in sets) + 1
    drawn_moments = [None if weights is None else p.moments_of(weights) for p in problems]
    while True:
        if report:
            report(min(len(evidence) / most, 0.9))
        pairs = list(zip(problems, chosen, strict=True))
        solutions = [p.solve(sets, r, weighing) for p, r in pairs]
        agreement, shares = set_statistics(problems, solutions)
        strength = strengths(agreement, shares)
        worst = min(strength, key=lambda s: float(strength[s][0]), default=None)
        is_last = worst is None or bool(strength[worst][0] >= 1)
        unknowns = sum(problems[0].source.widths[i] for s in sets for i in s)
        likely: dict[ModalitySet, float] = {}
        if weights is not None and strength and (is_last or unknowns <= _MANY):
            drawn = strengths(
                *set_statistics(
                    problems,
                    [
                        p.solve(sets, r, weighing, weights, s, known)
                        for (p, r), s, known in zip(pairs, solutions, drawn_moments, strict=True)
                    ],
                )
            )
            likely = {s: float((values >= 1).mean()) for s, values in drawn.items()}
        for s in sets if is_last else (worst,):
            if s in agreement:
                evidence[s] = SetEvidence(
                    float(agreement[s][0]),
                    float(shares[s][0]),
                    is_last,
                    likely.get(s, float("nan")),
                )
        if is_last:
            break
        sets = tuple(s for s in sets if s != worst)
    return Found(sets, evidence)
