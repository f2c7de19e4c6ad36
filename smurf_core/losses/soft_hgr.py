"""E-HGR's auxiliary loss: soft-HGR between the modalities' hidden layers."""

from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from smurf_core.losses.interface import AuxiliaryLoss, Derivative
from smurf_core.losses.rows import HIDDEN_HALF


def soft_hgr_loss(covariances: Float[Tensor, "*k m h m h"]) -> Float[Tensor, "*k"]:
    """E-HGR's loss: −E[fᵀg] + ½ tr(cov(f) cov(g)), summed over the pairs of modalities.

    f and g are centred embeddings of two modalities (Ma et al. 2021, reference 18); entry [i, u, j,
    v] is the covariance of unit u of modality i with unit v of modality j. As in the authors'
    released code, pairs are summed, not averaged.
    """
    m = covariances.shape[-2]
    i, j = torch.triu_indices(m, m, offset=1, device=covariances.device)
    by_pair = covariances.movedim(-2, -3)  # [..., m, m, h, h]
    inner = by_pair[..., i, j, :, :].diagonal(dim1=-2, dim2=-1).sum(dim=-1)
    # tr(cov(f) cov(g)) is the sum of the elementwise product: both are symmetric.
    traces = (by_pair[..., i, i, :, :] * by_pair[..., j, j, :, :]).sum(dim=(-2, -1))
    return (traces / 2 - inner).sum(dim=-1)


@cache
def _same_unit(modalities: int, units: int, device: torch.device) -> Float[Tensor, "r r"]:
    """One where two different modalities' rows contain the same unit."""
    other = 1 - torch.eye(modalities)
    return torch.kron(other, torch.eye(units)).to(device)


class SoftHGRLoss(AuxiliaryLoss):
    """Soft-HGR, summed over the pairs of modalities."""

    rows = HIDDEN_HALF

    def value(self, covariances: Float[Tensor, "k 1 r r"], sources: int) -> Float[Tensor, " k"]:
        """`soft_hgr_loss` of each member."""
        k, _, r, _ = covariances.shape
        units = r // sources
        return soft_hgr_loss(covariances.view(k, sources, units, sources, units))

    def differentiate(self, covariances: Float[Tensor, "k 1 r r"], sources: int) -> Derivative:
        """The same with its derivative."""
        k, _, r, _ = covariances.shape
        units = r // sources
        blocks = covariances.view(k, sources, units, sources, units)
        own = blocks.diagonal(dim1=1, dim2=3)  # [k, units, units, m]
        total = own.sum(dim=-1, keepdim=True)
        others = total - own
        same_unit = _same_unit(sources, units, covariances.device).to(covariances)
        inner = covariances.view(k, r, r) * same_unit
        loss = (own * others).sum(dim=(1, 2, 3)) / 4 - inner.sum(dim=(1, 2)) / 2
        derivative = -same_unit.expand_as(covariances).clone()
        by_blocks = derivative.view_as(blocks).diagonal(dim1=1, dim2=3)
        by_blocks.copy_(others)
        return loss, derivative


SOFT_HGR = SoftHGRLoss()
