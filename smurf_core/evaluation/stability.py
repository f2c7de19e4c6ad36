"""Agreement of contributions across restarts and folds, and whether they are separated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.results import RunResult
from smurf_core.statistics.correlation import correlation_ratio
from smurf_core.terms import Term

Array = npt.NDArray[np.float64]

STABLE_R = 0.8  # median correlation from which a contribution is called stable
SMALL_SHARE = 0.01  # of the prediction's variance: smaller contributions get no verdict
# A unique and a redundant contribution with this |r| or more are not separated; the sides of a pair
# with a lower r do not agree. It is half-way between the goals of the losses (0 and 1).
SEPARATION_R = 0.5


def stability(result: RunResult) -> pd.DataFrame:
    """Agreement of each contribution over restarts and folds, and a verdict.

    Restarts of a fold are compared on that fold's test samples; the folds' models are compared on
    all samples (each was trained on some of them). Agreement is Pearson's r between two models'
    contributions (for classes, stacked over the classes after centring over them). Sign agreement
    is the share of samples on which both have the same sign.

    The verdict is `too small to tell` where the contribution's variance is below 1% of the
    prediction's, `stable` where the median agreement over restarts and over folds (if available) is
    at least 0.8, else `unstable`. Agreement is not proof: all starts may agree on something that is
    not a factorisation. A contribution that agrees is therefore called `not separated` if a unique
    and a redundant contribution of its modality have |r| of 0.5 or more (the goal of L_uncor is 0),
    or if it has r below 0.5 with the other side of its pair (the goal of L_cor is 1) or with any
    other member of its set, out of fold. A wrong
    basin that all starts end in is still called stable; `smurf verify` and larger initial weights
    can reveal it.

    Returns
    -------
    DataFrame
        One row per term: order, modality, shared_with, kind, share (own variance over the
        prediction's), restart_r (median), restart_r_lowest, fold_r (median), fold_r_lowest,
        sign_agreement (mean over all pairs of models), pairs, verdict. NaN if there is nothing to
        compare.
    """
    restarts: list[tuple[_Model, _Model]] = []
    for fold, fitted in enumerate(result.fold_results):
        test = result.folds.test[fold]
        explained = [
            _Model.of(result.fold_contributions(fold, k).select(test))
            for k in range(len(fitted.members))
        ]
        restarts += combinations(explained, 2)
    per_fold = [_Model.of(result.fold_contributions(f)) for f in range(len(result.fold_results))]
    folds = list(combinations(per_fold, 2))
    by_restart, by_fold = _agreement(restarts), _agreement(folds)  # [pairs, t]
    signs = np.array([(a.signs == b.signs).mean(axis=1) for a, b in restarts + folds])
    out_of_fold = result.contributions()
    terms = _terms(out_of_fold)
    share = _own_shares(terms)
    is_separated = _is_separated(out_of_fold.terms, terms, share >= SMALL_SHARE)
    rows = []
    for t, (order, modality, shared_with) in enumerate(out_of_fold.term_names()):
        middle = [np.median(r[:, t]) for r in (by_restart, by_fold) if len(r)]
        if not share[t] >= SMALL_SHARE:
            verdict = "too small to tell"
        elif not middle or min(middle) < STABLE_R:
            verdict = "unstable"
        else:
            verdict = "stable" if is_separated[t] else "not separated"
        rows.append(
            {
                "order": order,
                "modality": modality,
                "shared_with": shared_with,
                "kind": "unique" if modality == shared_with else "redundant",
                "share": share[t],
                "restart_r": _of(by_restart, t, np.median),
                "restart_r_lowest": _of(by_restart, t, np.min),
                "fold_r": _of(by_fold, t, np.median),
                "fold_r_lowest": _of(by_fold, t, np.min),
                "sign_agreement": signs[:, t].mean() if len(signs) else np.nan,
                "pairs": len(signs),
                "verdict": verdict,
            }
        )
    return pd.DataFrame(rows)


def _terms(contributions: Contributions) -> Array:
    """Terms with samples and outputs in one axis, [t, n · c]; logits are centred over classes."""
    terms = contributions.identified_terms()
    terms -= terms.mean(axis=0)
    return np.ascontiguousarray(terms.transpose(1, 0, 2).reshape(terms.shape[1], -1))


@dataclass(frozen=True)
class _Model:
    """One model's terms [t, n · c], and what every pair with another model needs of them."""

    terms: Array
    squares: Array  # [t]
    signs: npt.NDArray[np.int8]  # [t, n · c]

    @classmethod
    def of(cls, contributions: Contributions) -> _Model:
        terms = _terms(contributions)
        return cls(terms, _products(terms, terms), np.sign(terms).astype(np.int8))


def _products(a: Array, b: Array) -> Array:
    """The sum of products of each row, [t]; one row after another, which needs less memory."""
    return np.array([(x * y).sum() for x, y in zip(a, b, strict=True)])


def _agreement(pairs: list[tuple[_Model, _Model]]) -> Array:
    """Pearson's r of each term for each pair of models, [pairs, t]; 0 for a constant term."""
    if not pairs:
        return np.empty((0, 0))
    found = [correlation_ratio(_products(a.terms, b.terms), a.squares, b.squares) for a, b in pairs]
    return np.nan_to_num(np.stack(found))


def _is_separated(
    names: tuple[Term, ...], terms: Array, is_large: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """True if a term is separated from the other kind of its modality and agrees with its set.

    Unique and redundant contributions of a modality are compared if both are large enough.
    """
    gram = terms @ terms.T
    squares = gram.diagonal()
    r = np.nan_to_num(correlation_ratio(gram, squares[:, None], squares[None]))
    place = {term: t for t, term in enumerate(names)}
    separated = np.ones(len(place), dtype=bool)
    for term, t in place.items():
        if term.is_unique:
            continue
        unique = place.get(Term.unique(term.source))
        if unique is not None and abs(r[unique, t]) >= SEPARATION_R:
            separated[t] &= not is_large[unique]
            separated[unique] &= not is_large[t]
        sides = [r[t, place[term.seen_from(other)]] for other in term.others]
        separated[t] &= bool(min(sides) >= SEPARATION_R)
    return separated


def _own_shares(terms: Array) -> Array:
    total = terms.sum(axis=0)
    variance = float((total**2).sum())
    return (terms**2).sum(axis=1) / variance if variance > 0 else np.full(len(terms), np.nan)


def _of(agreement: Array, term: int, of: Callable[[Array], np.floating]) -> float:
    return float(of(agreement[:, term])) if len(agreement) else float("nan")
