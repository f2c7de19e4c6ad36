"""Which sets of modalities share anything: dropped one by one while their members disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from smurf_core.exclusive.fold import FoldProblem, Solution
from smurf_core.exclusive.problem import ModalitySet, Weighing

Array = npt.NDArray[np.float64]

RIDGES = (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0)
AGREEMENT = 0.6  # r of a set's members on samples that did not train them, at least
# A set's share of the prediction's variance, at least in times of that of the largest set that
# contains it or that it contains. Where outsiders see a shared factor through more noise than
# members do, a small part of it is left for a smaller set; this part follows from the noise.
NESTED = 0.3
SMALLEST_SHARE = 0.005


@dataclass(frozen=True)
class Found:
    """The sets that are left, with each fold's ridge and solution, and what was dropped when."""

    sets: tuple[ModalitySet, ...]
    ridges: tuple[float, ...]
    solutions: tuple[Solution, ...]
    agreement: Mapping[ModalitySet, float]  # of the sets left
    dropped: Mapping[ModalitySet, float]  # in the order in which they went: their agreement then


def best_ridge(
    problem: FoldProblem,
    sets: Sequence[ModalitySet],
    weighing: Weighing,
    ridges: Sequence[float] = RIDGES,
) -> tuple[float, Solution]:
    """The ridge with the lowest loss on the fold's validation samples."""
    found = [(ridge, problem.solve(sets, ridge, weighing)) for ridge in ridges]
    return min(found, key=lambda each: problem.loss(each[1], problem.validation))


def set_agreement(
    problems: Sequence[FoldProblem], solutions: Sequence[Solution], s: ModalitySet
) -> float:
    """Mean r of a set's members on the folds' validation samples, pooled within folds."""
    sums = np.zeros(3)
    values = []
    for i, j in combinations(s, 2):
        sums = np.zeros(3)
        for problem, solution in zip(problems, solutions, strict=True):
            source = problem.source
            rows = problem.validation & source.present[:, i] & source.present[:, j]
            if not rows.any():
                continue
            sides = []
            for one in (i, j):
                phi = list(source.values.values())[one][rows]
                side = phi @ solution.of((one, s))[0]
                sides.append((side - side.mean(axis=0)).ravel())
            a, b = sides
            sums += (a @ b, a @ a, b @ b)
        values.append(sums[0] / np.sqrt(sums[1] * sums[2]) if sums[1] * sums[2] > 0 else 0.0)
    return float(np.mean(values))


def set_shares(
    problems: Sequence[FoldProblem], solutions: Sequence[Solution]
) -> dict[ModalitySet, float]:
    """Every set's share of the prediction's variance on the folds' validation samples."""
    sets = tuple(dict.fromkeys(s for _, s in solutions[0].heads))
    covariance, variance = np.zeros(len(sets)), 0.0
    for problem, solution in zip(problems, solutions, strict=True):
        values = solution.contributions(problem.source.rows(problem.validation))
        values = values - values.mean(axis=0)
        total = values.sum(axis=1)
        by_set = np.stack(
            [
                values[:, [a for a, (_, t) in enumerate(solution.heads) if t == s]].sum(axis=1)
                for s in sets
            ]
        )
        covariance += (by_set * total).sum(axis=(1, 2))
        variance += float((total**2).sum())
    return dict(zip(sets, covariance / variance if variance > 0 else covariance, strict=True))


def who_shares(
    problems: Sequence[FoldProblem],
    offered: Sequence[ModalitySet],
    weighing: Weighing = Weighing(),
    *,
    ridges: Sequence[float] = RIDGES,
) -> Found:
    """Drop the set that is least there until all that are left are there.

    A set is there when its members agree out of fold (`AGREEMENT`) and it is not the remainder
    of a larger or smaller one (`NESTED`). Sets are chosen as other hyper-parameters are: on
    validation samples, over all folds at once, so that a run has one structure.
    """
    sets = tuple(offered)
    dropped: dict[ModalitySet, float] = {}
    chosen = [best_ridge(p, sets, weighing, ridges)[0] for p in problems]
    while True:
        solutions = [p.solve(sets, r, weighing) for p, r in zip(problems, chosen, strict=True)]
        agreement = {s: set_agreement(problems, solutions, s) for s in sets if len(s) > 1}
        strength = _strengths(agreement, set_shares(problems, solutions))
        worst = min(strength, key=lambda s: strength[s], default=None)
        if worst is None or strength[worst] >= 1:
            break
        dropped[worst] = agreement[worst]
        sets = tuple(s for s in sets if s != worst)
    best = [best_ridge(p, sets, weighing, ridges) for p in problems]
    return Found(sets, tuple(r for r, _ in best), tuple(s for _, s in best), agreement, dropped)


def _strengths(
    agreement: Mapping[ModalitySet, float], shares: Mapping[ModalitySet, float]
) -> dict[ModalitySet, float]:
    """How far each set meets what is asked of it; below 1: it is not there."""
    found = {}
    for s, r in agreement.items():
        nested = [shares[t] for t in agreement if t != s and (set(t) > set(s) or set(t) < set(s))]
        size = shares[s] / SMALLEST_SHARE
        if nested and max(nested) > 0:
            size = min(size, shares[s] / (NESTED * max(nested)))
        found[s] = min(r / AGREEMENT, size)
    return found
