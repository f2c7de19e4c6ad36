"""The convex problem whose solution are exclusive contributions, and its solvers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    derivable = {(i, k): known_of(moments, i, k) for i in range(m) for k in range(m) if i != k}
    place = {head: a for a, head in enumerate(heads)}
    for a, (i, s) in enumerate(heads):
        row = parts[a]
        for k in range(m):
            if k not in s:
                matrix[:, row, row] += lam * derivable[i, k]
        for j in s:
            if j != i:
                matrix[:, row, row] += agree * moments.own[i, j]
                matrix[:, row, parts[place[j, s]]] -= agree * moments.cross[i, j]
    return System(matrix, columns, heads, parts)


def known_of(moments: Moments, one: int, other: int) -> Array:
    """The form θ ↦ variance of `one`'s contribution that `other` can derive, [B, r, r].

    A linear function of q directions explains q / n of anything's variance by chance. In the
    canonical directions of the two modalities, with squared correlations ρ², what is counted is
    max(ρ² − q / n, 0) / (1 − q / n): the adjusted R² of each direction, never below zero. So the
    form is positive semidefinite, and the problem convex, for any data.
    """
    own = moments.own[one, other]
    q = moments.known[other]
    cross = moments.cross[one, other][:, :, :q]
    known = moments.own[other, one][:, :q, :q]
    chance = np.minimum(q / np.maximum(moments.effective[one, other], 1.0), 0.95)
    left = np.linalg.cholesky(_floored(own))
    right = np.linalg.cholesky(_floored(known))
    # In coordinates in which both sides have unit variance, singular values are canonical
    # correlations (Hotelling, 1936).
    half = np.linalg.solve(left, cross)
    whitened = np.linalg.solve(right, half.swapaxes(-1, -2)).swapaxes(-1, -2)
    vectors, sizes, _ = np.linalg.svd(whitened, full_matrices=False)
    kept = np.maximum(sizes**2 - chance[:, None], 0.0) / (1 - chance[:, None])
    turned = left @ (vectors * np.sqrt(kept)[:, None, :])
    return np.asarray(turned @ turned.swapaxes(-1, -2))


def _floored(gram: Array) -> Array:
    """A moment matrix with a small ridge, so that it can be factorised."""
    size = np.trace(gram, axis1=-2, axis2=-1) / max(gram.shape[-1], 1)
    return np.asarray(gram + (1e-8 * size + 1e-12)[:, None, None] * np.eye(gram.shape[-1]))


def solve(system: System, right: Array, ridge: float) -> Array:
    """Weights [B, H, c] of a squared error; `right` [B, R, c] is the inputs' moment with y."""
    return np.asarray(np.linalg.solve(system.ridged(ridge), right[:, system.columns]))


def totals(system: System, weights: Array, width: int) -> Array:
    """Weights of each component in the prediction, summed over sets, [B, R, c]."""
    total = np.zeros((weights.shape[0], width, weights.shape[2]))
    for part in system.parts:
        total[:, system.columns[part]] += weights[:, part]
    return total
