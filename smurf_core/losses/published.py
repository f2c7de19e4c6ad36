"""The paper's auxiliary losses, L_uncor + L_cor (eq. 5-8 and 12-15)."""

import torch
from jaxtyping import Float
from torch import Tensor

from smurf_core.losses.covariances import (
    by_pairs,
    ordered_pairs,
    other_side,
    unique_with_redundant,
)
from smurf_core.losses.interface import AuxiliaryLoss, Derivative
from smurf_core.losses.normalised import normalised_correlation_loss
from smurf_core.losses.rows import CONTRIBUTIONS

# The ε of `factorisation_loss`: correlations of much smaller contributions are ignored.
_FACTORISATION_FLOOR = 1e-3


def uncorrelation_loss(covariances: Float[Tensor, "*k c m m m m"]) -> Float[Tensor, "*k"]:
    """L_uncor: mean |cov(ŷ_I, ŷ_IJ)| over ordered pairs and outputs (eq. 7, 12 and 14).

    α = 1 / (m² − m) averages over the ordered pairs, 1 / c over the outputs.
    """
    c, m = covariances.shape[-5], covariances.shape[-1]
    i, j = ordered_pairs(m, covariances.device)
    return covariances[..., i, i, i, j].abs().sum(dim=(-2, -1)) / ((m * m - m) * c)


def correlation_loss(covariances: Float[Tensor, "*k c m m m m"]) -> Float[Tensor, "*k"]:
    """L_cor: mean −cov(ŷ_IJ, ŷ_JI) + ½ var(ŷ_IJ) var(ŷ_JI) over pairs and outputs (eq. 8, 13, 15).

    β = 2 / (m² − m) averages over the unordered pairs, 1 / c over the outputs.
    """
    c, m = covariances.shape[-5], covariances.shape[-1]
    i, j = torch.triu_indices(m, m, offset=1, device=covariances.device)
    variances = covariances[..., i, j, i, j] * covariances[..., j, i, j, i]
    per_pair = variances / 2 - covariances[..., i, j, j, i]
    return per_pair.sum(dim=(-2, -1)) * 2 / ((m * m - m) * c)


def factorisation_loss(
    covariances: Float[Tensor, "*k c m m m m"], floor: float = _FACTORISATION_FLOOR
) -> Float[Tensor, "*k"]:
    """The distance of a factorisation from its goals, independent of its size; −1 is the best.

    The share of variance that a unique contribution has in common with its modality's redundant
    ones, mean cov(ŷ_I, ŷ_IJ)² / (var(ŷ_I) var(ŷ_IJ) + ε²), minus what the two sides of a pair have
    in common, mean cov(ŷ_IJ, ŷ_JI) / (½ (var(ŷ_IJ) + var(ŷ_JI)) + ε). It is not used for training.
    It ranks trained configurations without L_cor's preference for contributions with a variance of
    one.
    """
    c, m = covariances.shape[-5], covariances.shape[-1]
    i, j = ordered_pairs(m, covariances.device)
    variances = covariances[..., i, i, i, i] * covariances[..., i, j, i, j]
    per_pair = covariances[..., i, i, i, j].square() / (variances + floor**2)
    common = per_pair.sum(dim=(-2, -1)) / ((m * m - m) * c)
    return common + normalised_correlation_loss(covariances, floor, mismatch_weight=0, chance=0)


class PublishedLoss(AuxiliaryLoss):
    """L_uncor + L_cor: functions of covariances, which depend on the contributions' size."""

    rows = CONTRIBUTIONS

    def value(self, covariances: Float[Tensor, "k c r r"], sources: int) -> Float[Tensor, " k"]:
        """Equations 12-15."""
        pairs = by_pairs(covariances, sources)
        return uncorrelation_loss(pairs) + correlation_loss(pairs)

    def differentiate(self, covariances: Float[Tensor, "k c r r"], sources: int) -> Derivative:
        """The same with its derivative."""
        c, s = covariances.shape[1], sources
        average = 1 / ((s * s - s) * c)
        within, across = (
            mask(s, covariances.device).to(covariances)
            for mask in (unique_with_redundant, other_side)
        )
        variances = covariances.diagonal(dim1=-2, dim2=-1)
        others = variances @ across  # var(ŷ_JI) in the place of var(ŷ_IJ), zero for ŷ_I
        # Both masks contain every entry twice, and eq. 13 averages over half as many pairs as eq.
        # 12.
        size = (covariances.abs() * within).sum(dim=(1, 2, 3)) / 2
        size -= (covariances * across).sum(dim=(1, 2, 3))
        size += (variances * others).sum(dim=(1, 2)) / 2
        derivative = covariances.sign().mul_(within).sub_(across, alpha=2)
        derivative.diagonal(dim1=-2, dim2=-1).copy_(others).mul_(2)
        return size * average, derivative * average

    def criterion(self, covariances: Float[Tensor, "k c r r"], sources: int) -> Float[Tensor, " k"]:
        """The factorisation loss, which does not depend on the contributions' size."""
        return factorisation_loss(by_pairs(covariances, sources))


PUBLISHED = PublishedLoss()
