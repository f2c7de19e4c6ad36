"""A run of exclusive contributions: every fold solved, sets chosen, refitted to other persons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.configuration import Configuration, RunConfig, layers_label
from smurf_core.data.dataset import Folds, MultimodalDataset
from smurf_core.exclusive.fold import FoldProblem, Solution
from smurf_core.exclusive.problem import ModalitySet, Weighing, all_sets
from smurf_core.exclusive.sets import Found, who_shares
from smurf_core.exclusive.sources import Rotated, rotated
from smurf_core.fitted import FittedModel, Layer, Tower
from smurf_core.refits import Refits, person_weights, refits_of
from smurf_core.results import FittedMember, FoldResult
from smurf_core.scaling import Scaler, fit_scaler, standardise, standardised_target
from smurf_core.statistics.correlation import pearson_r
from smurf_core.terms import Term, subset_name

Array = npt.NDArray[np.float64]
# Called with what is being done and how much of the whole is done, from 0 to 1.
Report = Callable[[str, float], None]

# All sets are offered up to so many modalities; beyond, sets of up to three.
ALL_ORDERS = 4
HIGHEST_BEYOND = 3
_DRAWS_FOR_SETS = 40


@dataclass(frozen=True)
class Solved:
    """What a run of exclusive contributions found."""

    fold_results: tuple[FoldResult, ...]
    sharing: pd.DataFrame
    refits: Refits


@dataclass(frozen=True)
class _Fold:
    """One fold ready to be solved; `towers` give what the outputs read, if not the features."""

    index: int
    scaler: Scaler
    problem: FoldProblem
    towers: FittedModel | None
    scales: Mapping[str, Array]  # modality → [d]: what a unit was divided by


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
    m = len(dataset.modalities)
    offered = all_sets(m, m if m <= ALL_ORDERS else HIGHEST_BEYOND)
    candidates: list[tuple[tuple[int, ...], float, list[_Fold], Found, Array]] = []
    settings = [
        (layers, lam)
        for layers in config.grid.hidden_layers
        for lam in config.grid.auxiliary_weights
    ]
    prepared: dict[tuple[int, ...], list[_Fold]] = {}
    draws = person_weights(
        dataset.persons, len(dataset), draws=_DRAWS_FOR_SETS, seed=config.seed + 1
    )
    for k, (layers, lam) in enumerate(settings):
        where = f"sets of {layers_label(layers)}"
        report(where, 0.6 * k / len(settings))
        if layers not in prepared:
            prepared[layers] = [
                _prepare(dataset, config, folds, f, towers[layers][f] if layers else None)
                for f in range(len(folds))
            ]
        fitted = prepared[layers]

        def part(done: float, k: int = k, where: str = where) -> None:
            report(where, 0.6 * (k + done) / len(settings))

        found = who_shares(
            [f.problem for f in fitted],
            offered,
            Weighing(lam),
            weights=draws,
            report=part,
        )
        losses = np.concatenate(
            [f.problem.losses(s) for f, s in zip(fitted, found.solutions, strict=True)]
        )
        candidates.append((layers, lam, fitted, found, losses))
    best = _chosen([losses for *_, losses in candidates], [lam for _, lam, *_ in candidates])
    layers, lam, fitted, found, _ = candidates[best]
    results = tuple(
        _fold_result(dataset, config, folds, fold, found, k, layers, lam, candidates, best)
        for k, fold in enumerate(fitted)
    )
    report("refits", 0.65)
    refits = _refit(dataset, config, folds, fitted, found, lam, results, report)
    report("refits", 1.0)
    return Solved(results, _sharing(dataset, found), refits)


def _prepare(
    dataset: MultimodalDataset,
    config: RunConfig,
    folds: Folds,
    index: int,
    towers: FittedModel | None,
) -> _Fold:
    training = folds.training[index]
    scaler = fit_scaler(
        dataset,
        training,
        config.standardisation,
        target_too=config.standardises_target,
        clip=config.clip,
    )
    inputs = standardise(dataset, scaler, config.standardisation)
    present = dataset.present
    units: dict[str, npt.NDArray[np.floating]] = {}
    scales: dict[str, Array] = {}
    for i, (name, values) in enumerate(inputs.items()):
        scale = np.ones(values.shape[1])
        read = np.asarray(values, dtype=np.float64)
        if towers is not None:
            hidden = towers.last_hidden((name,), inputs).astype(np.float64)
            sd = hidden[training & present[:, i]].std(axis=0)
            sd = np.where(sd > 1e-6, sd, np.inf)  # A unit that never fires contributes nothing.
            read, scale = np.concatenate([hidden / sd, read], axis=1), np.append(sd, scale)
        units[name], scales[name] = read, scale
    target = standardised_target(dataset, scaler)
    is_classes = dataset.task == "classification"
    problem = FoldProblem(
        source=rotated(units, present, training),
        target=np.eye(len(dataset.outputs))[target]
        if is_classes
        else np.asarray(target, dtype=np.float64)[:, None],
        training=training,
        validation=folds.validation[index],
        is_classes=is_classes,
    )
    return _Fold(index, scaler, problem, towers, scales)


def _chosen(losses: Sequence[Array], lambdas: Sequence[float]) -> int:
    """The setting with the lowest loss; of those within a standard error, the largest λ."""
    means = np.array([values.mean() for values in losses])
    best = int(means.argmin())
    able = [best]
    for k, values in enumerate(losses):
        difference = values - losses[best]
        error = difference.std(ddof=1) / np.sqrt(len(difference))
        if lambdas[k] > lambdas[best] and difference.mean() <= error:
            able.append(k)
    return max(able, key=lambda k: (lambdas[k], -means[k]))


def terms_of(modalities: Sequence[str], sets: Sequence[ModalitySet]) -> tuple[Term, ...]:
    """Every member of every set as a term, modality by modality."""
    return tuple(
        Term((name,), tuple((modalities[k],) for k in s))
        for i, name in enumerate(modalities)
        for s in sets
        if i in s
    )


def _model(
    dataset: MultimodalDataset, config: RunConfig, fold: _Fold, solution: Solution
) -> FittedModel:
    names = dataset.modalities
    sets = tuple(dict.fromkeys(s for _, s in solution.heads))
    source = fold.problem.source
    towers: dict[tuple[str, ...], Tower] = {}
    for i, name in enumerate(names):
        heads = [solution.of((i, s))[0] for s in sets if i in s]  # [r, c] each
        weights = np.concatenate([source.bases[name] @ head for head in heads], axis=1).T
        # The mean is taken off in the bias, in float64: contributions are exactly centred.
        scaled = weights / fold.scales[name]
        output = Layer(scaled.astype(np.float32), -(weights @ source.means[name]))
        before = () if fold.towers is None else fold.towers.towers[(name,)][:-1]
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
        baseline=offset.astype(np.float32),
        reads_features=fold.towers is not None,
    )


def _fold_result(
    dataset: MultimodalDataset,
    config: RunConfig,
    folds: Folds,
    fold: _Fold,
    found: Found,
    k: int,
    layers: tuple[int, ...],
    lam: float,
    candidates: Sequence[tuple[tuple[int, ...], float, list[_Fold], Found, Array]],
    best: int,
) -> FoldResult:
    model = _model(dataset, config, fold, found.solutions[k])
    explained = model.contributions(
        {name: f.values for name, f in dataset.features.items()}, persons=dataset.persons
    )
    rate = config.grid.learning_rates[0]
    table = pd.DataFrame(
        [
            {
                "learning_rate": np.nan if not each[0] else rate,
                "hidden_layers": layers_label(each[0]),
                "weight_decay": each[3].ridges[k],
                "auxiliary_weight": each[1],
                "best_epoch": 0,
                "epochs": 0,
                "validation_objective": each[2][k].problem.loss(
                    each[3].solutions[k], folds.validation[k]
                ),
                "validation_metric": _metric(dataset, each[2][k], each[3].solutions[k]),
                "auxiliary_loss": np.nan,
                "factorisation_loss": np.nan,
                "is_chosen": number == best,
            }
            for number, each in enumerate(candidates)
        ]
    )
    member = FittedMember(
        configuration=Configuration(rate, layers, float(found.ridges[k]), lam),
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


def _metric(dataset: MultimodalDataset, fold: _Fold, solution: Solution) -> float:
    chosen = fold.problem.validation
    rows = fold.problem.source.rows(chosen)
    guess = solution.contributions(rows).sum(axis=1) + solution.offset[0]
    target = fold.problem.target[chosen]
    if dataset.task == "classification":
        return float((guess.argmax(axis=1) == target.argmax(axis=1)).mean())
    return float(pearson_r(guess[:, 0], target[:, 0]))


def _refit(
    dataset: MultimodalDataset,
    config: RunConfig,
    folds: Folds,
    fitted: Sequence[_Fold],
    found: Found,
    lam: float,
    results: Sequence[FoldResult],
    report: Report,
) -> Refits:
    weights = person_weights(dataset.persons, len(dataset), draws=config.refits, seed=config.seed)
    tested_by = folds.tested_by()
    order = _term_order(dataset, found)

    def pieces() -> Iterator[tuple[npt.NDArray[np.int64], Array, Array]]:
        for k, fold in enumerate(fitted):
            rows = np.flatnonzero(tested_by == k)
            if not len(rows):
                continue
            report("refits", 0.65 + 0.35 * k / len(fitted))
            problem, ridge = fold.problem, found.ridges[k]
            weighing = Weighing(lam)
            drawn = problem.solve(found.sets, ridge, weighing, weights, found.solutions[k])
            more = problem.solve(found.sets, 2 * ridge, weighing, start=found.solutions[k])
            factor = np.sqrt(problem.widening(found.sets, ridge, weighing)) * fold.scaler.target_sd
            # 2,000 samples at once bound the memory at any size of the study.
            for first in range(0, len(rows), 2_000):
                some = rows[first : first + 2_000]
                source: Rotated = problem.source.rows(some)
                base = found.solutions[k].contributions(source)[:, order]
                values = np.stack(
                    [drawn.contributions(source, b)[:, order] - base for b in range(len(weights))]
                )
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


def _term_order(dataset: MultimodalDataset, found: Found) -> list[int]:
    """Positions of the terms of `terms_of` among a solution's heads."""
    heads = found.solutions[0].heads
    return [
        heads.index((i, s)) for i in range(len(dataset.modalities)) for s in found.sets if i in s
    ]


def _sharing(dataset: MultimodalDataset, found: Found) -> pd.DataFrame:
    """Every set that was offered: what its members agree on, and whether it is there.

    Returns
    -------
    DataFrame
        sharers (joined as `subset_name` does), size, agreement (r of its members on validation
        samples), share (of the prediction's variance there), probability, is_there.
    """
    return pd.DataFrame(
        [
            {
                "sharers": subset_name(dataset.modalities[k] for k in s),
                "size": len(s),
                "agreement": seen.agreement,
                "share": seen.share,
                "probability": seen.probability,
                "is_there": seen.is_there,
            }
            for s, seen in sorted(found.evidence.items(), key=lambda item: (len(item[0]), item[0]))
        ],
        columns=["sharers", "size", "agreement", "share", "probability", "is_there"],
    )
