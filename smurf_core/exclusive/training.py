"""A run of exclusive contributions: every fold solved, sets chosen, refitted to other persons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.configuration import Configuration, RunConfig, layers_label
from smurf_core.data.dataset import Folds, MultimodalDataset
from smurf_core.exclusive.bent import Functions, bent_functions, extended, hidden_layer
from smurf_core.exclusive.fold import FoldProblem, Solution
from smurf_core.exclusive.preparing import PreparedFold, fold_inputs, prepare
from smurf_core.exclusive.problem import Head, ModalitySet, Weighing, all_sets
from smurf_core.exclusive.sets import Found, best_ridge, who_shares
from smurf_core.exclusive.sources import Rotated
from smurf_core.fitted import FittedModel, Layer, Tower
from smurf_core.precision import compact
from smurf_core.refits import Refits, person_weights, refits_of
from smurf_core.results import FittedMember, FoldResult
from smurf_core.statistics.correlation import pearson_r
from smurf_core.statistics.persons import person_codes
from smurf_core.terms import Term, subset_name

Array = npt.NDArray[np.float64]
# Called with what is being done and how much of the whole is done, from 0 to 1.
Report = Callable[[str, float], None]

# All sets are offered up to so many modalities; beyond, sets of up to three, and larger ones where
# a modality derives what a smaller set says.
ALL_ORDERS = 4
HIGHEST_BEYOND = 3
_DRAWS_FOR_SETS = 40
# Losses that differ by less are alike: on data that can be predicted perfectly, their standard
# error is next to zero.
_ALIKE = 5e-4
# What bent functions may cost in prediction, as a share of the loss.
_LITTLE = 0.02


@dataclass(frozen=True)
class Solved:
    """What a run of exclusive contributions found."""

    fold_results: tuple[FoldResult, ...]
    sharing: pd.DataFrame
    refits: Refits | None  # nothing where fewer than two were asked for


@dataclass(frozen=True)
class _Candidate:
    """A layer setting and λ, solved in all folds."""

    layers: tuple[int, ...]
    lam: float
    folds: list[PreparedFold]
    found: Found
    ridges: list[float]  # of each fold
    solutions: list[Solution]  # of each fold

    @cached_property
    def losses(self) -> list[Array]:
        """Of the validation samples of each fold."""
        pairs = zip(self.folds, self.solutions, strict=True)
        return [fold.problem.losses(solution) for fold, solution in pairs]


def solve_run(
    dataset: MultimodalDataset,
    config: RunConfig,
    folds: Folds,
    towers: Mapping[tuple[int, ...], Sequence[FittedModel]],
    report: Report,
) -> Solved:
    """Solve all folds for every layer setting and λ of the grid, and refit the best.

    Parameters
    ----------
    dataset, config, folds
        As `smurf_core.training.run.train_run` has them.
    towers
        Layer setting → the late-fusion models of all folds, whose last hidden layers and features
        contributions are linear in. Nothing is needed for `()`, the features alone.
    report
        For progress; may raise to stop.

    Returns
    -------
    Solved
        Of the layer setting and λ that predict best on the validation samples of all folds; of
        several λ that predict equally well, the largest.
    """
    candidates: list[_Candidate] = []
    draws = person_weights(
        dataset.persons, len(dataset), draws=_DRAWS_FOR_SETS, seed=config.seed + 1
    )
    settings = config.grid.hidden_layers
    for k, layers in enumerate(settings):
        where = f"sets, {layers_label(layers)}"

        def part(done: float, k: int = k, where: str = where) -> None:
            report(where, 0.6 * (k + done) / len(settings))

        part(0.0)
        fitted = [
            prepare(dataset, config, folds, f, towers[layers][f] if layers else None)
            for f in range(len(folds))
        ]
        candidates += _candidates(dataset, config, fitted, layers, draws, part)
    losses = [np.concatenate(each.losses) for each in candidates]
    best = _chosen(losses, [each.lam for each in candidates])
    if not candidates[best].layers and not config.kind.explains_outputs:
        report("bent relations", 0.6)
        following = followed(dataset, config, candidates[best].folds, candidates[best].solutions)
        if following:
            more = _candidates(dataset, config, following, (), draws, lambda _: None)
            best = _better(candidates, best, more)
            candidates += more
    chosen = candidates[best]
    results = tuple(_fold_result(dataset, config, k, candidates, best) for k in range(len(folds)))
    report("refits", 0.65)
    # The spread of fewer than two is not known.
    asked = config.refits > 1
    refits = _refit(dataset, config, folds, chosen, results, report) if asked else None
    report("refits", 1.0)
    return Solved(results, _sharing(dataset, chosen.found), refits)


def _candidates(
    dataset: MultimodalDataset,
    config: RunConfig,
    folds: list[PreparedFold],
    layers: tuple[int, ...],
    draws: Array,
    report: Callable[[float], None],
) -> list[_Candidate]:
    """The sets that are there, and the solution of every λ."""
    m, lambdas = len(dataset.modalities), config.grid.auxiliary_weights
    # The sets are those that agree where agreement counts most. Of classes, scores of zero
    # and one are regressed on: the same directions (Hastie et al., 1994), much faster.
    found = who_shares(
        [replace(f.problem, is_classes=False) for f in folds],
        all_sets(m, config.largest_set or (m if m <= ALL_ORDERS else HIGHEST_BEYOND)),
        Weighing(max(lambdas)),
        weights=draws,
        persons=person_codes(dataset.persons, len(dataset)),
        grows=not config.largest_set,
        report=report,
    )
    candidates = []
    for lam in lambdas:
        pairs = [best_ridge(f.problem, found.sets, Weighing(lam)) for f in folds]
        ridges, solutions = [ridge for ridge, _ in pairs], [solution for _, solution in pairs]
        candidates.append(_Candidate(layers, lam, folds, found, ridges, solutions))
    return candidates


def followed(
    dataset: MultimodalDataset,
    config: RunConfig,
    folds: Sequence[PreparedFold],
    solutions: Sequence[Solution],
) -> list[PreparedFold]:
    """Folds that are linear in the features, with functions that follow bent relations.

    An empty list where lines are enough.
    """
    inputs = [fold_inputs(dataset, f.scaler, config, f.problem.training) for f in folds]
    needed = bent_functions([fold.problem for fold in folds], solutions, inputs, dataset.persons)
    if not any(needed[0]):
        return []
    return [_with_functions(*each) for each in zip(folds, inputs, needed, strict=True)]


def _with_functions(
    fold: PreparedFold,
    inputs: Mapping[str, npt.NDArray[np.floating]],
    needed: Sequence[Functions | None],
) -> PreparedFold:
    problem = fold.problem
    layers = {
        name: hidden_layer(functions, values.shape[1])
        for (name, values), functions in zip(inputs.items(), needed, strict=True)
    }
    return replace(
        fold,
        problem=replace(problem, source=extended(problem.source, inputs, needed, problem.training)),
        hidden={name: (layer,) for name, layer in layers.items()},
        scales={
            name: np.append(np.ones(len(layers[name].bias)), scale)
            for name, scale in fold.scales.items()
        },
    )


def _better(candidates: list[_Candidate], best: int, more: list[_Candidate]) -> int:
    """The place of the best that follows bent relations, behind all; as before if it is worse."""
    losses = [np.concatenate(each.losses) for each in more]
    chosen = _chosen(losses, [each.lam for each in more])
    before = np.concatenate(candidates[best].losses)
    difference = losses[chosen] - before
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    is_worse = difference.mean() > max(2 * error, _LITTLE * before.mean())
    return best if is_worse else len(candidates) + chosen


def _chosen(losses: Sequence[Array], lambdas: Sequence[float]) -> int:
    """The setting with the lowest loss; of those within a standard error, the largest λ."""
    means = np.array([values.mean() for values in losses])
    best = int(means.argmin())
    able = [best]
    for k, values in enumerate(losses):
        difference = values - losses[best]
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        if lambdas[k] > lambdas[best] and difference.mean() <= max(error, _ALIKE):
            able.append(k)
    return max(able, key=lambda k: (lambdas[k], -means[k]))


def terms_of(modalities: Sequence[str], sets: Sequence[ModalitySet]) -> tuple[Term, ...]:
    """Every member of every set as a term, modality by modality."""
    return tuple(
        Term((modalities[i],), tuple((modalities[k],) for k in s))
        for i, s in _by_modality(len(modalities), sets)
    )


def _by_modality(count: int, sets: Sequence[ModalitySet]) -> list[Head]:
    """Every member of every set, modality by modality: the order of a model's terms."""
    return [(i, s) for i in range(count) for s in sets if i in s]


def fitted_model(
    dataset: MultimodalDataset, config: RunConfig, fold: PreparedFold, solution: Solution
) -> FittedModel:
    """The solution as a model of features: one output layer per modality."""
    names = dataset.modalities
    sets = tuple(dict.fromkeys(s for _, s in solution.heads))
    source = fold.problem.source
    towers: dict[tuple[str, ...], Tower] = {}
    for i, name in enumerate(names):
        heads = [solution.of(h)[0] for h in _by_modality(len(names), sets) if h[0] == i]
        weights = np.concatenate([source.bases[name] @ head for head in heads], axis=1).T
        # The mean is taken off in the bias, in float64: contributions are exactly centred.
        scaled = weights / fold.scales[name]
        output = Layer(scaled.astype(np.float32), -(weights @ source.means[name]))
        before = () if fold.hidden is None else fold.hidden[name]
        towers[(name,)] = (*before, output)
    offset = solution.offset[0] * fold.scaler.target_sd + fold.scaler.target_mean
    return FittedModel(
        kind=config.model,
        task=dataset.task,
        modalities=names,
        features={name: f.names for name, f in dataset.features.items()},
        outputs=dataset.outputs,
        standardisation=config.standardisation,
        scaler=fold.scaler,
        terms=terms_of(names, sets),
        towers=towers,
        baseline=compact(offset, fold.scaler.target_sd),
        reads_features=fold.hidden is not None,
    )


def _fold_result(
    dataset: MultimodalDataset,
    config: RunConfig,
    k: int,
    candidates: Sequence[_Candidate],
    best: int,
) -> FoldResult:
    chosen = candidates[best]
    fold = chosen.folds[k]
    model = fitted_model(dataset, config, fold, chosen.solutions[k])
    explained = model.contributions(
        {name: f.values for name, f in dataset.features.items()}, persons=dataset.persons
    )
    rate = config.grid.learning_rates[0]
    table = pd.DataFrame(
        [
            {
                "learning_rate": rate if each.layers else np.nan,
                "hidden_layers": layers_label(each.layers),
                "weight_decay": each.ridges[k],
                "auxiliary_weight": each.lam,
                "best_epoch": 0,
                "epochs": 0,
                "validation_objective": float(each.losses[k].mean()),
                "validation_metric": _metric(each.folds[k].problem, each.solutions[k]),
                "auxiliary_loss": np.nan,
                "factorisation_loss": np.nan,
                "is_chosen": number == best,
            }
            for number, each in enumerate(candidates)
        ]
    )
    member = FittedMember(
        configuration=Configuration(rate, chosen.layers, chosen.ridges[k], chosen.lam),
        restart=0,
        best_epoch=0,
        validation_objective=float(table["validation_objective"].iloc[best]),
        validation_metric=float(table["validation_metric"].iloc[best]),
        model=model,
        values=explained.values,
    )
    curves = pd.DataFrame(
        {"epoch": np.zeros(0, int), "training_objective": [], "validation_objective": []}
    )
    return FoldResult(fold.index, table, curves, (member,), 0)


def _metric(problem: FoldProblem, solution: Solution) -> float:
    guess, target = problem.validated(solution), problem.target[problem.validation]
    if problem.is_classes:
        return float((guess.argmax(axis=1) == target.argmax(axis=1)).mean())
    guess, target = guess - guess.mean(axis=0), target - target.mean(axis=0)
    return float(pearson_r(guess.ravel(), target.ravel()))


def _refit(
    dataset: MultimodalDataset,
    config: RunConfig,
    folds: Folds,
    chosen: _Candidate,
    results: Sequence[FoldResult],
    report: Report,
) -> Refits:
    sets, weighing = chosen.found.sets, Weighing(chosen.lam)
    weights = person_weights(dataset.persons, len(dataset), draws=config.refits, seed=config.seed)
    codes = person_codes(dataset.persons, len(dataset))
    tested_by = folds.tested_by()
    heads = chosen.solutions[0].heads
    order = [heads.index(head) for head in _by_modality(len(dataset.modalities), sets)]

    def pieces() -> Iterator[tuple[npt.NDArray[np.int64], Array, Array]]:
        for k, fold in enumerate(chosen.folds):
            rows = np.flatnonzero(tested_by == k)
            if not len(rows):
                continue
            report("refits", 0.65 + 0.35 * k / len(chosen.folds))
            problem, ridge, solution = fold.problem, chosen.ridges[k], chosen.solutions[k]
            drawn = problem.solve(sets, ridge, weighing, weights, solution)
            more = problem.solve(sets, 2 * ridge, weighing, start=solution)
            factor = np.sqrt(problem.widening(sets, ridge, weighing, codes)) * fold.scaler.target_sd
            # 2,000 samples at once bound the memory at any size of the study.
            for first in range(0, len(rows), 2_000):
                some = rows[first : first + 2_000]
                source: Rotated = problem.source.rows(some)
                base = solution.contributions(source)[:, order]
                values = drawn.all_contributions(source)[:, :, order] - base
                shrunk = (base - more.contributions(source)[:, order]) * fold.scaler.target_sd
                yield some, base * fold.scaler.target_sd + values * factor, shrunk

    stacked = np.stack([r.member.values for r in results])
    rows = np.flatnonzero(tested_by >= 0)
    return refits_of(
        stacked[tested_by[rows], rows].astype(np.float64),
        tested_by[rows],
        None if dataset.persons is None else dataset.persons[rows],
        weights[:, rows],
        ((np.searchsorted(rows, some), drawn, bias) for some, drawn, bias in pieces()),
    )


def _sharing(dataset: MultimodalDataset, found: Found) -> pd.DataFrame:
    """Every set that was offered: what its members agree on, and whether it is there.

    Returns
    -------
    DataFrame
        sharers (joined as `subset_name` does), size, agreement (lowest r of two members on
        validation samples), share (of the prediction's variance there), known_to_others (r of
        its members with what another modality derives of them), probability, is_there,
        unique_known (of the run, the same in all rows: mean r of unique contributions with what
        other modalities derive of them).
    """
    columns = [
        "sharers", "size", "agreement", "share", "known_to_others", "probability", "is_there",
        "unique_known",
    ]  # fmt: skip
    rows = [
        (
            subset_name(dataset.modalities[k] for k in s),
            len(s),
            seen.agreement,
            seen.share,
            seen.known,
            seen.probability,
            seen.is_there,
            found.unique_known,
        )
        for s, seen in sorted(found.evidence.items(), key=lambda item: (len(item[0]), item[0]))
    ]
    return pd.DataFrame(rows, columns=columns)
