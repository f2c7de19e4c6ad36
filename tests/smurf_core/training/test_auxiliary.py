"""Derivatives that are written out, against autograd on the losses' own definitions."""

import pytest
import torch
from torch.testing import assert_close

from smurf_core.configuration import MODEL_TITLES, ModelKind, has_auxiliary_loss
from smurf_core.training.auxiliary import auxiliary_loss, differentiate_auxiliary

MODELS = [model for model in MODEL_TITLES if has_auxiliary_loss(model)]


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("modalities", [2, 3, 5])
@pytest.mark.parametrize("model", MODELS)
def test_the_derivative_by_the_covariances_is_what_autograd_finds(
    model: ModelKind, modalities: int, outputs: int
) -> None:
    generator = torch.Generator().manual_seed(0)
    rows = modalities * (4 if model == "e_hgr" else modalities)
    channels = 1 if model == "e_hgr" else outputs
    shape = (2, channels, rows, 40)
    values = torch.randn(shape, generator=generator, dtype=torch.float64)
    values += values.mean(dim=2, keepdim=True)
    covariances = (values @ values.mT / 39).requires_grad_()
    expected = auxiliary_loss(model, modalities, covariances)
    (by,) = torch.autograd.grad(expected.sum(), covariances)
    loss, symmetric = differentiate_auxiliary(model, modalities, covariances.detach())
    assert_close(loss, expected.detach(), check_dtype=False, rtol=1e-6, atol=1e-7)
    assert_close(symmetric, by + by.mT, check_dtype=False, rtol=1e-6, atol=1e-7)
