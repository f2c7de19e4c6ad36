"""How a prediction's variance divides among contributions, and what pairs of modalities share."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.evaluation.metrics import pearson_r

Array = npt.NDArray[np.float64]
ALL_OUTPUTS = "all"


def variance_shares(contributions: Contributions) -> pd.DataFrame:
    """Each contribution's share of the prediction's variance; the shares add up to one.

    The share of term t is cov(t, ŷ) / var(ŷ), with ŷ = Σ t. It holds the term's own variance and
    half of what it shares with every other term, and is below zero where a term works against
    the others. Within folds, because every fold has a model of its own. For classes, terms are
    first centred over the classes, of which the softmax doesn't see the mean, and output `all`
    sums covariances and variances over classes.

    Returns
    -------
    DataFrame
        One row a term and output (and `all`, for classes): order, modality, shared_with, kind,
        output, share, own_share (var(t) / var(ŷ)), sd (in the target's unit, or logits).
    """
    terms = _centred_terms(contributions)  # [n, t, c]
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


def pair_table(contributions: Contributions) -> pd.DataFrame:
    """What every pair of modalities shares, output by output.

    Returns
    -------
    DataFrame
        One row a pair and output: modality, shared_with, output, r (between ŷ_IJ and ŷ_JI),
        covariance, share (of both sides together in the prediction's variance), left_first and
        left_second (r between the unique contribution and the redundant one, of the first and of
        the second modality: what L_uncor left). Within folds; classes' logits are centred over
        the classes. NaN where a contribution does not vary.
    """
    terms = _centred_terms(contributions)
    n, _, c = terms.shape
    m = len(contributions.modalities)
    values = terms[:, : m * m].reshape(n, m, m, c)
    total = terms.sum(axis=1)
    variance = (total**2).mean(axis=0)
    rows = []
    for i, j in combinations(range(m), 2):
        for output in range(c):
            one, other = values[:, i, j, output], values[:, j, i, output]
            both = ((one + other) * total[:, output]).mean()
            rows.append(
                {
                    "modality": contributions.modalities[i],
                    "shared_with": contributions.modalities[j],
                    "output": contributions.outputs[output],
                    "r": pearson_r(one, other),
                    "covariance": float((one * other).mean()),
                    "share": both / variance[output] if variance[output] > 0 else np.nan,
                    "left_first": pearson_r(values[:, i, i, output], one),
                    "left_second": pearson_r(values[:, j, j, output], other),
                }
            )
    return pd.DataFrame(rows)


def _centred_terms(contributions: Contributions) -> Array:
    """Terms [n, t, c] in float64, centred within folds and, for classes, over classes."""
    terms = contributions.identified_terms()
    for fold in np.unique(contributions.folds):
        rows = contributions.folds == fold
        terms[rows] -= terms[rows].mean(axis=0)
    return terms
