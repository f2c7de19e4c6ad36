"""Towers of many members at once: their contributions and derivatives.

Every parameter carries a leading member axis k, and activations are kept feature-major, `[tower, k,
units, samples]`. The first layer of all members is then one matrix product per tower, `[k · units,
features] @ [features, samples]`; the towers' further layers have equal shapes and are one batched
product per layer. Derivatives are explicit: they are the same products, written to existing
buffers, because allocating memory takes longer than the products of small layers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from smurf_core.models.architecture import Architecture, Parameters, outer_product


class Buffers:
    """Buffers that are reused from step to step, by name.

    The buffer that `take` returns is overwritten when the same name is taken again.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._storage: dict[str, Tensor] = {}

    def take(self, name: str, *shape: int) -> Tensor:
        """Contiguous memory of a shape, with arbitrary content."""
        size = prod(shape)
        storage = self._storage.get(name)
        if storage is None or len(storage) < size:
            storage = torch.empty(size, device=self.device)
            self._storage[name] = storage
        return storage[:size].view(shape)


@dataclass(frozen=True)
class Block:
    """One layer of neighbouring towers, computed by one product.

    Without hidden layers, and in every tower's first layer, towers read different features: such
    a block contains one tower.
    """

    first: int  # tower
    count: int  # towers
    layer: int  # 0 reads features
    units_in: int
    units_out: int
    order: int  # of the first tower
    position: int  # of the first tower in its order


def blocks_of(architecture: Architecture) -> tuple[Block, ...]:
    """All layers of all towers, layer by layer: the order in which flat parameters store them."""
    places = [(o, i) for o, order in enumerate(architecture.orders) for i in range(order.size)]
    sizes = [architecture.layer_sizes(*tower) for tower in architecture.towers]
    networks = network_count(architecture)
    last = architecture.depth - 1
    found: list[Block] = []

    def add(first: int, count: int, layer: int) -> None:
        units_in, units_out = (
            sizes[first][-2:] if layer == last else sizes[first][layer : layer + 2]
        )
        found.append(Block(first, count, layer, units_in, units_out, *places[first]))

    if last:
        for tower in range(networks):
            add(tower, 1, 0)
        for layer in range(1, last):
            add(0, networks, layer)
    for tower, (_, position) in enumerate(places):
        width = architecture.orders[places[tower][0]].size if last else 1
        if position % width == 0:
            add(tower, width, last)
    return tuple(found)


def network_count(architecture: Architecture) -> int:
    """Towers that read features: all except those that read products of hidden units."""
    if architecture.multiplies_hidden:
        return len(architecture.modality_inputs)
    return len(architecture.towers)


class StackedWeights:
    """Weights of k members in one flat buffer, block by block: weights, then biases.

    `weights[b]` is `[towers, k, units out, units in]` and `biases[b]` `[towers, k, units out]`,
    views of the buffer.
    """

    def __init__(self, architecture: Architecture, k: int, flat: Tensor) -> None:
        self.architecture, self.k, self.flat = architecture, k, flat
        self.blocks = blocks_of(architecture)
        self.weights: list[Tensor] = []
        self.biases: list[Tensor] = []
        start = 0
        for block in self.blocks:
            shape = (block.count, k, block.units_out)
            for views, size in ((self.weights, (*shape, block.units_in)), (self.biases, shape)):
                end = start + prod(size)
                views.append(flat[start:end].view(size))
                start = end
        self._by_layer: list[list[tuple[Block, Tensor, Tensor]]] = [
            [] for _ in range(architecture.depth)
        ]
        for entry in zip(self.blocks, self.weights, self.biases, strict=True):
            self._by_layer[entry[0].layer].append(entry)

    @classmethod
    def of(cls, architecture: Architecture, parameters: Sequence[Tensor]) -> Self:
        """Weights copied from parameters that are listed tower by tower."""
        k = parameters[0].shape[0]
        flat = torch.empty(k * architecture.parameter_count, device=parameters[0].device)
        stacked = cls(architecture, k, flat)
        for own, given in zip(stacked.parameters, parameters, strict=True):
            own.copy_(given)
        return stacked

    @property
    def parameters(self) -> Parameters:
        """Views tower by tower, first layer first: weight `[k, out, in]`, bias `[k, out]`."""
        by_layer = {}
        for block, weight, bias in zip(self.blocks, self.weights, self.biases, strict=True):
            for position in range(block.count):
                by_layer[block.first + position, block.layer] = (weight[position], bias[position])
        return [view for key in sorted(by_layer) for view in by_layer[key]]

    @property
    def views(self) -> list[Tensor]:
        """The whole buffer, block by block, with members on the second axis: `[towers, k, …]`."""
        return [view for pair in zip(self.weights, self.biases, strict=True) for view in pair]

    def members(self, index: Tensor | slice, flat: Tensor | None = None) -> "StackedWeights":
        """A copy of some members' weights, or of their part of another buffer with this layout."""
        whole = self if flat is None else StackedWeights(self.architecture, self.k, flat)
        parts = [view[:, index] for view in whole.views]
        joined = torch.cat([part.flatten() for part in parts])
        return StackedWeights(self.architecture, parts[0].shape[1], joined)

    def of_layer(self, layer: int) -> list[tuple[Block, Tensor, Tensor]]:
        """Block, weight and bias of one layer of all towers that have it."""
        return self._by_layer[layer]

    def spread(self, per_member: Float[Tensor, " k"]) -> Tensor:
        """One value per member → one value per parameter, in the buffer's order."""
        result = torch.empty_like(self.flat)
        for view in StackedWeights(self.architecture, self.k, result).views:
            view.copy_(per_member.view(-1, *[1] * (view.ndim - 2)).expand_as(view))
        return result


@dataclass(frozen=True)
class TowerOutputs:
    """The towers' outputs for a batch, and what their derivatives need: views of buffers."""

    # Per order, [s, k, heads, c, n]: entry (i, j) is what subset i shares with subset j.
    values: tuple[Tensor, ...]
    # Per hidden layer, [networks, k, units, n].
    hidden: tuple[Tensor, ...]
    # The products that output layers read, if they read products, [s, k, units, n], by order.
    products: Mapping[int, Tensor]


def forward(
    weights: StackedWeights, inputs: Sequence[Float[Tensor, "d n"]], buffers: Buffers
) -> TowerOutputs:
    """Contributions of each member (eq. 1-2, 10-11, 20-26): a tower reads only its own subset.

    `inputs` are the architecture's `tower_inputs`, feature-major.
    """
    architecture, k, n = weights.architecture, weights.k, inputs[0].shape[1]
    hidden = tuple(
        buffers.take(f"hidden {layer}", network_count(architecture), k, units, n)
        for layer, units in enumerate(architecture.hidden_layers)
    )
    values = tuple(
        buffers.take(f"values {o}", order.size, k, order.heads, architecture.outputs, n)
        for o, order in enumerate(architecture.orders)
    )
    products: dict[int, Tensor] = {}
    for layer in range(architecture.depth):
        for block, weight, bias in weights.of_layer(layer):
            if layer < len(hidden):
                out = hidden[layer][block.first : block.first + block.count]
            else:
                out = values[block.order][block.position : block.position + block.count]
            if layer == 0:
                _first_layer(weight, bias, inputs[block.first], out)
                continue
            below = hidden[layer - 1][block.first : block.first + block.count]
            if block.order and architecture.multiplies_hidden:
                below = products[block.order] = _products(
                    architecture.orders[block.order].subsets, hidden[-1]
                )
            _layer(weight, bias, below, out)
        if layer < len(hidden):
            hidden[layer].relu_()
    return TowerOutputs(values, hidden, products)


def backward(
    weights: StackedWeights,
    gradients: StackedWeights,
    inputs: Sequence[Float[Tensor, "d n"]],
    outputs: TowerOutputs,
    buffers: Buffers,
    *,
    by_values: Sequence[Float[Tensor, "s k u n"]],
    by_last_hidden: Float[Tensor, "s k some n"] | None = None,
) -> None:
    """Write the derivative of the loss by each parameter to `gradients`, by the chain rule.

    `by_values` are its derivatives by the contributions, order by order; `by_last_hidden` are those
    by the last units of the first networks' last hidden layer, if a loss reads them.
    """
    architecture, hidden = weights.architecture, outputs.hidden
    by_hidden = [buffers.take(f"by hidden {i}", *h.shape) for i, h in enumerate(hidden)]
    for layer in range(architecture.depth - 1, -1, -1):
        for (block, weight, _), (_, by_weight, by_bias) in zip(
            weights.of_layer(layer), gradients.of_layer(layer), strict=True
        ):
            towers = slice(block.first, block.first + block.count)
            if layer < len(hidden):
                delta = by_hidden[layer][towers]
            else:
                delta = by_values[block.order][block.position : block.position + block.count]
            torch.sum(delta, dim=-1, out=by_bias)
            delta = delta.flatten(0, 1)
            if layer == 0:
                out = by_weight.view(-1, block.units_in)
                torch.mm(delta.flatten(0, 1), inputs[block.first].T, out=out)
                continue
            is_product = block.order in outputs.products
            below = outputs.products[block.order] if is_product else hidden[layer - 1][towers]
            torch.bmm(delta, below.flatten(0, 1).mT, out=by_weight.flatten(0, 1))
            back = weight.flatten(0, 1).mT
            if is_product:
                by_product = torch.bmm(back, delta).view_as(below)
                subsets = architecture.orders[block.order].subsets
                # Order 1, which comes first, has written its own part.
                _add_by_factors(by_hidden[-1], subsets, by_product, hidden[-1])
            else:
                torch.bmm(back, delta, out=by_hidden[layer - 1][towers].flatten(0, 1))
        if layer:
            by_layer, activations = by_hidden[layer - 1], hidden[layer - 1]
            if layer == len(hidden) and by_last_hidden is not None:
                networks, _, units, _ = by_last_hidden.shape
                by_layer[:networks, :, -units:] += by_last_hidden
            # The derivative of a rectifier is one if its output is above zero.
            torch.ops.aten.threshold_backward.grad_input(
                by_layer, activations, 0, grad_input=by_layer
            )


def _first_layer(
    weight: Float[Tensor, "1 k h d"],
    bias: Float[Tensor, "1 k h"],
    features: Float[Tensor, "d n"],
    out: Tensor,
) -> None:
    """One product over all members."""
    rows = weight.flatten(0, 2)
    torch.addmm(bias.view(-1, 1), rows, features, out=out.view(len(rows), -1))


def _layer(
    weight: Float[Tensor, "s k u h"],
    bias: Float[Tensor, "s k u"],
    below: Float[Tensor, "s k h n"],
    out: Tensor,
) -> None:
    units, n = weight.shape[2], below.shape[3]
    torch.baddbmm(
        bias.view(-1, units, 1),
        weight.flatten(0, 1),
        below.flatten(0, 1),
        out=out.view(-1, units, n),
    )


def _products(
    subsets: Sequence[tuple[int, ...]], embeddings: Float[Tensor, "m k h n"]
) -> Float[Tensor, "s k v n"]:
    return torch.stack([outer_product([embeddings[i] for i in subset]) for subset in subsets])


def _add_by_factors(
    by_embeddings: Float[Tensor, "m k h n"],
    subsets: Sequence[tuple[int, ...]],
    by_products: Float[Tensor, "s k v n"],
    embeddings: Float[Tensor, "m k h n"],
) -> None:
    """Add the derivative by a product's factors to those by the embeddings (product rule)."""
    _, k, h, n = embeddings.shape
    for subset, by_product in zip(subsets, by_products, strict=True):
        spread = by_product.view(k, *[h] * len(subset), n)
        for position, modality in enumerate(subset):
            moved = spread.movedim(position + 1, 1).reshape(k, h, -1, n)
            rest = outer_product([embeddings[i] for i in subset if i != modality])
            by_embeddings[modality] += (moved * rest.unsqueeze(1)).sum(dim=2)
