"""What can be said of each contribution: its size, its reliability, and whether its name is true.

Every surface asks this one table before it says anything about a contribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.evaluation.gate import Gate, gate
from smurf_core.evaluation.redundancy import centred_terms
from smurf_core.evaluation.stability import stability
from smurf_core.exclusive.bent import bends
from smurf_core.explained import Explained
from smurf_core.results import RunResult
from smurf_core.statistics.persons import person_codes
from smurf_core.terms import Term

Array = npt.NDArray[np.float64]

Verdict = Literal[
    "reliable", "too uncertain", "too small", "sides disagree", "known to others", "bent",
    "stable", "unstable", "not separated", "too small to tell", "nothing to explain",
]  # fmt: skip
# Only these are findings. Of the second nothing is known but that starts and folds agree.
GOOD: tuple[Verdict, ...] = ("reliable", "stable")

# Thresholds follow from measured error rates (`smurf verify --verdicts`; docs/results.md).
RELIABILITY = 0.75
SMALLEST_SIZE = 0.03  # sd, in times of the target's
AGREEMENT_IN_SIZE = 0.5  # concordance of the members of a set
KNOWN_TO_OTHERS = 0.25  # R² of an outsider
BENT = 0.05  # R² that a modality's features would add in a bent way to what it says of a set


def verdicts(
    result: RunResult, explained: Explained, *, opened: Gate | None = None
) -> pd.DataFrame:
    """A verdict on every contribution of a run, with its reasons.

    Parameters
    ----------
    result
        The run.
    explained
        All of its out-of-fold contributions, with target and persons.
    opened
        `gate` of them, where it is known already.

    Returns
    -------
    DataFrame
        What `stability` returns, and: size (sd over samples in times of the target's; of classes,
        in logits), reliability (share of its variance that refits agree on; NaN where a run has
        no refits), agreement (lowest concordance with the other members of its set, out of fold;
        NaN for unique ones), known_to_others (largest cross-fitted R² with which a modality that
        does not share it predicts it, with what bent functions clearly add to lines), bent (R² by
        which its modality could say more of what the other members say, and predict better with
        it; NaN without refits), verdict.

        Verdicts of runs with refits: `reliable`, `too uncertain`, `too small`, `sides disagree`,
        `known to others`, `bent`. Of other runs those of `stability`, where a pair whose sides
        disagree in size is also `not separated`. Where the run does not predict, all are
        `nothing to explain`.
    """
    table = stability(result)
    contributions = explained.contributions
    terms = centred_terms(contributions)
    table["size"] = _sizes(terms, explained)
    table["agreement"] = _agreement(contributions, terms)
    refits = result.refits
    follows = any(fold.model.reads_features for fold in result.fold_results)
    more = _bent(terms, explained, follows=follows) if refits else None
    table["known_to_others"] = _known_to_others(terms, explained, more)
    table["bent"] = np.nan if more is None else more.of_members()
    table["reliability"] = np.nan if refits is None else refits.reliability
    found = opened or gate(explained)
    table["verdict"] = [_verdict(row, found, refits is not None) for row in table.itertuples()]
    return table


def good_terms(table: pd.DataFrame, contributions: Contributions) -> frozenset[Term]:
    """The contributions that are findings: those whose verdict is good in a table of `verdicts`."""
    good = _verdict_by_name(table)
    return frozenset(term for term in contributions.terms if good.get(term.names) in GOOD)


def unique_verdict(
    table: pd.DataFrame, contributions: Contributions, modalities: Sequence[str]
) -> str:
    """One verdict on what is unique to some modalities together: the first that is not good.

    Of several modalities, what they share only among themselves counts as well.
    """
    members, by_name = {(name,) for name in modalities}, _verdict_by_name(table)
    own = [by_name[term.names] for term in contributions.terms if members.issuperset(term.sharers)]
    return next((verdict for verdict in own if verdict not in GOOD), own[0])


def verdict_of(table: pd.DataFrame, term: Term) -> str:
    """The verdict on one contribution, from a table of `verdicts`."""
    return _verdict_by_name(table)[term.names]


def _verdict_by_name(table: pd.DataFrame) -> dict[tuple[int, str, str], str]:
    keys = zip(table["order"], table["modality"], table["shared_with"], strict=True)
    return dict(zip(keys, table["verdict"], strict=True))


def _verdict(row: object, found: Gate, has_refits: bool) -> str:
    get = row.__getattribute__
    if not found.is_open:
        return "nothing to explain"
    disagree = not np.isnan(get("agreement")) and get("agreement") < AGREEMENT_IN_SIZE
    if not has_refits:
        verdict = str(get("verdict"))
        return "not separated" if verdict == "stable" and disagree else verdict
    if get("size") < SMALLEST_SIZE:
        return "too small"
    if get("reliability") < RELIABILITY:
        return "too uncertain"
    if disagree:
        return "sides disagree"
    if get("known_to_others") > KNOWN_TO_OTHERS:
        return "known to others"
    if get("bent") > BENT:
        return "bent"
    return "reliable"


def _sizes(terms: Array, explained: Explained) -> Array:
    sizes = np.sqrt((terms**2).mean(axis=(0, 2)))
    if explained.contributions.is_classification:
        return np.asarray(sizes)
    spread = float(np.std(explained.target))
    return np.asarray(sizes / spread if spread > 0 else np.zeros_like(sizes))


def _agreement(contributions: Contributions, terms: Array) -> list[float]:
    """Lin's concordance with the other members of the set, the lowest; NaN for unique terms."""
    place = {term: t for t, term in enumerate(contributions.terms)}

    def concordance(one: Term, other: Term) -> float:
        a, b = terms[:, place[one]], terms[:, place[other]]
        size = float((a**2).sum() + (b**2).sum())
        return 2 * float((a * b).sum()) / size if size > 0 else 0.0

    return [
        min((concordance(term, term.seen_from(s)) for s in term.others), default=float("nan"))
        for term in contributions.terms
    ]


_DIRECTIONS = 12
_PARTS = 5
_MOST = 50_000  # samples of which R² is computed
# With fewer samples, nothing is asked of bent functions.
_FEWEST = 100


def _parts(explained: Explained) -> npt.NDArray[np.int64]:
    """The part of each sample in which it is predicted by the others; persons stay together."""
    codes = person_codes(explained.persons, len(explained.contributions))
    order = np.random.default_rng(0).permutation(int(codes.max(initial=-1)) + 1)
    return np.asarray(order[codes] % _PARTS)


def _features(explained: Explained, name: str) -> Array:
    return explained.aligned(explained.dataset.features[name].values).astype(np.float64)


@dataclass(frozen=True)
class _Bent:
    """What each modality could say of each contribution with bent functions of its features."""

    terms: tuple[Term, ...]
    modalities: tuple[str, ...]
    known: Array  # [modalities, terms]: R² that they add to lines
    own: Array  # [modalities, terms]: to what it says; 0 where it would not predict better

    def of_members(self) -> list[float]:
        """How much more a contribution's modality could say of what the other members say."""
        place = {term: t for t, term in enumerate(self.terms)}
        return [
            max(
                (
                    float(self.own[self.modalities.index(term.source[0]), place[term.seen_from(s)]])
                    for s in term.others
                ),
                default=0.0,
            )
            for term in self.terms
        ]


def _bent(terms: Array, explained: Explained, *, follows: bool) -> _Bent:
    """Cross-fitted on the samples that have all modalities; `follows`: the run has functions."""
    contributions, names = explained.contributions, explained.contributions.modalities
    known, own = (np.zeros((len(names), terms.shape[1])) for _ in range(2))
    features = [_features(explained, name) for name in names]
    complete = ~np.any([np.isnan(values).any(axis=1) for values in features], axis=0)
    part = _parts(explained)[complete]
    if len(part) >= _FEWEST and len(np.unique(part)) == _PARTS:
        target = np.asarray(explained.target)
        if contributions.is_classification:
            target = np.eye(len(contributions.outputs))[target]
        target = target.reshape(len(terms), -1)[complete].astype(np.float64)
        persons = None if explained.persons is None else explained.persons[complete]
        some = terms[complete]
        sizes = (some**2).sum(axis=0)
        weights = sizes / np.maximum(sizes.sum(axis=1, keepdims=True), 1e-300)
        aims = some.reshape(len(some), -1)

        def by_term(values: Array) -> Array:
            return np.asarray((values.reshape(weights.shape) * weights).sum(axis=1))

        for k, values in enumerate(features):
            x = values[complete]
            found = bends(x, aims, target, part, persons)
            known[k] = by_term(found.gain)
            if follows:
                # What it says already is among the lines.
                mine = [t for t, term in enumerate(contributions.terms) if names[k] in term.source]
                x = np.concatenate([x, some[:, mine].reshape(len(x), -1)], axis=1)
                found = bends(x, aims, target, part, persons)
            own[k] = by_term(np.where(found.helps, found.gain, 0.0))
    return _Bent(contributions.terms, names, known, own)


def _known_to_others(terms: Array, explained: Explained, more: _Bent | None) -> list[float]:
    """Largest cross-fitted R² of a modality outside a term's set; NaN where all share it.

    From the leading principal components of its features, and what bent functions clearly add.
    Of more than 50,000 samples, so many are drawn: the standard error of R², 2 R (1 − R²) / √n, is
    then 0.0035 at most.
    """
    contributions = explained.contributions
    n = len(contributions)
    part = _parts(explained)
    flat = terms.reshape(n, -1)
    picked = np.ones(n, dtype=np.bool_)
    if n > _MOST:
        picked[:] = False
        picked[np.random.default_rng(0).choice(n, _MOST, replace=False)] = True
    found = np.full((len(contributions.modalities), flat.shape[1]), np.nan)
    for k, name in enumerate(contributions.modalities):
        values = _features(explained, name)
        there = picked & ~np.isnan(values).all(axis=1)
        if there.sum() > _PARTS * 3:
            found[k] = _cross_fitted(values[there], flat[there], part[there])
    by_term = found.reshape(len(found), terms.shape[1], terms.shape[2])
    sizes = (terms**2).sum(axis=0)
    largest = []
    for t, term in enumerate(contributions.terms):
        inside = {name for sharer in term.sharers for name in sharer}
        by_others = [
            float(np.average(by_term[k, t], weights=sizes[t]))
            + (0.0 if more is None else float(more.known[k, t]))
            for k, name in enumerate(contributions.modalities)
            if name not in inside and np.isfinite(by_term[k, t]).all() and sizes[t].sum() > 0
        ]
        largest.append(max(by_others, default=float("nan")))
    return largest


def _cross_fitted(values: Array, wanted: Array, part: npt.NDArray[np.int64]) -> Array:
    """R² of each column of `wanted` [n, k], predicted from components of `values` [n, d]."""
    left = np.zeros(wanted.shape[1])
    total = np.zeros(wanted.shape[1])
    for p in np.unique(part):
        train = part != p
        known, asked = values[train], values[~train]
        middle = known.mean(axis=0)
        known -= middle
        asked -= middle
        spread = np.sqrt((known * known).mean(axis=0))
        for z in (known, asked):
            z /= np.where(spread > 0, spread, 1)
            np.clip(z, -5, 5, out=z)
        vectors = np.linalg.eigh(known.T @ known)[1][:, ::-1][:, :_DIRECTIONS]
        x = known @ vectors
        centre = x.mean(axis=0)
        x -= centre
        gram = x.T @ x
        gram += (1e-3 * np.trace(gram) / len(gram) + 1e-9) * np.eye(len(gram))
        mean = wanted[train].mean(axis=0)
        weights = np.linalg.solve(gram, x.T @ (wanted[train] - mean))
        guess = mean + (asked @ vectors - centre) @ weights
        left += ((wanted[~train] - guess) ** 2).sum(axis=0)
        total += ((wanted[~train] - mean) ** 2).sum(axis=0)
    return np.where(total > 0, 1 - left / np.where(total > 0, total, 1), 0.0)
