"""Typical samples of a factorisation (Table 6): lists ordered by scores.

All scores are in standard deviations of the predicted output (within folds), so that they can be
compared between outputs. Contributions to classes are less their mean over the classes, which the
softmax does not see:

- `unique`: |ŷ_I|. The modality alone moves this prediction far.
- `redundant`: min(|ŷ_IJ|, |ŷ_JI|) if both have the same sign and the smaller is at least half of
the larger. Both modalities say the same.
- `unexpected`: |ŷ_IJ − ŷ_JI| if the signs differ or the smaller is below a quarter of the larger.
One modality says what the other should also say but does not.
- `not_recorded`: |ŷ_IJ| if J was not recorded. What I says could not be compared with anything.

Of three and more modalities that share something, all must say the same to be `redundant`; they
are `unexpected` by the two recorded ones that are farthest apart.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.errors import InputError
from smurf_core.explained import Explained
from smurf_core.refits import critical
from smurf_core.results import RunResult
from smurf_core.statistics.folds import centred_within
from smurf_core.terms import Term

Finding = Literal["unique", "redundant", "unexpected", "not_recorded"]
Array = npt.NDArray[np.float64]
ALIKE, APART = 0.5, 0.25


@dataclass(frozen=True)
class Sides:
    """How the members of a shared set stand to each other in every sample.

    Parameters
    ----------
    said
        What each member says, [n, members]; NaN where it was not recorded.
    first, second
        The member that says most, and the one that is farthest from it, [n]; of a pair in its
        order. -1 where fewer than two members were recorded.
    agree
        All members were recorded and say the same, [n].
    apart
        Two recorded members do not say the same, [n].
    unclear
        They would be apart, but their intervals do not exclude that both say the same, [n].
    """

    said: Array
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    agree: npt.NDArray[np.bool_]
    apart: npt.NDArray[np.bool_]
    unclear: npt.NDArray[np.bool_]


def compare_sides(said: Array, half_widths: Array | None = None) -> Sides:
    """Compare the members of a shared set.

    Parameters
    ----------
    said
        What each member says, [n, members]; NaN where it was not recorded.
    half_widths
        Half of each value's 95% interval, [n, members], where refits give one.

    Returns
    -------
    Sides
    """
    n, members = said.shape
    rows, there = np.arange(n), np.isfinite(said)
    full, several = there.all(axis=1), there.sum(axis=1) > 1
    size = np.where(there, np.abs(said), np.inf)
    low = size.min(axis=1)
    high = np.where(there, np.abs(said), -np.inf).max(axis=1)
    smallest = np.where(there, said, np.inf).min(axis=1)
    largest = np.where(there, said, -np.inf).max(axis=1)
    opposed = several & (smallest < 0) & (largest > 0)
    agree = full & ~opposed & (low > 0) & (low >= ALIKE * high)
    if members == 2:
        first, second = np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.int64)
    else:
        first = np.where(there, np.abs(said), -1).argmax(axis=1)
        gap = np.abs(said - said[rows, first][:, None])
        second = np.where(there, gap, -1).argmax(axis=1)
    apart = several & (opposed | (low < APART * high))
    unclear = np.zeros(n, dtype=np.bool_)
    if half_widths is not None:
        joint = np.hypot(half_widths[rows, first], half_widths[rows, second])
        unclear = apart & ~(np.abs(said[rows, first] - said[rows, second]) > joint)
    first, second = (np.where(several, member, -1) for member in (first, second))
    return Sides(said, first, second, agree, apart & ~unclear, unclear)


def half_widths(result: RunResult, explained: Explained) -> Array | None:
    """Half of each contribution's 95% interval over refits, [n, t, c]; None without refits.

    In the order of the explained samples. For classes: of contributions less their mean over the
    classes.

    Raises
    ------
    ValueError
        If the run is restricted to a part of its samples.
    """
    if result.refits is None:
        return None
    ids = pd.Index(result.contributions().sample_ids)
    if len(ids) != result.refits.tested:
        raise ValueError("Give the whole run: its refits are of all samples that it tested.")
    at = ids.get_indexer(pd.Index(explained.sample_ids))
    spread = result.refits.spread[at].astype(np.float64)
    return np.asarray(critical(result.refits.persons) * spread)


def typical_samples(
    explained: Explained,
    finding: Finding,
    *,
    output: str | None = None,
    count: int = 20,
    terms: Collection[Term] | None = None,
    half_widths: Array | None = None,
) -> pd.DataFrame:
    """The samples with the highest scores, highest first.

    Parameters
    ----------
    explained
        Contributions and the data, which show what was recorded.
    finding
        Which list: see the module's head.
    output
        A class (default: all classes).
    count
        The length of the list.
    terms
        Only these contributions are listed, such as those whose verdict is good, and only sets
        whose members all belong to them.
    half_widths
        What `half_widths` returns. With it, samples are `unexpected` only if the difference of
        the two sides is larger than its interval.

    Returns
    -------
    DataFrame
        One row per sample, modality (or pair) and output: sample_id, output, modality,
        shared_with, score, contribution (ŷ_I, or ŷ_IJ), other (ŷ_JI; NaN for `unique` and
        `not_recorded`), prediction, other_modality and other_shared_with (whose contribution
        `other` is, or would be; empty for `unique`). Of a set of three and more, a sample's row
        names the member with the largest contribution and the one that is farthest from it.

    Raises
    ------
    InputError
        If there is no such output.
    """
    contributions = explained.contributions
    if output is not None and output not in contributions.outputs:
        raise InputError(f"No output {output!r}; there are {', '.join(contributions.outputs)}.")
    values = contributions.identified_terms()
    prediction = identified_prediction(contributions)
    there = recorded(explained)
    tables = []
    for c, name in enumerate(contributions.outputs):
        if output not in (None, name):
            continue
        unit = prediction_unit(prediction[:, c], contributions.folds)
        rows = _Rows(contributions, c, prediction[:, c])
        if finding == "unique":
            for modality in contributions.modalities:
                term = Term.unique((modality,))
                if terms is not None and term not in terms:
                    continue
                own = values[:, contributions.position(term), c]
                tables.append(rows.of(modality, modality, np.abs(own) / unit, own, np.nan))
            continue
        for members in contributions.sets():
            if terms is not None and not set(members) <= set(terms):
                continue
            at = [contributions.position(term) for term in members]
            own_there = there[:, [contributions.index(term.source[0]) for term in members]]
            said = np.where(own_there, values[:, at, c], np.nan)
            widths = None if half_widths is None else half_widths[:, at, c]
            tables.append(rows.of_set(members, finding, said, widths, unit))
    if not tables:  # Late fusion shares nothing, and there may be no such terms.
        nothing = np.zeros(len(contributions))
        return _Rows(contributions, 0, nothing).of("", "", nothing, nothing, np.nan).head(0)
    table = pd.concat(tables, ignore_index=True)
    table = table[table["score"] > 0].sort_values("score", ascending=False, kind="stable")
    return table.head(count).reset_index(drop=True)


def recorded(explained: Explained) -> npt.NDArray[np.bool_]:
    """True for each sample and modality of the run that was recorded, [n, m]."""
    dataset, modalities = explained.dataset, explained.contributions.modalities
    columns = [explained.aligned(dataset.features[name].present) for name in modalities]
    return np.stack(columns, axis=1)


def identified_prediction(contributions: Contributions) -> Array:
    """Predictions [n, c]; for classes logits less their mean over the classes."""
    prediction = contributions.prediction().astype(np.float64)
    if contributions.is_classification:
        prediction -= prediction.mean(axis=1, keepdims=True)
    return prediction


def prediction_unit(prediction: Array, folds: npt.NDArray[np.int64]) -> float:
    """The standard deviation of predictions [n] within folds, in which scores are; 1 for 0."""
    return float(centred_within(prediction, folds).std()) or 1.0


@dataclass(frozen=True)
class _Rows:
    """Makes rows of one output."""

    contributions: Contributions
    output: int
    prediction: Array

    def of_set(
        self,
        members: tuple[Term, ...],
        finding: Finding,
        said: Array,
        widths: Array | None,
        unit: float,
    ) -> pd.DataFrame:
        """Rows of one set: of a pair both sides, of more the largest and the farthest from it."""
        rows, there = np.arange(len(said)), np.isfinite(said)
        sides = compare_sides(said, widths)
        first, second = sides.first.copy(), sides.second.copy()
        size = np.where(there, np.abs(said), 0)
        if finding == "redundant":
            score = np.where(sides.agree, size.min(axis=1), 0)
        elif finding == "unexpected":
            score = np.where(sides.apart, np.abs(said[rows, first] - said[rows, second]), 0)
        else:
            score = np.where(there.all(axis=1), 0, size.max(axis=1))
            first, second = size.argmax(axis=1), there.argmin(axis=1)
        sources, partners = (np.array([term.names[k] for term in members]) for k in (1, 2))
        table = self.of("", "", score / unit, said[rows, first], said[rows, second])
        return table.assign(
            modality=sources[first],
            shared_with=partners[first],
            other_modality=sources[second],
            other_shared_with=partners[second],
        )

    def of(
        self,
        modality: str,
        shared_with: str,
        score: Array,
        contribution: Array,
        other: Array | float,
    ) -> pd.DataFrame:
        """Rows of one contribution, or of both sides of a pair."""
        contributions = self.contributions
        return pd.DataFrame(
            {
                "sample_id": contributions.sample_ids,
                "output": contributions.outputs[self.output],
                "modality": modality,
                "shared_with": shared_with,
                "score": score,
                "contribution": contribution,
                "other": other,
                "prediction": self.prediction,
                "other_modality": "",
                "other_shared_with": "",
            }
        )
