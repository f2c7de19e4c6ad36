"""Typical samples of a factorisation (Table 6): lists ordered by scores.

All scores are in standard deviations of the predicted output (within folds), so that they can be
compared between outputs:

- `unique`: |ŷ_I|. The modality alone moves this prediction far.
- `redundant`: min(|ŷ_IJ|, |ŷ_JI|) if both have the same sign and the smaller is at least half of
the larger. Both modalities say the same. - `unexpected`: |ŷ_IJ − ŷ_JI| if the signs differ or the
smaller is below a quarter of the larger. One modality says what the other should also say but does
not.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.errors import InputError
from smurf_core.statistics.folds import centred_within

Finding = Literal["unique", "redundant", "unexpected"]
ALIKE, APART = 0.5, 0.25


def typical_samples(
    contributions: Contributions, finding: Finding, *, output: str | None = None, count: int = 20
) -> pd.DataFrame:
    """The samples with the highest scores, highest first.

    `output` is a class (default: all classes). Returns one row per sample, modality (or pair)
    and output: sample_id, output, modality, shared_with, score, contribution (ŷ_I, or ŷ_IJ),
    other (ŷ_JI; NaN for `unique`), prediction.
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
                own = contributions.unique(modality)[:, c].astype(np.float64)
                tables.append(
                    _rows(contributions, c, modality, modality, np.abs(own) / unit, own, None)
                )
            continue
        for one, other in contributions.pairs():
            first, second = one.source[0], other.source[0]
            a = contributions.of(one)[:, c].astype(np.float64)
            b = contributions.of(other)[:, c].astype(np.float64)
            low, high = np.minimum(np.abs(a), np.abs(b)), np.maximum(np.abs(a), np.abs(b))
            same = (a * b > 0) & (low >= ALIKE * high)
            apart = (a * b < 0) | (low < APART * high)
            score = (
                np.where(same, low, 0) if finding == "redundant" else np.where(apart, abs(a - b), 0)
            )
            tables.append(_rows(contributions, c, first, second, score / unit, a, b))
    if not tables:  # Late fusion has no pairs.
        nothing = np.zeros(len(contributions))
        return _rows(contributions, 0, "", "", nothing, nothing, None).head(0)
    table = pd.concat(tables, ignore_index=True)
    table = table[table["score"] > 0].sort_values("score", ascending=False, kind="stable")
    return table.head(count).reset_index(drop=True)


def _within_fold_sd(prediction: npt.NDArray[np.float32], folds: npt.NDArray[np.int64]) -> float:
    return float(centred_within(prediction, folds).std()) or 1.0


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
        }
    )
