"""What a modality contributes to samples that lack it: what it contributes on average."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def fill_absent(
    values: Float[Tensor, "*k s heads c n"], present: Bool[Tensor, "s n"]
) -> Float[Tensor, "*k s heads c n"]:
    """Give a modality that is absent for a sample its mean output over the samples that have it.

    So an absent modality contributes *as on average*: zero once contributions are centred, and
    nothing to any covariance beyond its share of the samples. A modality that no sample has
    contributes zero.
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
