"""A run's models as one safetensors file that explains new samples without the data."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from smurf_core.configuration import has_interactions, multiplies_embeddings
from smurf_core.contributions import modality_subsets, subset_name
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.prediction import last_layer, raw_outputs, subset_presence, weight_name
from smurf_core.results import RunResult
from smurf_core.training.standardisation import standardise

FloatArray = npt.NDArray[np.float32]


def model_file(result: RunResult, dataset: MultimodalDataset) -> bytes:
    """Every fold's chosen model: weights, scaler and baseline.

    The training folds' means are taken off the output layers' biases, so that a tower's output,
    times the target's standard deviation, *is* the contribution, and baseline + their sum the
    prediction. Names are `fold_0/weights/SUBSET/LAYER/weight` (see
    `smurf_core.prediction.weight_name`), `fold_0/feature_means/MODALITY`, `fold_0/feature_sds/…`,
    `fold_0/baseline` and `fold_0/target_sd`.
    """
    arrays: dict[str, FloatArray] = {}
    for fold in result.fold_results:
        start = f"fold_{fold.fold}"
        found = {f"weights/{n}": a for n, a in _centred_weights(result, dataset, fold.fold).items()}
        found |= {f"feature_means/{n}": a for n, a in fold.scaler.feature_means.items()}
        found |= {f"feature_sds/{n}": a for n, a in fold.scaler.feature_sds.items()}
        found["baseline"] = fold.member.baseline
        found["target_sd"] = np.array([fold.scaler.target_sd], dtype=np.float32)
        arrays |= {f"{start}/{name}": np.ascontiguousarray(a) for name, a in found.items()}
    metadata = {
        "format": "smurf-studio model 1",
        "model": result.config.model,
        "task": result.task,
        "modalities": json.dumps(result.modalities),
        "outputs": json.dumps(result.outputs),
        "standardisation": result.config.standardisation,
        "data_fingerprint": result.data_fingerprint,
    }
    return save(arrays, metadata)


def _centred_weights(
    result: RunResult, dataset: MultimodalDataset, fold: int
) -> dict[str, FloatArray]:
    found = result.fold_results[fold]
    weights = {name: np.asarray(a) for name, a in found.member.weights.items()}
    inputs = standardise(dataset, found.scaler, result.config.standardisation)
    raw = raw_outputs(
        weights,
        inputs,
        orders=len(result.modalities) if has_interactions(result.config.model) else 1,
        outputs=len(result.outputs),
        products=multiplies_embeddings(result.config.model),
    )
    for order, outputs in enumerate(raw, start=1):
        present = subset_presence(dataset.present, result.modalities, order)
        learned_from = present & result.folds.training[fold][:, None]
        for s, subset in enumerate(modality_subsets(result.modalities, order)):
            name = subset_name(subset)
            bias = weight_name(name, last_layer(weights, name), "bias")
            rows = learned_from[:, s]
            if rows.any():
                offset = outputs[rows, s].mean(axis=0, dtype=np.float64).reshape(-1)
                weights[bias] = (weights[bias] - offset).astype(np.float32)
            else:  # Never learned: it contributes nothing.
                weight = weight_name(name, last_layer(weights, name), "weight")
                weights[bias] = np.zeros_like(weights[bias])
                weights[weight] = np.zeros_like(weights[weight])
    return weights
