"""The architecture that all members of a stack share, and its parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import combinations, pairwise
from math import prod

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from smurf_core.model_kinds import MODEL_KINDS, ModelKind

# Weight [k, units out, units in] and bias [k, units out] of each layer, tower by tower.
Parameters = list[Tensor]


@dataclass(frozen=True)
class Order:
    """Subsets of modalities of one size, each with unique and redundant contributions.

    Order 1 consists of the modalities and is the only order of late-fusion models; MRO-SMURF adds
    one order per subset size (eq. 20-26).
    """

    subsets: tuple[tuple[int, ...], ...]  # positions of modalities
    heads: int  # one per subset of the order, or 1 if there are no redundant contributions

    @property
    def size(self) -> int:
        """Number of subsets."""
        return len(self.subsets)


@dataclass(frozen=True)
class Architecture:
    """Towers: one multi-layer perceptron for each subset of each order.

    With `products`, only the modalities have hidden layers. The output layer of a subset then reads
    all products of one unit from each of its modalities' last hidden layers (of one feature from
    each, if there are no hidden layers).
    """

    modality_inputs: tuple[int, ...]  # features of each modality
    hidden_layers: tuple[int, ...]  # () for one linear layer
    outputs: int  # c
    orders: tuple[Order, ...]
    products: bool = False

    @classmethod
    def of(
        cls, model: ModelKind, inputs: tuple[int, ...], hidden_layers: tuple[int, ...], outputs: int
    ) -> "Architecture":
        """The architecture of a model kind (section 4.3: all but late fusion have m heads)."""
        m, traits = len(inputs), MODEL_KINDS[model]
        sizes = range(1, m + 1) if traits.has_interactions else (1,)
        subsets = [tuple(combinations(range(m), size)) for size in sizes]
        orders = tuple(Order(s, len(s) if traits.has_redundant_heads else 1) for s in subsets)
        return cls(inputs, hidden_layers, outputs, orders, traits.multiplies_embeddings)

    @cached_property
    def order_sizes(self) -> tuple[int, ...]:
        """Number of subsets of each order."""
        return tuple(order.size for order in self.orders)

    @property
    def depth(self) -> int:
        """Number of layers of a tower, including the output layer."""
        return len(self.hidden_layers) + 1

    @property
    def multiplies_hidden(self) -> bool:
        """True if towers of several modalities read products of hidden units."""
        return self.products and bool(self.hidden_layers)

    @property
    def towers(self) -> tuple[tuple[tuple[int, ...], int], ...]:
        """Subset and number of heads of each tower, order by order."""
        return tuple((subset, order.heads) for order in self.orders for subset in order.subsets)

    def layer_sizes(self, subset: tuple[int, ...], heads: int) -> tuple[int, ...]:
        """Units of each layer of a tower, from its inputs to its contributions."""
        sizes = [self.modality_inputs[i] for i in subset]
        if self.products and len(subset) > 1:
            if self.hidden_layers:
                sizes = [self.hidden_layers[-1]] * len(subset)
            return (prod(sizes), heads * self.outputs)
        return (sum(sizes), *self.hidden_layers, heads * self.outputs)

    def layers(self) -> list[tuple[tuple[int, ...], int, int, int]]:
        """Subset, layer number, units in and units out of each layer, in the parameters' order."""
        found = []
        for subset, heads in self.towers:
            sizes = self.layer_sizes(subset, heads)
            first = self.depth + 1 - len(sizes)  # a product's only layer is the output layer
            found += [(subset, first + n, a, b) for n, (a, b) in enumerate(pairwise(sizes))]
        return found

    @property
    def parameter_count(self) -> int:
        """Number of weights and biases of one member."""
        return sum((size + 1) * following for _, _, size, following in self.layers())

    @property
    def unit_count(self) -> int:
        """Number of activations per sample, over all layers of all towers."""
        products = sum(
            self.layer_sizes(subset, heads)[0]
            for subset, heads in self.towers
            if self.multiplies_hidden and len(subset) > 1
        )
        return sum(units_out for *_, units_out in self.layers()) + products

    def tower_inputs(self, by_modality: Sequence[Float[Tensor, "d n"]]) -> tuple[Tensor, ...]:
        """The inputs of each tower: its subset's features side by side, or products of them.

        If towers read products of hidden units, only the modalities' features are returned.
        """
        if self.multiplies_hidden:
            return tuple(by_modality)
        join = outer_product if self.products else torch.cat
        # One modality's features are handed on, because `cat` would copy them.
        return tuple(
            by_modality[subset[0]] if len(subset) == 1 else join([by_modality[i] for i in subset])
            for subset, _ in self.towers
        )

    def order_presence(self, present: Bool[Tensor, "m n"]) -> tuple[Bool[Tensor, "s n"], ...]:
        """True for each sample that has all modalities of a subset, order by order."""
        return tuple(
            torch.stack([reduce(torch.logical_and, [present[i] for i in s]) for s in order.subsets])
            for order in self.orders
        )


def outer_product(factors: Sequence[Float[Tensor, "*k u n"]]) -> Float[Tensor, "*k v n"]:
    """All products of one row of each factor, sample by sample; the last factor runs fastest."""

    def pair(a: Tensor, b: Tensor) -> Tensor:
        return (a.unsqueeze(-2) * b.unsqueeze(-3)).flatten(-3, -2)

    return reduce(pair, factors)


def initial_parameters(
    architecture: Architecture, seed: int, *, output_scale: float = 1.0
) -> Parameters:
    """One member's initial weights, uniform in ±1/√(units in) as in `torch.nn.Linear`, k = 1.

    Those of the output layers are multiplied by `output_scale`. The objective has sign-flipped
    basins, in which both signs of a redundant pair are reversed and the unique contributions
    compensate. With outputs near zero at the start, the task loss decides the signs before L_cor
    grows.
    """
    generator = torch.Generator().manual_seed(seed)
    parameters: Parameters = []
    for _, layer, fan_in, fan_out in architecture.layers():
        scale = output_scale if layer == architecture.depth - 1 else 1.0
        for shape in ((1, fan_out, fan_in), (1, fan_out)):
            uniform = torch.rand(shape, generator=generator) * 2 - 1
            parameters.append(uniform * (scale * fan_in**-0.5))
    return parameters
