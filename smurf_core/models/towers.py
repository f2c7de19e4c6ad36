"""Towers of many members at once: what they contribute, and the derivatives of that.

Every parameter carries a leading member axis k, and activations are kept feature-major,
`[k, units, samples]`: the first layer of all members is then a single matrix product
`[k · units, features] @ [features, samples]` without a copy, and later layers are batched ones.
Derivatives are written out: they are the same products, into buffers that exist already.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from smurf_core.models.architecture import Architecture, outer_product


@dataclass(frozen=True)
class TowerOutputs:
    """What the towers say of a batch, and what their derivatives need."""

    # Per order, [k, s, heads, c, n]: entry (i, j) is what subset i shares with subset j.
    values: tuple[Tensor, ...]
    # Per tower, the input of every layer but the first: [k, units, n].
    hidden: tuple[tuple[Tensor, ...], ...]


def forward(
    architecture: Architecture,
    parameters: Sequence[Tensor],
    inputs: Sequence[Float[Tensor, "d n"]],
) -> TowerOutputs:
    """Contributions of every member (eq. 1-2, 10-11, 20-26): a tower sees only its own subset.

    `inputs` are the architecture's `tower_inputs`, feature-major.
    """
    k, n, c = parameters[0].shape[0], inputs[0].shape[1], architecture.outputs
    weights = _by_tower(architecture, parameters)
    values: list[Tensor] = []
    hidden: list[tuple[Tensor, ...]] = []
    tower = 0
    for order in architecture.orders:
        array = inputs[0].new_empty(k, len(order.subsets), order.heads, c, n)
        for position, subset in enumerate(order.subsets):
            if architecture.multiplies_hidden and len(subset) > 1:
                activations = [outer_product([hidden[i][-1] for i in subset])]
            else:
                activations = _hidden_layers(weights[tower], inputs[tower])
            hidden.append(tuple(activations))
            output = _last_layer(weights[tower], activations, inputs, tower)
            array[:, position] = output.view(k, order.heads, c, n)
            tower += 1
        values.append(array)
    return TowerOutputs(tuple(values), tuple(hidden))


def backward(
    architecture: Architecture,
    parameters: Sequence[Tensor],
    inputs: Sequence[Float[Tensor, "d n"]],
    outputs: TowerOutputs,
    *,
    by_values: Sequence[Float[Tensor, "k s heads c n"]],
    by_embeddings: Sequence[Float[Tensor, "k h n"]] | None,
    gradients: Sequence[Tensor],
) -> None:
    """Write the loss's derivative by every parameter into `gradients`, by the chain rule.

    `by_values` are its derivatives by the contributions, order by order; `by_embeddings` those by
    the modalities' last hidden layers, where a loss sees them.
    """
    weights = _by_tower(architecture, parameters)
    written = _by_tower(architecture, gradients)
    deltas = [v[:, i].flatten(1, 2) for v in by_values for i in range(v.shape[1])]
    extra = list(by_embeddings) if by_embeddings is not None else None
    if architecture.multiplies_hidden:
        extra = extra or [torch.zeros_like(h[-1]) for h in outputs.hidden[: len(inputs)]]
        for tower, (subset, _) in enumerate(architecture.towers):
            if len(subset) > 1:
                by_product = _backward_layer(
                    weights[tower], written[tower], 0, outputs.hidden[tower][0], deltas[tower]
                )
                _add_by_factors(extra, subset, by_product, outputs)
    for tower in range(len(inputs)):
        delta, hidden = deltas[tower], outputs.hidden[tower]
        for layer in range(len(hidden), 0, -1):
            below = hidden[layer - 1]
            delta = _backward_layer(weights[tower], written[tower], layer, below, delta)
            if extra is not None and layer == len(hidden):
                delta += extra[tower]
            # The derivative of a rectifier is one where its output is above zero.
            delta = torch.ops.aten.threshold_backward(delta, below, 0)
        torch.mm(delta.flatten(0, 1), inputs[tower].T, out=written[tower][0].flatten(0, 1))
        torch.sum(delta, dim=2, out=written[tower][1])


def _by_tower(architecture: Architecture, parameters: Sequence[Tensor]) -> list[Sequence[Tensor]]:
    """Each tower's weights and biases, first layer first."""
    towers, start = [], 0
    for subset, heads in architecture.towers:
        end = start + 2 * (len(architecture.layer_sizes(subset, heads)) - 1)
        towers.append(parameters[start:end])
        start = end
    return towers


def _first_layer(
    weight: Float[Tensor, "k h d"], bias: Float[Tensor, "k h"], features: Float[Tensor, "d n"]
) -> Float[Tensor, "k h n"]:
    k, h, _ = weight.shape
    product = torch.addmm(bias.flatten().unsqueeze(-1), weight.flatten(0, 1), features)
    return product.view(k, h, -1)


def _hidden_layers(
    weights: Sequence[Tensor], features: Float[Tensor, "d n"]
) -> list[Float[Tensor, "k h n"]]:
    """Activations of all hidden layers; none where the tower is one linear layer."""
    activations: list[Tensor] = []
    for weight, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        if activations:
            activation = torch.baddbmm(bias.unsqueeze(-1), weight, activations[-1])
        else:
            activation = _first_layer(weight, bias, features)
        activations.append(activation.relu_())
    return activations


def _last_layer(
    weights: Sequence[Tensor],
    activations: Sequence[Tensor],
    inputs: Sequence[Tensor],
    tower: int,
) -> Float[Tensor, "k u n"]:
    if not activations:
        return _first_layer(weights[-2], weights[-1], inputs[tower])
    return torch.baddbmm(weights[-1].unsqueeze(-1), weights[-2], activations[-1])


def _backward_layer(
    weights: Sequence[Tensor],
    written: Sequence[Tensor],
    layer: int,
    below: Float[Tensor, "k h n"],
    delta: Float[Tensor, "k u n"],
) -> Float[Tensor, "k h n"]:
    """Write one layer's derivatives and return the one by what it read."""
    torch.bmm(delta, below.transpose(1, 2), out=written[2 * layer])
    torch.sum(delta, dim=2, out=written[2 * layer + 1])
    return torch.bmm(weights[2 * layer].transpose(1, 2), delta)


def _add_by_factors(
    by_embeddings: list[Tensor],
    subset: tuple[int, ...],
    by_product: Float[Tensor, "k v n"],
    outputs: TowerOutputs,
) -> None:
    """Add the derivative by a product's factors to the ones by the embeddings (product rule)."""
    factors = [outputs.hidden[i][-1] for i in subset]
    k, h, n = factors[0].shape
    spread = by_product.view(k, *[h] * len(factors), n)
    for position, modality in enumerate(subset):
        moved = spread.movedim(position + 1, 1).reshape(k, h, -1, n)
        rest = outer_product([f for i, f in enumerate(factors) if i != position])
        by_embeddings[modality] += (moved * rest.unsqueeze(1)).sum(dim=2)
