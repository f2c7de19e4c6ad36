"""Linear late fusion of every subset of modalities, trained and tested in the same folds.

Held-out losses only: what `commonality` divides. Ridge regression, for classes on one indicator
per class. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy  # whose parts load when used, after the first paint

from smurf_core.configuration import Standardisation
from smurf_core.data.dataset import Folds, MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.fold_label import fold_label
from smurf_core.scaling import fit_scaler, standardise
from smurf_core.statistics.persons import person_codes
from smurf_core.terms import Source

Array = npt.NDArray[np.float64]
# Of a modality with more features, its leading principal components of the training fold.
MOST_COMPONENTS = 100
_INNER_FOLDS = 5
# Times the mean eigenvalue of the features' covariance, the largest first.
_PENALTIES = 10.0 ** np.linspace(4, -4, 17)


@dataclass(frozen=True)
class SubsetLosses:
    """Held-out losses of late fusion of subsets of modalities, one row per fold and test sample.

    Losses are squared errors, for classes those of one indicator per class (0 or 1), summed.
    Without any modality, the training samples' mean is predicted: the frequencies of the classes.
    """

    positions: npt.NDArray[np.int64]  # [k]: of each row's sample in the data set
    folds: npt.NDArray[np.int64]  # [k]: the fold that tests it, from 0
    without: Array  # [k]: loss without any modality
    losses: Array  # [k, subsets]: in the order in which subsets were given


@dataclass(frozen=True)
class _Roles:
    """Rows of one fold: samples to learn from (training and validation), and test samples."""

    learned: npt.NDArray[np.int64]  # [n]
    inner: npt.NDArray[np.int64]  # [n]: the inner fold that holds each of these out
    test: npt.NDArray[np.int64]  # [k]


def why_not_held_out(folds: Folds) -> str:
    """Why nothing can be predicted out of sample in these folds, in a sentence; else nothing."""
    trains = folds.training | folds.validation
    for fold in range(len(folds)):
        number = fold_label(fold)
        if (trains[fold] & folds.test[fold]).any():
            return (
                f"Fold {number} tests samples that it also trains or validates with, so nothing "
                "can be held out: use folds that do not overlap."
            )
        for role in ("training", "test"):
            if not getattr(folds, role)[fold].any():
                return f"Fold {number} has no {role} samples: use folds with both."
    return ""


def subset_losses(
    dataset: MultimodalDataset,
    folds: Folds,
    subsets: Sequence[Source],
    *,
    standardisation: Standardisation = "training_fold",
    clip: float | None = None,
) -> SubsetLosses:
    """Train late fusion of each subset in every fold, and take its losses on the test samples.

    It learns from training and validation samples. The penalty is the one with the lowest loss in
    an inner cross-validation over their persons, for every subset and fold. By the same loss, a
    subset may do without some of its modalities, where all parts of it were asked for. An absent
    modality adds nothing to a prediction.

    Parameters
    ----------
    dataset
        Features and target of n samples.
    folds
        Roles of the samples; those of `dataset` are not read.
    subsets
        Non-empty subsets of the data set's modalities.
    standardisation
        How features are brought to one scale, as in `RunConfig`.
    clip
        Standardised features are clipped at ± this many standard deviations; None: never.

    Returns
    -------
    SubsetLosses

    Raises
    ------
    InputError
        If a fold tests samples that it trains with, or lacks a role; if the training samples'
        target does not vary; or if persons are needed and not known.
    """
    if reason := why_not_held_out(folds):
        raise InputError(reason)
    target = dataset.target.astype(np.float64)[:, None]
    if dataset.task == "classification":
        target = np.eye(len(dataset.class_names))[dataset.target.astype(np.int64)]
    parts = []
    for fold in range(len(folds)):
        learned = folds.training[fold] | folds.validation[fold]
        roles = _Roles(
            np.flatnonzero(learned),
            _inner_folds(dataset, learned),
            np.flatnonzero(folds.test[fold]),
        )
        inputs = _inputs(dataset, learned, standardisation, clip)
        y = target - target[roles.learned].mean(axis=0)
        x = np.concatenate(list(inputs.values()), axis=1)
        belongs_to = np.repeat(list(inputs), [part.shape[1] for part in inputs.values()])
        sums = _inner_sums(y, x, roles)
        fits = [
            _ridge(y, x, np.flatnonzero(np.isin(belongs_to, subset)), sums, roles)
            for subset in subsets
        ]
        losses = [fits[chosen].losses for chosen in _without_harm(subsets, fits)]
        without = (y[roles.test] ** 2).sum(axis=1)
        parts.append(
            SubsetLosses(
                roles.test, np.full(len(roles.test), fold), without, np.stack(losses, axis=1)
            )
        )
    return SubsetLosses(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("positions", "folds", "without", "losses")
        )
    )


def _inputs(
    dataset: MultimodalDataset,
    training: npt.NDArray[np.bool_],
    standardisation: Standardisation,
    clip: float | None,
) -> dict[str, Array]:
    """Modality → features [n, d], with a mean of zero over samples to learn; zero if absent."""
    scaler = fit_scaler(dataset, training, standardisation, clip=clip)
    found = {}
    for name, values in standardise(dataset, scaler, standardisation).items():
        present = dataset.features[name].present
        known = training & present
        x = values.astype(np.float64)
        if known.any():
            seen = x[known]
            means = seen.mean(axis=0)
            if np.isnan(means).any():
                means = np.nanmean(seen, axis=0)
            x -= means
            # A gap is the training samples' mean, as it is for `FittedModel`.
            x[np.isnan(x)] = 0
            x[~present] = 0
        else:
            x[:] = 0
        found[name] = _leading(x, training)
    return found


def _leading(x: Array, training: npt.NDArray[np.bool_]) -> Array:
    """Features as scores on their leading principal components, where they are many."""
    if x.shape[1] <= MOST_COMPONENTS:
        return x
    seen = x[training]
    count = min(MOST_COMPONENTS, len(seen) - 1)
    if min(seen.shape) > 10 * MOST_COMPONENTS:
        start = np.random.default_rng(0).normal(size=min(seen.shape))
        axes = scipy.sparse.linalg.svds(seen, k=count, v0=start)[2]
    else:
        axes = np.linalg.svd(seen, full_matrices=False)[2][:count]
    return np.asarray(x @ axes.T)


def _inner_folds(
    dataset: MultimodalDataset, learned: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """An inner fold for each sample to learn from, [n]; all samples of a person have the same."""
    n = int(learned.sum())
    codes = person_codes(None if dataset.persons is None else dataset.persons[learned], n)
    if codes.max() == 0:
        codes = np.arange(n)
    order = np.random.default_rng(0).permutation(int(codes.max()) + 1)
    return np.asarray(order[codes] % min(_INNER_FOLDS, len(order)))


@dataclass(frozen=True)
class _Fit:
    """One subset's model of one fold."""

    error: float  # mean loss in the inner cross-validation
    losses: Array  # [k]: on test samples


@dataclass(frozen=True)
class _Sums:
    """Sums over samples, from which ridge regression is solved and its error computed."""

    n: int
    x: Array  # [d]
    y: Array  # [c]
    xx: Array  # [d, d]
    xy: Array  # [d, c]
    yy: float

    @classmethod
    def of(cls, x: Array, y: Array) -> _Sums:
        return cls(len(x), x.sum(axis=0), y.sum(axis=0), x.T @ x, x.T @ y, float((y**2).sum()))

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(*(mine + theirs for mine, theirs in zip(self._all, other._all, strict=True)))

    def __sub__(self, other: _Sums) -> _Sums:
        return _Sums(*(mine - theirs for mine, theirs in zip(self._all, other._all, strict=True)))

    @property
    def _all(self) -> tuple[Any, ...]:
        return self.n, self.x, self.y, self.xx, self.xy, self.yy

    def columns(self, columns: npt.NDArray[np.int64]) -> _Sums:
        """Those of some features."""
        xx = self.xx[np.ix_(columns, columns)]
        return _Sums(self.n, self.x[columns], self.y, xx, self.xy[columns], self.yy)

    def weights(self, penalties: Array) -> Array:
        """Ridge weights for every penalty, [penalties, d, c], of y less its mean."""
        values, vectors = np.linalg.eigh(self.xx / self.n)
        values = np.maximum(values, 0)
        scale = float(values.mean())
        added = penalties * (scale if scale > 0 else 1.0)
        along = vectors.T @ self._with_y_less(self.y / self.n) / self.n
        return np.asarray(vectors @ (along / (values + added[:, None])[:, :, None]))

    def errors(self, weights: Array, middle: Array) -> Array:
        """Squared errors of y = middle + x · weights for each of them, [penalties]."""
        alone = self.yy - 2 * middle @ self.y + self.n * middle @ middle
        quadratic = (weights * (self.xx @ weights)).sum(axis=(1, 2))
        linear = (weights * self._with_y_less(middle)).sum(axis=(1, 2))
        return np.asarray(np.maximum(alone - 2 * linear + quadratic, 0))

    def _with_y_less(self, middle: Array) -> Array:
        return self.xy - np.outer(self.x, middle)


def _inner_sums(y: Array, x: Array, roles: _Roles) -> list[_Sums]:
    """Sums over the samples that each inner fold holds out; together, those to learn from."""
    folds = range(int(roles.inner.max()) + 1)
    held_out = [roles.learned[roles.inner == inner] for inner in folds]
    return [_Sums.of(x[rows], y[rows]) for rows in held_out]


def _ridge(
    y: Array, x: Array, columns: npt.NDArray[np.int64], sums: list[_Sums], roles: _Roles
) -> _Fit:
    """Squared errors of the ridge model of some features with the best penalty, over outputs.

    `y` [n, c] and `x` [n, d] have a mean of zero over the samples to learn from; `sums` are
    `_inner_sums` of them. Each inner fold is solved from sums: samples are gone through once.
    """
    held_out = [part.columns(columns) for part in sums]
    every = reduce(add, held_out)
    errors = np.zeros(len(_PENALTIES))
    for out in held_out:
        rest = every - out
        errors += out.errors(rest.weights(_PENALTIES), rest.y / rest.n)
    best = int(errors.argmin())
    (weights,) = every.weights(_PENALTIES[[best]])
    off = y[roles.test] - x[np.ix_(roles.test, columns)] @ weights
    return _Fit(float(errors[best]) / every.n, np.asarray((off**2).sum(axis=1)))


def _without_harm(subsets: Sequence[Source], fits: Sequence[_Fit]) -> list[int]:
    """For every subset, the part of it with the lowest inner error, as a position.

    A modality of noise costs accuracy, since one penalty holds for all features. R² of more
    modalities would then be lower, unique parts far below zero, and the rest would look common.
    Only where every part of a subset was trained; else it is the subset itself.
    """
    chosen = []
    for k, subset in enumerate(subsets):
        inside = [j for j, other in enumerate(subsets) if set(other) <= set(subset)]
        is_complete = len(inside) == 2 ** len(subset) - 1
        chosen.append(min(inside, key=lambda j: fits[j].error) if is_complete else k)
    return chosen
