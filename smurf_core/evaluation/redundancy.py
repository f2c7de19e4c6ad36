"""Shares of a prediction's variance per contribution, and what sets of modalities share."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.evaluation.gate import gate
from smurf_core.explained import Explained
from smurf_core.refits import Refits
from smurf_core.statistics.correlation import correlation_ratio
from smurf_core.statistics.folds import centred_within
from smurf_core.statistics.percentile_bootstrap import (
    DRAWS,
    bootstrapped_shares,
    percentile_interval,
    term_sums,
)
from smurf_core.statistics.persons import person_codes
from smurf_core.terms import Term, joined_sharers, subset_name

Array = npt.NDArray[np.float64]
ALL_OUTPUTS = "all"
ALL_MODALITIES = ""  # in place of a modality, where a total is over all of them


def variance_shares(contributions: Contributions) -> pd.DataFrame:
    """The share of the prediction's variance of each contribution; the shares add up to one.

    The share of term t is cov(t, ŷ) / var(ŷ), with ŷ = Σ t. It consists of the term's variance and
    its covariances with all other terms, and is negative if a term works against the others.
    Variances are taken within folds, because each fold has its own model. For classes, terms are
    first centred over the classes, because the softmax does not depend on the mean over classes;
    output `all` sums covariances and variances over classes.

    Returns
    -------
    DataFrame
        One row per term and output (and `all`, for classes): order, modality, shared_with, kind,
        output, share, own_share (var(t) / var(ŷ)), sd (in the target's unit, or logits).
    """
    terms = centred_terms(contributions)  # [n, t, c]
    total = terms.sum(axis=1, keepdims=True)  # [n, 1, c]
    n = len(terms)
    covariance = (terms * total).sum(axis=0) / n  # [t, c]
    own = (terms**2).sum(axis=0) / n
    variance = (total**2).sum(axis=(0, 1)) / n  # [c]
    outputs = list(contributions.outputs)
    if len(outputs) > 1:
        outputs = [ALL_OUTPUTS, *outputs]
        covariance, own = (np.column_stack([a.sum(axis=1), a]) for a in (covariance, own))
        variance = np.concatenate([[variance.sum()], variance])
    scale = np.where(variance > 0, variance, np.nan)
    rows = [
        {
            "order": order,
            "modality": modality,
            "shared_with": shared_with,
            "kind": "unique" if modality == shared_with else "redundant",
            "output": output,
            "share": covariance[t, c] / scale[c],
            "own_share": own[t, c] / scale[c],
            "sd": np.sqrt(own[t, c]),
        }
        for t, (order, modality, shared_with) in enumerate(contributions.term_names())
        for c, output in enumerate(outputs)
    ]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class ShareIntervals:
    """Shares of variance with intervals, for each term and for sums of terms."""

    # `variance_shares` with ci_low and ci_high.
    terms: pd.DataFrame
    # One row per modality (or subset; `ALL_MODALITIES` for all together), kind (`unique` |
    # `redundant` | `both`) and output: order (0 for all), modality, kind, output, share, ci_low,
    # ci_high.
    totals: pd.DataFrame
    persons: int  # number of persons that were drawn from; samples if no persons are known
    draws: int
    is_refitted: bool = False  # True: the models were refitted, not only the persons redrawn


def share_intervals(
    explained: Explained, refits: Refits | None = None, *, draws: int = DRAWS, seed: int = 0
) -> ShareIntervals:
    """`variance_shares` with 95% intervals over persons.

    Parameters
    ----------
    explained
        The samples whose shares are asked for.
    refits
        Of the run (`RunResult.refits`), if it has any. Where all tested samples are asked for, the
        intervals are then the share ± t · standard deviation over models that were refitted to
        other persons. Otherwise persons (samples, if no persons are known) are drawn with
        replacement, with all of their samples (`bootstrapped_shares`): percentile intervals of how
        the shares of *these models* would vary over other persons. NaN with fewer than two persons.
    draws, seed
        Of the bootstrap.
    """
    contributions = explained.contributions
    codes = person_codes(explained.persons, len(contributions))
    count = int(codes.max(initial=-1)) + 1
    table = variance_shares(contributions)
    names = contributions.term_names()
    outputs = table["output"].iloc[: len(table) // len(names)].tolist()
    point = table["share"].to_numpy().reshape(len(names), len(outputs))
    is_refitted = refits is not None and refits.tested == len(contributions)
    if refits is not None and is_refitted:
        drawn, draws = refits.shares.astype(np.float64), refits.draws
    else:
        sums = term_sums(contributions.identified_terms(), contributions.folds, codes)
        drawn = bootstrapped_shares(sums, count, draws=draws, seed=seed)

    def interval(share: Array, values: Array) -> tuple[Array, Array]:
        if refits is None or not is_refitted:
            return percentile_interval(values)
        half = refits.half_width(values)
        return share - half, share + half

    low, high = interval(point, drawn)
    is_unique = np.array([i == j for _, i, j in names])
    sources = list(dict.fromkeys((order, i) for order, i, _ in names))
    rows = []
    for order, source in [(0, ALL_MODALITIES), *sources]:
        mine = np.array([not order or (order, source) == (o, i) for o, i, _ in names])
        for kind, chosen in (
            ("both", mine), ("unique", mine & is_unique), ("redundant", mine & ~is_unique),
        ):  # fmt: skip
            total = point[chosen].sum(axis=0)
            below, above = interval(total, drawn[:, chosen].sum(axis=1))
            rows += [
                {
                    "order": order, "modality": source, "kind": kind, "output": output,
                    "share": total[c], "ci_low": below[c], "ci_high": above[c],
                }
                for c, output in enumerate(outputs)
            ]  # fmt: skip
    return ShareIntervals(
        terms=table.assign(ci_low=low.reshape(-1), ci_high=high.reshape(-1)),
        totals=pd.DataFrame(rows),
        persons=count,
        draws=draws,
        is_refitted=is_refitted,
    )


def pair_table(contributions: Contributions) -> pd.DataFrame:
    """What each pair of modalities (for MRO, of subsets) shares, for each output.

    Returns
    -------
    DataFrame
        One row per pair, order and output: order, modality, shared_with, output, r (between ŷ_IJ
        and ŷ_JI), covariance, share (of both sides together in the prediction's variance),
        left_first and left_second (r between the unique and the redundant contribution of the first
        and of the second modality: the correlation that L_uncor left), n, sharers and size. All are
        computed within folds; logits are centred over the classes. NaN if a contribution does not
        vary. What three and more modalities share has one row per pair of its members, with all
        of them in `sharers` (`A&B&C`) and their number in `size`.
    """
    terms = centred_terms(contributions)
    at = {term: t for t, term in enumerate(contributions.terms)}
    rows = []
    for c, output in enumerate(contributions.outputs):
        gram = terms[:, :, c].T @ terms[:, :, c] / max(len(terms), 1)
        squares = np.diag(gram)
        r = correlation_ratio(gram, squares[:, None], squares[None])
        with_total, variance = gram.sum(axis=1), gram.sum()
        for order in contributions.orders:
            for first, second in member_pairs(contributions, order):
                ij, ji = at[first], at[second]
                both = with_total[ij] + with_total[ji]
                rows.append(
                    {
                        "order": order,
                        "modality": subset_name(first.source),
                        "shared_with": subset_name(second.source),
                        "output": output,
                        "r": r[ij, ji],
                        "covariance": gram[ij, ji],
                        "share": both / variance if variance > 0 else np.nan,
                        "left_first": _left(r, at, first),
                        "left_second": _left(r, at, second),
                        "n": len(terms),
                        "sharers": joined_sharers([subset_name(s) for s in first.sharers]),
                        "size": len(first.sharers),
                    }
                )
    columns = [
        "order", "modality", "shared_with", "output", "r", "covariance", "share", "left_first",
        "left_second", "n", "sharers", "size",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def member_pairs(contributions: Contributions, order: int = 1) -> tuple[tuple[Term, Term], ...]:
    """Every two members of every set that shares something: the rows of `pair_table`."""
    return tuple(pair for members in contributions.sets(order) for pair in combinations(members, 2))


def _left(r: Array, at: dict[Term, int], term: Term) -> float:
    """r of a redundant contribution with its source's unique one; NaN where there is none."""
    unique = at.get(Term.unique(term.source))
    return np.nan if unique is None else float(r[unique, at[term]])


@dataclass(frozen=True)
class GroupedRedundancy:
    """`variance_shares` and `pair_table` for each level of a grouping, with a column `level`."""

    shares: pd.DataFrame
    pairs: pd.DataFrame
    sizes: pd.Series  # level → samples, all levels
    left_out: tuple[str, ...]  # levels with too few samples or persons (`Gate.has_enough`)
    not_predicted: tuple[str, ...]  # levels that are predicted no better than by chance


def redundancy_by_group(explained: Explained, labels: npt.NDArray[np.str_]) -> GroupedRedundancy:
    """Shares and pairs within each level of a grouping; samples without a label are left out.

    Levels in which there is nothing to explain (`gate`) are named instead.

    `labels` has one entry per sample of the data set, as `groupings` returns them.
    """
    contributions, labels = explained.contributions, explained.aligned(labels)
    sizes = pd.Series(labels[labels != ""]).value_counts().sort_index()
    shares, pairs = [], []
    small: list[str] = []
    unpredicted: list[str] = []
    for level in sizes.index.astype(str):
        opened = gate(explained.select(labels == level))
        if opened.is_open:
            members = contributions.select(labels == level)
            shares.append(variance_shares(members).assign(level=level))
            pairs.append(pair_table(members).assign(level=level))
        else:
            (unpredicted if opened.has_enough else small).append(level)
    none = pd.DataFrame({"level": []})
    return GroupedRedundancy(
        shares=pd.concat(shares, ignore_index=True) if shares else none,
        pairs=pd.concat(pairs, ignore_index=True) if pairs else none,
        sizes=sizes,
        left_out=tuple(small),
        not_predicted=tuple(unpredicted),
    )


def centred_terms(contributions: Contributions) -> Array:
    """Terms [n, t, c] in float64, centred within folds and, for classes, over classes."""
    return centred_within(contributions.identified_terms(), contributions.folds)
