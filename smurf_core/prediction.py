"""A trained member's contributions to any samples, in plain NumPy; needs no torch."""

from collections.abc import Mapping
from functools import reduce

import numpy as np
import numpy.typing as npt

from smurf_core.contributions import modality_subsets, subset_name

FloatArray = npt.NDArray[np.float32]


def weight_name(subset: str, layer: int, kind: str) -> str:
    """Name of a parameter in a run's weights: `subset/layer/weight` or `…/bias`.

    The subset is a modality's name, or several joined by a plus sign (`subset_name`).
    """
    return f"{subset}/{layer}/{kind}"


def raw_outputs(
    weights: Mapping[str, FloatArray],
    inputs: Mapping[str, FloatArray],
    *,
    orders: int,
    outputs: int,
    products: bool,
) -> list[FloatArray]:
    """All towers' outputs, not centred, in the towers' own unit: [n, s, heads, outputs] an order.

    `inputs` are standardised features [n, d] of every modality. With `products` the towers of
    several modalities read products of hidden units (or features, without hidden layers).
    """
    modalities = tuple(inputs)
    found = []
    for order in range(1, orders + 1):
        towers = []
        for subset in modality_subsets(modalities, order):
            name = subset_name(subset)
            if products and order > 1:
                embeddings = [_hidden(weights, i, inputs[i]) for i in subset]
                towers.append(_output(weights, name, reduce(_outer, embeddings)))
            else:
                features = np.concatenate([inputs[i] for i in subset], axis=1)
                towers.append(_output(weights, name, _hidden(weights, name, features)))
        stacked = np.stack(towers, axis=1)
        found.append(stacked.reshape(*stacked.shape[:2], -1, outputs))
    return found


def layer_numbers(weights: Mapping[str, FloatArray], name: str) -> list[int]:
    """The numbers of a tower's layers, in their order; products have but the last one."""
    start, end = f"{name}/", "/weight"
    layers = [
        int(key[len(start) : -len(end)])
        for key in weights
        if key.startswith(start) and key.endswith(end)
    ]
    if not layers:
        raise ValueError(f"The weights hold no tower for {name!r}.")
    return sorted(layers)


def _hidden(weights: Mapping[str, FloatArray], name: str, activation: FloatArray) -> FloatArray:
    """The last hidden layer, [n, h]; the features themselves without hidden layers."""
    for layer in layer_numbers(weights, name)[:-1]:
        activation = np.maximum(_linear(weights, name, layer, activation), 0)
    return activation


def last_layer(weights: Mapping[str, FloatArray], subset: str) -> int:
    """Number of a tower's output layer."""
    return layer_numbers(weights, subset)[-1]


def _output(weights: Mapping[str, FloatArray], name: str, activation: FloatArray) -> FloatArray:
    return _linear(weights, name, last_layer(weights, name), activation)


def _linear(
    weights: Mapping[str, FloatArray], name: str, layer: int, activation: FloatArray
) -> FloatArray:
    weight = weights[weight_name(name, layer, "weight")]
    return np.asarray(activation @ weight.T + weights[weight_name(name, layer, "bias")])


def _outer(a: FloatArray, b: FloatArray) -> FloatArray:
    return (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)


def centred_contributions(
    raw: FloatArray,
    *,
    present: npt.NDArray[np.bool_],
    training: npt.NDArray[np.bool_],
    scale: float,
) -> tuple[FloatArray, npt.NDArray[np.float64]]:
    """One order's contributions [n, s, s, c] centred on the training samples, and offsets [c].

    `raw` is [n, s, heads, c], `present` [n, s], `training` [n]. Offsets are means over the
    training samples that have all modalities of the subset; a subset that no training sample has
    was never learned and contributes zero. Both are multiplied by `scale`, the target's standard
    deviation. A single head (late fusion) goes to the diagonal.
    """
    n, s, heads, c = raw.shape
    learned_from = present & training[:, None]  # [n, s]
    count = learned_from.sum(axis=0)
    weight = learned_from / np.maximum(count, 1)
    offsets = np.einsum("ns,nshc->shc", weight, raw, dtype=np.float64)
    speaks = present & (count > 0)
    centred = np.where(speaks[:, :, None, None], raw - offsets, 0) * scale
    values = np.zeros((n, s, s, c), dtype=np.float32)
    columns = np.arange(s)[None, :] if heads == s else np.arange(s)[:, None]
    values[:, np.arange(s)[:, None], columns] = centred
    return values, offsets.sum(axis=(0, 1)) * scale


def subset_presence(
    present: npt.NDArray[np.bool_], modalities: tuple[str, ...], order: int
) -> npt.NDArray[np.bool_]:
    """Which samples have all modalities of a subset, [n, s], from `present` [n, m]."""
    columns = [
        present[:, [modalities.index(name) for name in subset]].all(axis=1)
        for subset in modality_subsets(modalities, order)
    ]
    return np.stack(columns, axis=1)
