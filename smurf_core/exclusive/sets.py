"""Which sets of modalities share anything: dropped one by one while they are not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used, after the first paint

from smurf_core.exclusive.fold import FoldProblem, Solution
from smurf_core.exclusive.problem import ModalitySet, Penalties, Weighing
from smurf_core.exclusive.sources import Moments

Array = npt.NDArray[np.float64]

# Ridges that are tried; the validation samples choose.
RIDGES = (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0)
# r of a set's members on samples that did not train them, at least.
AGREEMENT = 0.6
# A set's share of the prediction's variance, at least.
SMALLEST_SHARE = 0.005
# r of a member with what a modality outside the set derives of it, at most. Where outsiders see a
# shared factor through more noise than members do, a part of it is left for a smaller set: then
# they know it nearly as well as members do. Of a set that is there, they know nothing.
KNOWN_OUTSIDE = 0.5
# Above this mean r of unique contributions with what other modalities derive of them, data do not
# say how much is shared (docs/method.md, What data cannot say).
UNIQUE_KNOWN = 0.15
# What a set says must predict validation samples at this level of a one-sided test. What is
# shared, but of no use, enters by chance only.
LEVEL = 0.01
# Above so many unknowns, draws are asked about the sets that are left only.
_MANY = 600


@dataclass(frozen=True)
class SetStatistics:
    """What validation samples say of a set, arrays over the B solves of each solution."""

    agreement: Array  # lowest r of two members, on samples that have both; NaN for one
    share: Array  # of the prediction's variance
    outside: Mapping[int, Array]  # modality outside → mean r of members with what it derives
    adds: Array  # what it adds to the prediction, over what chance adds at `LEVEL`

    @property
    def known(self) -> Array:
        """The largest mean r of members with what a modality outside derives of them, or 0."""
        return np.asarray(np.max([np.zeros(self.share.shape), *self.outside.values()], axis=0))

    @property
    def strength(self) -> Array:
        """How far the set is what its name says; below 1: it is not."""
        known = KNOWN_OUTSIDE / np.maximum(self.known, 1e-9)
        found = np.minimum(self.agreement / AGREEMENT, self.share / SMALLEST_SHARE)
        return np.asarray(np.minimum(found, known))

    @property
    def is_there(self) -> npt.NDArray[np.bool_]:
        """True if it is what its name says and helps to predict, [B]."""
        return np.asarray((self.strength >= 1) & (self.adds >= 1))


@dataclass(frozen=True)
class SetEvidence:
    """What validation samples say of a set in the model that still offered it."""

    agreement: float  # lowest r of two members
    share: float  # of the prediction's variance
    known: float  # mean r of its members with what a modality outside derives of them
    is_there: bool
    probability: float  # of being there, over the draws; NaN without draws


@dataclass(frozen=True)
class Found:
    """The sets that are there, single modalities among them, and the evidence of all others."""

    sets: tuple[ModalitySet, ...]
    evidence: Mapping[ModalitySet, SetEvidence]
    # Mean r, by shares, of unique contributions with what other modalities derive of them.
    unique_known: float


def best_ridge(
    problem: FoldProblem,
    sets: Sequence[ModalitySet],
    weighing: Weighing,
    ridges: Sequence[float] = RIDGES,
) -> tuple[float, Solution]:
    """The ridge with the lowest loss on the fold's validation samples."""
    path = zip(ridges, problem.path(sets, ridges, weighing), strict=True)
    ridge, found = min(path, key=lambda each: float(problem.losses(each[1]).mean()))
    # Of classes, a path is only as exact as the choice needs.
    return ridge, problem.solve(sets, ridge, weighing, start=found) if problem.is_classes else found


def set_statistics(
    problems: Sequence[FoldProblem],
    solutions: Sequence[Solution],
    *,
    known: Sequence[Moments] | None = None,
    persons: npt.NDArray[np.int64] | None = None,
) -> dict[ModalitySet, SetStatistics]:
    """What the folds' validation samples, centred within folds, say of every set.

    Parameters
    ----------
    problems, solutions
        One per fold.
    known
        The moments that the solutions used; nothing: each sample counts once.
    persons
        [n]: codes of persons, which are independent of each other; nothing: samples are.
    """
    sets = tuple(dict.fromkeys(s for _, s in solutions[0].heads))
    b, m = len(solutions[0].weights), len(problems[0].source.widths)
    mine = [[s for s in sets if i in s] for i in range(m)]
    sums = {(i, j): np.zeros((3, b, len(mine[i]))) for i, j in permutations(range(m), 2)}
    of_sets, targets = [], []
    for f, (problem, solution) in enumerate(zip(problems, solutions, strict=True)):
        rows, tested = problem.tested, problem.validation_moments
        learned = problem.moments if known is None else known[f]
        weights = [np.stack([solution.of((i, s)) for s in own], -1) for i, own in enumerate(mine)]
        said = [_times(x[None], w) for x, w in zip(rows.values.values(), weights, strict=True)]
        for i, j in sums:
            of_both = [k for k, s in enumerate(mine[i]) if j in s]
            others = [k for k, s in enumerate(mine[i]) if j not in s]
            in_other = [mine[j].index(mine[i][k]) for k in of_both]
            derived = _times(learned.derives[i, j], weights[i][..., others])
            for heads, there, cross, own in (
                (of_both, weights[j][..., in_other], tested.cross[i, j], tested.own[j, i]),
                (others, derived, tested.seen[i, j], tested.known[i, j]),
            ):
                here = weights[i][..., heads]
                forms = [
                    (here * _times(cross, there)).sum(axis=(1, 2)),
                    (here * _times(tested.own[i, j], here)).sum(axis=(1, 2)),
                    (there * _times(own, there)).sum(axis=(1, 2)),
                ]
                sums[i, j][:, :, heads] += tested.effective[i, j] * np.stack(forms)
        together = np.zeros((*said[0].shape[:-1], len(sets)))
        for among, values in zip(mine, said, strict=True):
            together[..., [sets.index(s) for s in among]] += values
        of_sets.append(_centred(together))
        targets.append(_centred(problem.target[problem.validation][None])[0])
    everything, target = np.concatenate(of_sets, axis=1), np.concatenate(targets)
    total = everything.sum(axis=-1)
    variance = (total**2).sum(axis=(1, 2))
    shares = np.einsum("bncs,bnc->bs", everything, total)
    shares = shares / np.where(variance > 0, variance, 1)[:, None]
    codes = np.arange(len(target))
    if persons is not None:
        codes = np.concatenate([persons[problem.validation] for problem in problems])
    adds = _over_chance(everything, target, codes)
    r = {}
    for pair, (product, *squares) in sums.items():
        size = np.sqrt(squares[0] * squares[1])
        r[pair] = np.where(size > 0, product / np.where(size > 0, size, 1), 0.0)
    found = {}
    for at, s in enumerate(sets):
        place = {i: mine[i].index(s) for i in s}
        members = [r[i, j][:, place[i]] for i, j in combinations(s, 2)]
        outside = {
            k: np.mean([r[i, k][:, place[i]] for i in s], axis=0) for k in range(m) if k not in s
        }
        found[s] = SetStatistics(
            np.min(members, axis=0) if members else np.full(b, np.nan),
            shares[:, at],
            outside,
            adds[:, at],
        )
    return found


def _times(matrix: Array, weights: Array) -> Array:
    """A matrix [B or 1, q, r] times weights [B, r, c, k]."""
    b, r, c, k = weights.shape
    return np.asarray(matrix @ weights.reshape(b, r, c * k)).reshape(b, matrix.shape[-2], c, k)


def _centred(values: Array) -> Array:
    return np.asarray(values - values.mean(axis=1, keepdims=True))


def _over_chance(of_sets: Array, target: Array, persons: npt.NDArray[np.int64]) -> Array:
    """Weight of each set in a regression of the target on all sets, over what chance gives, [B, k].

    `of_sets` [B, n, c, k] and `target` [n, c] are of samples that trained none of them. The
    standard error holds for unequal variances and dependent samples of a person (Liang and Zeger,
    1986).
    """
    b, n, c, k = of_sets.shape
    flat = of_sets.reshape(b, n * c, k)
    gram = flat.swapaxes(1, 2) @ flat
    ridge = 1e-10 * np.trace(gram, axis1=1, axis2=2) + 1e-300
    turned = flat @ np.linalg.inv(gram + ridge[:, None, None] * np.eye(k))
    weight = np.einsum("bnk,n->bk", turned, target.ravel())
    left = target.ravel() - np.einsum("bnk,bk->bn", flat, weight)
    _, at, sizes = np.unique(persons, return_inverse=True, return_counts=True)
    order = np.argsort(at, kind="stable")
    influence = (turned * left[..., None]).reshape(b, n, c, k).sum(axis=2)[:, order]
    by_person = np.add.reduceat(influence, np.cumsum(sizes) - sizes, axis=1)
    error = np.sqrt((by_person**2).sum(axis=1))
    chance = float(scipy.special.stdtrit(max(len(sizes) - 1, 1), 1 - LEVEL)) * error
    return np.asarray(weight / np.where(chance > 0, chance, 1e-300))


def who_shares(
    problems: Sequence[FoldProblem],
    offered: Sequence[ModalitySet],
    weighing: Weighing,
    *,
    ridges: Sequence[float] = RIDGES,
    weights: Array | None = None,
    persons: npt.NDArray[np.int64] | None = None,
    grows: bool = False,
    report: Callable[[float], None] | None = None,
) -> Found:
    """Drop the set that is least there until all that are left are there.

    A set is there when its members agree out of fold (`AGREEMENT`), no other modality derives
    what they say (`KNOWN_OUTSIDE`), and it helps to predict (`LEVEL`). Sets are chosen as other
    hyper-parameters are: on validation samples, over all folds at once, so that a run has one
    structure.

    Parameters
    ----------
    problems
        One per fold.
    offered
        Sets to begin with, single modalities among them.
    weighing
        λ and the weight of agreement.
    ridges
        To try, for every fold.
    weights
        [B, n]: draws of persons that give each set's probability of being there.
    persons
        [n]: codes of persons, if they are known.
    grows
        True: if a modality derives what a set says, the set with it is offered as well.
    report
        Called with the share of the work that is done, from 0 to 1.
    """
    sets, ever_offered = tuple(offered), set(offered)
    evidence: dict[ModalitySet, SetEvidence] = {}
    chosen = [best_ridge(p, sets, weighing, ridges)[0] for p in problems]
    most = sum(len(s) > 1 for s in sets) + 1
    drawn_penalties = None
    if weights is not None:
        drawn_penalties = [Penalties(p.moments_of(weights), weighing) for p in problems]
    while True:
        if report:
            report(min(len(evidence) / most, 0.9))
        pairs = list(zip(problems, chosen, strict=True))
        solutions = [p.solve(sets, r, weighing) for p, r in pairs]
        seen = set_statistics(problems, solutions, persons=persons)
        worst = _worst(seen)
        asked = (worst,) if worst is not None else tuple(s for s in sets if len(s) > 1)
        unknowns = sum(problems[0].source.widths[i] for s in sets for i in s)
        likely: dict[ModalitySet, float] = {}
        if drawn_penalties is not None and asked and (worst is None or unknowns <= _MANY):
            drawn = [
                p.solve(sets, r, weighing, weights, solution, known)
                for (p, r), solution, known in zip(pairs, solutions, drawn_penalties, strict=True)
            ]
            moments = [known.moments for known in drawn_penalties]
            again = set_statistics(problems, drawn, known=moments, persons=persons)
            likely = {s: float(each.is_there.mean()) for s, each in again.items()}
        for s in asked:
            evidence[s] = SetEvidence(
                float(seen[s].agreement[0]),
                float(seen[s].share[0]),
                float(seen[s].known[0]),
                worst is None,
                likely.get(s, float("nan")),
            )
        if worst is None:
            return Found(sets, evidence, _unique_known(seen))
        left = {s for s in sets if s != worst}
        if grows and (more := _grown(worst, seen[worst])) not in ever_offered:
            left.add(more)
            ever_offered.add(more)
        sets = tuple(sorted(left, key=lambda s: (len(s), s)))


def _unique_known(seen: Mapping[ModalitySet, SetStatistics]) -> float:
    """Mean r over pairs of a unique contribution and another modality, by the former's share."""
    pairs = [
        (max(float(found.share[0]), 0.0), float(r[0]))
        for s, found in seen.items()
        if len(s) == 1
        for r in found.outside.values()
    ]
    total = sum(share for share, _ in pairs)
    return sum(share * r for share, r in pairs) / total if total > 0 else 0.0


def _worst(seen: Mapping[ModalitySet, SetStatistics]) -> ModalitySet | None:
    """The set to drop next: one that is not what its name says before one of no use."""
    shared = [s for s in seen if len(s) > 1]
    for measure in (
        {s: float(seen[s].strength[0]) for s in shared},
        {s: float(seen[s].adds[0]) for s in shared},
    ):
        worst = min(measure, key=measure.__getitem__, default=None)
        if worst is not None and measure[worst] < 1:
            return worst
    return None


def _grown(dropped: ModalitySet, seen: SetStatistics) -> ModalitySet:
    """The set and the modality that knows most of it; the set itself if none knows enough."""
    knower = max(seen.outside, key=lambda k: float(seen.outside[k][0]), default=None)
    if knower is None or seen.outside[knower][0] <= KNOWN_OUTSIDE:
        return dropped
    return tuple(sorted((*dropped, knower)))
