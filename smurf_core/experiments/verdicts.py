"""How often verdicts are wrong and intervals miss, measured on simulated studies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeVar

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.configuration import RunConfig
from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.generated.families import (
    FAMILIES,
    NOISE_FREE,
    SAMPLES,
    shared_factor,
    simulate,
)
from smurf_core.data.generated.family import Family
from smurf_core.data.generated.synthetic import derived_factor
from smurf_core.evaluation.gate import gate
from smurf_core.evaluation.redundancy import centred_terms, variance_shares
from smurf_core.evaluation.verdicts import verdicts
from smurf_core.exclusive.preparing import prepare
from smurf_core.exclusive.problem import Weighing
from smurf_core.exclusive.sets import UNIQUE_KNOWN
from smurf_core.exclusive.training import fitted_model, followed
from smurf_core.explained import explained
from smurf_core.refits import critical
from smurf_core.reporting.sharing import unique_known
from smurf_core.results import RunResult
from smurf_core.statistics.folds import centred_within
from smurf_core.training.run import train_run

Array = npt.NDArray[np.float64]
T = TypeVar("T")

_POPULATION = 30_000  # samples that stand for all
# A contribution with a recovery below this is wrong, also where nothing is to be found.
WRONG, WEAK, FOUND = 0.8, 0.9, 0.95


@dataclass(frozen=True)
class Study:
    """One simulated study: what was found of each contribution, and of the study."""

    family: str
    samples: int
    seed: int
    is_kept: bool
    terms: pd.DataFrame
    is_open: bool  # the gate
    exact: bool  # exactly the true sets
    extra: bool  # a set that is not there
    redundant: float  # share that is shared by several modalities
    is_stated: bool  # a total of what is shared: unique contributions do not correlate
    redundant_true: float
    redundant_error: float  # half of the interval
    prediction: float


def measure_verdicts(
    *,
    families: Sequence[str] = tuple(FAMILIES),
    samples: Sequence[int] = SAMPLES,
    seeds: int = 10,
    first_seed: int = 0,
    jobs: int = 1,
) -> Iterator[Study]:
    """Explain studies whose truth is known, in the order of families, sizes and seeds."""
    numbers = range(first_seed, first_seed + seeds)
    yield from _of_each(explain_study, product(families, samples, numbers), jobs)


def _of_each(
    measure: Callable[[str, int, int], T], studies: Iterable[tuple[str, int, int]], jobs: int
) -> Iterator[T]:
    work = (joblib.delayed(measure)(*study) for study in studies)
    yield from joblib.Parallel(n_jobs=jobs, return_as="generator")(work)


def explain_study(name: str, samples: int, seed: int) -> Study:
    """Simulate a study, run the exclusive kind on it, and compare with what is true.

    The truth of a contribution is what its modality can see of the factor (recovery is Pearson's
    r with it). The truth of sizes, shares and single samples is the same model on 30,000 samples
    of the same population, with the sets that the study found and hardly any ridge.
    """
    family = {**FAMILIES, **NOISE_FREE}[name]
    dataset = simulate(name, samples=samples, seed=seed)
    config = RunConfig.from_preset("quick", "exclusive", clip=5.0, seed=seed, refits=100)
    result = train_run(dataset, config)
    found = explained(result, dataset)
    contributions = found.contributions
    table = verdicts(result, found)
    table["recovery"] = recoveries(contributions, dataset)
    model = _population(name, result, dataset, seed)
    truth = model.identified_terms()[dataset.positions(contributions.sample_ids)]
    assert result.refits is not None  # noqa: S101 — for the type checker
    half_widths = critical(result.refits.persons) * result.refits.spread
    inside = np.abs(contributions.identified_terms() - truth) <= half_widths
    table["samples_inside"] = inside.mean(axis=(0, 2))
    ours, theirs = map(_shares, (contributions, model))
    half = result.refits.half_width(result.refits.shares[:, :, 0])
    table["share"], table["share_true"], table["share_error"] = ours, theirs, half
    is_shared = np.array([not term.is_unique for term in contributions.terms], dtype=bool)
    got = {
        "".join(sorted(name for s in term.sharers for name in s))
        for term in contributions.terms
        if not term.is_unique
    }
    redundant = result.refits.shares[:, is_shared, 0].sum(axis=1)
    return Study(
        family=name,
        samples=samples,
        seed=seed,
        is_kept=family.is_kept,
        terms=table,
        is_open=gate(found).is_open,
        exact=got == set(family.sharing),
        extra=bool(got - set(family.sharing)),
        redundant=float(ours[is_shared].sum()),
        is_stated=unique_known(result.sharing) <= UNIQUE_KNOWN,
        redundant_true=_true_redundant(family),
        redundant_error=float(result.refits.half_width(redundant)),
        prediction=gate(found).value,
    )


@dataclass(frozen=True)
class SetsFound:
    """The sets that were found in one simulated study."""

    family: str
    samples: int
    seed: int
    is_kept: bool
    missing: tuple[str, ...]  # sets that are there and were not found
    extra: tuple[str, ...]  # sets that are not there and were found
    is_stated: bool  # a total of what is shared
    redundant_error: float  # the shown less the true redundant share; NaN if nothing is true


def measure_sets(
    *,
    families: Sequence[str],
    samples: Sequence[int],
    seeds: int,
    first_seed: int = 0,
    jobs: int = 1,
) -> Iterator[SetsFound]:
    """Who shares with whom, in the order of families, sizes and seeds; without refits."""
    numbers = range(first_seed, first_seed + seeds)
    yield from _of_each(_find_sets, product(families, samples, numbers), jobs)


def _find_sets(name: str, samples: int, seed: int) -> SetsFound:
    family = {**FAMILIES, **NOISE_FREE}[name]
    dataset = simulate(name, samples=samples, seed=seed, guesses=False)
    config = RunConfig.from_preset("quick", "exclusive", clip=5.0, seed=seed, refits=0)
    result = train_run(dataset, config)
    sharing, contributions = result.sharing, result.contributions()
    assert sharing is not None  # noqa: S101 — for the type checker
    is_shared = np.array([not term.is_unique for term in contributions.terms], dtype=bool)
    got = {name.replace("+", "") for name in sharing["sharers"][sharing["is_there"]]}
    true = set(family.sharing)
    return SetsFound(
        family=name,
        samples=samples,
        seed=seed,
        is_kept=family.is_kept,
        missing=tuple(sorted(true - got)),
        extra=tuple(sorted(got - true)),
        is_stated=unique_known(sharing) <= UNIQUE_KNOWN,
        redundant_error=float(_shares(contributions)[is_shared].sum()) - _true_redundant(family),
    )


def summary_of_sets(studies: Sequence[SetsFound]) -> pd.DataFrame:
    """Who shares with whom, by family and number of samples; the last row is of all.

    Returns
    -------
    DataFrame
        family, samples, studies, exact (share of studies with exactly the true sets), extra (with
        a set that is not there), stated (of which a total of what is shared is stated),
        redundant_error (of these, mean of the shown less the true redundant share).
    """
    keys = list(dict.fromkeys((s.family, s.samples) for s in studies))
    groups = [(key, [s for s in studies if (s.family, s.samples) == key]) for key in keys]
    rows = [
        {
            "family": family,
            "samples": samples,
            "studies": len(group),
            "exact": float(np.mean([not s.missing and not s.extra for s in group])),
            "extra": float(np.mean([bool(s.extra) for s in group])),
            "stated": float(np.mean([s.is_stated for s in group])),
            "redundant_error": _mean([s.redundant_error for s in group if s.is_stated]),
        }
        for (family, samples), group in [*groups, (("all", "–"), list(studies))]
    ]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class FamilyRecovery:
    """What was found in one data set of a family."""

    family: str
    seed: int
    recovery: float  # mean r of contributions with what their modality sees of the true factor
    lowest: float
    invented: float  # largest sd of a contribution that should be zero, over the target's sd
    exact: bool  # exactly the true sets
    seconds: float


def recover_families(
    families: Sequence[str], *, samples: int, seeds: int, jobs: int = 1
) -> Iterator[FamilyRecovery]:
    """Recovery of the exclusive kind with all sets offered, by family and seed."""
    work = [
        joblib.delayed(_recover_family)(name, samples, seed)
        for name in families
        for seed in range(seeds)
    ]
    yield from joblib.Parallel(n_jobs=jobs, return_as="generator")(work)


def _recover_family(name: str, samples: int, seed: int) -> FamilyRecovery:
    family = {**FAMILIES, **NOISE_FREE}[name]
    dataset = simulate(name, samples=samples, seed=seed)
    config = RunConfig.from_preset(
        "quick", "exclusive", clip=5.0, seed=seed, refits=0, largest_set=family.modalities
    )
    result = train_run(dataset, config)
    contributions = result.contributions()
    held = [
        "".join(sorted(name for s in term.sharers for name in s)) for term in contributions.terms
    ]
    is_useful = np.array([bool(family.r2 and family.weights.get(s, 0)) for s in held], dtype=bool)
    recovery = np.array(recoveries(contributions, dataset))
    # A useful factor of a set that was dropped is not recovered.
    missing = [s for s, w in family.weights.items() if family.r2 and w and s not in held]
    recovery = np.append(recovery[is_useful], np.zeros(sum(len(s) for s in missing)))
    sizes = np.sqrt((contributions.identified_terms() ** 2).mean(axis=(0, 2)))
    spread = float(np.std(dataset.target)) if dataset.task == "regression" else 1.0
    return FamilyRecovery(
        family=name,
        seed=seed,
        recovery=float(recovery.mean()) if len(recovery) else float("nan"),
        lowest=float(recovery.min(initial=1.0)) if len(recovery) else float("nan"),
        invented=float(sizes[~is_useful].max(initial=0.0) / spread),
        exact={s for s in held if len(s) > 1} == set(family.sharing),
        seconds=result.seconds,
    )


def recoveries(contributions: Contributions, dataset: MultimodalDataset) -> list[float]:
    """Pearson's r of every contribution with what its modality sees of its factor; 0 for none."""
    columns = [f"[{label}]" for label in dataset.class_names] or [""]
    at = dataset.positions(contributions.sample_ids)
    values = centred_terms(contributions)
    found = []
    for t, term in enumerate(contributions.terms):
        held = "".join(sorted(name for s in term.sharers for name in s))
        factor = shared_factor(held)
        key = derived_factor(factor, term.source[0])
        if key + columns[0] not in dataset.factors:
            found.append(0.0)
            continue
        truth = np.stack([dataset.factors[key + c][at] for c in columns], axis=1).astype(float)
        truth = centred_within(truth, contributions.folds)
        if len(columns) > 1:
            truth = truth - truth.mean(axis=1, keepdims=True)
        size = float(np.sqrt((truth**2).sum() * (values[:, t] ** 2).sum()))
        found.append(float((truth * values[:, t]).sum()) / size if size > 0 else 0.0)
    return found


def _population(
    name: str, result: RunResult, dataset: MultimodalDataset, seed: int
) -> Contributions:
    """The study's samples explained by a model of the whole population."""
    family = {**FAMILIES, **NOISE_FREE}[name]
    if family.persons:
        # As many samples of each person as in the study: 30 persons are no population.
        family = replace(family, persons=family.persons * _POPULATION // len(dataset))
    everyone = simulate(family, samples=_POPULATION, seed=seed, draw=1, folds=3, guesses=False)
    assert everyone.folds is not None  # noqa: S101 — for the type checker
    fold = prepare(everyone, result.config, everyone.folds, 0, None)
    names = dataset.modalities
    sets = tuple(
        dict.fromkeys(
            tuple(sorted(names.index(name) for s in term.sharers for name in s))
            for term in result.fold_results[0].model.terms
        )
    )
    lam = result.fold_results[0].member.configuration.auxiliary_weight
    solution = fold.problem.solve(sets, 1e-4, Weighing(lam))
    if result.fold_results[0].model.reads_features:
        for again in followed(everyone, result.config, [fold], [solution]):
            fold, solution = again, again.problem.solve(sets, 1e-4, Weighing(lam))
    model = fitted_model(everyone, result.config, fold, solution)
    found = model.contributions(
        {name: f.values for name, f in dataset.features.items()}, sample_ids=dataset.sample_ids
    )
    order = [found.position(term) for term in result.fold_results[0].model.terms]
    return Contributions(
        values=found.values[:, order],
        terms=result.fold_results[0].model.terms,
        baseline=found.baseline,
        modalities=found.modalities,
        outputs=found.outputs,
        sample_ids=found.sample_ids,
        folds=found.folds,
    )


def _shares(contributions: Contributions) -> Array:
    """The share of every term, of all classes together."""
    table = variance_shares(contributions)
    return np.asarray(table.loc[table["output"] == table["output"].iloc[0], "share"], dtype=float)


def _true_redundant(family: Family) -> float:
    """Share of the signal's variance that factors of two and more modalities carry."""
    if family.r2 == 0:
        return float("nan")
    squares = {held: weight**2 for held, weight in family.weights.items()}
    shared = sum(s for held, s in squares.items() if len(family.holders(held)) > 1)
    unique = [w for held, w in family.weights.items() if len(held) == 1]
    together = sum(unique) ** 2 - sum(w**2 for w in unique)
    return shared / (sum(squares.values()) + family.correlation * together)


def _mean(values: Sequence[float] | pd.Series) -> float:
    """The mean of numbers that are known; NaN without any."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    return float(known.mean()) if len(known) else float("nan")


def summary(studies: Sequence[Study]) -> pd.DataFrame:
    """Error rates by family and number of samples.

    Returns
    -------
    DataFrame
        family, samples, studies, open (share with something to explain), exact and extra (share
        of studies with exactly the true sets, and with a set that is not there), good (number of
        contributions called good), wrong and weak (share of these with a recovery below 0.8 and
        0.9), missed (share of those with a recovery above 0.95 that are not called good),
        samples_inside (share of single samples' intervals of good contributions that hold the
        truth), shares_inside (the same of their shares), stated (share of open studies of which a
        total of what is shared is stated), redundant_error (of these, mean of the shown less the
        true redundant share).
    """
    rows = []
    keys = list(dict.fromkeys((s.family, s.samples) for s in studies))
    for key in keys:
        group = [s for s in studies if (s.family, s.samples) == key]
        rows.append({"family": key[0], "samples": key[1], **_rates(group)})
    return pd.DataFrame(rows)


def overall(studies: Sequence[Study]) -> dict[str, float]:
    """`summary` of all studies together."""
    return _rates(list(studies))


def _rates(group: list[Study]) -> dict[str, float]:
    terms = pd.concat([s.terms for s in group], ignore_index=True)
    good = terms[terms["verdict"] == "reliable"]
    there = terms[terms["recovery"] > FOUND]
    opened = [s for s in group if s.is_open]
    with_truth = [s for s in opened if s.is_stated and np.isfinite(s.redundant_true)]
    return {
        "studies": len(group),
        "open": _mean([s.is_open for s in group]),
        "exact": _mean([s.exact for s in opened]),
        "extra": _mean([s.extra for s in opened]),
        "good": len(good),
        "wrong": _mean(good["recovery"] < WRONG),
        "weak": _mean(good["recovery"] < WEAK),
        "missed": _mean(there["verdict"] != "reliable"),
        "samples_inside": _mean(good["samples_inside"]),
        "shares_inside": _mean((good["share"] - good["share_true"]).abs() <= good["share_error"]),
        "stated": _mean([s.is_stated for s in opened]),
        "redundant_error": _mean([s.redundant - s.redundant_true for s in with_truth]),
    }
