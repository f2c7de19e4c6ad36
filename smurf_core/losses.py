"""The paper's auxiliary losses and the two task losses, one small function an equation.

Contributions come as `values[..., i, j, output, sample]`: entry (i, i) is the unique contribution
ŷ_I, entry (i, j) the redundant contribution ŷ_IJ. Any leading axes (the members of a stack) stay:
each of them gets its own loss. Samples lie on the last axis, because every sum runs over it.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def centred(a: Float[Tensor, "*k n"]) -> Float[Tensor, "*k n"]:
    """`a` less its mean over the samples."""
    return a - a.mean(dim=-1, keepdim=True)


def covariance(a: Float[Tensor, "*k n"], b: Float[Tensor, "*k n"]) -> Float[Tensor, "*k"]:
    """Sample covariance of `a` with `b` over the samples (eq. 6); of `a` with itself: eq. 9."""
    n = a.shape[-1]
    if n < 2:
        raise ValueError(f"Sample covariance needs at least 2 samples, got {n}.")
    return (centred(a) * centred(b)).sum(dim=-1) / (n - 1)


def uncorrelation_loss(values: Float[Tensor, "*k m m c n"]) -> Float[Tensor, "*k"]:
    """L_uncor: mean |cov(ŷ_I, ŷ_IJ)| over ordered pairs and outputs (eq. 7, 12 and 14).

    α = 1 / (m² − m) averages over the ordered pairs, 1 / c over the outputs.
    """
    m, c = values.shape[-4], values.shape[-2]
    unique = values.diagonal(dim1=-4, dim2=-3).movedim(-1, -3).unsqueeze(-3)  # [..., m, 1, c, n]
    magnitude = covariance(unique.expand_as(values), values).abs()  # [..., m, m, c]
    own = magnitude.diagonal(dim1=-3, dim2=-2).sum(dim=(-2, -1))
    return (magnitude.sum(dim=(-3, -2, -1)) - own) / ((m * m - m) * c)


def correlation_loss(values: Float[Tensor, "*k m m c n"]) -> Float[Tensor, "*k"]:
    """L_cor: mean −cov(ŷ_IJ, ŷ_JI) + ½ var(ŷ_IJ) var(ŷ_JI) over pairs and outputs (eq. 8, 13, 15).

    β = 2 / (m² − m) averages over the unordered pairs, 1 / c over the outputs.
    """
    m, c = values.shape[-4], values.shape[-2]
    first, second = torch.triu_indices(m, m, offset=1, device=values.device)
    there = values[..., first, second, :, :]  # ŷ_IJ, [..., pairs, c, n]
    back = values[..., second, first, :, :]  # ŷ_JI
    variances = covariance(there, there) * covariance(back, back)
    per_pair = -covariance(there, back) + variances / 2
    return per_pair.sum(dim=(-2, -1)) / (len(first) * c)


def soft_hgr_loss(embeddings: Float[Tensor, "*k m h n"]) -> Float[Tensor, "*k"]:
    """E-HGR's loss: −E[fᵀg] + ½ tr(cov(f) cov(g)), summed over the pairs of modalities.

    f and g are centred embeddings of two modalities (Ma et al. 2021, reference 18). Summed and
    not averaged over the pairs, as in the authors' released code.
    """
    m, n = embeddings.shape[-3], embeddings.shape[-1]
    if n < 2:
        raise ValueError(f"Sample covariance needs at least 2 samples, got {n}.")
    f = centred(embeddings)
    covariances = f @ f.transpose(-1, -2) / (n - 1)  # [..., m, h, h]
    first, second = torch.triu_indices(m, m, offset=1, device=embeddings.device)
    inner = (f[..., first, :, :] * f[..., second, :, :]).sum(dim=(-2, -1)) / (n - 1)
    # tr(cov(f) cov(g)) is the sum of the elementwise product: both are symmetric.
    traces = (covariances[..., first, :, :] * covariances[..., second, :, :]).sum(dim=(-2, -1))
    return (traces / 2 - inner).sum(dim=-1)


def squared_error(
    prediction: Float[Tensor, "*k 1 n"], target: Float[Tensor, " n"]
) -> Float[Tensor, "*k"]:
    """Mean squared error over the samples."""
    return (prediction.squeeze(-2) - target).square().mean(dim=-1)


def cross_entropy(
    prediction: Float[Tensor, "*k c n"], target: Int[Tensor, " n"]
) -> Float[Tensor, "*k"]:
    """Mean negative log-likelihood of the true classes under the softmax of the logits."""
    index = target.expand(*prediction.shape[:-2], 1, -1)
    chosen = prediction.gather(-2, index).squeeze(-2)
    return (prediction.logsumexp(dim=-2) - chosen).mean(dim=-1)


def fill_absent(
    values: Float[Tensor, "*k m heads c n"], present: Bool[Tensor, "m n"]
) -> Float[Tensor, "*k m heads c n"]:
    """Give a modality that is absent for a sample its mean output over the samples that have it.

    So an absent modality contributes *as on average*: zero once contributions are centred, and
    nothing to any covariance beyond its share of the samples. A modality that no sample has
    contributes zero.
    """
    weight = present.to(values.dtype)[:, None, None, :]
    mean = (values * weight).sum(dim=-1, keepdim=True) / weight.sum(dim=-1, keepdim=True).clamp(
        min=1
    )
    return torch.where(present[:, None, None, :], values, mean)
