"""Predictions of a fold's model after features of a sample were changed. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.contributions import Contributions
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.evaluation.feature_groups import feature_groups
from smurf_core.evaluation.outlying import distances
from smurf_core.results import RunResult
from smurf_core.scaling import Norm, person_norms

FloatArray = npt.NDArray[np.float32]
# The quantiles between which a feature can be moved, and those that `feature_effects` compares.
RANGE = (0.0, 100.0)
SWING = (5.0, 95.0)
_SUGGESTED = 3  # features of a suggested change


def changed_contributions(
    result: RunResult,
    dataset: MultimodalDataset,
    sample_id: str,
    changes: Mapping[str, FloatArray],
    *,
    persons: Mapping[str, str] | None = None,
) -> Contributions:
    """The contributions to one sample's prediction after some modalities' features were changed.

    Parameters
    ----------
    result, dataset
        A run and its data.
    sample_id
        A sample that a fold tested; its fold's model explains the changed sample.
    changes
        Modality → rows of features [k, d] in the recorded unit, the same k for all.
    persons
        For a modality whose features were taken from another sample: the person of that sample. The
        person's mean and standard deviation standardise these features (`within_person` only).

    Returns
    -------
    Contributions
        One row per changed version. Contributions that depend on none of the changed modalities are
        exactly the stored ones.

    Raises
    ------
    InputError
        If no fold tested the sample, or the changed features have gaps.
    """
    versions = _versions(result, dataset, sample_id, changes, persons or {})
    before = result.contributions()
    stored = before.select(np.flatnonzero(before.sample_ids == sample_id))
    k = len(next(iter(changes.values())))
    explained = result.fold_results[versions.fold].model.contributions(
        versions.features, persons=versions.persons, norms=versions.norms
    )
    is_changed = stored.where(lambda term: any(name in changes for name in term.source))
    values = np.repeat(stored.values, k, axis=0)
    values[:, is_changed] = explained.values[:, is_changed]
    return replace(
        stored,
        values=values,
        baseline=np.repeat(stored.baseline, k, axis=0),
        sample_ids=np.repeat(stored.sample_ids, k),
        folds=np.repeat(stored.folds, k),
    )


def changed_distances(
    result: RunResult,
    dataset: MultimodalDataset,
    sample_id: str,
    changes: Mapping[str, npt.NDArray[np.floating]],
    *,
    persons: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """How far changed versions of a sample lie from the training data of the sample's fold.

    Takes what `changed_contributions` takes; returns one row per version, as `distances` does.
    """
    versions = _versions(result, dataset, sample_id, changes, persons or {})
    return distances(
        result, dataset, versions.fold, versions.features,
        persons=versions.persons, norms=versions.norms,
    )  # fmt: skip


@dataclass(frozen=True)
class _Versions:
    """Features of changed versions of a sample, and what its fold's model needs to read them."""

    fold: int
    features: dict[str, npt.NDArray[np.float32]]  # modality → [k, d]
    persons: npt.NDArray[np.str_] | None  # [k]
    norms: dict[tuple[str, str], Norm] | None


def _versions(
    result: RunResult,
    dataset: MultimodalDataset,
    sample_id: str,
    changes: Mapping[str, npt.NDArray[np.floating]],
    persons: Mapping[str, str],
) -> _Versions:
    at = position_of(result, sample_id)
    fold = int(result.folds.tested_by()[at])
    if fold < 0:
        raise InputError(f"Sample {sample_id!r} was tested by no fold: no model may explain it.")
    k = len(next(iter(changes.values())))
    features = {}
    for modality in result.modalities:
        if modality in changes:
            rows = np.asarray(changes[modality], dtype=np.float32)
            if not np.isfinite(rows).all():
                raise InputError(f"The changed features of {modality!r} have gaps: give numbers.")
        else:
            rows = np.repeat(dataset.features[modality].values[at : at + 1], k, axis=0)
        features[modality] = rows
    person = None if dataset.persons is None else str(dataset.persons[at])
    return _Versions(
        fold=fold,
        features=features,
        persons=None if person is None else np.repeat(np.array([person]), k),
        norms=_norms(result, dataset, person, persons),
    )


def _norms(
    result: RunResult, dataset: MultimodalDataset, own: str | None, others: Mapping[str, str]
) -> dict[tuple[str, str], Norm] | None:
    """The means and standard deviations that standardise a sample of person `own`.

    They are computed from all samples of the person as recorded, without the change.
    """
    if result.config.standardisation != "within_person" or own is None or dataset.persons is None:
        return None
    norms = {}
    for name in result.modalities:
        person = others.get(name, own)
        rows = dataset.persons == person
        values = dataset.features[name].values[rows]
        norms[own, name] = person_norms({name: values}, dataset.persons[rows])[person, name]
    return norms


def feature_ranges(dataset: MultimodalDataset, modality: str) -> pd.DataFrame:
    """The observed range of each feature: feature, low, high, mean, and 5th and 95th percentile."""
    features = dataset.features[modality]
    values = features.values[features.present].astype(np.float64)
    if not len(values):
        raise InputError(f"No sample has {modality!r}: there is no range to move features in.")
    low, high = np.percentile(values, RANGE, axis=0)
    usual_low, usual_high = np.percentile(values, SWING, axis=0)
    return pd.DataFrame(
        {
            "feature": list(features.names),
            "low": low,
            "high": high,
            "mean": values.mean(axis=0),
            "usual_low": usual_low,
            "usual_high": usual_high,
        }
    )


def feature_effects(
    result: RunResult,
    dataset: MultimodalDataset,
    sample_id: str,
    modality: str,
    *,
    output: int = 0,
) -> pd.DataFrame:
    """How far each feature alone can move a sample's prediction, the largest effect first.

    Each feature goes from the 5th to the 95th percentile of its observed values, while all others
    stay as recorded. Columns: those of `feature_ranges`, value (as recorded), effect (change of the
    prediction, or of one class's logit, between the two).
    """
    at = position_of(result, sample_id)
    recorded = dataset.features[modality].values[at]
    if np.isnan(recorded).all():
        raise InputError(
            f"{modality!r} was not recorded for {sample_id!r}: it has no features to change."
        )
    table = feature_ranges(dataset, modality)
    d = len(recorded)
    rows = np.repeat(recorded[None], 2 * d, axis=0)
    every = np.arange(d)
    rows[every, every] = table["usual_low"].to_numpy(dtype=np.float32)
    rows[d + every, every] = table["usual_high"].to_numpy(dtype=np.float32)
    moved = changed_contributions(result, dataset, sample_id, {modality: rows}).prediction()
    effect = (moved[d:, output] - moved[:d, output]).astype(np.float64)
    table = table.assign(value=recorded.astype(np.float64), effect=effect)
    order = np.argsort(-np.abs(effect), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def position_of(result: RunResult, sample_id: str) -> int:
    """The position of a sample in a run's data; raises `InputError` if it is not there."""
    found = np.flatnonzero(result.sample_ids == sample_id)
    if not len(found):
        raise InputError(f"There is no sample {sample_id!r} in this run.")
    return int(found[0])


@dataclass(frozen=True)
class SuggestedChange:
    """The group of features that moves a sample's prediction most, and where it would go.

    `features` are at most three of the group, those that move most; `values` are theirs after the
    change, `moved` is the change of the prediction (or of one class's logit).
    """

    modality: str
    group: str
    features: tuple[str, ...]
    values: tuple[float, ...]
    moved: float


def suggested_change(
    result: RunResult,
    dataset: MultimodalDataset,
    sample_id: str,
    *,
    output: int = 0,
    modality: str | None = None,
) -> SuggestedChange | None:
    """The change that moves a sample's prediction most, among groups of features.

    Every group of a recorded modality (or of `modality` alone) is moved as a whole, up and down:
    its three features with the largest `feature_effects` each go to the 5th or 95th percentile of
    their observed values, in the direction that raises or lowers the prediction.

    Returns
    -------
    SuggestedChange or None
        None if no feature of a recorded modality varies.

    Raises
    ------
    InputError
        If the sample is not in the run, or no fold tested it.
    """
    at = position_of(result, sample_id)
    before = result.contributions()
    now = before.select(before.sample_ids == sample_id).prediction()[0, output]
    best: SuggestedChange | None = None
    for name in result.modalities if modality is None else (modality,):
        recorded = dataset.features[name].values[at]
        if not np.isfinite(recorded).all():
            continue
        effects = feature_effects(result, dataset, sample_id, name, output=output)
        effects = effects[effects["usual_low"] < effects["usual_high"]]
        groups = feature_groups(name, tuple(effects["feature"]))
        place = {feature: d for d, feature in enumerate(dataset.features[name].names)}
        versions, described = [], []
        for group, rows in effects.groupby(np.asarray(groups, dtype=object), sort=False):
            strongest = rows.head(_SUGGESTED)
            rises = strongest["effect"].to_numpy() > 0
            low, high = (strongest[c].to_numpy() for c in ("usual_low", "usual_high"))
            for goes_up in (True, False):
                row = recorded.copy()
                values = np.where(rises == goes_up, high, low)
                row[[place[feature] for feature in strongest["feature"]]] = values
                versions.append(row)
                chosen = tuple(map(str, strongest["feature"]))
                described.append((str(group), chosen, tuple(map(float, values))))
        if not versions:
            continue
        after = changed_contributions(result, dataset, sample_id, {name: np.stack(versions)})
        moved = (after.prediction()[:, output] - now).astype(np.float64)
        k = int(np.abs(moved).argmax())
        if best is None or abs(moved[k]) > abs(best.moved):
            best = SuggestedChange(name, *described[k], float(moved[k]))
    return best
