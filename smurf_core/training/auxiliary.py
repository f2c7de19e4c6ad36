"""The auxiliary losses of `smurf_core.losses` with their derivatives by the covariances.

A covariance matrix holds a few numbers, on which autograd spends more time in one step of a stack
than all of the stack's products take. So the derivatives stand here, as elementwise operations on
the matrices; what a loss *is* stands in `losses`, and tests hold one against the other.

Every function takes covariances `[..., r, r]` of rows and returns the loss and the derivative by
the matrix as a *symmetric* matrix, D + Dᵀ, which is what the derivative by the rows needs: the
derivative of a function of C = X Xᵀ / (n − 1) by X is (D + Dᵀ) X / (n − 1).
"""

from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from smurf_core.configuration import ModelKind, has_interactions, is_normalised
from smurf_core.losses import (
    ADDITIVE,
    INTERACTIONS,
    Normalising,
    correlation_loss,
    normalised_correlation_loss,
    normalised_uncorrelation_loss,
    soft_hgr_loss,
    uncorrelation_loss,
)

Derivative = tuple[Float[Tensor, " k"], Float[Tensor, "k c r r"]]


def auxiliary_loss(
    model: ModelKind, modalities: int, covariances: Float[Tensor, "k c r r"]
) -> Float[Tensor, " k"]:
    """What a model kind adds to the task loss, λ left out."""
    if model == "e_hgr":
        k, _, r, _ = covariances.shape
        units = r // modalities
        return soft_hgr_loss(covariances.view(k, modalities, units, modalities, units))
    pairs = by_pairs(covariances)
    if is_normalised(model):
        how = _normalising(model)
        apart = normalised_uncorrelation_loss(pairs, how.floor)
        return apart + normalised_correlation_loss(
            pairs, how.floor, how.mismatch_weight, how.chance
        )
    return uncorrelation_loss(pairs) + correlation_loss(pairs)


def differentiate_auxiliary(
    model: ModelKind, modalities: int, covariances: Float[Tensor, "k c r r"]
) -> Derivative:
    """The same, and its derivative by the covariances as a symmetric matrix."""
    if model == "e_hgr":
        return _soft_hgr(covariances, modalities)
    if is_normalised(model):
        return _normalised(covariances, _normalising(model))
    return _published(covariances)


def _normalising(model: ModelKind) -> Normalising:
    return INTERACTIONS if has_interactions(model) else ADDITIVE


def by_pairs(covariances: Float[Tensor, "k c r r"]) -> Float[Tensor, "k c s s s s"]:
    """Covariances of contributions by source and other modality (or subset) of both sides."""
    k, c, r, _ = covariances.shape
    s = round(r**0.5)
    return covariances.view(k, c, s, s, s, s)


@cache
def _unique_with_redundant(r: int, device: torch.device) -> Float[Tensor, "r r"]:
    """One at (ŷ_I, ŷ_IJ) and at (ŷ_IJ, ŷ_I), for every I ≠ J; row i · s + j is ŷ_ij."""
    s = round(r**0.5)
    mask = torch.zeros(s, s, s, s)
    for i in range(s):
        mask[i, i, i] = mask[i, :, i, i] = 1
        mask[i, i, i, i] = 0
    return mask.view(r, r).to(device)


@cache
def _other_side(r: int, device: torch.device) -> Float[Tensor, "r r"]:
    """One at (ŷ_IJ, ŷ_JI) for every I ≠ J: the matrix that swaps the two sides of every pair."""
    s = round(r**0.5)
    mask = torch.zeros(s, s, s, s)
    for i in range(s):
        for j in range(s):
            mask[i, j, j, i] = i != j
    return mask.view(r, r).to(device)


@cache
def _unique_with_partner(r: int, device: torch.device) -> Float[Tensor, "r r"]:
    """One at (ŷ_I, ŷ_JI) and at (ŷ_JI, ŷ_I), for every I ≠ J."""
    swap = _other_side(r, device)
    unique = torch.diag(1 - swap.sum(dim=-1))  # Swaps nothing: ŷ_I has no other side.
    return (swap + unique) @ _unique_with_redundant(r, device) @ (swap + unique)


def _published(covariances: Tensor) -> Derivative:
    """L_uncor + L_cor (eq. 12-15)."""
    c, r = covariances.shape[1:3]
    s = round(r**0.5)
    average = 1 / ((s * s - s) * c)
    within, across = (
        mask(r, covariances.device).to(covariances)
        for mask in (_unique_with_redundant, _other_side)
    )
    variances = covariances.diagonal(dim1=-2, dim2=-1)
    others = variances @ across  # var(ŷ_JI) in the place of var(ŷ_IJ), zero for ŷ_I
    # Both masks hold every entry twice, and eq. 13 averages over half as many pairs as eq. 12.
    size = (covariances.abs() * within).sum(dim=(1, 2, 3)) / 2
    size -= (covariances * across).sum(dim=(1, 2, 3))
    size += (variances * others).sum(dim=(1, 2)) / 2
    derivative = covariances.sign().mul_(within).sub_(across, alpha=2)
    derivative.diagonal(dim1=-2, dim2=-1).copy_(others).mul_(2)
    return size * average, derivative * average


def _normalised(covariances: Tensor, how: Normalising) -> Derivative:
    """The extension's losses: |cov| and −cov over the sizes of what they compare."""
    c, r = covariances.shape[1:3]
    s = round(r**0.5)
    average = 1 / ((s * s - s) * c)
    apart, across = (
        mask(r, covariances.device).to(covariances) for mask in (_unique_with_partner, _other_side)
    )
    is_redundant = across.sum(dim=-1)
    variances = covariances.diagonal(dim1=-2, dim2=-1)
    product = variances.unsqueeze(-1) * variances.unsqueeze(-2) + how.floor**2
    # Off the pairs, `product` may be anything: variances are exact zeros there at worst.
    uncorrelated = covariances.abs() * apart / product.sqrt()
    by_product = uncorrelated / product / 2
    size = ((variances @ across + variances) / 2 + how.floor).unsqueeze(-1)
    correlated = covariances * across / size
    loss = uncorrelated.sum(dim=(1, 2, 3)) / 2 - correlated.sum(dim=(1, 2, 3))
    mismatch = (variances * is_redundant).sum(dim=(1, 2)) - (covariances * across).sum(
        dim=(1, 2, 3)
    )
    loss += how.mismatch_weight * mismatch
    by_chance = how.chance * is_redundant / size.squeeze(-1)
    loss += (by_chance * (size.squeeze(-1) - how.floor)).sum(dim=(1, 2))
    derivative = covariances.sign() * apart / product.sqrt()
    derivative -= 2 * across * (1 / size + how.mismatch_weight)
    # Each pair stands twice in `by_product`; so it does in the sum over a row.
    by_variance = -(by_product @ variances.unsqueeze(-1)).squeeze(-1)
    by_variance += (correlated / size).sum(dim=-1) + how.mismatch_weight * is_redundant
    by_variance += by_chance * how.floor / size.squeeze(-1)
    derivative.diagonal(dim1=-2, dim2=-1).copy_(2 * by_variance)
    return loss * average, derivative * average


def _soft_hgr(covariances: Tensor, modalities: int) -> Derivative:
    """E-HGR's loss, summed over the pairs of modalities."""
    k, _, r, _ = covariances.shape
    units = r // modalities
    blocks = covariances.view(k, modalities, units, modalities, units)
    own = blocks.diagonal(dim1=1, dim2=3)  # [k, units, units, m]
    total = own.sum(dim=-1, keepdim=True)
    others = total - own
    same_unit = _same_unit(modalities, units, covariances.device).to(covariances)
    inner = covariances.view(k, r, r) * same_unit
    loss = (own * others).sum(dim=(1, 2, 3)) / 4 - inner.sum(dim=(1, 2)) / 2
    derivative = -same_unit.expand_as(covariances).clone()
    by_blocks = derivative.view_as(blocks).diagonal(dim1=1, dim2=3)
    by_blocks.copy_(others)
    return loss, derivative


@cache
def _same_unit(modalities: int, units: int, device: torch.device) -> Float[Tensor, "r r"]:
    """One where two different modalities' rows hold the same unit."""
    other = 1 - torch.eye(modalities)
    return torch.kron(other, torch.eye(units)).to(device)
