"""Contributions of a modality to samples that lack it: its average contribution."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def fill_absent(
    values: Float[Tensor, "*k s heads c n"], present: Bool[Tensor, "s n"]
) -> Float[Tensor, "*k s heads c n"]:
    """Set the output of a modality to its mean for samples that lack the modality.

    The mean is over the samples that have it. An absent modality then has the average contribution:
    zero after centring, with no effect on covariances apart from the number of samples. A modality
    that no sample has contributes zero.
    """
    weight, count = _presence(values, present)
    mean = (values * weight).sum(dim=-1, keepdim=True) / count
    return torch.where(present[:, None, None, :], values, mean)


def fill_absent_gradient(
    gradient: Float[Tensor, "*k s heads c n"], present: Bool[Tensor, "s n"]
) -> Float[Tensor, "*k s heads c n"]:
    """Derivative by the values before `fill_absent`, from the derivative by those after it."""
    weight, count = _presence(gradient, present)
    by_mean = (gradient * (1 - weight)).sum(dim=-1, keepdim=True) / count
    return (gradient + by_mean) * weight


def _presence(like: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
    weight = present.to(like.dtype)[:, None, None, :]
    return weight, weight.sum(dim=-1, keepdim=True).clamp(min=1)
