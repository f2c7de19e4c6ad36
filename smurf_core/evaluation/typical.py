"""Typical samples of a factorisation (Table 6): lists ordered by scores.

All scores are in standard deviations of the predicted output (within folds), so that they can be
compared between outputs:

- `unique`: |ŷ_I|. The modality alone moves this prediction far.
- `redundant`: min(|ŷ_IJ|, |ŷ_JI|) if both have the same sign and the smaller is at least half of
the larger. Both modalities say the same.
- `unexpected`: |ŷ_IJ − ŷ_JI| if the signs differ or the smaller is below a quarter of the larger.
One modality says what the other should also say but does not.

Of three and more modalities that share something, all must say the same to be `redundant`; they
are `unexpected` by the two of them that are farthest apart.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.errors import InputError
from smurf_core.statistics.folds import centred_within
from smurf_core.terms import Term

Finding = Literal["unique", "redundant", "unexpected"]
ALIKE, APART = 0.5, 0.25


def typical_samples(
    contributions: Contributions,
    finding: Finding,
    *,
    output: str | None = None,
    count: int = 20,
    terms: Collection[Term] | None = None,
) -> pd.DataFrame:
    """The samples with the highest scores, highest first.

    `output` is a class (default: all classes). With `terms`, such as those whose verdict is good,
    only these contributions are listed, and only sets whose members all belong to them.

    Returns one row per sample, modality (or pair) and output: sample_id, output, modality,
    shared_with, score, contribution (ŷ_I, or ŷ_IJ), other (ŷ_JI; NaN for `unique`), prediction,
    other_modality and other_shared_with (whose
    contribution `other` is; empty for `unique`). Of a set of three and more, a sample's row names
    the member with the largest contribution and the one that is farthest from it.
    """
    if output is not None and output not in contributions.outputs:
        raise InputError(f"No output {output!r}; there are {', '.join(contributions.outputs)}.")
    prediction = contributions.prediction()
    tables = []
    for c, name in enumerate(contributions.outputs):
        if output not in (None, name):
            continue
        unit = _within_fold_sd(prediction[:, c], contributions.folds)
        if finding == "unique":
            for modality in contributions.modalities:
                if terms is not None and Term.unique((modality,)) not in terms:
                    continue
                own = contributions.unique(modality)[:, c].astype(np.float64)
                tables.append(
                    _rows(contributions, c, modality, modality, np.abs(own) / unit, own, None)
                )
            continue
        for members in contributions.sets():
            if terms is not None and not set(members) <= set(terms):
                continue
            columns = [contributions.of(term)[:, c].astype(np.float64) for term in members]
            said = np.stack(columns, axis=1)  # [n, members]
            low, high = np.abs(said).min(axis=1), np.abs(said).max(axis=1)
            are_opposed = (said.min(axis=1) < 0) & (said.max(axis=1) > 0)
            same = ~are_opposed & (low > 0) & (low >= ALIKE * high)
            apart = are_opposed | (low < APART * high)
            score = (
                np.where(same, low, 0)
                if finding == "redundant"
                else np.where(apart, np.ptp(said, axis=1), 0)
            )
            tables.append(_of_set(contributions, c, members, score / unit, said))
    if not tables:  # Late fusion shares nothing, and there may be no such terms.
        nothing = np.zeros(len(contributions))
        return _rows(contributions, 0, "", "", nothing, nothing, None).head(0)
    table = pd.concat(tables, ignore_index=True)
    table = table[table["score"] > 0].sort_values("score", ascending=False, kind="stable")
    return table.head(count).reset_index(drop=True)


def _within_fold_sd(prediction: npt.NDArray[np.float32], folds: npt.NDArray[np.int64]) -> float:
    return float(centred_within(prediction, folds).std()) or 1.0


def _of_set(
    contributions: Contributions,
    output: int,
    members: tuple[Term, ...],
    score: npt.NDArray[np.float64],
    said: npt.NDArray[np.float64],
) -> pd.DataFrame:
    """Rows of one set: of a pair both sides, of more the largest and the farthest from it."""
    rows, n = np.arange(len(said)), len(said)
    if len(members) == 2:
        first, second = np.zeros(n, dtype=int), np.ones(n, dtype=int)
    else:
        first = np.abs(said).argmax(axis=1)
        second = np.abs(said - said[rows, first][:, None]).argmax(axis=1)
    sources, partners = (np.array([term.names[k] for term in members]) for k in (1, 2))
    table = _rows(contributions, output, "", "", score, said[rows, first], said[rows, second])
    return table.assign(
        modality=sources[first],
        shared_with=partners[first],
        other_modality=sources[second],
        other_shared_with=partners[second],
    )


def _rows(
    contributions: Contributions,
    output: int,
    modality: str,
    shared_with: str,
    score: npt.NDArray[np.float64],
    contribution: npt.NDArray[np.float64],
    other: npt.NDArray[np.float64] | None,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sample_id": contributions.sample_ids,
            "output": contributions.outputs[output],
            "modality": modality,
            "shared_with": shared_with,
            "score": score,
            "contribution": contribution,
            "other": np.nan if other is None else other,
            "prediction": contributions.prediction()[:, output],
            "other_modality": "",
            "other_shared_with": "",
        }
    )
