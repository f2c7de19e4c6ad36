"""One training fold: solves for any sets, ridge and weights of samples; explains every sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used, after the first paint

from smurf_core.exclusive.classes import solve_classes
from smurf_core.exclusive.problem import (
    Head,
    ModalitySet,
    Penalties,
    System,
    Weighing,
)
from smurf_core.exclusive.sources import Moments, Rotated, moments, stacked
from smurf_core.statistics.persons import person_sums

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
# At most so many numbers in the matrices that are solved at once: more leave the processor's cache.
_AT_ONCE = 8e6
# Of at most so many numbers, a fold keeps its training and validation samples beside all samples.
_KEPT = 1e7


@dataclass(frozen=True)
class Solution:
    """Weights of B solves: of every head, and the constant."""

    heads: tuple[Head, ...]
    parts: tuple[slice, ...]
    weights: Array  # [B, H, c]
    offset: Array  # [B, c]: the prediction where every contribution is zero
    centres: Array  # [B, heads, c]: what is taken off, so that weighted training means are zero

    def of(self, head: Head) -> Array:
        """Weights of a head's components, [B, r, c]."""
        return self.weights[:, self.parts[self.heads.index(head)]]

    def only(self, which: int) -> Solution:
        """One of the solves."""
        some = slice(which, which + 1)
        return replace(
            self, weights=self.weights[some], offset=self.offset[some], centres=self.centres[some]
        )

    def contributions(self, source: Rotated, which: int = 0) -> Array:
        """Contributions [n, heads, c] by one of the solves, in the scaled target's unit."""
        return np.asarray(self.only(which).all_contributions(source)[0])

    def all_contributions(self, source: Rotated) -> Array:
        """Contributions [B, n, heads, c] by every solve."""
        values = list(source.values.values())
        b, heads, c = self.centres.shape
        found = np.empty((b, len(source.present), heads, c))
        for k, ((i, _), part) in enumerate(zip(self.heads, self.parts, strict=True)):
            weights = self.weights[:, part].swapaxes(0, 1)
            said = (values[i] @ weights.reshape(len(weights), b * c)).reshape(-1, b, c)
            # A modality that is absent contributes nothing.
            there = source.present[:, i, None, None]
            found[:, :, k] = (said - there * self.centres[:, k]).swapaxes(0, 1)
        return found

    def prediction(self, source: Rotated) -> Array:
        """Predictions [n, c] by the first solve."""
        found = np.repeat(self.offset[:1], len(source.present), axis=0)
        for i, values in enumerate(source.values.values()):
            mine = [k for k, (one, _) in enumerate(self.heads) if one == i]
            found += values @ sum(self.weights[0, self.parts[k]] for k in mine)
            found -= source.present[:, [i]] * self.centres[0, mine].sum(axis=0)
        return found


@dataclass(frozen=True)
class FoldProblem:
    """A fold's rotated inputs and target, to be solved again and again.

    Parameters
    ----------
    source
        All samples, turned to this fold's training samples.
    target
        [n, c]: the scaled target, or 1 for a sample's class.
    training, validation
        [n] masks.
    is_classes
        True if the target is classes.
    given
        [n, m, c]: what a given model outputs for each modality, if that is explained; the target
        is their sum. Each modality's contributions then add up to its own output.
    """

    source: Rotated
    target: Array
    training: Mask
    validation: Mask
    is_classes: bool
    given: Array | None = None

    @property
    def _trained(self) -> Rotated:
        """Of a large study, taken anew each time: those of all folds would fill the memory."""
        return self._kept_rows if self._is_kept else self.source.rows(self.training)

    @property
    def _inputs(self) -> Array:
        return self._kept_inputs if self._is_kept else stacked(self._trained)

    @property
    def tested(self) -> Rotated:
        """The validation samples."""
        return self._kept_tested if self._is_kept else self.source.rows(self.validation)

    @property
    def _is_kept(self) -> bool:
        return len(self.training) * sum(self.source.widths) <= _KEPT

    @cached_property
    def _kept_rows(self) -> Rotated:
        return self.source.rows(self.training)

    @cached_property
    def _kept_inputs(self) -> Array:
        return stacked(self._trained)

    @cached_property
    def _kept_tested(self) -> Rotated:
        return self.source.rows(self.validation)

    @cached_property
    def moments(self) -> Moments:
        """Moments of the training samples, each counted once."""
        return self._moments(self._once)

    @cached_property
    def validation_moments(self) -> Moments:
        """Moments of the validation samples, which trained nothing."""
        return moments(self.tested, np.ones((1, int(self.validation.sum()))))

    def _moments(self, weights: Array, *, single: bool = False) -> Moments:
        """Moments for weightings [B, trained] of the training samples."""
        found = moments(self._trained, weights, single=single)
        return found if self.given is None else found.separated()

    @cached_property
    def _once(self) -> Array:
        return np.ones((1, int(self.training.sum())))

    def moments_of(self, weights: Array) -> Moments:
        """Moments of the training samples for weightings [B, n] of all samples."""
        return self._moments(weights[:, self.training], single=len(weights) > 1)

    @cached_property
    def _penalties(self) -> dict[Weighing, Penalties]:
        return {}

    def penalties(self, weighing: Weighing) -> Penalties:
        """Of the training samples, each counted once."""
        if weighing not in self._penalties:
            self._penalties[weighing] = Penalties(self.moments, weighing)
        return self._penalties[weighing]

    def solve(
        self,
        sets: Sequence[ModalitySet],
        ridge: float,
        weighing: Weighing,
        weights: Array | None = None,
        start: Solution | None = None,
        known: Penalties | None = None,
    ) -> Solution:
        """The solution for B weightings [B, n]; of samples that did not train, none counts.

        `known` are the weightings' penalties, where they are used more than once.
        """
        ridges = np.array([ridge])
        if weights is None:
            return self._solve(System(self.penalties(weighing), sets), ridges, self._once, start)
        used = weights[:, self.training]
        widths = self.source.widths
        numbers = sum(sum(widths[i] for i in s) ** 2 for s in sets) + 4 * sum(widths) ** 2
        if self.is_classes:
            numbers += 4 * used.shape[1] * self.target.shape[1]
        at_once = max(1, int(_AT_ONCE / max(numbers, 1)))
        found = []
        for k in range(0, len(used), at_once):
            part = slice(k, k + at_once)
            if known is None:
                penalties = Penalties(self._moments(used[part], single=len(used) > 1), weighing)
            else:
                penalties = known if len(used) <= at_once else known.rows(part)
            many = np.repeat(ridges, len(used[part]))
            found.append(self._solve(System(penalties, sets), many, used[part], start))
        first = found[0]
        return Solution(
            first.heads,
            first.parts,
            np.concatenate([f.weights for f in found]),
            np.concatenate([f.offset for f in found]),
            np.concatenate([f.centres for f in found]),
        )

    def _solve(
        self, system: System, ridges: Array, weights: Array, start: Solution | None
    ) -> Solution:
        """For B ridges and B weightings [B, n], or one weighting [1, n] for all ridges."""
        target = self.target[self.training]
        inputs = self._inputs
        share = weights / weights.sum(axis=1, keepdims=True)
        means = share @ inputs
        if self.is_classes:
            first = None if start is None else system.totals(start.weights[:1])[0]
            close = 1e-7 if len(ridges) == 1 else 1e-4
            found, offset = solve_classes(system, ridges, inputs, target, weights, first, close)
        else:
            offset = np.repeat(share @ target, len(ridges) // len(share), axis=0)
            found = system.solve(self._right(inputs, share, means), ridges)
        # Means over the samples that have a modality: of the others, its components are zero.
        there = share @ self.source.present[self.training]
        there = np.repeat(there, self.source.widths, axis=1)
        means = means / np.where(there > 0, there, 1.0)
        centres = np.stack(
            [
                (means[:, None, self.moments.part(i)] @ found[:, part])[:, 0]
                for (i, _), part in zip(system.heads, system.parts, strict=True)
            ],
            axis=1,
        )
        return Solution(system.heads, system.parts, found, offset, centres)

    def _right(self, inputs: Array, share: Array, means: Array) -> Array:
        """Moments [B, R, c] of the inputs with what they are to predict, for B weightings."""
        target = self.target[self.training]
        if self.given is None:
            right = np.stack([(share * column) @ inputs for column in target.T], axis=-1)
            return np.asarray(right - means[:, :, None] * (share @ target)[:, None, :])
        ends = np.cumsum((0, *self.source.widths))
        found = []
        for i, (first, last) in enumerate(pairwise(ends)):
            own, mine = self.given[self.training, i], inputs[:, first:last]
            right = np.einsum("nr,bn,nc->brc", mine, share, own, optimize=True)
            found.append(right - means[:, first:last, None] * (share @ own)[:, None, :])
        return np.concatenate(found, axis=1)

    def path(
        self, sets: Sequence[ModalitySet], ridges: Sequence[float], weighing: Weighing
    ) -> list[Solution]:
        """The solution for every ridge, solved at once; of classes, up to 1e-4 of the weights."""
        system = System(self.penalties(weighing), sets)
        found = self._solve(system, np.array(ridges), self._once, None)
        return [found.only(k) for k in range(len(ridges))]

    def validated(self, solution: Solution) -> Array:
        """Predictions of the validation samples (by the first solve), [n, c]."""
        return solution.prediction(self.tested)

    def losses(self, solution: Solution) -> Array:
        """Squared error, or log loss, of every validation sample (by the first solve), [n].

        Of given outputs, the squared errors of all modalities together.
        """
        if self.given is not None:
            return self._losses_of_outputs(solution, self.given)
        guess, target = self.validated(solution), self.target[self.validation]
        if self.is_classes:
            return np.asarray(-(scipy.special.log_softmax(guess, axis=1) * target).sum(axis=1))
        return np.asarray(((guess - target) ** 2).mean(axis=1))

    def _losses_of_outputs(self, solution: Solution, given: Array) -> Array:
        rows = self.tested
        said, there = solution.contributions(rows), given[self.training]
        total = np.zeros(len(said))
        for i in range(len(self.source.widths)):
            mine = [k for k, (source, _) in enumerate(solution.heads) if source == i]
            # Contributions are centred on the training samples that have the modality.
            has, trained = rows.present[:, i], self.source.present[self.training, i]
            centre = there[trained, i].mean(axis=0) if trained.any() else 0.0
            error = said[:, mine].sum(axis=1) - (given[self.validation, i] - centre)
            total += np.where(has, (error**2).mean(axis=1), 0.0)
        return total

    def widening(
        self,
        sets: Sequence[ModalitySet],
        ridge: float,
        weighing: Weighing,
        persons: npt.NDArray[np.int64],
    ) -> float:
        """What the variance of refits is multiplied with: 1 / (1 − mean leverage of a person).

        Residuals of a fitted model are too small, and with them what reweighting persons does to
        it. A person's leverage is how far the mean of the person's samples pulls its own
        prediction. Where every sample is a person, this is n / (n − effective parameters) (Davison
        and Hinkley, 1997, section 6.2); of persons, see Bell and McCaffrey (2002). At most 3.

        Parameters
        ----------
        sets, ridge, weighing
            Of the solution.
        persons
            [n]: codes of persons of all samples.
        """
        kernel = System(self.penalties(weighing), sets).kernel(np.array([ridge]))[0]
        n = int(self.training.sum())
        _, at, sizes = np.unique(persons[self.training], return_inverse=True, return_counts=True)
        inputs = self._inputs
        means = person_sums(inputs - inputs.mean(axis=0), at) / sizes[:, None]
        leverage = sizes * (1 + np.einsum("pr,rs,ps->p", means, kernel, means, optimize=True)) / n
        return float(1 / max(1 - leverage.mean(), 1 / 3))
