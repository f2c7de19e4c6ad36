"""What a fold's model says of a sample whose features of one modality are changed. No torch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from smurf_core.configuration import has_interactions, multiplies_embeddings
from smurf_core.contributions import Contributions, modality_subsets
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.errors import InputError
from smurf_core.prediction import raw_outputs
from smurf_core.results import RunResult
from smurf_core.training.standardisation import mean_and_sd

FloatArray = npt.NDArray[np.float32]
# A feature's observed range, as it can be moved in, and the swing that `feature_effects` measures.
RANGE = (0.0, 100.0)
SWING = (5.0, 95.0)


def model_inputs(
    result: RunResult,
    dataset: MultimodalDataset,
    fold: int,
    modality: str,
    features: FloatArray,
    *,
    person: str | None,
) -> FloatArray:
    """Features of one modality, [k, d], on the scale that a fold's towers see.

    With standardisation within person, `person` says whose mean and standard deviation are taken
    off: those of the person's recorded samples, which a change of one sample leaves alone.
    """
    if result.config.standardisation == "within_person":
        if dataset.groups is None or person is None:
            raise InputError("Standardising within person needs to know the person of each sample.")
        recorded = dataset.features[modality]
        rows = (dataset.groups == person) & recorded.present
        mean, sd = mean_and_sd(recorded.values[rows])
        features = (features - mean) / sd
    scaler = result.fold_results[fold].scaler
    scaled = (features - scaler.feature_means[modality]) / scaler.feature_sds[modality]
    return np.asarray(scaled, dtype=np.float32)


def changed_contributions(
    result: RunResult,
    dataset: MultimodalDataset,
    sample_id: str,
    changes: Mapping[str, FloatArray],
    *,
    persons: Mapping[str, str] | None = None,
) -> Contributions:
    """The contributions to one sample's prediction if some modalities had other features.

    `changes` are rows of features [k, d] in the recorded unit, the same k for all; the result has
    a row for each. `persons` names, for modalities that were taken from another sample, whose
    norm they are standardised within. Contributions that read none of the changed modalities are
    the stored ones, to the last bit.
    """
    at = _position(result, sample_id)
    fold = int(result.folds.tested_by()[at])
    if fold < 0:
        raise InputError(f"Sample {sample_id!r} was tested by no fold: no model may explain it.")
    before = result.contributions()
    stored = before.select(np.flatnonzero(before.sample_ids == sample_id))
    present = dataset.present[at]
    k = len(next(iter(changes.values())))
    own_person = None if dataset.groups is None else str(dataset.groups[at])
    inputs, is_there = {}, {}
    for i, modality in enumerate(result.modalities):
        column = dataset.modalities.index(modality)
        if modality in changes:
            rows = np.asarray(changes[modality], dtype=np.float32)
            if not np.isfinite(rows).all():
                raise InputError(f"The changed features of {modality!r} hold gaps: give numbers.")
            person = (persons or {}).get(modality, own_person)
        else:
            rows = np.repeat(dataset.features[modality].values[at : at + 1], k, axis=0)
            person = own_person
        there = modality in changes or bool(present[column])
        scaled = model_inputs(result, dataset, fold, modality, rows, person=person)
        inputs[modality] = scaled if there else np.zeros_like(scaled)
        is_there[i] = there
    raw = _raw(result, fold, inputs)
    offsets = _offsets(result, dataset, fold)
    scale = result.fold_results[fold].scaler.target_sd
    arrays = [np.repeat(stored.values, k, axis=0)]
    arrays += [np.repeat(stored.interactions[o], k, axis=0) for o in sorted(stored.interactions)]
    for order, (array, found, offset) in enumerate(zip(arrays, raw, offsets, strict=True), start=1):
        heads = found.shape[2]
        for s, subset in enumerate(modality_subsets(result.modalities, order)):
            reads_change = any(name in changes for name in subset)
            speaks = all(is_there[result.modalities.index(name)] for name in subset)
            centre = offset[s]
            if not reads_change or not speaks or centre is None:
                continue
            moved = found[:, s].astype(np.float64) * scale - centre
            array[:, s, slice(None) if heads > 1 else slice(s, s + 1)] = moved
    return Contributions(
        values=arrays[0],
        baseline=np.repeat(stored.baseline, k, axis=0),
        modalities=stored.modalities,
        outputs=stored.outputs,
        sample_ids=np.repeat(stored.sample_ids, k),
        folds=np.repeat(stored.folds, k),
        interactions=dict(enumerate(arrays[1:], start=2)),
    )


def feature_ranges(dataset: MultimodalDataset, modality: str) -> pd.DataFrame:
    """Every feature's observed range: feature, low, high, mean, and the 5th and 95th percentile."""
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

    Each feature goes from the 5th to the 95th percentile of its observed values, all others stay
    as recorded. Columns: those of `feature_ranges`, value (as recorded), effect (change of the
    prediction, or of one class's logit, between the two).
    """
    at = _position(result, sample_id)
    recorded = dataset.features[modality].values[at]
    if np.isnan(recorded).all():
        raise InputError(f"{modality!r} was not recorded for {sample_id!r}: nothing can be moved.")
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


def _position(result: RunResult, sample_id: str) -> int:
    found = np.flatnonzero(result.sample_ids == sample_id)
    if not len(found):
        raise InputError(f"There is no sample {sample_id!r} in this run.")
    return int(found[0])


def _raw(result: RunResult, fold: int, inputs: Mapping[str, FloatArray]) -> list[FloatArray]:
    model = result.config.model
    return raw_outputs(
        result.fold_results[fold].member.weights,
        inputs,
        orders=len(result.modalities) if has_interactions(model) else 1,
        outputs=len(result.outputs),
        products=multiplies_embeddings(model),
    )


def _offsets(
    result: RunResult, dataset: MultimodalDataset, fold: int
) -> list[list[npt.NDArray[np.float64] | None]]:
    """What centring took off each tower, by order and subset: [heads, c] in the target's unit.

    Found again as the difference between a recorded sample's outputs and its stored
    contributions; nothing where no sample has the subset, or where it was never learned.
    """
    member, scale = result.fold_results[fold].member, result.fold_results[fold].scaler.target_sd
    columns = [dataset.modalities.index(name) for name in result.modalities]
    present = dataset.present[:, columns]
    stored = [member.values, *(member.interactions[o] for o in sorted(member.interactions))]
    training = result.folds.training[fold]
    found: list[list[npt.NDArray[np.float64] | None]] = []
    for order, array in enumerate(stored, start=1):
        row: list[npt.NDArray[np.float64] | None] = []
        for s, subset in enumerate(modality_subsets(result.modalities, order)):
            at = [result.modalities.index(name) for name in subset]
            have = np.flatnonzero(present[:, at].all(axis=1) & training)
            if not len(have):  # Centring needs training samples: this was never learned.
                row.append(None)
                continue
            one = int(have[0])
            inputs = {}
            for i, name in enumerate(result.modalities):
                person = None if dataset.groups is None else str(dataset.groups[one])
                values = dataset.features[name].values[one : one + 1]
                scaled = model_inputs(result, dataset, fold, name, values, person=person)
                inputs[name] = scaled if present[one, i] else np.zeros_like(scaled)
            raw = _raw(result, fold, inputs)[order - 1][0, s].astype(np.float64) * scale
            own = array[one, s] if raw.shape[0] > 1 else array[one, s, s : s + 1]
            row.append(raw - own)
        found.append(row)
    return found
