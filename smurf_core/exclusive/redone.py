"""The refits of a stored run, made again: weights of outputs under other weights of persons.

A run stores how far each sample's contributions vary over its refits, not the refits. A question
about something else, such as the mean contribution at some value of a feature, needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.exclusive.fold import Solution
from smurf_core.exclusive.preparing import prepare
from smurf_core.exclusive.problem import Weighing
from smurf_core.refits import person_weights
from smurf_core.results import RunResult
from smurf_core.terms import Term

Array = npt.NDArray[np.float64]
DRAWS = 40


@dataclass(frozen=True)
class RefittedFold:
    """One fold's model and its refits, for means of what its outputs read.

    Parameters
    ----------
    scales, means, bases
        Modality → how what an output reads [n, h] becomes components: `(units / scale − mean) @
        basis`.
    base, drawn, more
        The fold's solution, those of the draws, and that of twice the ridge.
    terms
        Terms in the order of the solutions' heads.
    factor, target_sd
        From deviations of refits, and from the scaled target, to the target's unit.
    """

    scales: Mapping[str, Array]
    means: Mapping[str, Array]
    bases: Mapping[str, Array]
    base: Solution
    drawn: Solution
    more: Solution
    terms: tuple[Term, ...]
    factor: float
    target_sd: float

    def values(self, modality: str, units: Array, term: Term) -> Array:
        """Contributions of the fold's solution, [g, c], to units [g, h] of a modality."""
        return np.asarray(self._of(self.base, modality, units, term)[0] * self.target_sd)

    def deviations(self, modality: str, units: Array, term: Term) -> Array:
        """What refits say beyond the fold's solution, [B, g, c], in the target's unit."""
        base = self._of(self.base, modality, units, term)
        return (self._of(self.drawn, modality, units, term) - base) * self.factor

    def shrunk(self, modality: str, units: Array, term: Term) -> Array:
        """How far the ridge is thought to shrink them, [g, c] (`smurf_core.refits.refits_of`)."""
        base = self._of(self.base, modality, units, term)
        more = self._of(self.more, modality, units, term)
        return np.asarray((base - more)[0] * self.target_sd)

    def _of(self, solution: Solution, modality: str, units: Array, term: Term) -> Array:
        components = (units / self.scales[modality] - self.means[modality]) @ self.bases[modality]
        at = self.terms.index(term)
        weights = solution.weights[:, solution.parts[at]]
        return np.asarray(components @ weights - solution.centres[:, None, at])


def refitted_folds(
    result: RunResult, dataset: MultimodalDataset, *, draws: int = DRAWS
) -> tuple[RefittedFold, ...]:
    """Refit the outputs of every fold's model to reweighted persons, as training did.

    Ridge, λ, sets and hidden units are those of the run. Where it follows bent relations by
    functions, outputs are refitted on all functions and features, not only on the directions of
    them that training kept: their intervals are a little wider.

    Parameters
    ----------
    result, dataset
        A run of a kind that is solved (`RunResult.refits` is there), and its data.
    draws
        Number of refits; the first ones of those that the run was trained with.

    Returns
    -------
    tuple of RefittedFold
        In the order of the folds.

    Raises
    ------
    InputError
        If the run has no refits.
    """
    if result.refits is None:
        raise InputError(f"{result.config.kind.title} has no refits: choose another kind of model.")
    weights = person_weights(dataset.persons, len(dataset), draws=draws, seed=result.config.seed)
    found = []
    for k, fold in enumerate(result.fold_results):
        model, setting = fold.model, fold.member.configuration
        towers = replace(model, reads_features=False) if model.reads_features else None
        prepared = prepare(dataset, result.config, result.folds, k, towers)
        problem, weighing = prepared.problem, Weighing(setting.auxiliary_weight)
        names = model.modalities
        sets = tuple(
            dict.fromkeys(tuple(names.index(s[0]) for s in term.sharers) for term in model.terms)
        )
        ridge = setting.weight_decay
        base = problem.solve(sets, ridge, weighing)
        source = problem.source
        widening = float(np.sqrt(problem.widening(sets, ridge, weighing)))
        found.append(
            RefittedFold(
                scales=prepared.scales,
                means=source.means,
                bases=source.bases,
                base=base,
                drawn=problem.solve(sets, ridge, weighing, weights, base),
                more=problem.solve(sets, 2 * ridge, weighing, start=base),
                terms=tuple(
                    Term((names[i],), tuple((names[j],) for j in s)) for i, s in base.heads
                ),
                factor=widening * prepared.scaler.target_sd,
                target_sd=prepared.scaler.target_sd,
            )
        )
    return tuple(found)
