"""Samples whose predictions consist of similar contributions."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.errors import InputError

Similarity = Literal["cosine", "euclidean"]


def standardised_terms(contributions: Contributions) -> npt.NDArray[np.float64]:
    """The contributions of each sample in one row, [n, terms · c], scaled to sd 1 over the samples.

    Contributions are already centred on the training folds, so zero means *average* and stays zero.
    A term without spread (such as redundant terms of late fusion) stays zero.
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
    """The samples with the most similar contributions, most similar first.

    `cosine` compares directions (the proportions of the contributions), `euclidean` compares
    distances. Both use `standardised_terms`, which a caller may pass if they are already computed.
    Returns sample_id and cosine (−1 to 1, higher is closer; 0 where a sample has no contributions)
    or distance (≥ 0).
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
