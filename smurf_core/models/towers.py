"""Late-fusion towers of many members at once: one multi-layer perceptron a modality and member.

Every parameter carries a leading member axis k, and activations are kept feature-major,
`[k, units, samples]`: the first layer of all members is then a single matrix product
`[k · units, features] @ [features, samples]` without a copy, and later layers are batched ones.
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

    def layer_sizes(self, modality: int) -> tuple[int, ...]:
        """Units of every layer of one modality's tower, features first, contributions last."""
        return (self.inputs[modality], *self.hidden_layers, self.heads * self.outputs)

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


def forward(
    architecture: Architecture,
    parameters: Sequence[Tensor],
    inputs: Sequence[Float[Tensor, "d n"]],
) -> tuple[Float[Tensor, "k m heads c n"], list[Float[Tensor, "k h n"]]]:
    """Contributions of every member, and each modality's last hidden layer.

    Equations 1-2 and 10-11: the towers see only their own modality. The second value is an empty
    list without hidden layers. `inputs` are feature-major, one [features, samples] a modality.
    """
    depth = len(architecture.hidden_layers) + 1
    outputs, embeddings = [], []
    for modality, features in enumerate(inputs):
        layers = parameters[2 * depth * modality : 2 * depth * (modality + 1)]
        activation = _first_layer(layers[0], layers[1], features)
        for weight, bias in zip(layers[2::2], layers[3::2], strict=True):
            activation = torch.relu(activation)
            if weight is layers[-2]:
                embeddings.append(activation)
            activation = torch.baddbmm(bias.unsqueeze(-1), weight, activation)
        outputs.append(
            activation.view(len(activation), architecture.heads, architecture.outputs, -1)
        )
    return torch.stack(outputs, dim=1), embeddings


def _first_layer(
    weight: Float[Tensor, "k h d"], bias: Float[Tensor, "k h"], features: Float[Tensor, "d n"]
) -> Float[Tensor, "k h n"]:
    k, h, _ = weight.shape
    product = torch.addmm(bias.flatten().unsqueeze(-1), weight.flatten(0, 1), features)
    return product.view(k, h, -1)
