"""The joint loss of every model kind (eq. 4): task loss plus λ times its auxiliary loss."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from smurf_core.configuration import ModelKind
from smurf_core.losses import (
    correlation_loss,
    cross_entropy,
    fill_absent,
    soft_hgr_loss,
    squared_error,
    uncorrelation_loss,
)
from smurf_core.models.towers import Architecture, forward


def auxiliary_loss(
    model: ModelKind,
    values: Float[Tensor, "k m heads c n"],
    embeddings: Sequence[Float[Tensor, "k h n"]],
) -> Float[Tensor, " k"]:
    """What λ weighs: L_uncor + L_cor for SMURF, soft-HGR for E-HGR, nothing for the other two.

    E-HGR takes the second half of the last hidden layer; without hidden layers the second half
    of each modality's contributions, as the authors' released code does.
    """
    if model == "smurf":
        return uncorrelation_loss(values) + correlation_loss(values)
    if model == "e_hgr":
        stacked = torch.stack(list(embeddings), dim=1) if embeddings else values.flatten(2, 3)
        return soft_hgr_loss(stacked[:, :, stacked.shape[2] // 2 :])
    return values.new_zeros(values.shape[0])


def objective(
    model: ModelKind,
    architecture: Architecture,
    parameters: Sequence[Tensor],
    inputs: Sequence[Float[Tensor, "d n"]],
    *,
    target: Tensor,
    auxiliary_weight: Float[Tensor, " k"],
    present: Bool[Tensor, "m n"] | None,
) -> tuple[Float[Tensor, " k"], Float[Tensor, "k m heads c n"]]:
    """Every member's joint loss L + λ · auxiliary (eq. 4), and its contributions.

    `target` is float [n] for regression and class codes [n] for classification. `present` marks
    which samples have which modality; none where all are there.
    """
    values, embeddings = forward(architecture, parameters, inputs)
    if present is not None:
        values = fill_absent(values, present)
    prediction = values.sum(dim=(1, 2))  # eq. 3
    task_loss = cross_entropy if not target.is_floating_point() else squared_error
    loss = task_loss(prediction, target)
    if model in ("smurf", "e_hgr"):
        loss = loss + auxiliary_weight * auxiliary_loss(model, values, embeddings)
    return loss, values
