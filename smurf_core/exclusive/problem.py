"""The convex problem whose solution are exclusive contributions, and its solvers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from smurf_core.exclusive.sources import Moments

Array = npt.NDArray[np.float64]
ModalitySet = tuple[int, ...]  # positions of the modalities that share, ascending
Head = tuple[int, ModalitySet]  # who contributes, as a member of which set

# The ridge of every head, beside that of a modality's total. A larger one would spread a
# factor over all heads of a modality; this one only makes the solution unique.
HEAD_RIDGE = 1e-4


def all_sets(count: int, highest: int | None = None) -> tuple[ModalitySet, ...]:
    """Every non-empty set of `count` modalities up to an order, smallest first.

    Examples
    --------
    >>> all_sets(3, 2)
    ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2))
    """
    highest = count if highest is None else min(highest, count)
    return tuple(s for k in range(1, highest + 1) for s in combinations(range(count), k))


def heads_of(sets: Sequence[ModalitySet]) -> tuple[Head, ...]:
    """Every member of every set, set by set."""
    return tuple((i, s) for s in sets for i in s)


@dataclass(frozen=True)
class Weighing:
    """How strongly agreement and exclusion count beside the squared error of a target of sd 1."""

    exclusion: float = 1.0  # λ, which also weighs agreement
    agreement: float = 1.0  # w, in times of λ


@dataclass(frozen=True)
class System:
    """The quadratic of B weightings of the samples: `matrix` [B, H, H] without the ridge."""

    matrix: Array
    columns: npt.NDArray[np.int64]  # [H]: the component that each row's weight multiplies
    heads: tuple[Head, ...]
    parts: tuple[slice, ...]  # rows of each head
    width: int  # R, the number of components

    @cached_property
    def spread(self) -> Array:
        """[H, R]: 1 where a row belongs to a component; its transpose sums over heads."""
        return np.asarray(self.columns[:, None] == np.arange(self.width), dtype=np.float64)

    def ridged(self, ridge: float) -> Array:
        """The matrix with the ridge on each modality's total and the small one on every head."""
        matrix = self.matrix + ridge * (self.columns[:, None] == self.columns[None, :])
        at = np.arange(matrix.shape[-1])
        matrix[:, at, at] += HEAD_RIDGE
        return np.asarray(matrix)


def system(moments: Moments, sets: Sequence[ModalitySet], weighing: Weighing) -> System:
    """Assemble prediction, exclusion and agreement (docs/method.md, Exclusive contributions)."""
    heads = heads_of(sets)
    m = len(moments.widths)
    ends = np.cumsum([0] + [moments.widths[i] for i, _ in heads])
    parts = tuple(slice(int(a), int(b)) for a, b in pairwise(ends))
    columns = np.concatenate([np.arange(moments.gram.shape[-1])[moments.part(i)] for i, _ in heads])
    matrix = moments.gram[:, columns[:, None], columns[None, :]]
    lam, agree = weighing.exclusion, weighing.exclusion * weighing.agreement
    place = {head: a for a, head in enumerate(heads)}
    for a, (i, s) in enumerate(heads):
        row = parts[a]
        for k in range(m):
            if k not in s:
                matrix[:, row, row] += lam * moments.derivable[i, k]
        for j in s:
            if j != i:
                matrix[:, row, row] += agree * moments.own[i, j]
                matrix[:, row, parts[place[j, s]]] -= agree * moments.cross[i, j]
    return System(matrix, columns, heads, parts, moments.gram.shape[-1])


def solve(system: System, right: Array, ridge: float) -> Array:
    """Weights [B, H, c] of a squared error; `right` [B, R, c] is the inputs' moment with y."""
    return np.asarray(np.linalg.solve(system.ridged(ridge), right[:, system.columns]))
