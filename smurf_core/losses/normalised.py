"""The losses of our extension, which do not depend on the contributions' size (docs/method.md)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from smurf_core.losses.covariances import (
    by_pairs,
    ordered_pairs,
    other_side,
    unique_with_partner,
)
from smurf_core.losses.interface import AuxiliaryLoss, Derivative
from smurf_core.losses.rows import CONTRIBUTIONS


def normalised_uncorrelation_loss(
    covariances: Float[Tensor, "*k c m m m m"], floor: float
) -> Float[Tensor, "*k"]:
    """Extension: mean |cov(ŷ_I, ŷ_JI)| / √(var(ŷ_I) var(ŷ_JI) + ε²), almost |r|.

    It compares a unique contribution with what the *other* modality predicts for the pair. With
    ŷ_IJ instead (eq. 5), a model can reach zero without a factorisation: ŷ_IJ includes a little of
    what is unique to I, just enough for a covariance of zero. ŷ_JI cannot, because J does not
    contain it.
    """
    c, m = covariances.shape[-5], covariances.shape[-1]
    i, j = ordered_pairs(m, covariances.device)
    variances = covariances[..., i, i, i, i] * covariances[..., j, i, j, i]
    per_pair = covariances[..., i, i, j, i].abs() / (variances + floor**2).sqrt()
    return per_pair.sum(dim=(-2, -1)) / ((m * m - m) * c)


def normalised_correlation_loss(
    covariances: Float[Tensor, "*k c m m m m"],
    floor: float,
    mismatch_weight: float,
    chance: float,
) -> Float[Tensor, "*k"]:
    """Extension: mean (ρ s − cov(ŷ_IJ, ŷ_JI)) / (s + ε) + ½ w var(ŷ_IJ − ŷ_JI) over the pairs.

    s is the mean variance of both sides. The first term is lowest where the two sides are equal, at
    whatever size the task loss asks for, whereas L_cor (eq. 8) also wants var(ŷ_IJ) var(ŷ_JI) to be
    one. The second term is zero there. It penalises a redundant contribution without a partner, in
    which L_cor and the first term alone would allow unique information. If the sides correlate less
    than ρ, the loss is lowest at zero: what pairs have in common by chance is ignored.
    """
    c, m = covariances.shape[-5], covariances.shape[-1]
    i, j = torch.triu_indices(m, m, offset=1, device=covariances.device)
    size = (covariances[..., i, j, i, j] + covariances[..., j, i, j, i]) / 2
    shared = covariances[..., i, j, j, i]
    per_pair = mismatch_weight * (size - shared) - (shared - chance * size) / (size + floor)
    return per_pair.sum(dim=(-2, -1)) * 2 / ((m * m - m) * c)


@dataclass(frozen=True)
class NormalisedLoss(AuxiliaryLoss):
    """Both normalised losses, with their settings; docs/method.md derives these."""

    # Keeps the losses finite if contributions vanish. If what a pair shares is of no use for the
    # prediction, contributions with an sd of about ∛(2ε) arise; a smaller ε makes the losses
    # steeper near zero.
    floor: float
    # Weight of the difference between the two sides of a pair.
    mismatch_weight: float
    # Up to this correlation of its two sides, a pair is taken to have only chance in common, and
    # larger contributions do not lower the loss.
    chance: float
    rows = CONTRIBUTIONS

    def value(self, covariances: Float[Tensor, "k c r r"], sources: int) -> Float[Tensor, " k"]:
        """|cov| and −cov divided by the sizes of the compared contributions."""
        pairs = by_pairs(covariances, sources)
        apart = normalised_uncorrelation_loss(pairs, self.floor)
        return apart + normalised_correlation_loss(
            pairs, self.floor, self.mismatch_weight, self.chance
        )

    def differentiate(self, covariances: Float[Tensor, "k c r r"], sources: int) -> Derivative:
        """The same with its derivative."""
        c, s = covariances.shape[1], sources
        average = 1 / ((s * s - s) * c)
        apart, across = (
            mask(s, covariances.device).to(covariances)
            for mask in (unique_with_partner, other_side)
        )
        is_redundant = across.sum(dim=-1)
        variances = covariances.diagonal(dim1=-2, dim2=-1)
        product = variances.unsqueeze(-1) * variances.unsqueeze(-2) + self.floor**2
        # Outside the pairs, `product` is not used: in the worst case, variances are exact zeros
        # there.
        uncorrelated = covariances.abs() * apart / product.sqrt()
        by_product = uncorrelated / product / 2
        size = ((variances @ across + variances) / 2 + self.floor).unsqueeze(-1)
        correlated = covariances * across / size
        loss = uncorrelated.sum(dim=(1, 2, 3)) / 2 - correlated.sum(dim=(1, 2, 3))
        mismatch = (variances * is_redundant).sum(dim=(1, 2)) - (covariances * across).sum(
            dim=(1, 2, 3)
        )
        loss += self.mismatch_weight * mismatch
        by_chance = self.chance * is_redundant / size.squeeze(-1)
        loss += (by_chance * (size.squeeze(-1) - self.floor)).sum(dim=(1, 2))
        derivative = covariances.sign() * apart / product.sqrt()
        derivative -= 2 * across * (1 / size + self.mismatch_weight)
        # Each pair occurs twice in `by_product`, and also twice in the sum over a row.
        by_variance = -(by_product @ variances.unsqueeze(-1)).squeeze(-1)
        by_variance += (correlated / size).sum(dim=-1) + self.mismatch_weight * is_redundant
        by_variance += by_chance * self.floor / size.squeeze(-1)
        derivative.diagonal(dim1=-2, dim2=-1).copy_(2 * by_variance)
        return loss * average, derivative * average


ADDITIVE = NormalisedLoss(floor=1e-5, mismatch_weight=0.3, chance=0.1)
# Subsets of modalities overlap: (A, B) and (A, C) both know A. So more unique information can be in
# a redundant contribution without a partner, and a larger weight is needed to keep it out
# (docs/method.md).
INTERACTIONS = NormalisedLoss(floor=1.5e-2, mismatch_weight=2.0, chance=0.1)
