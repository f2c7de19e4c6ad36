"""The paper's auxiliary losses and the two task losses, one small function an equation.

The auxiliary losses see nothing but covariances, so they take the covariance matrix of all
contributions: one matrix product makes it, and one more turns its gradient into theirs.

Contributions come as `values[..., i, j, output, sample]`: entry (i, i) is the unique contribution
ŷ_I, entry (i, j) the redundant contribution ŷ_IJ. Any leading axes (the members of a stack) stay:
each of them gets its own loss. Samples lie on the last axis, because every sum runs over it.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def centred(a: Float[Tensor, "*k n"]) -> Float[Tensor, "*k n"]:
    """`a` less its mean over the samples."""
    return a - a.mean(dim=-1, keepdim=True)


def covariance_matrix(centred_rows: Float[Tensor, "*k r n"]) -> Float[Tensor, "*k r r"]:
    """Sample covariance of every row with every row (eq. 6 and 9), from rows without a mean."""
    n = centred_rows.shape[-1]
    if n < 2:
        raise ValueError(f"Sample covariance needs at least 2 samples, got {n}.")
    return centred_rows @ centred_rows.transpose(-1, -2) / (n - 1)


def contribution_covariances(
    values: Float[Tensor, "*k m m c n"],
) -> Float[Tensor, "*k c m m m m"]:
    """Entry [output, i, j, a, b] is cov(ŷ_ij, ŷ_ab) of one output."""
    m = values.shape[-4]
    rows = values.movedim(-2, -4).flatten(-3, -2)  # [..., c, m · m, n]
    covariances = covariance_matrix(centred(rows))
    return covariances.view(*covariances.shape[:-2], m, m, m, m)


def uncorrelation_loss(covariances: Float[Tensor, "*k c m m m m"]) -> Float[Tensor, "*k"]:
    """L_uncor: mean |cov(ŷ_I, ŷ_IJ)| over ordered pairs and outputs (eq. 7, 12 and 14).

    α = 1 / (m² − m) averages over the ordered pairs, 1 / c over the outputs.
    """
    c, m = covariances.shape[-5], covariances.shape[-1]
    i, j = _ordered_pairs(m, covariances.device)
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


@dataclass(frozen=True)
class Normalising:
    """Settings of the normalised losses; docs/method.md derives them."""

    # Keeps them finite where contributions vanish. Where what a pair shares is of no use,
    # contributions of an sd of about ∛(2ε) are invented; the smaller, the steeper near zero.
    floor: float
    # Price of a difference between the two sides of a pair.
    mismatch_weight: float
    # Up to this correlation of its two sides, a pair has nothing in common but chance, and being
    # larger does not pay.
    chance: float


ADDITIVE = Normalising(floor=1e-5, mismatch_weight=0.3, chance=0.1)
# Subsets of modalities overlap: (A, B) and (A, C) both know A. So more can hide in a redundant
# contribution without a partner, and it takes a higher price to keep it out (docs/method.md).
INTERACTIONS = Normalising(floor=1.5e-2, mismatch_weight=2.0, chance=0.1)
# The floor of `factorisation_loss`: below it, a contribution's correlations say nothing.
_FACTORISATION_FLOOR = 1e-3


def normalised_uncorrelation_loss(
    covariances: Float[Tensor, "*k c m m m m"], floor: float = ADDITIVE.floor
) -> Float[Tensor, "*k"]:
    """Extension: mean |cov(ŷ_I, ŷ_JI)| / √(var(ŷ_I) var(ŷ_JI) + ε²), almost |r|.

    A unique contribution against what the *other* modality derives of the pair. Against its own
    side (eq. 5) a model can pass the test and still fail: ŷ_IJ takes up a little of what is unique
    to I, just enough for a covariance of zero. ŷ_JI cannot, for J does not know it.
    """
    c, m = covariances.shape[-5], covariances.shape[-1]
    i, j = _ordered_pairs(m, covariances.device)
    variances = covariances[..., i, i, i, i] * covariances[..., j, i, j, i]
    per_pair = covariances[..., i, i, j, i].abs() / (variances + floor**2).sqrt()
    return per_pair.sum(dim=(-2, -1)) / ((m * m - m) * c)


def normalised_correlation_loss(
    covariances: Float[Tensor, "*k c m m m m"],
    floor: float = ADDITIVE.floor,
    mismatch_weight: float = ADDITIVE.mismatch_weight,
    chance: float = ADDITIVE.chance,
) -> Float[Tensor, "*k"]:
    """Extension: mean (ρ s − cov(ŷ_IJ, ŷ_JI)) / (s + ε) + ½ w var(ŷ_IJ − ŷ_JI) over the pairs.

    s is the mean variance of both sides. The first term is lowest where the two sides are equal,
    at whatever size the task loss asks for, whereas L_cor (eq. 8) also wants var(ŷ_IJ) var(ŷ_JI)
    to be one. The second is zero there, and gives a price to a redundant contribution without a
    partner, in which both L_cor and the first term would let unique information hide. Sides that
    correlate with less than ρ are lowest at zero: what pairs have in common by chance is not told.
    """
    c, m = covariances.shape[-5], covariances.shape[-1]
    i, j = torch.triu_indices(m, m, offset=1, device=covariances.device)
    size = (covariances[..., i, j, i, j] + covariances[..., j, i, j, i]) / 2
    shared = covariances[..., i, j, j, i]
    per_pair = mismatch_weight * (size - shared) - (shared - chance * size) / (size + floor)
    return per_pair.sum(dim=(-2, -1)) * 2 / ((m * m - m) * c)


def factorisation_loss(
    covariances: Float[Tensor, "*k c m m m m"], floor: float = _FACTORISATION_FLOOR
) -> Float[Tensor, "*k"]:
    """How far a factorisation is from its aims, whatever its size; −1 where they are all met.

    The share of variance that a unique contribution has in common with its modality's redundant
    ones, mean cov(ŷ_I, ŷ_IJ)² / (var(ŷ_I) var(ŷ_IJ) + ε²), less what the two sides of a pair have
    in common, mean cov(ŷ_IJ, ŷ_JI) / (½ (var(ŷ_IJ) + var(ŷ_JI)) + ε). Not trained with: it tells
    trained configurations apart, without L_cor's liking for contributions of variance one.
    """
    c, m = covariances.shape[-5], covariances.shape[-1]
    i, j = _ordered_pairs(m, covariances.device)
    variances = covariances[..., i, i, i, i] * covariances[..., i, j, i, j]
    per_pair = covariances[..., i, i, i, j].square() / (variances + floor**2)
    common = per_pair.sum(dim=(-2, -1)) / ((m * m - m) * c)
    return common + normalised_correlation_loss(covariances, floor, mismatch_weight=0, chance=0)


def soft_hgr_loss(covariances: Float[Tensor, "*k m h m h"]) -> Float[Tensor, "*k"]:
    """E-HGR's loss: −E[fᵀg] + ½ tr(cov(f) cov(g)), summed over the pairs of modalities.

    f and g are centred embeddings of two modalities (Ma et al. 2021, reference 18); entry
    [i, u, j, v] is the covariance of unit u of modality i with unit v of modality j. Summed and
    not averaged over the pairs, as in the authors' released code.
    """
    m = covariances.shape[-2]
    i, j = torch.triu_indices(m, m, offset=1, device=covariances.device)
    by_pair = covariances.movedim(-2, -3)  # [..., m, m, h, h]
    inner = by_pair[..., i, j, :, :].diagonal(dim1=-2, dim2=-1).sum(dim=-1)
    # tr(cov(f) cov(g)) is the sum of the elementwise product: both are symmetric.
    traces = (by_pair[..., i, i, :, :] * by_pair[..., j, j, :, :]).sum(dim=(-2, -1))
    return (traces / 2 - inner).sum(dim=-1)


def squared_error(
    prediction: Float[Tensor, "*k 1 n"], target: Float[Tensor, " n"]
) -> Float[Tensor, "*k"]:
    """Mean squared error over the samples."""
    return (prediction.squeeze(-2) - target).square().mean(dim=-1)


def squared_error_gradient(
    prediction: Float[Tensor, "*k 1 n"], target: Float[Tensor, " n"]
) -> Float[Tensor, "*k 1 n"]:
    """Derivative of `squared_error` by the prediction."""
    return (prediction - target) * (2 / target.shape[0])


def cross_entropy(
    prediction: Float[Tensor, "*k c n"], target: Int[Tensor, " n"]
) -> Float[Tensor, "*k"]:
    """Mean negative log-likelihood of the true classes under the softmax of the logits."""
    index = target.expand(*prediction.shape[:-2], 1, -1)
    chosen = prediction.gather(-2, index).squeeze(-2)
    return (prediction.logsumexp(dim=-2) - chosen).mean(dim=-1)


def cross_entropy_gradient(
    prediction: Float[Tensor, "*k c n"], target: Int[Tensor, " n"]
) -> Float[Tensor, "*k c n"]:
    """Derivative of `cross_entropy` by the logits: (softmax − one-hot) / n."""
    index = target.expand(*prediction.shape[:-2], 1, -1)
    ones = prediction.new_ones(()).expand(index.shape)
    return prediction.softmax(dim=-2).scatter_add_(-2, index, -ones) / target.shape[0]


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


def _ordered_pairs(m: int, device: torch.device) -> tuple[Tensor, Tensor]:
    i, j = torch.meshgrid(torch.arange(m), torch.arange(m), indexing="ij")
    other = i != j
    return i[other].to(device), j[other].to(device)
