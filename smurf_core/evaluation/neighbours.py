"""Samples whose predictions are made of the same parts."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.errors import InputError

Similarity = Literal["cosine", "euclidean"]


def standardised_terms(contributions: Contributions) -> npt.NDArray[np.float64]:
    """Every sample's contributions side by side, [n, terms · c], each with sd 1 over the samples.

    They are centred on training folds already, zero is *as on average*, and stays zero. A term
    without spread (late fusion's redundant ones) stays zero.
    """
    terms = contributions.identified_terms().reshape(len(contributions), -1)
    spread = terms.std(axis=0)
    return np.asarray(terms / np.where(spread > 0, spread, 1))


def similar_samples(
    contributions: Contributions,
    sample_id: str,
    *,
    measure: Similarity = "cosine",
    count: int = 10,
    standardised: npt.NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """The samples with the most alike pattern of contributions, the most alike first.

    `cosine` compares directions (the same parts, however strong), `euclidean` distances, both on
    `standardised_terms` (which a caller that has them hands in). Returns sample_id and cosine
    (−1 to 1, higher is closer; 0 where a sample has no contributions) or distance (≥ 0).
    """
    found = np.flatnonzero(contributions.sample_ids == sample_id)
    if not len(found):
        raise InputError(f"Sample {sample_id!r} has no contributions in this run.")
    terms = standardised_terms(contributions) if standardised is None else standardised
    own = terms[found[0]]
    if measure == "cosine":
        norms = np.linalg.norm(terms, axis=1) * np.linalg.norm(own)
        score = np.divide(terms @ own, norms, out=np.zeros(len(terms)), where=norms > 0)
        rank = -score
    else:
        score = np.linalg.norm(terms - own, axis=1)
        rank = score.copy()
    rank[found[0]] = np.inf
    count = min(count, len(terms) - 1)
    order = np.argsort(rank, kind="stable")[:count]
    name = "cosine" if measure == "cosine" else "distance"
    return pd.DataFrame({"sample_id": contributions.sample_ids[order], name: score[order]})
