"""The joint loss of every model kind (eq. 4) and its derivative by every parameter.

Auxiliary losses are functions of the covariances between some rows: all contributions for SMURF,
half of the last hidden layers for E-HGR. So their derivative by the rows is a matrix product: the
derivative by the covariances, which autograd gives for a matrix of a few numbers, times the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

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
    factorisation_loss,
    fill_absent,
    fill_absent_gradient,
    normalised_correlation_loss,
    normalised_uncorrelation_loss,
    soft_hgr_loss,
    squared_error,
    squared_error_gradient,
    uncorrelation_loss,
)
from smurf_core.models.architecture import Architecture
from smurf_core.models.towers import TowerOutputs, backward, forward


@dataclass(frozen=True)
class Partition:
    """Standardised samples of one role, feature-major, on the training device."""

    inputs: tuple[Tensor, ...]  # the architecture's tower inputs, [features, n] each
    target: Tensor  # [n]: float, or class codes
    # Per order, which samples have all modalities of a subset, bool [s, n]; none where all have.
    present: tuple[Bool[Tensor, "s n"], ...] | None = None

    def __len__(self) -> int:
        return self.target.shape[0]

    def subset(self, index: Tensor | slice) -> "Partition":
        """Some samples, in the order of `index`."""
        return Partition(
            inputs=tuple(x[:, index] for x in self.inputs),
            target=self.target[index],
            present=None if self.present is None else tuple(p[:, index] for p in self.present),
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
    sums = _cumulative_predictions(values)
    task = torch.stack([_task_loss(p, data.target) for p in sums]).sum(dim=0)
    auxiliary = torch.zeros_like(auxiliary_weight)
    if has_auxiliary_loss(model):
        rows = _auxiliary_rows(model, architecture, outputs, values)
        for share, each in zip(_shares(model, architecture), rows, strict=True):
            auxiliary += share * _auxiliary_loss(model, architecture, _covariances(centred(each)))
    return Evaluation(task + auxiliary_weight * auxiliary, auxiliary, sums[-1])


@torch.no_grad()
def evaluate_factorisation(
    model: ModelKind, architecture: Architecture, parameters: Sequence[Tensor], data: Partition
) -> Float[Tensor, " k"]:
    """Every member's factorisation loss, orders weighted as in training.

    For E-HGR, which has other aims, its own loss; zero where the model has no auxiliary loss.
    """
    outputs, values = _contributions(architecture, parameters, data)
    total = values[0].new_zeros(values[0].shape[0])
    if has_auxiliary_loss(model):
        rows = _auxiliary_rows(model, architecture, outputs, values)
        for share, each in zip(_shares(model, architecture), rows, strict=True):
            covariances = _covariances(centred(each))
            if model == "e_hgr":
                total += share * _auxiliary_loss(model, architecture, covariances)
            else:
                total += share * factorisation_loss(_by_pairs(covariances))
    return total


@torch.no_grad()
def differentiate(
    model: ModelKind,
    architecture: Architecture,
    parameters: Sequence[Tensor],
    data: Partition,
    auxiliary_weight: Float[Tensor, " k"],
    gradients: Sequence[Tensor],
) -> Float[Tensor, " k"]:
    """Every member's joint loss; its derivative by the parameters is written to `gradients`.

    With several interaction orders the task loss is MRO's (eq. 29): order by order, the loss of
    the sum so far, whose earlier orders are held fixed (stop gradient). Hence an order's
    contributions get the derivative of their own term only.
    """
    outputs, values = _contributions(architecture, parameters, data)
    sums = _cumulative_predictions(values)
    loss = torch.stack([_task_loss(p, data.target) for p in sums]).sum(dim=0)
    by_sums = [_task_gradient(p, data.target)[:, None, None] for p in sums]  # [k, 1, 1, c, n]
    by_values = [g.expand_as(v) for g, v in zip(by_sums, values, strict=True)]
    by_embeddings = None
    if has_auxiliary_loss(model):
        rows = [centred(r) for r in _auxiliary_rows(model, architecture, outputs, values)]
        by_rows = []
        for share, each in zip(_shares(model, architecture), rows, strict=True):
            weight = auxiliary_weight * share
            auxiliary, by = _differentiate_auxiliary(model, architecture, each, weight)
            loss = loss + weight * auxiliary
            by_rows.append(by)
        if model != "e_hgr":
            for order, by in enumerate(by_rows):
                by_values[order] = by.view_as(values[order]).add_(by_sums[order])
        elif architecture.hidden_layers:
            by_embeddings = _padded_to_embeddings(by_rows[0], outputs)
        else:
            by_values = [by_values[0].contiguous()]
            half = _second_half(by_values[0].flatten(2, 3))
            half += by_rows[0].view_as(half)
    if data.present is not None:
        by_values = [
            fill_absent_gradient(g, p) for g, p in zip(by_values, data.present, strict=True)
        ]
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
) -> tuple[TowerOutputs, tuple[Tensor, ...]]:
    outputs = forward(architecture, parameters, data.inputs)
    if data.present is None:
        return outputs, outputs.values
    pairs = zip(outputs.values, data.present, strict=True)
    return outputs, tuple(fill_absent(values, present) for values, present in pairs)


def _cumulative_predictions(values: Sequence[Tensor]) -> list[Float[Tensor, "k c n"]]:
    """Sums over all contributions of the first order, the first two, … (eq. 3, 27 and 28)."""
    return list(accumulate(v.sum(dim=(1, 2)) for v in values))


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


def _padded_to_embeddings(
    by_rows: Float[Tensor, "k r 1 n"], outputs: TowerOutputs
) -> list[Float[Tensor, "k h n"]]:
    """Derivatives by the second half of each embedding, with zeros for the first."""
    by_embeddings = torch.zeros_like(_embeddings(outputs))
    half = _second_half(by_embeddings)
    half.copy_(by_rows.view_as(half))
    return list(by_embeddings.unbind(dim=1))


def _auxiliary_rows(
    model: ModelKind,
    architecture: Architecture,
    outputs: TowerOutputs,
    values: Sequence[Tensor],
) -> list[Float[Tensor, "k r c n"]]:
    """What the auxiliary losses take covariances of, output by output: one array an order.

    E-HGR sees the second half of the last hidden layer, or of the contributions where there is
    no hidden layer, as the authors' released code does. An order of one subset shares nothing.
    """
    if model == "e_hgr":
        has_hidden = bool(architecture.hidden_layers)
        embeddings = _embeddings(outputs) if has_hidden else values[0].flatten(2, 3)
        return [_second_half(embeddings).flatten(1, 2).unsqueeze(2)]
    return [v.flatten(1, 2) for v in values if v.shape[1] > 1]


def _shares(model: ModelKind, architecture: Architecture) -> list[float]:
    """Weight of every order's auxiliary loss: its share of all pairs (the 1/12 of eq. 30)."""
    if model == "e_hgr":
        return [1.0]
    sizes = [len(order.subsets) for order in architecture.orders]
    pairs = [s * s - s for s in sizes if s > 1]
    return [count / sum(pairs) for count in pairs]


def _covariances(rows: Float[Tensor, "k r c n"]) -> Float[Tensor, "k c r r"]:
    per_output = [covariance_matrix(rows[:, :, output]) for output in range(rows.shape[2])]
    return torch.stack(per_output, dim=1)


def _auxiliary_loss(
    model: ModelKind, architecture: Architecture, covariances: Float[Tensor, "k c r r"]
) -> Float[Tensor, " k"]:
    if model == "e_hgr":
        k, _, r, _ = covariances.shape
        m = len(architecture.modality_inputs)
        return soft_hgr_loss(covariances.view(k, m, r // m, m, r // m))
    pairs = _by_pairs(covariances)
    if model == "smurf_normalised":
        return normalised_uncorrelation_loss(pairs) + normalised_correlation_loss(pairs)
    return uncorrelation_loss(pairs) + correlation_loss(pairs)


def _by_pairs(covariances: Float[Tensor, "k c r r"]) -> Float[Tensor, "k c s s s s"]:
    """Covariances of contributions by source and other modality (or subset) of both sides."""
    k, c, r, _ = covariances.shape
    s = round(r**0.5)
    return covariances.view(k, c, s, s, s, s)


def _differentiate_auxiliary(
    model: ModelKind,
    architecture: Architecture,
    rows: Float[Tensor, "k r c n"],
    weight: Float[Tensor, " k"],
) -> tuple[Float[Tensor, " k"], Float[Tensor, "k r c n"]]:
    """The auxiliary loss, and `weight` times its derivative by the rows (already centred)."""
    covariances = _covariances(rows).requires_grad_()
    with torch.enable_grad():
        auxiliary = _auxiliary_loss(model, architecture, covariances)
        (by_covariances,) = torch.autograd.grad(auxiliary, covariances, weight)
    both = (by_covariances + by_covariances.transpose(-1, -2)) / (rows.shape[-1] - 1)
    by_rows = torch.empty_like(rows)
    for output in range(rows.shape[2]):
        by_rows[:, :, output] = both[:, output] @ rows[:, :, output]
    return auxiliary.detach(), by_rows
