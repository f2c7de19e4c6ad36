"""A run's models solved again at once: without some samples, or with another λ."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.exclusive.fold import FoldProblem, Solution
from smurf_core.exclusive.problem import ModalitySet, Weighing
from smurf_core.exclusive.redone import prepared_again, terms_of_heads
from smurf_core.exclusive.sources import Rotated
from smurf_core.fold_label import fold_label
from smurf_core.results import RunResult
from smurf_core.terms import Term

Mask = npt.NDArray[np.bool_]
_LEAST = 0.5  # share of a fold's training samples that must be left


@dataclass(frozen=True)
class _Fold:
    problem: FoldProblem
    sets: tuple[ModalitySet, ...]
    ridge: float
    weight: float  # λ of the run
    base: Solution
    source: Rotated  # of the samples that this fold's model explains
    said: npt.NDArray[np.float64]  # their contributions by `base`
    terms: tuple[Term, ...]  # in the order of the solution's heads
    target_sd: float
    rows: npt.NDArray[np.int64]  # of the run's contributions, which this fold's model explains


@dataclass(frozen=True)
class SolvableRun:
    """The folds of a run that is solved, ready to be solved again; `solvable_run` makes it.

    Scales, components, hidden units, sets and ridge stay those of the run, so an answer takes
    milliseconds. A run that is trained anew may choose others.
    """

    contributions: Contributions  # the run's own, [n]
    tested: npt.NDArray[np.int64]  # sample of the data set of each, [n]
    folds: tuple[_Fold, ...]

    @property
    def weights(self) -> tuple[float, ...]:
        """λ of each fold in the run."""
        return tuple(fold.weight for fold in self.folds)

    def again(self, left_out: Mask | None = None, weight: float | None = None) -> Contributions:
        """Contributions of the samples that are left, by models that never saw the others.

        Parameters
        ----------
        left_out
            [N] mask of the data set's samples, which neither train nor are explained.
        weight
            λ in place of that of every fold.

        Returns
        -------
        Contributions
            In the order of the run's own, out of fold as they are.

        Raises
        ------
        InputError
            If λ is negative, or a fold would keep less than half of its training samples.
        """
        if weight is not None and not 0 <= weight < np.inf:
            raise InputError(f"λ must be a number of 0 or more, and {weight:g} is not.")
        values = self.contributions.values.copy()
        baseline = self.contributions.baseline.copy()
        place = {term: t for t, term in enumerate(self.contributions.terms)}
        for k, fold in enumerate(self.folds):
            weighing = Weighing(fold.weight if weight is None else weight)
            weights = None
            if left_out is not None and left_out.any():
                training = fold.problem.training
                if (training & ~left_out).sum() < _LEAST * training.sum():
                    raise InputError(
                        f"Fold {fold_label(k)} would keep less than half of its training samples: "
                        "leave out fewer."
                    )
                weights = (~left_out)[None].astype(np.float64)
            found = fold.problem.solve(fold.sets, fold.ridge, weighing, weights, fold.base)
            moved = found.contributions(fold.source) - fold.said
            for t, term in enumerate(fold.terms):
                values[fold.rows, place[term]] += moved[:, t] * fold.target_sd
            baseline[fold.rows] += (found.offset - fold.base.offset)[0] * fold.target_sd
        everything = replace(self.contributions, values=values, baseline=baseline)
        if left_out is None:
            return everything
        return everything.select(~left_out[self.tested])


def solvable_run(result: RunResult, dataset: MultimodalDataset) -> SolvableRun:
    """Prepare every fold of a run of a kind that is solved.

    Where the run follows bent relations by functions, these are taken from the weights of the
    model's outputs (`smurf_core.exclusive.redone`).

    Parameters
    ----------
    result, dataset
        A run, and its data.

    Raises
    ------
    InputError
        If the kind of model is not solved.
    """
    if not result.config.kind.is_solved:
        raise InputError(
            f"{result.config.kind.title} is trained and not solved: train it again without the "
            "samples, or choose another kind of model."
        )
    own = result.contributions()
    tested = dataset.positions(own.sample_ids)
    folds = []
    for k, fold in enumerate(result.fold_results):
        prepared, sets = prepared_again(result, dataset, k)
        setting = fold.member.configuration
        problem = prepared.problem
        base = problem.solve(sets, setting.weight_decay, Weighing(setting.auxiliary_weight))
        rows = np.flatnonzero(own.folds == k)
        source = problem.source.rows(tested[rows])
        folds.append(
            _Fold(
                problem=problem,
                sets=sets,
                ridge=setting.weight_decay,
                weight=setting.auxiliary_weight,
                base=base,
                source=source,
                said=base.contributions(source),
                terms=terms_of_heads(result.modalities, base),
                target_sd=prepared.scaler.target_sd,
                rows=rows,
            )
        )
    return SolvableRun(own, tested, tuple(folds))
