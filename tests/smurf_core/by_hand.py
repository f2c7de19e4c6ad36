"""Contributions made by hand, from arrays in which entry (i, j) is what i shares with j."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from smurf_core.contributions import Contributions
from smurf_core.terms import Term


def square_terms(
    values: np.ndarray, modalities: tuple[str, ...], interactions: Mapping[int, np.ndarray] = {}
) -> tuple[tuple[Term, ...], np.ndarray]:
    """Terms, and arrays [n, s, s, c] of every order side by side as [n, t, c]."""
    terms, columns = [], []
    for order, array in ((1, values), *sorted(interactions.items())):
        sources = list(combinations(modalities, order))
        for i, source in enumerate(sources):
            for j in range(len(sources)):
                sharers = tuple(sources[k] for k in sorted({i, j}))
                terms.append(Term(source, sharers))
                columns.append(array[:, i, j])
    return tuple(terms), np.stack(columns, axis=1).astype(np.float32)


def square_contributions(
    *,
    values: np.ndarray,
    modalities: tuple[str, ...],
    interactions: Mapping[int, np.ndarray] = {},
    **parts: object,
) -> Contributions:
    """`Contributions` from arrays [n, m, m, c], and [n, s, s, c] of interactions by order."""
    terms, flat = square_terms(values, modalities, interactions)
    return Contributions(values=flat, terms=terms, modalities=modalities, **parts)


def square(contributions: Contributions, order: int = 1) -> np.ndarray:
    """Contributions of an order as [n, s, s, c]; zero where there is no such term."""
    sources = list(combinations(contributions.modalities, order))
    n, _, c = contributions.values.shape
    found = np.zeros((n, len(sources), len(sources), c), dtype=np.float32)
    for t, term in enumerate(contributions.terms):
        if term.order == order:
            partner = term.others[0] if term.others else term.source
            found[:, sources.index(term.source), sources.index(partner)] = contributions.values[
                :, t
            ]
    return found
