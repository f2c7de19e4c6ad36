"""The joint loss of every model kind (eq. 4) and its derivative by every parameter.

Auxiliary losses are functions of the covariances between some rows: all contributions for SMURF,
half of the last hidden layers for E-HGR. So their derivative by the rows is a matrix product: the
derivative by the covariances, which autograd gives for a matrix of a few numbers, times the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from smurf_core.configuration import ModelKind, has_auxiliary_loss
from smurf_core.losses import (
    centred,
    correlation_loss,
    covariance_matrix,
    cross_entropy,
    cross_entropy_gradient,
    fill_absent,
    fill_absent_gradient,
    soft_hgr_loss,
    squared_error,
    squared_error_gradient,
    uncorrelation_loss,
)
from smurf_core.models.towers import Architecture, TowerOutputs, backward, forward


@dataclass(frozen=True)
class Partition:
    """Standardised samples of one role, feature-major, on the training device."""

    inputs: tuple[Tensor, ...]  # one [features, n] a modality; zero where the modality is absent
    target: Tensor  # [n]: float, or class codes
    present: Bool[Tensor, "m n"] | None = None  # none where every sample has every modality

    def __len__(self) -> int:
        return self.target.shape[0]

    def subset(self, index: Tensor | slice) -> "Partition":
        """Some samples, in the order of `index`."""
        return Partition(
            inputs=tuple(x[:, index] for x in self.inputs),
            target=self.target[index],
            present=None if self.present is None else self.present[:, index],
        )


@dataclass(frozen=True)
class Evaluation:
    """The joint loss of every member on some samples, and its parts."""

    objective: Float[Tensor, " k"]  # L + λ · auxiliary
    auxiliary: Float[Tensor, " k"]  # λ left out; zero where the model has no auxiliary loss
    prediction: Float[Tensor, "k c n"]


@torch.no_grad()
def evaluate(
    model: ModelKind,
    architecture: Architecture,
    parameters: Sequence[Tensor],
    data: Partition,
    auxiliary_weight: Float[Tensor, " k"],
) -> Evaluation:
    """Every member's joint loss (eq. 4) without its derivative."""
    outputs, values = _contributions(architecture, parameters, data)
    prediction = values.sum(dim=(1, 2))  # eq. 3
    auxiliary = torch.zeros_like(auxiliary_weight)
    if has_auxiliary_loss(model):
        rows = _auxiliary_rows(model, outputs, values)
        auxiliary = _auxiliary_loss(model, _covariances(centred(rows)), len(data.inputs))
    objective = _task_loss(prediction, data.target) + auxiliary_weight * auxiliary
    return Evaluation(objective, auxiliary, prediction)


@torch.no_grad()
def differentiate(
    model: ModelKind,
    architecture: Architecture,
    parameters: Sequence[Tensor],
    data: Partition,
    auxiliary_weight: Float[Tensor, " k"],
    gradients: Sequence[Tensor],
) -> Float[Tensor, " k"]:
    """Every member's joint loss; its derivative by the parameters is written to `gradients`."""
    outputs, values = _contributions(architecture, parameters, data)
    prediction = values.sum(dim=(1, 2))
    loss = _task_loss(prediction, data.target)
    by_prediction = _task_gradient(prediction, data.target)  # [k, c, n]
    by_values = by_prediction[:, None, None].expand_as(values)
    by_embeddings = None
    if has_auxiliary_loss(model):
        rows = centred(_auxiliary_rows(model, outputs, values))
        auxiliary, by_rows = _differentiate_auxiliary(
            model, rows, len(data.inputs), auxiliary_weight
        )
        loss = loss + auxiliary_weight * auxiliary
        if model == "e_hgr" and architecture.hidden_layers:
            by_embeddings = torch.zeros_like(_embeddings(outputs))
            _second_half(by_embeddings).copy_(by_rows.view_as(_second_half(by_embeddings)))
        elif model == "e_hgr":
            by_values = by_values.contiguous()
            half = _second_half(by_values.flatten(2, 3))
            half += by_rows.view_as(half)
        else:
            by_values = by_rows.view_as(values).add_(by_prediction[:, None, None])
    if data.present is not None:
        by_values = fill_absent_gradient(by_values, data.present)
    backward(
        architecture,
        parameters,
        data.inputs,
        outputs,
        by_values=by_values,
        by_embeddings=by_embeddings,
        gradients=gradients,
    )
    return loss


def _contributions(
    architecture: Architecture, parameters: Sequence[Tensor], data: Partition
) -> tuple[TowerOutputs, Tensor]:
    outputs = forward(architecture, parameters, data.inputs)
    if data.present is None:
        return outputs, outputs.values
    return outputs, fill_absent(outputs.values, data.present)


def _task_loss(prediction: Tensor, target: Tensor) -> Tensor:
    loss = squared_error if target.is_floating_point() else cross_entropy
    return loss(prediction, target)


def _task_gradient(prediction: Tensor, target: Tensor) -> Tensor:
    gradient = squared_error_gradient if target.is_floating_point() else cross_entropy_gradient
    return gradient(prediction, target)


def _embeddings(outputs: TowerOutputs) -> Float[Tensor, "k m h n"]:
    return torch.stack([activations[-1] for activations in outputs.hidden], dim=1)


def _second_half(embeddings: Float[Tensor, "k m h n"]) -> Float[Tensor, "k m h/2 n"]:
    return embeddings[:, :, embeddings.shape[2] // 2 :]


def _auxiliary_rows(
    model: ModelKind, outputs: TowerOutputs, values: Float[Tensor, "k m m c n"]
) -> Float[Tensor, "k r c n"]:
    """What the auxiliary loss takes covariances of, output by output.

    E-HGR sees the second half of the last hidden layer, or of the contributions where there is
    no hidden layer, as the authors' released code does.
    """
    if model == "smurf":
        return values.flatten(1, 2)
    embeddings = _embeddings(outputs) if outputs.hidden[0] else values.flatten(2, 3)
    return _second_half(embeddings).flatten(1, 2).unsqueeze(2)


def _covariances(rows: Float[Tensor, "k r c n"]) -> Float[Tensor, "k c r r"]:
    per_output = [covariance_matrix(rows[:, :, output]) for output in range(rows.shape[2])]
    return torch.stack(per_output, dim=1)


def _auxiliary_loss(
    model: ModelKind, covariances: Float[Tensor, "k c r r"], m: int
) -> Float[Tensor, " k"]:
    k, c, r, _ = covariances.shape
    if model == "smurf":
        pairs = covariances.view(k, c, m, m, m, m)
        return uncorrelation_loss(pairs) + correlation_loss(pairs)
    return soft_hgr_loss(covariances.view(k, m, r // m, m, r // m))


def _differentiate_auxiliary(
    model: ModelKind,
    rows: Float[Tensor, "k r c n"],
    m: int,
    auxiliary_weight: Float[Tensor, " k"],
) -> tuple[Float[Tensor, " k"], Float[Tensor, "k r c n"]]:
    """The auxiliary loss, and λ times its derivative by the rows (already centred)."""
    covariances = _covariances(rows).requires_grad_()
    with torch.enable_grad():
        auxiliary = _auxiliary_loss(model, covariances, m)
        (by_covariances,) = torch.autograd.grad(auxiliary, covariances, auxiliary_weight)
    both = (by_covariances + by_covariances.transpose(-1, -2)) / (rows.shape[-1] - 1)
    by_rows = torch.empty_like(rows)
    for output in range(rows.shape[2]):
        by_rows[:, :, output] = both[:, output] @ rows[:, :, output]
    return auxiliary.detach(), by_rows
