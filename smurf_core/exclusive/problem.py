"""The convex problem whose solution are exclusive contributions, and its solvers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used, after the first paint

from smurf_core.exclusive.sources import Moments

Array = npt.NDArray[np.float64]
ModalitySet = tuple[int, ...]  # positions of the modalities that share, ascending
Head = tuple[int, ModalitySet]  # who contributes, as a member of which set

# The ridge of every head, beside that of a modality's total. A larger one would spread a
# factor over all heads of a modality; this one only makes the solution unique.
HEAD_RIDGE = 1e-4
# And so many times its own cost: of features whose size is 1e5, the ridge alone would be lost.
_ROUNDING = 1e-10
# Below this size, all matrices are inverted in one call: factors one by one take longer.
_SMALL = 20


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
class Penalties:
    """What exclusion and agreement cost the members of any set, for B weightings of the samples.

    A set's cost depends on its own weights alone, so that each set is inverted once, whatever
    other sets, ridges and targets it is solved with.
    """

    moments: Moments
    weighing: Weighing
    _inverses: dict[ModalitySet, Array] = field(default_factory=dict)

    def rows(self, part: slice) -> Penalties:
        """Of some of the weightings."""
        return Penalties(self.moments.rows(part), self.weighing)

    def form(self, s: ModalitySet) -> Array:
        """The quadratic form of a set's members, one after the other, [B, h, h]."""
        moments, lam = self.moments, self.weighing.exclusion
        agree = lam * self.weighing.agreement
        outside = [k for k in range(len(moments.widths)) if k not in s]
        ends = np.cumsum([0, *(moments.widths[i] for i in s)])
        rows = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        form = np.zeros((len(moments.gram), ends[-1], ends[-1]))
        for i, row in zip(s, rows, strict=True):
            for k in outside:
                form[:, row, row] += lam * moments.derivable[i, k]
            for j, column in zip(s, rows, strict=True):
                if j != i:
                    form[:, row, row] += agree * moments.own[i, j]
                    form[:, row, column] -= agree * moments.cross[i, j]
        return form

    def inverse(self, s: ModalitySet) -> Array:
        """The inverse of a set's form with the small ridge, [B, h, h]."""
        if s not in self._inverses:
            form = self.form(s)
            at = np.arange(form.shape[-1])
            form[:, at, at] += HEAD_RIDGE + _ROUNDING * form[:, at, at]
            self._inverses[s] = inverses(form)
        return self._inverses[s]


def inverses(forms: Array) -> Array:
    """Of positive definite matrices [B, h, h], by Cholesky factors: a third of the work."""
    if forms.shape[-1] < _SMALL:
        return _scaled_inverses(forms)
    found = np.empty_like(forms)
    for k, form in enumerate(forms):
        factor, is_not = scipy.linalg.lapack.dpotrf(form.T, lower=1)
        if is_not:  # Rounding can take a form that is next to singular below zero.
            found[k] = _scaled_inverses(form)
            continue
        lower = scipy.linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)[0]
        np.add(lower, lower.T, out=found[k])
        np.fill_diagonal(found[k], np.diagonal(lower))
    return found


def _scaled_inverses(forms: Array) -> Array:
    """In units of each row's own size, so that features of any scale keep their digits."""
    unit = 1 / np.sqrt(np.diagonal(forms, axis1=-2, axis2=-1))
    unit = unit[..., :, None] * unit[..., None, :]
    return np.asarray(np.linalg.inv(forms * unit) * unit)


class System:
    """The quadratic of some sets, for B weightings of the samples.

    Let A be the sets' forms with the small ridge, block by block, S the matrix that sums a
    modality's heads, and G the inputs' moments. The weights that sum to totals t at the lowest
    cost are A⁻¹ S V⁻¹ t with V = Sᵀ A⁻¹ S, and cost tᵀ V⁻¹ t. So the solution is found in totals,
    whose number does not depend on the number of sets (Woodbury): (A + S (G + ridge) Sᵀ) θ = S b
    is solved by θ = A⁻¹ S u with (1 + (G + ridge) V) u = b.
    """

    def __init__(self, penalties: Penalties, sets: Sequence[ModalitySet]) -> None:
        moments = penalties.moments
        self.gram = moments.gram  # [B, R, R]
        self._part_of = moments.part
        self.heads = heads_of(sets)
        ends = np.cumsum([0] + [moments.widths[i] for i, _ in self.heads])
        self.parts = tuple(slice(int(a), int(b)) for a, b in pairwise(ends))  # rows of each head
        self._inverses = [penalties.inverse(s) for s in sets]
        # [h] of each set: the component that each row's weight multiplies.
        self._columns = [np.concatenate([np.r_[moments.part(i)] for i in s]) for s in sets]
        self.flexibility = np.zeros(self.gram.shape)  # V, [B, R, R]
        for s, inverse in zip(sets, self._inverses, strict=True):
            ends = np.cumsum([0, *(moments.widths[i] for i in s)])
            for i, (a, b) in zip(s, pairwise(ends), strict=True):
                for j, (c, d) in zip(s, pairwise(ends), strict=True):
                    self.flexibility[:, moments.part(i), moments.part(j)] += inverse[:, a:b, c:d]

    def kernel(self, ridge: Array) -> Array:
        """[B, R, R]: from the inputs' moments with the target to the totals; `ridge` is [B]."""
        size, matrix = self._with_gram(ridge)
        prices = size * np.linalg.solve(matrix, np.eye(matrix.shape[-1]) / size)
        return np.asarray(self.flexibility @ prices)

    def solve(self, right: Array, ridge: Array) -> Array:
        """Weights [B, H, c] of a squared error; `right` [B, R, c] is the inputs' moment with y."""
        size, matrix = self._with_gram(ridge)
        prices: Array = size * np.linalg.solve(matrix, right / size)
        return self._spread(prices)

    def of_totals(self, totals: Array) -> Array:
        """The weights [B, H, c] of the lowest cost that sum to totals [B, R, c]."""
        prices: Array = np.asarray(np.linalg.solve(self.flexibility, totals))
        return self._spread(prices)

    def totals(self, weights: Array) -> Array:
        """The sums [B, R, c] over heads of weights [B, H, c]."""
        found = np.zeros((len(weights), self.gram.shape[-1], weights.shape[-1]))
        for (i, _), part in zip(self.heads, self.parts, strict=True):
            found[:, self._part_of(i)] += weights[:, part]
        return found

    def _with_gram(self, ridge: Array) -> tuple[Array, Array]:
        """Sizes d [B, R, 1] of the inputs, and 1 + (G + ridge) V for prices u / d and b / d."""
        at = np.arange(self.gram.shape[-1])
        size = np.sqrt(self.gram[:, at, at] + ridge[:, None])[:, :, None]
        size = np.where(size > 0, size, 1.0)
        found = self.gram @ self.flexibility + ridge[:, None, None] * self.flexibility
        found *= size.swapaxes(1, 2) / size
        found[:, at, at] += 1
        return size, found

    def _spread(self, prices: Array) -> Array:
        """A⁻¹ S u for u [B, R, c]."""
        pairs = zip(self._inverses, self._columns, strict=True)
        return np.concatenate([inverse @ prices[:, columns] for inverse, columns in pairs], axis=1)
