"""What each modality can contribute and what it knows: rotated inputs and their moments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from smurf_core.principal_components import mean_of, pieces, principal_components

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# At most so many leading principal components of a modality carry its contributions, and no more
# than a third of its training samples. More cost cubed time, and predict no better
# (docs/method.md).
MOST_COMPONENTS = 96
# What a modality knows of the others: at most so many leading components.
KNOWN_DIRECTIONS = 16
# Numbers in a matrix from which the moments of refits are computed in single precision.
_LARGE = 1_000_000
# Samples whose moments are computed at once.
_ROWS = 1_024


@dataclass(frozen=True)
class Rotated:
    """Inputs of every modality, centred and turned to the training samples' principal components.

    Parameters
    ----------
    values
        Modality → [n, r] for all samples; zero where the modality is absent.
    bases
        Modality → [d, r]: orthonormal columns. Weights of the inputs are `bases @ weights`.
    known
        Modality → number q of leading components that count as what the modality knows.
    present
        [n, m] in the order of the modalities.
    means
        Modality → [d]: the training samples' mean, which is taken off.
    beyond
        Modality → [n, k]: what it also knows, but does not contribute (`exclusive.bent`).
    """

    values: Mapping[str, Array]
    bases: Mapping[str, Array]
    known: Mapping[str, int]
    present: Mask
    means: Mapping[str, Array]
    beyond: Mapping[str, Array] = field(default_factory=dict)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names, in the data set's order."""
        return tuple(self.values)

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of components of each modality, [m]."""
        return tuple(v.shape[1] for v in self.values.values())

    def rows(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Rotated:
        """Some samples in the same coordinates."""
        return Rotated(
            {name: v[chosen] for name, v in self.values.items()},
            self.bases,
            self.known,
            self.present[chosen],
            self.means,
            {name: v[chosen] for name, v in self.beyond.items()},
        )


def rotated(
    inputs: Mapping[str, npt.NDArray[np.floating]] | Iterable[tuple[str, npt.NDArray[np.floating]]],
    present: Mask,
    training: Mask,
) -> Rotated:
    """Turn every modality's inputs to the principal components of its training samples.

    Parameters
    ----------
    inputs
        Modality → standardised inputs [n, d] of all samples; zero where it is absent. Or pairs of
        both, of which one after the other is held.
    present
        [n, m]: which sample has which modality, in the order of `inputs`.
    training
        [n]: the samples that the rotation and the means come from.

    Returns
    -------
    Rotated
    """
    values, bases, directions, means = {}, {}, {}, {}
    pairs = inputs.items() if isinstance(inputs, Mapping) else inputs
    for i, (name, given) in enumerate(pairs):
        there = present[:, i]
        learned = np.flatnonzero(training & there)
        mean = mean_of(given, learned)
        means[name] = mean
        sizes, vectors = principal_components(given, mean, learned)
        rank = int((sizes > 1e-9 * max(sizes[0], 1e-300)).sum()) if len(learned) else 0
        rank = min(rank, MOST_COMPONENTS, max(1, len(learned) // 3))
        bases[name] = vectors[:, :rank]
        values[name] = np.zeros((len(given), rank))
        for rows in pieces(np.flatnonzero(there), given.shape[1]):
            values[name][rows] = (given[rows] - mean) @ bases[name]
        directions[name] = min(KNOWN_DIRECTIONS, rank)
    return Rotated(values, bases, directions, present, means)


@dataclass(frozen=True)
class Moments:
    """Second moments of weighted samples: all that a squared error needs to know of the data.

    The first axis runs over B weightings of the same samples (refits).
    """

    gram: Array  # [B, R, R] of all modalities' components, centred
    # (I, J) → moments of I's and J's components over the samples that have both.
    own: Mapping[tuple[int, int], Array]  # [B, r_I, r_I]
    cross: Mapping[tuple[int, int], Array]  # [B, r_I, r_J]
    # (I, K) → the same of I's components and what K knows, and of what K knows.
    seen: Mapping[tuple[int, int], Array]  # [B, r_I, q_K]
    known: Mapping[tuple[int, int], Array]  # [B, q_K, q_K]
    effective: Mapping[tuple[int, int], Array]  # Kish's number of samples, [B]
    widths: tuple[int, ...]

    @cached_property
    def derivable(self) -> dict[tuple[int, int], Array]:
        """(I, K) → the form of what K can derive of I's contributions, [B, r_I, r_I]."""
        return {pair: _known_of(self, *pair) for pair in self.cross}

    @cached_property
    def derives(self) -> dict[tuple[int, int], Array]:
        """(I, K) → weights [B, q_K, r_I]: what K derives of I's contribution θ by `@ θ`."""
        return {
            pair: np.asarray(np.linalg.solve(_floored(self.known[pair]), seen.swapaxes(-1, -2)))
            for pair, seen in self.seen.items()
        }

    def separated(self) -> Moments:
        """The same, but each modality is predicted for itself: no moments between modalities."""
        owner = np.repeat(np.arange(len(self.widths)), self.widths)
        return replace(self, gram=self.gram * (owner[:, None] == owner))

    def rows(self, chosen: slice) -> Moments:
        """Some of the weightings."""

        def some(values: Mapping[tuple[int, int], Array]) -> dict[tuple[int, int], Array]:
            return {pair: each[chosen] for pair, each in values.items()}

        return Moments(
            self.gram[chosen], some(self.own), some(self.cross), some(self.seen),
            some(self.known), some(self.effective), self.widths,
        )  # fmt: skip

    def part(self, modality: int) -> slice:
        """Where a modality's components are in `gram`."""
        ends = np.cumsum((0, *self.widths))
        return slice(int(ends[modality]), int(ends[modality + 1]))


def _known_of(moments: Moments, one: int, other: int) -> Array:
    """The form θ ↦ variance of `one`'s contribution that `other` can derive, [B, r, r].

    A linear function of q directions explains q / n of anything's variance by chance. In the
    canonical directions of the two modalities, with squared correlations ρ², what is counted is
    max(ρ² − q / n, 0) / (1 − q / n): the adjusted R² of each direction, never below zero. So the
    form is positive semidefinite, and the problem convex, for any data.
    """
    own = moments.own[one, other]
    cross, known = moments.seen[one, other], moments.known[one, other]
    q = known.shape[-1]
    chance = np.minimum(q / np.maximum(moments.effective[one, other], 1.0), 0.95)
    # In coordinates in which both sides have unit variance, singular values are canonical
    # correlations (Hotelling, 1936). Their squares are eigenvalues on the side of what is known.
    right = np.linalg.cholesky(_floored(known))
    seen = np.linalg.solve(right, cross.swapaxes(-1, -2)).swapaxes(-1, -2)
    squares, vectors = np.linalg.eigh(seen.swapaxes(-1, -2) @ np.linalg.solve(_floored(own), seen))
    kept = np.maximum(squares - chance[:, None], 0.0) / (1 - chance[:, None])
    kept = np.where(kept > 0, kept / np.where(kept > 0, squares, 1.0), 0.0)
    turned = (seen @ vectors) * np.sqrt(kept)[:, None, :]
    return np.asarray(turned @ turned.swapaxes(-1, -2))


def _floored(gram: Array) -> Array:
    """A moment matrix with a small ridge, so that it can be factorised."""
    size = np.trace(gram, axis1=-2, axis2=-1) / max(gram.shape[-1], 1)
    return np.asarray(gram + (1e-8 * size + 1e-12)[:, None, None] * np.eye(gram.shape[-1]))


def moments(source: Rotated, weights: Array, *, single: bool = False) -> Moments:
    """Centred second moments of samples, weighted in B ways.

    Parameters
    ----------
    source
        The samples.
    weights
        [B, n], not negative: how often each sample counts.
    single
        True for single precision where there are many samples: a rounding of 1e-7 is nothing
        beside the spread over refits, and takes half the time.

    Returns
    -------
    Moments
        Each divided by the sum of the weights of the samples that count for it.
    """
    values = list(source.values.values())
    beyond = [source.beyond.get(name, np.zeros((len(v), 0))) for name, v in source.values.items()]
    m = len(values)
    ends = np.cumsum([0, *(v.shape[1] for v in (*values, *beyond))])
    single = single and len(source.present) * int(ends[-1]) > _LARGE
    columns = [np.arange(a, b) for a, b in pairwise(ends)]
    parts = columns[:m]
    knows = [
        np.concatenate([part[:q], more])
        for part, q, more in zip(parts, source.known.values(), columns[m:], strict=True)
    ]
    whole = _centred_grams([*values, *beyond], weights, single)
    gram = whole[:, : ends[m], : ends[m]]
    found: dict[str, dict[tuple[int, int], Array]] = {
        what: {} for what in ("own", "cross", "seen", "known", "effective")
    }
    everywhere = bool(source.present.all())
    size = _effective_size(weights)
    for i, j in combinations(range(m), 2):
        pair, kish = whole, size
        if not everywhere:
            both = source.present[:, i] & source.present[:, j]
            some = [values[i][both], values[j][both], beyond[i][both], beyond[j][both]]
            at = np.concatenate([parts[i], parts[j], columns[m + i], columns[m + j]])
            pair = np.zeros_like(whole)
            pair[:, at[:, None], at] = _centred_grams(some, weights[:, both], single)
            kish = _effective_size(weights[:, both])
        for one, other in ((i, j), (j, i)):
            found["own"][one, other] = _part(pair, parts[one], parts[one])
            found["cross"][one, other] = _part(pair, parts[one], parts[other])
            found["seen"][one, other] = _part(pair, parts[one], knows[other])
            found["known"][one, other] = _part(pair, knows[other], knows[other])
            found["effective"][one, other] = kish
    return Moments(gram=gram, widths=source.widths, **found)


def _part(gram: Array, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Array:
    if _is_run(rows) and _is_run(columns):  # A view: with many draws, copies would fill the memory.
        return gram[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.asarray(gram[:, rows[:, None], columns[None, :]])


def _is_run(columns: npt.NDArray[np.int64]) -> bool:
    return len(columns) > 0 and int(columns[-1] - columns[0]) == len(columns) - 1


def _centred_grams(values: Sequence[Array], weights: Array, single: bool) -> Array:
    """Moments [B, R, R] of the columns of all values, [n, r] each, by weights [B, n]."""
    total = weights.sum(axis=1, keepdims=True)
    share = weights / np.where(total > 0, total, 1.0)
    means = np.concatenate([share @ each for each in values], axis=1)
    kind = np.float32 if single else np.float64
    roots = np.sqrt(share).astype(kind)
    found = np.zeros((*means.shape, means.shape[1]), dtype=kind)
    # So few rows at once that they stay in the processor's cache while all weightings use them.
    for first in range(0, weights.shape[1], _ROWS):
        rows = slice(first, first + _ROWS)
        some = np.concatenate([each[rows] for each in values], axis=1, dtype=kind)
        weighted = np.empty_like(some)
        for gram, root in zip(found, roots[:, rows], strict=True):
            np.multiply(some, root[:, None], out=weighted)
            gram += weighted.T @ weighted
    return np.asarray(found.astype(np.float64, copy=False) - means[:, :, None] * means[:, None])


def _effective_size(weights: Array) -> Array:
    squares = (weights**2).sum(axis=1)
    return np.asarray(weights.sum(axis=1) ** 2 / np.where(squares > 0, squares, 1.0))


def stacked(source: Rotated) -> Array:
    """All modalities' components side by side, [n, R]."""
    return np.concatenate(list(source.values.values()), axis=1)
