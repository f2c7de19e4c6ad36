"""Covariances, the only input of auxiliary losses: one matrix product computes all of them.

Contributions come as `values[..., i, j, output, sample]`: entry (i, i) is the unique contribution
ŷ_I, entry (i, j) the redundant contribution ŷ_IJ. Any leading axes (the members of a stack) are
kept: each member gets its own loss. Samples are on the last axis, because all sums are over it.
"""

from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor


def centred(a: Float[Tensor, "*k n"]) -> Float[Tensor, "*k n"]:
    """`a` minus its mean over the samples."""
    return a - a.mean(dim=-1, keepdim=True)


def covariance_matrix(centred_rows: Float[Tensor, "*k r n"]) -> Float[Tensor, "*k r r"]:
    """Sample covariance of each row with each row (eq. 6 and 9), from centred rows."""
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


def by_pairs(covariances: Float[Tensor, "k c r r"], sources: int) -> Float[Tensor, "k c s s s s"]:
    """Covariances of contributions, indexed by the source and the other source of both."""
    s = sources
    return covariances.view(*covariances.shape[:2], s, s, s, s)


def ordered_pairs(m: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """i and j of every ordered pair of different sources."""
    i, j = torch.meshgrid(torch.arange(m), torch.arange(m), indexing="ij")
    other = i != j
    return i[other].to(device), j[other].to(device)


@cache
def unique_with_redundant(s: int, device: torch.device) -> Float[Tensor, "r r"]:
    """One at (ŷ_I, ŷ_IJ) and at (ŷ_IJ, ŷ_I), for every I ≠ J; row i · s + j is ŷ_ij."""
    mask = torch.zeros(s, s, s, s)
    for i in range(s):
        mask[i, i, i] = mask[i, :, i, i] = 1
        mask[i, i, i, i] = 0
    return mask.view(s * s, s * s).to(device)


@cache
def other_side(s: int, device: torch.device) -> Float[Tensor, "r r"]:
    """One at (ŷ_IJ, ŷ_JI) for every I ≠ J: the matrix that swaps the two sides of every pair."""
    mask = torch.zeros(s, s, s, s)
    for i in range(s):
        for j in range(s):
            mask[i, j, j, i] = i != j
    return mask.view(s * s, s * s).to(device)


@cache
def unique_with_partner(s: int, device: torch.device) -> Float[Tensor, "r r"]:
    """One at (ŷ_I, ŷ_JI) and at (ŷ_JI, ŷ_I), for every I ≠ J."""
    swap = other_side(s, device)
    unique = torch.diag(1 - swap.sum(dim=-1))  # Swaps nothing: ŷ_I has no other side.
    return (swap + unique) @ unique_with_redundant(s, device) @ (swap + unique)
