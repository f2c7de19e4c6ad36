"""Derivatives that are written out, against autograd on the losses' own definitions."""

import pytest
import torch
from torch.testing import assert_close

from smurf_core.losses.interface import auxiliary_loss_of
from smurf_core.model_kinds import MODEL_KINDS, ModelKind

MODELS = [model for model, traits in MODEL_KINDS.items() if traits.has_auxiliary_loss]


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("sources", [2, 3, 5])
@pytest.mark.parametrize("model", MODELS)
def test_the_derivative_by_the_covariances_is_what_autograd_finds(
    model: ModelKind, sources: int, outputs: int
) -> None:
    loss = auxiliary_loss_of(model)
    assert loss is not None
    k, n = 2, 40
    generator = torch.Generator().manual_seed(0)
    contributions = torch.randn(sources, k, sources, outputs, n, generator=generator).double()
    hidden = torch.randn(sources, k, 8, n, generator=generator).double()
    read = loss.rows.read(0, [contributions], [hidden])
    values = read.permute(1, 3, 0, 2, 4).flatten(2, 3)  # [k, c, r, n]
    values = values + values.mean(dim=2, keepdim=True)
    values -= values.mean(dim=-1, keepdim=True)
    covariances = (values @ values.mT / (n - 1)).requires_grad_()
    expected = loss.value(covariances, sources)
    (by,) = torch.autograd.grad(expected.sum(), covariances)
    found, symmetric = loss.differentiate(covariances.detach(), sources)
    assert_close(found, expected.detach(), check_dtype=False, rtol=1e-6, atol=1e-7)
    assert_close(symmetric, by + by.mT, check_dtype=False, rtol=1e-6, atol=1e-7)
