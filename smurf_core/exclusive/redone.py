"""The refits of a stored run, made again: weights of outputs under other weights of persons.

A run stores how far each sample's contributions vary over its refits, not the refits. A question
about something else, such as the mean contribution at some value of a feature, needs them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.exclusive.bent import leading_functions
from smurf_core.exclusive.fold import Solution
from smurf_core.exclusive.preparing import PreparedFold, prepare
from smurf_core.exclusive.problem import ModalitySet, Weighing
from smurf_core.exclusive.sources import Rotated
from smurf_core.fitted import FittedModel
from smurf_core.refits import person_weights
from smurf_core.results import RunResult
from smurf_core.statistics.persons import person_codes
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
    functions, these are taken from the weights of the model's outputs: the spread over refits is
    then that of the training up to a few percent, otherwise exactly.

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
    codes = person_codes(dataset.persons, len(dataset))
    found = []
    for k, fold in enumerate(result.fold_results):
        setting = fold.member.configuration
        prepared, sets = prepared_again(result, dataset, k)
        problem, weighing = prepared.problem, Weighing(setting.auxiliary_weight)
        ridge = setting.weight_decay
        base = problem.solve(sets, ridge, weighing)
        source = problem.source
        widening = float(np.sqrt(problem.widening(sets, ridge, weighing, codes)))
        found.append(
            RefittedFold(
                scales=prepared.scales,
                means=source.means,
                bases=source.bases,
                base=base,
                drawn=problem.solve(sets, ridge, weighing, weights, base),
                more=problem.solve(sets, 2 * ridge, weighing, start=base),
                terms=terms_of_heads(result.modalities, base),
                factor=widening * prepared.scaler.target_sd,
                target_sd=prepared.scaler.target_sd,
            )
        )
    return tuple(found)


def prepared_again(
    result: RunResult, dataset: MultimodalDataset, fold: int
) -> tuple[PreparedFold, tuple[ModalitySet, ...]]:
    """A fold of a solved run, prepared as training did, and the sets of its model."""
    chosen = result.fold_results[fold]
    model = chosen.model
    follows = model.reads_features and not chosen.member.configuration.hidden_layers
    towers = None if follows else _units_of(model)
    prepared = prepare(dataset, result.config, result.folds, fold, towers)
    if follows:
        prepared = _following(prepared, model, dataset)
    names = model.modalities
    sets = (tuple(names.index(s[0]) for s in term.sharers) for term in model.terms)
    return prepared, tuple(dict.fromkeys(sets))


def terms_of_heads(modalities: Sequence[str], solution: Solution) -> tuple[Term, ...]:
    """Terms in the order of a solution's heads."""
    return tuple(
        Term((modalities[i],), tuple((modalities[j],) for j in s)) for i, s in solution.heads
    )


def _units_of(model: FittedModel) -> FittedModel | None:
    """The model as one that gives hidden units alone; None if its outputs read features alone."""
    return replace(model, reads_features=False) if model.reads_features else None


def _following(fold: PreparedFold, model: FittedModel, dataset: MultimodalDataset) -> PreparedFold:
    """The fold with the functions by which its model follows bent relations.

    Training used the leading directions of functions. What contributions use of them is in the
    weights of the model's outputs. Of these, what lines of the features say is taken off, and the
    rest has a standard deviation of one in training samples, as in `exclusive.bent`.
    """
    source, training = fold.problem.source, fold.problem.training
    inputs = model.inputs(
        {name: features.values for name, features in dataset.features.items()},
        persons=dataset.persons,
    )
    values, bases, known, means, scales = {}, {}, {}, {}, {}
    for i, name in enumerate(source.modalities):
        read = model.last_hidden((name,), inputs).astype(np.float64)
        d = inputs[name].shape[1]
        h = read.shape[1] - d
        there = source.present[:, i]
        mean = read[training & there].mean(axis=0)
        centred = np.where(there[:, None], read - mean, 0.0)
        mixing = np.zeros((h + d, model.towers[name,][-1].weight.shape[0]))
        mixing[:h] = model.towers[name,][-1].weight[:, :h].T
        seen = centred[training]
        mixing[h:] = -np.linalg.lstsq(seen[:, h:], seen @ mixing, rcond=None)[0]
        mixing = leading_functions(centred[training & there], mixing)
        basis, q = source.bases[name], source.known[name]
        basis = np.concatenate([np.zeros((h, basis.shape[1])), basis])
        basis = np.concatenate([basis[:, :q], mixing, basis[:, q:]], axis=1)
        values[name], bases[name], means[name] = centred @ basis, basis, mean
        known[name], scales[name] = q + mixing.shape[1], np.ones(h + d)
    extended = Rotated(values, bases, known, source.present, means)
    return replace(fold, problem=replace(fold.problem, source=extended), scales=scales)
