"""Which samples decide how a prediction's variance divides among modalities?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.errors import InputError
from smurf_core.evaluation.redundancy import ALL_OUTPUTS, ShareIntervals, share_intervals
from smurf_core.explained import Explained
from smurf_core.statistics.folds import centred_within

Array = npt.NDArray[np.float64]
# Share of the samples that may be left out at most; at least one is.
MOST = 0.005
# Leaving out one sample is a pass over all: this many passed at most, 0.5% of 25,000 samples.
_MOST_PASSED = 125 * 25_000


@dataclass(frozen=True)
class ShareInfluence:
    """Shares of variance with and without the most influential samples."""

    output: str  # whose shares: a class, the target, or `all` classes together
    n: int  # samples of which the shares are
    sample_ids: tuple[str, ...]  # the most influential first, in the order of leaving them out
    # One row per term: order, modality, shared_with, kind, share, ci_low, ci_high, and without all
    # of `sample_ids`: share_without, ci_low_without, ci_high_without.
    terms: pd.DataFrame
    # One row per source (a modality, or several that speak only together): order, modality and the
    # same six numbers.
    sources: pd.DataFrame
    # Every source's share after leaving out the first 0, 1, 2, … samples: left_out, order,
    # modality, share.
    path: pd.DataFrame


@dataclass(frozen=True)
class InfluencePath:
    """Samples that are left out one after another, and what becomes of every source's share."""

    output: str
    positions: tuple[int, ...]  # of the samples, the most influential first
    path: pd.DataFrame  # as in `ShareInfluence`

    @property
    def largest_change(self) -> float:
        """The largest difference of any source's share from that in all samples; 0 for none."""
        steps = int(self.path["left_out"].max()) + 1
        shares = self.path["share"].to_numpy(dtype=float).reshape(steps, -1)
        return float(np.nan_to_num(np.abs(shares - shares[0])).max())


def share_influence(
    explained: Explained,
    intervals: ShareIntervals,
    *,
    output: str | None = None,
    count: int | None = None,
) -> ShareInfluence:
    """Leave out the samples that decide most about the shares of variance, one after another.

    With t and ŷ centred within folds, the share of a term is C_t / V, where C_t = Σ_i t_i ŷ_i and
    V = Σ_i ŷ_i². Leaving out sample i of a fold of n_f samples moves that fold's mean. By the
    one-sample update of a sum of squares (Welford, 1962), the share becomes exactly

        (C_t − k t_i ŷ_i) / (V − k ŷ_i²),   k = n_f / (n_f − 1).

    The sample left out next is the one that takes the share of any modality furthest from its share
    in all samples; then the fold is centred anew. The models stay as they are: this shows what the
    *shares* rest on, and not what another training would learn. Other sets of equal size may move
    the shares further (finding the worst one is a combinatorial problem; Broderick, Giordano and
    Meager, 2020, arXiv 2011.14999, who leave out a small share of the data for the same purpose).

    Parameters
    ----------
    explained
        The samples in question, with their out-of-fold contributions.
    intervals
        What `share_intervals` returns of them. It is also computed of the samples that remain:
        a sample that decides the shares also widens their intervals.
    output
        The class or target whose shares are meant; all classes together where not given.
    count
        Samples to leave out; 0.5% of them and at least one, where not given; of n > 25,000
        samples 3,125,000 / n.

    Returns
    -------
    ShareInfluence

    Raises
    ------
    InputError
        If there is no such output, or no samples would be left.

    Examples
    --------
    >>> import smurf_core as smurf
    >>> data = smurf.datasets.synthetic_additive(samples=80)
    >>> run = smurf.train(data, max_epochs=2, restarts=1)
    >>> found = smurf.evaluate.explained(run, data)
    >>> influence = share_influence(found, share_intervals(found), count=2)
    >>> len(influence.sample_ids), len(influence.path)
    (2, 9)
    """
    contributions, found = explained.contributions, influence_path(explained, output, count)
    rest = np.ones(len(contributions), dtype=np.bool_)
    rest[list(found.positions)] = False
    without = share_intervals(explained.select(rest), draws=intervals.draws)
    return ShareInfluence(
        output=found.output,
        n=len(contributions),
        sample_ids=tuple(str(contributions.sample_ids[i]) for i in found.positions),
        terms=_side_by_side(intervals.terms, without.terms, found.output),
        sources=_side_by_side(_of_sources(intervals), _of_sources(without), found.output),
        path=found.path,
    )


def influence_path(
    explained: Explained, output: str | None = None, count: int | None = None
) -> InfluencePath:
    """The samples that `share_influence` leaves out, without any interval.

    The parameters and errors are those of `share_influence`.
    """
    contributions = explained.contributions
    output, count, terms = _asked(contributions, output, count)
    sums = _Sums(terms, contributions.folds)
    keys, member = _sources(contributions)
    path, chosen = [member @ sums.shares()], []
    for _ in range(count):
        moved = np.abs(sums.shares_without() @ member.T - path[0]).max(axis=1)
        if not np.isfinite(moved).any():  # The predictions do not vary.
            break
        chosen.append(int(np.nanargmax(moved)))
        sums.leave_out(chosen[-1])
        path.append(member @ sums.shares())
    return InfluencePath(
        output=output,
        positions=tuple(chosen),
        path=pd.DataFrame(
            {
                "left_out": np.repeat(np.arange(len(path)), len(keys)),
                "order": np.tile([order for order, _ in keys], len(path)),
                "modality": np.tile([modality for _, modality in keys], len(path)),
                "share": np.concatenate(path),
            }
        ),
    )


def influence_bound(
    explained: Explained, output: str | None = None, count: int | None = None
) -> float:
    """At least as much as the largest change of `influence_path`, in one pass over the samples.

    Without the samples R, every fold centred anew, a source's share C / V = s becomes C' / V' with

        C' − s V' = −Σ_R (t_i − s ŷ_i) ŷ_i − Σ_f (Σ_R∩f t_i − s ŷ_i) (Σ_R∩f ŷ_i) / (n_f − |R∩f|).

    Each sum over R is bounded by its k largest parts, the products by the inequality of Cauchy and
    Schwarz. Infinite where a fold has no more than k samples, or k samples may take V away.

    The parameters and errors are those of `share_influence`.
    """
    contributions = explained.contributions
    _, count, terms = _asked(contributions, output, count)
    smallest = int(np.unique(contributions.folds, return_counts=True)[1].min())
    if smallest <= count:
        return float("inf")
    spread = count / (smallest - count)
    terms = centred_within(terms, contributions.folds)
    whole = terms.sum(axis=1)  # [n, c]
    squares = (whole**2).sum(axis=1)
    taken = _largest(squares, count)
    total, left = squares.sum(), squares.sum() - (1 + spread) * taken
    if total <= 0:
        return 0.0
    if left <= 0:
        return float("inf")
    most = 0.0
    for row in _sources(contributions)[1]:
        mine = terms[:, row > 0].sum(axis=1)
        apart = mine - (mine * whole).sum() / total * whole
        change = _largest(np.abs((apart * whole).sum(axis=1)), count)
        change += spread * np.sqrt(_largest((apart**2).sum(axis=1), count) * taken)
        most = max(most, float(change / left))
    return most


def _largest(values: Array, count: int) -> float:
    """The sum of the largest values."""
    return float(np.partition(values, len(values) - count)[-count:].sum())


def _asked(
    contributions: Contributions, output: str | None, count: int | None
) -> tuple[str, int, Array]:
    """Output, number of samples to leave out, and that output's terms [n, t, c]."""
    names = list(contributions.outputs)
    output = output or (ALL_OUTPUTS if len(names) > 1 else names[0])
    if output not in (*names, *([ALL_OUTPUTS] if len(names) > 1 else [])):
        raise InputError(f"No output {output!r}; there are {', '.join(names)}.")
    n = len(contributions)
    count = max(1, min(int(MOST * n), _MOST_PASSED // n)) if count is None else count
    if not 0 < count < n:
        raise InputError(f"Of {n} samples, 1 to {n - 1} can be left out, not {count}.")
    terms = contributions.identified_terms()
    if output != ALL_OUTPUTS:
        at = names.index(output)
        terms = terms[:, :, at : at + 1]
    return output, count, terms


def _sources(contributions: Contributions) -> tuple[list[tuple[int, str]], Array]:
    """Every (order, source), and 1 for the terms of each, [sources, t]."""
    names = contributions.term_names()
    keys = list(dict.fromkeys((order, modality) for order, modality, _ in names))
    member = np.array([[(o, i) == key for o, i, _ in names] for key in keys], dtype=np.float64)
    return keys, member


def _of_sources(intervals: ShareIntervals) -> pd.DataFrame:
    totals = intervals.totals
    return totals[(totals["kind"] == "both") & (totals["order"] > 0)].drop(columns="kind")


def _side_by_side(every: pd.DataFrame, without: pd.DataFrame, output: str) -> pd.DataFrame:
    """Shares and intervals of all samples, and of those that remain, of one output."""
    names = [c for c in ("order", "modality", "shared_with", "kind") if c in every]
    numbers = ["share", "ci_low", "ci_high"]
    mine, rest = (table[table["output"] == output] for table in (every, without))
    return mine[[*names, *numbers]].merge(
        rest[[*names, *numbers]], on=names, suffixes=("", "_without")
    )


class _Sums:
    """C_t and V of the samples that are left, and of every one of them without each sample."""

    def __init__(self, terms: Array, folds: npt.NDArray[np.int64]) -> None:
        self._terms = centred_within(terms, folds)  # [n, t, c]
        self._folds = folds
        self._left = np.ones(len(terms), dtype=np.bool_)
        self._products = np.empty(terms.shape[:2])  # [n, t]: Σ_c t_i ŷ_i
        for fold in np.unique(folds):
            self._multiply(folds == fold)
        self._sizes = {int(fold): int((folds == fold).sum()) for fold in np.unique(folds)}
        self._scale = np.array([_scale(self._sizes[int(fold)]) for fold in folds])

    def shares(self) -> Array:
        """C_t / V, [t]; NaN where the prediction does not vary."""
        sums = self._products[self._left].sum(axis=0)
        return np.asarray(_ratio(sums[None])[0])

    def shares_without(self) -> Array:
        """The shares without each sample, [n, t]; NaN for those that are left out already."""
        sums = self._products[self._left].sum(axis=0)
        without = _ratio(sums - self._scale[:, None] * self._products)
        without[~self._left] = np.nan
        return without

    def leave_out(self, i: int) -> None:
        """Take sample i away and centre the rest of its fold anew."""
        fold = int(self._folds[i])
        own, size = self._terms[i].copy(), self._sizes[fold]
        self._left[i] = False
        rest = (self._folds == fold) & self._left
        if size > 1:
            self._terms[rest] += own / (size - 1)
        self._multiply(rest)
        self._sizes[fold] = size - 1
        self._scale[rest] = _scale(size - 1)

    def _multiply(self, rows: npt.NDArray[np.bool_]) -> None:
        terms = self._terms[rows]
        self._products[rows] = (terms * terms.sum(axis=1, keepdims=True)).sum(axis=2)


def _scale(size: int) -> float:
    """k of the update; a fold's only sample has nothing to take away."""
    return size / (size - 1) if size > 1 else 0.0


def _ratio(sums: Array) -> Array:
    """Shares of rows [n, t] of sums: the terms' sums add up to V."""
    variance = sums.sum(axis=1, keepdims=True)
    nothing = np.full_like(sums, np.nan)
    return np.asarray(np.divide(sums, variance, out=nothing, where=variance > 0))
