"""The joint loss of every model kind (eq. 4) and its derivative by every parameter.

Auxiliary losses are functions of the covariances between the rows that they read
(`smurf_core.losses`). So one product of the rows with themselves gives the loss, and one of a small
matrix with the rows its derivative by them; the derivative of the task loss, which is the same for
all contributions, is one more row of that product.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from smurf_core.losses.interface import auxiliary_loss_of
from smurf_core.losses.rows import Rows
from smurf_core.losses.task import (
    cross_entropy,
    cross_entropy_gradient,
    squared_error,
    squared_error_gradient,
)
from smurf_core.model_kinds import ModelKind
from smurf_core.models.absence import fill_absent, fill_absent_gradient
from smurf_core.models.towers import Buffers, StackedWeights, TowerOutputs, backward, forward

# Validation samples are not split into batches, because covariances are over all of them. Where
# they are many, a stack is evaluated some members at a time: 2²⁴ activations are 64 MB.
EVALUATED_NUMBERS = 2**24


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
    weights: StackedWeights,
    data: Partition,
    auxiliary_weight: Float[Tensor, " k"],
    buffers: Buffers | None = None,
) -> Evaluation:
    """Every member's joint loss (eq. 4) without its derivative."""
    buffers = buffers or Buffers(data.target.device)
    few = _members_at_once(weights, data)
    if few < weights.k:
        parts = [
            evaluate(model, weights.members(part), data, auxiliary_weight[part], buffers)
            for part in _parts(weights.k, few)
        ]
        return Evaluation(
            torch.cat([part.objective for part in parts]),
            torch.cat([part.auxiliary for part in parts]),
            torch.cat([part.prediction for part in parts]),
        )
    outputs, values = _contributions(weights, data, buffers)
    sums = _cumulative_predictions(values)
    task = _task_loss(sums[0], data.target)
    for each in sums[1:]:
        task += _task_loss(each, data.target)
    auxiliary = torch.zeros_like(auxiliary_weight)
    loss = auxiliary_loss_of(model)
    if loss is not None:
        for order, share in _shares(loss.rows, weights.architecture.order_sizes).items():
            covariances = _covariances(_centred_rows(loss.rows, outputs, values, order, buffers))
            # The same number as `value` gives, in a fraction of the operations.
            auxiliary += share * loss.differentiate(covariances, len(values[order]))[0]
    return Evaluation(task + auxiliary_weight * auxiliary, auxiliary, sums[-1])


@torch.no_grad()
def evaluate_factorisation(
    model: ModelKind, weights: StackedWeights, data: Partition
) -> Float[Tensor, " k"]:
    """Every member's distance from its auxiliary loss's aims, orders weighted as in training.

    That is `AuxiliaryLoss.criterion`; zero where the model has no auxiliary loss.
    """
    few = _members_at_once(weights, data)
    if few < weights.k:
        parts = _parts(weights.k, few)
        return torch.cat([evaluate_factorisation(model, weights.members(p), data) for p in parts])
    total = weights.flat.new_zeros(weights.k)
    loss = auxiliary_loss_of(model)
    if loss is None:
        return total
    buffers = Buffers(data.target.device)
    outputs, values = _contributions(weights, data, buffers)
    for order, share in _shares(loss.rows, weights.architecture.order_sizes).items():
        covariances = _covariances(_centred_rows(loss.rows, outputs, values, order, buffers))
        total += share * loss.criterion(covariances, len(values[order]))
    return total


@torch.no_grad()
def differentiate(
    model: ModelKind,
    weights: StackedWeights,
    gradients: StackedWeights,
    data: Partition,
    auxiliary_weight: Float[Tensor, " k"],
    buffers: Buffers,
) -> Float[Tensor, " k"]:
    """Every member's joint loss; its derivative by the parameters is written to `gradients`.

    With several interaction orders the task loss is MRO's (eq. 29): order by order, the loss of
    the sum so far, whose earlier orders are held fixed (stop gradient). Hence an order's
    contributions get the derivative of their own term only.
    """
    outputs, values = _contributions(weights, data, buffers)
    sums = _cumulative_predictions(values)
    auxiliary = auxiliary_loss_of(model)
    sizes = weights.architecture.order_sizes
    shares = _shares(auxiliary.rows, sizes) if auxiliary is not None else {}
    loss = torch.zeros_like(auxiliary_weight)
    by_values, by_last_hidden = [], None
    for order, prediction in enumerate(sums):
        loss += _task_loss(prediction, data.target)
        by_sum = _task_gradient(prediction, data.target)  # [k, c, n]
        by = buffers.take(f"by values {order}", *values[order].shape)
        if auxiliary is None or order not in shares:
            by.copy_(by_sum[:, None].expand_as(by))
        else:
            read = auxiliary.rows
            rows = _centred_rows(read, outputs, values, order, buffers)
            value, mixing = auxiliary.differentiate(_covariances(rows), len(values[order]))
            weight = auxiliary_weight * shares[order]
            loss += weight * value
            mixing *= (weight / (len(data) - 1)).view(-1, 1, 1, 1)
            by_rows = _mix(mixing, rows, by_sum if read.are_contributions else None, buffers)
            by_hidden = read.give_back(by_rows, by_sum, by, outputs.hidden)
            by_last_hidden = by_last_hidden if by_hidden is None else by_hidden
        if data.present is not None:
            by = fill_absent_gradient(by.transpose(0, 1), data.present[order]).transpose(0, 1)
        by_values.append(by.flatten(2, 3))
    backward(
        weights, gradients, data.inputs, outputs, buffers,
        by_values=by_values, by_last_hidden=by_last_hidden,
    )  # fmt: skip
    return loss


def _members_at_once(weights: StackedWeights, data: Partition) -> int:
    """How many members can be evaluated without more than `EVALUATED_NUMBERS` activations."""
    return max(1, EVALUATED_NUMBERS // (weights.architecture.unit_count * len(data)))


def _parts(count: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, count, size)]


def _contributions(
    weights: StackedWeights, data: Partition, buffers: Buffers
) -> tuple[TowerOutputs, list[Float[Tensor, "s k heads c n"]]]:
    outputs = forward(weights, data.inputs, buffers)
    if data.present is None:
        return outputs, list(outputs.values)
    pairs = zip(outputs.values, data.present, strict=True)
    return outputs, [
        fill_absent(values.transpose(0, 1), present).transpose(0, 1) for values, present in pairs
    ]


def _cumulative_predictions(values: Sequence[Tensor]) -> list[Float[Tensor, "k c n"]]:
    """Sums over all contributions of the first order, the first two, … (eq. 3, 27 and 28)."""
    return list(accumulate(_total(v) for v in values))


def _total(values: Float[Tensor, "s k heads c n"]) -> Float[Tensor, "k c n"]:
    """Sum over subsets and heads: by a product, as torch's sum over two outer axes is slow."""
    s, k, heads, c, n = values.shape
    ones = values.new_ones(1, 1, 1, heads).expand(s, k, 1, heads)
    return torch.matmul(ones, values.reshape(s, k, heads, c * n)).sum(dim=0).view(k, c, n)


def _task_loss(prediction: Tensor, target: Tensor) -> Tensor:
    loss = squared_error if target.is_floating_point() else cross_entropy
    return loss(prediction, target)


def _task_gradient(prediction: Tensor, target: Tensor) -> Tensor:
    gradient = squared_error_gradient if target.is_floating_point() else cross_entropy_gradient
    return gradient(prediction, target)


@cache
def _shares(rows: Rows, sizes: tuple[int, ...]) -> dict[int, float]:
    """Weight of the auxiliary loss in every order that has one."""
    return rows.shares(sizes)


def _centred_rows(
    rows: Rows,
    outputs: TowerOutputs,
    values: Sequence[Tensor],
    order: int,
    buffers: Buffers,
) -> Float[Tensor, "k c r+1 n"]:
    """What an auxiliary loss takes covariances of, output by output, less its mean.

    The last row is left for `_mix`.
    """
    read = rows.read(order, values, outputs.hidden)
    s, k, u, c, n = read.shape
    centred = buffers.take(f"rows {order}", k, c, s * u + 1, n)
    into = centred[:, :, :-1].view(k, c, s, u, n).permute(2, 0, 3, 1, 4)
    torch.sub(read, read.mean(dim=-1, keepdim=True), out=into)
    return centred


def _covariances(rows: Float[Tensor, "k c r+1 n"]) -> Float[Tensor, "k c r r"]:
    """The covariances of all rows but the last."""
    n = rows.shape[-1]
    if n < 2:
        raise ValueError(f"Sample covariance needs at least 2 samples, got {n}.")
    flat = rows.flatten(0, 1)[:, :-1]
    product = torch.bmm(flat, flat.mT).div_(n - 1)
    return product.view(*rows.shape[:2], *product.shape[1:])


def _mix(
    mixing: Float[Tensor, "k c r r"],
    rows: Float[Tensor, "k c r+1 n"],
    everywhere: Float[Tensor, "k c n"] | None,
    buffers: Buffers,
) -> Float[Tensor, "k c r n"]:
    """`mixing @ rows`, and what is to be added to every row, by one product."""
    k, c, r, _ = mixing.shape
    n = rows.shape[-1]
    mixed = buffers.take("mixed", k * c, r, n)
    if everywhere is None:
        return torch.bmm(mixing.flatten(0, 1), rows.flatten(0, 1)[:, :-1], out=mixed).view(
            k, c, r, n
        )
    rows[:, :, -1] = everywhere
    extended = torch.cat([mixing, mixing.new_ones(()).expand(k, c, r, 1)], dim=-1)
    return torch.bmm(extended.flatten(0, 1), rows.flatten(0, 1), out=mixed).view(k, c, r, n)
