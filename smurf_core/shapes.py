"""How a feature moves what its modality contributes, over all samples. Imports no torch.

A contribution depends on its own modality alone. So a partial dependence (Friedman, 2001, *The
Annals of Statistics* 29) is exact for it: the feature is set to a value in every sample while the
modality's other features stay as observed, and the fold's model that did not see the sample is
asked again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.exclusive.redone import RefittedFold
from smurf_core.fitted import FittedModel
from smurf_core.refits import TEMPER, WIDENING, critical
from smurf_core.results import RunResult
from smurf_core.scaling import Norm, person_norms
from smurf_core.terms import Term

Array = npt.NDArray[np.float64]
# The quantiles over which a feature is moved: beyond them, few samples say anything.
RANGE = (0.05, 0.95)
POINTS = 15
# So many samples are moved; more change a mean by less than its line's width.
ROWS = 1_500
_ROWS_FOR_ORDER = 100
_AT_ONCE = 4_000_000  # numbers in an array of moved samples


@dataclass(frozen=True)
class Shape:
    """One contribution against one feature of its modality.

    Parameters
    ----------
    term
        The contribution.
    output
        The target, or the class whose logit (less the mean over classes) it is.
    feature
        The feature's name.
    values
        [g]: the feature's values, in the recorded unit, at equally spaced quantiles.
    curve
        [g]: the mean contribution when every sample has this value.
    by_fold
        [folds, g]: the same of the samples of each fold, by its model.
    half_width
        [g]: half of a 95% interval over models of other persons; NaN without refits.
    rise
        The curve at the highest value minus the curve at the lowest.
    rise_half_width, rise_half_width_of_all
        Half of its 95% interval, for this feature alone, and if all of the modality's features
        were looked at (Bonferroni).
    moved, samples
        How many samples were moved, of how many that have the modality.
    """

    term: Term
    output: str
    feature: str
    values: Array
    curve: Array
    by_fold: Array
    half_width: Array
    rise: float
    rise_half_width: float
    rise_half_width_of_all: float
    moved: int
    samples: int

    @property
    def has_interval(self) -> bool:
        """True if the run has refits."""
        return not np.isnan(self.rise_half_width)

    @property
    def is_clear(self) -> bool:
        """True if it rises or falls for certain, even if all features were looked at."""
        return self.has_interval and abs(self.rise) > self.rise_half_width_of_all


def shapes(
    result: RunResult,
    dataset: MultimodalDataset,
    modality: str,
    feature: str,
    *,
    output: int = 0,
    refitted: Sequence[RefittedFold] | None = None,
) -> tuple[Shape, ...]:
    """How one feature moves every contribution of its modality.

    Parameters
    ----------
    result, dataset
        A run and its data.
    modality, feature
        Whose contributions, against which of its features.
    output
        Position of the class; 0 for regression.
    refitted
        What `refitted_folds` returns of the run, for intervals.

    Returns
    -------
    tuple of Shape
        One per contribution that the modality makes by itself: unique, then shared ones.

    Raises
    ------
    InputError
        If there is no such modality or feature, or the feature is the same for every sample.

    Examples
    --------
    >>> import smurf_core as smurf
    >>> data = smurf.datasets.synthetic_additive(samples=80)
    >>> run = smurf.train(data, max_epochs=2, restarts=1)
    >>> feature = data.features["A"].names[0]
    >>> found = shapes(run, data, "A", feature)
    >>> found[0].curve.shape
    (15,)
    """
    column = _column(result, dataset, modality, feature)
    given = dataset.features[modality]
    known = given.values[given.present, column].astype(np.float64)
    known = known[np.isfinite(known)]
    grid = np.unique(np.quantile(known, np.linspace(*RANGE, POINTS))) if len(known) else known
    if len(grid) < 2:
        raise InputError(f"{feature!r} of {modality!r} hardly varies: it has no curve.")
    terms = _terms(result, modality)
    parts = [
        (fold, len(rows), _mean_units(model, modality, rows, column, grid))
        for fold, model, rows in _rows_of_folds(result, dataset, modality, ROWS)
    ]
    sizes = np.array([n for _, n, _ in parts], dtype=np.float64)
    share = sizes / sizes.sum()
    persons = 0 if result.refits is None else result.refits.persons
    found = []
    for term in terms:
        lines = np.stack(
            [
                _outputs(result.fold_results[fold].model, modality, units, term)[:, output]
                for fold, _, units in parts
            ]
        )
        curve = share @ lines
        spread, rise_spread = np.full(len(grid), np.nan), np.nan
        if refitted is not None:
            spread, rise_spread = _spread(refitted, modality, term, output, parts, share)
        features = len(given.names)
        found.append(
            Shape(
                term=term,
                output=result.outputs[output],
                feature=feature,
                values=grid,
                curve=curve,
                by_fold=lines,
                half_width=critical(persons) * spread,
                rise=float(curve[-1] - curve[0]),
                rise_half_width=float(critical(persons) * rise_spread),
                rise_half_width_of_all=float(critical(persons, 1 - 0.05 / features) * rise_spread),
                moved=int(sizes.sum()),
                samples=int((given.present & (result.folds.tested_by() >= 0)).sum()),
            )
        )
    return tuple(found)


def shape_table(found: Sequence[Shape]) -> pd.DataFrame:
    """Curves as a table.

    Returns
    -------
    DataFrame
        One row per contribution and value: modality, shared_with, output, feature, value,
        contribution, ci_low, ci_high (95%; NaN without refits).
    """
    tables = [
        pd.DataFrame(
            {
                "modality": shape.term.names[1],
                "shared_with": shape.term.names[2],
                "output": shape.output,
                "feature": shape.feature,
                "value": shape.values,
                "contribution": shape.curve,
                "ci_low": shape.curve - shape.half_width,
                "ci_high": shape.curve + shape.half_width,
            }
        )
        for shape in found
    ]
    return pd.concat(tables, ignore_index=True)


def feature_rises(
    result: RunResult, dataset: MultimodalDataset, modality: str, *, output: int = 0
) -> pd.DataFrame:
    """How far each feature of a modality moves its contributions, the farthest first.

    Returns
    -------
    DataFrame
        One row per feature that varies: feature, rise (mean contribution with the feature at its
        95th percentile minus the 5th, of the modality's contribution that it moves farthest).

    Raises
    ------
    InputError
        If the run has no such modality.
    """
    _column(result, dataset, modality, dataset.features[modality].names[0])
    given = dataset.features[modality]
    values = given.values[given.present].astype(np.float64)
    low, high = np.nanquantile(values, RANGE, axis=0)
    terms = _terms(result, modality)
    rises = np.zeros((len(terms), len(given.names)))
    total = 0
    for _, model, rows in _rows_of_folds(result, dataset, modality, _ROWS_FOR_ORDER):
        total += len(rows)
        ends = [
            rows.scaled(model, modality, np.broadcast_to(v, rows.values.shape)) for v in (low, high)
        ]
        recorded = rows.scaled(model, modality, rows.values)
        for column in range(len(given.names)):
            units = []
            for end in ends:
                moved = recorded.copy()
                moved[:, column] = end[:, column]
                units.append(_units(model, modality, moved).mean(axis=0))
            difference = np.stack(units)
            for t, term in enumerate(terms):
                start, stop = _outputs(model, modality, difference, term)[:, output]
                rises[t, column] += (stop - start) * len(rows)
    rises /= max(total, 1)
    farthest = rises[np.abs(rises).argmax(axis=0), np.arange(rises.shape[1])]
    table: pd.DataFrame = pd.DataFrame({"feature": list(given.names), "rise": farthest})
    table = table[low < high]
    order = np.argsort(-table["rise"].abs().to_numpy(), kind="stable")
    return table.iloc[order].reset_index(drop=True)


@dataclass(frozen=True)
class _Rows:
    """Some samples of one fold: a modality's features as recorded, and how they are scaled."""

    values: npt.NDArray[np.float32]  # [k, d]
    persons: npt.NDArray[np.str_] | None
    norms: dict[tuple[str, str], Norm] | None

    def __len__(self) -> int:
        return len(self.values)

    def scaled(
        self, model: FittedModel, modality: str, values: npt.NDArray[np.floating], times: int = 1
    ) -> npt.NDArray[np.float32]:
        """Values [k · times, d] of these samples, as the model's network sees them."""
        n = len(values)
        features = {
            name: np.full((n, len(names)), np.nan, dtype=np.float32)
            for name, names in model.features.items()
        }
        features[modality] = np.asarray(values, dtype=np.float32)
        persons = None if self.persons is None else np.tile(self.persons, times)
        norms = self.norms
        if norms is not None and persons is not None:
            nothing = np.zeros(1, np.float32), np.ones(1, np.float32)
            norms = norms | {
                (str(person), name): nothing
                for person in np.unique(persons)
                for name in features
                if name != modality
            }
        return model.inputs(features, persons=persons, norms=norms)[modality]


def _rows_of_folds(
    result: RunResult, dataset: MultimodalDataset, modality: str, most: int
) -> Iterator[tuple[int, FittedModel, _Rows]]:
    """Of at most so many tested samples that have a modality: those of each fold, and its model."""
    tested_by = result.folds.tested_by()
    given = dataset.features[modality]
    there = np.flatnonzero((tested_by >= 0) & given.present)
    if len(there) > most:
        there = np.sort(np.random.default_rng(0).choice(there, most, replace=False))
    norms = None
    if result.config.standardisation == "within_person" and dataset.persons is not None:
        norms = person_norms({modality: given.values}, dataset.persons)
    for fold in np.unique(tested_by[there]):
        rows = there[tested_by[there] == fold]
        persons = None if dataset.persons is None else dataset.persons[rows]
        yield (
            int(fold), result.fold_results[fold].model, _Rows(given.values[rows], persons, norms),
        )  # fmt: skip


def _mean_units(model: FittedModel, modality: str, rows: _Rows, column: int, grid: Array) -> Array:
    """The mean of what a modality's outputs read when a feature has each value, [g, h]."""
    k, d = rows.values.shape
    at_once = max(1, _AT_ONCE // (k * d))
    found = []
    for first in range(0, len(grid), at_once):
        some = grid[first : first + at_once]
        moved = np.tile(rows.values, (len(some), 1))
        moved[:, column] = np.repeat(some, k)
        scaled = rows.scaled(model, modality, moved, times=len(some))
        units = _units(model, modality, scaled)
        found.append(units.reshape(len(some), k, -1).mean(axis=1))
    return np.concatenate(found)


def _units(model: FittedModel, modality: str, scaled: npt.NDArray[np.float32]) -> Array:
    return model.last_hidden((modality,), {modality: scaled}).astype(np.float64)


def _outputs(model: FittedModel, modality: str, units: Array, term: Term) -> Array:
    """A term's contributions [g, c] to units [g, h]; of classes, less their mean over classes."""
    own = [other for other in model.terms if other.source == term.source]
    last, c = model.towers[(modality,)][-1], len(model.outputs)
    at = slice(own.index(term) * c, (own.index(term) + 1) * c)
    found = units @ last.weight[at].T.astype(np.float64) + last.bias[at].astype(np.float64)
    return _identified(found * model.scaler.target_sd)


def _identified(values: Array) -> Array:
    """Without what all classes have in common; numbers as they are."""
    return values - values.mean(axis=-1, keepdims=True) if values.shape[-1] > 1 else values


def _spread(
    refitted: Sequence[RefittedFold],
    modality: str,
    term: Term,
    output: int,
    parts: Sequence[tuple[int, int, Array]],
    share: Array,
) -> tuple[Array, float]:
    """Standard deviation of a curve over refits [g], and of its rise (`refits_of`)."""
    drawn, shrunk = [], []
    for (fold, _, units), part in zip(parts, share, strict=True):
        refits = refitted[fold]
        drawn.append(part * _identified(refits.deviations(modality, units, term))[..., output])
        shrunk.append(part * _identified(refits.shrunk(modality, units, term))[..., output])
    # Draw by draw, all folds weigh persons alike: a draw is the whole curve of other persons.
    lines, bias = np.sum(drawn, axis=0), np.sum(shrunk, axis=0)
    rises, rise_bias = lines[:, -1] - lines[:, 0], bias[-1] - bias[0]
    spread = WIDENING * np.sqrt(lines.var(axis=0, ddof=1) / TEMPER**2 + bias**2)
    rise = WIDENING * np.sqrt(rises.var(ddof=1) / TEMPER**2 + rise_bias**2)
    return np.asarray(spread), float(rise)


def _terms(result: RunResult, modality: str) -> tuple[Term, ...]:
    terms = result.fold_results[0].model.terms
    own = [term for term in terms if term.source == (modality,)]
    return tuple(sorted(own, key=lambda term: not term.is_unique))


def _column(result: RunResult, dataset: MultimodalDataset, modality: str, feature: str) -> int:
    if modality not in result.modalities:
        raise InputError(f"No modality {modality!r}; there are {', '.join(result.modalities)}.")
    names = dataset.features[modality].names
    if feature not in names:
        raise InputError(f"{modality!r} has no feature {feature!r}.")
    return names.index(feature)
