"""A trained member's contributions to any samples, in plain NumPy; needs no torch."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


def weight_name(modality: str, layer: int, kind: str) -> str:
    """Name of a parameter in a run's weights: `modality/layer/weight` or `…/bias`."""
    return f"{modality}/{layer}/{kind}"


def tower_output(
    weights: Mapping[str, FloatArray], modality: str, inputs: FloatArray
) -> FloatArray:
    """What one modality's tower says of standardised features [n, d]: [n, heads · outputs]."""
    activation, layer = inputs, 0
    while (name := weight_name(modality, layer, "weight")) in weights:
        if layer:
            activation = np.maximum(activation, 0)
        activation = activation @ weights[name].T + weights[weight_name(modality, layer, "bias")]
        layer += 1
    if layer == 0:
        raise ValueError(f"The weights hold no tower for modality {modality!r}.")
    return activation


def raw_outputs(
    weights: Mapping[str, FloatArray], inputs: Mapping[str, FloatArray], outputs: int
) -> FloatArray:
    """All towers' outputs, not centred, in the towers' own unit: [n, m, heads, outputs]."""
    towers = [tower_output(weights, modality, x) for modality, x in inputs.items()]
    stacked = np.stack(towers, axis=1)
    return stacked.reshape(*stacked.shape[:2], -1, outputs)


def head_positions(modalities: Sequence[str], heads: int) -> npt.NDArray[np.int64]:
    """Place (i, j) of every tower's heads in the m × m array, [m, heads].

    With m heads, head j of modality i is entry (i, j); late fusion's one head is the diagonal.
    """
    m = len(modalities)
    if heads == m:
        return np.broadcast_to(np.arange(m), (m, m))
    return np.arange(m)[:, None]


def centred_contributions(
    raw: FloatArray,
    *,
    modalities: Sequence[str],
    present: npt.NDArray[np.bool_],
    training: npt.NDArray[np.bool_],
    target_mean: float,
    target_sd: float,
) -> tuple[FloatArray, FloatArray]:
    """Contributions [n, m, m, c] centred on the training samples, and the baseline [c].

    `raw` is [n, m, heads, c], `present` [n, m], `training` [n]. Offsets are means over the
    training samples that have the modality; a modality that no training sample has was never
    learned and contributes zero. baseline + sum over (i, j) is the prediction in the target's
    own unit (logits for classification: mean 0, sd 1).
    """
    n, m, heads, c = raw.shape
    learned_from = present & training[:, None]  # [n, m]
    count = learned_from.sum(axis=0)
    weight = learned_from / np.maximum(count, 1)
    offsets = np.einsum("nm,nmhc->mhc", weight, raw, dtype=np.float64)
    speaks = present & (count > 0)
    centred = np.where(speaks[:, :, None, None], raw - offsets, 0) * target_sd
    values = np.zeros((n, m, m, c), dtype=np.float32)
    rows = np.arange(m)[:, None]
    values[:, rows, head_positions(modalities, heads)] = centred
    baseline = offsets.sum(axis=(0, 1)) * target_sd + target_mean
    return values, baseline.astype(np.float32)
