"""Late-fusion towers of many members at once: one multi-layer perceptron a modality and member.

Every parameter carries a leading member axis k, and activations are kept feature-major,
`[k, units, samples]`: the first layer of all members is then a single matrix product
`[k · units, features] @ [features, samples]` without a copy, and later layers are batched ones.
Derivatives are written out: they are the same products, into buffers that exist already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from smurf_core.configuration import ModelKind, has_redundant_heads


@dataclass(frozen=True)
class Architecture:
    """The shape that all members of a stack share."""

    inputs: tuple[int, ...]  # features of each modality
    hidden_layers: tuple[int, ...]  # () for one linear layer
    heads: int  # contributions a modality gives: m, or 1 for late fusion
    outputs: int  # c

    @classmethod
    def of(
        cls, model: ModelKind, inputs: tuple[int, ...], hidden_layers: tuple[int, ...], outputs: int
    ) -> "Architecture":
        """The architecture of a model kind (section 4.3: all but late fusion have m heads)."""
        heads = len(inputs) if has_redundant_heads(model) else 1
        return cls(inputs, hidden_layers, heads, outputs)

    @property
    def depth(self) -> int:
        """Layers of a tower, the output layer included."""
        return len(self.hidden_layers) + 1

    def layer_sizes(self, modality: int) -> tuple[int, ...]:
        """Units of every layer of one modality's tower, features first, contributions last."""
        return (self.inputs[modality], *self.hidden_layers, self.heads * self.outputs)

    def tower(self, parameters: Sequence[Tensor], modality: int) -> Sequence[Tensor]:
        """One tower's parameters: weight and bias of its first layer, then of the next."""
        return parameters[2 * self.depth * modality : 2 * self.depth * (modality + 1)]

    @property
    def parameter_count(self) -> int:
        """Number of weights and biases of one member."""
        return sum(
            (size + 1) * following
            for i in range(len(self.inputs))
            for size, following in pairwise(self.layer_sizes(i))
        )


# Weight [k, units out, units in] and bias [k, units out] of every layer, modality by modality.
Parameters = list[Tensor]


def initial_parameters(
    architecture: Architecture, seed: int, *, output_scale: float = 1.0
) -> Parameters:
    """One member's initial weights, uniform in ±1/√(units in) as in `torch.nn.Linear`, k = 1.

    The output layers' are multiplied by `output_scale`. The objective has sign-flipped basins in
    which a redundant pair has both signs reversed and the unique contributions make up for it.
    Starting the outputs near zero lets the task loss decide the signs before L_cor grows.
    """
    generator = torch.Generator().manual_seed(seed)
    parameters: Parameters = []
    for modality in range(len(architecture.inputs)):
        sizes = architecture.layer_sizes(modality)
        for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            scale = output_scale if layer == len(sizes) - 2 else 1.0
            for shape in ((1, fan_out, fan_in), (1, fan_out)):
                uniform = torch.rand(shape, generator=generator) * 2 - 1
                parameters.append(uniform * (scale * fan_in**-0.5))
    return parameters


@dataclass(frozen=True)
class TowerOutputs:
    """What the towers say of a batch, and what their derivatives need."""

    values: Float[Tensor, "k m heads c n"]
    # Per modality, the activations of every hidden layer, [k, units, n].
    hidden: tuple[tuple[Tensor, ...], ...]


def forward(
    architecture: Architecture,
    parameters: Sequence[Tensor],
    inputs: Sequence[Float[Tensor, "d n"]],
) -> TowerOutputs:
    """Contributions of every member (eq. 1-2 and 10-11): a tower sees only its own modality.

    `inputs` are feature-major, one [features, samples] a modality.
    """
    k, n = parameters[0].shape[0], inputs[0].shape[1]
    values = inputs[0].new_empty(k, len(inputs), architecture.heads, architecture.outputs, n)
    hidden = []
    for modality, features in enumerate(inputs):
        weights = architecture.tower(parameters, modality)
        activation = _first_layer(weights[0], weights[1], features)
        activations = []
        for weight, bias in zip(weights[2::2], weights[3::2], strict=True):
            activations.append(activation.relu_())
            activation = torch.baddbmm(bias.unsqueeze(-1), weight, activation)
        hidden.append(tuple(activations))
        values[:, modality] = activation.view(k, architecture.heads, architecture.outputs, n)
    return TowerOutputs(values, tuple(hidden))


def backward(
    architecture: Architecture,
    parameters: Sequence[Tensor],
    inputs: Sequence[Float[Tensor, "d n"]],
    outputs: TowerOutputs,
    *,
    by_values: Float[Tensor, "k m heads c n"],
    by_embeddings: Float[Tensor, "k m h n"] | None,
    gradients: Sequence[Tensor],
) -> None:
    """Write the loss's derivative by every parameter into `gradients`, by the chain rule.

    `by_values` and `by_embeddings` are its derivatives by the contributions and, where a loss
    sees them, by the last hidden layers.
    """
    for modality, features in enumerate(inputs):
        weights = architecture.tower(parameters, modality)
        written = architecture.tower(gradients, modality)
        delta = by_values[:, modality].flatten(1, 2)  # [k, heads · c, n]
        for layer in range(architecture.depth - 1, 0, -1):
            below = outputs.hidden[modality][layer - 1]
            torch.bmm(delta, below.transpose(1, 2), out=written[2 * layer])
            torch.sum(delta, dim=2, out=written[2 * layer + 1])
            delta = torch.bmm(weights[2 * layer].transpose(1, 2), delta)
            if by_embeddings is not None and layer == architecture.depth - 1:
                delta += by_embeddings[:, modality]
            # The derivative of a rectifier is one where its output is above zero.
            delta = torch.ops.aten.threshold_backward(delta, below, 0)
        torch.mm(delta.flatten(0, 1), features.T, out=written[0].flatten(0, 1))
        torch.sum(delta, dim=2, out=written[1])


def _first_layer(
    weight: Float[Tensor, "k h d"], bias: Float[Tensor, "k h"], features: Float[Tensor, "d n"]
) -> Float[Tensor, "k h n"]:
    k, h, _ = weight.shape
    product = torch.addmm(bias.flatten().unsqueeze(-1), weight.flatten(0, 1), features)
    return product.view(k, h, -1)
