"""The losses against plain loops over pairs, outputs and samples, transcribed from the paper."""

import itertools
import math
from functools import partial

import pytest
import torch
from torch.testing import assert_close

from smurf_core.losses.covariances import centred, contribution_covariances, covariance_matrix
from smurf_core.losses.normalised import (
    ADDITIVE,
    normalised_correlation_loss,
    normalised_uncorrelation_loss,
)
from smurf_core.losses.published import correlation_loss, uncorrelation_loss
from smurf_core.losses.soft_hgr import soft_hgr_loss
from smurf_core.losses.task import (
    cross_entropy,
    cross_entropy_gradient,
    squared_error,
    squared_error_gradient,
)
from smurf_core.models.absence import fill_absent, fill_absent_gradient

SIZES = [(m, c) for m in (2, 3, 5) for c in (1, 4)]


def loop_covariance(a: list[float], b: list[float]) -> float:
    """Equation 6, sample by sample."""
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    products = ((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    return sum(products) / (len(a) - 1)


def random_values(m: int, c: int, n: int = 9, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(10 * m + c)
    return torch.randn(m, m, c, n, generator=generator, dtype=dtype)


def bimodal(a: torch.Tensor, ab: torch.Tensor, b: torch.Tensor, ba: torch.Tensor) -> torch.Tensor:
    return torch.stack([torch.stack([a, ab]), torch.stack([ba, b])]).unsqueeze(2)


def test_uncorrelation_loss_averages_over_ordered_pairs() -> None:
    shared, unique = torch.tensor([1.0, -1, 1, -1]), torch.tensor([1.0, 1, -1, -1])
    values = bimodal(a=shared, ab=shared, b=unique, ba=shared)
    # cov(A, AB) = var(shared) = 4/3, cov(B, BA) = 0, and α = 1/2 for two modalities.
    assert_close(uncorrelation_loss(contribution_covariances(values)), torch.tensor(2 / 3))


def test_correlation_loss_of_equal_contributions_is_their_variance_against_its_square() -> None:
    shared, unique = torch.tensor([1.0, -1, 1, -1]), torch.tensor([1.0, 1, -1, -1])
    values = bimodal(a=unique, ab=shared, b=unique, ba=shared)
    # var = 4/3, so −4/3 + ½ · 16/9.
    assert_close(correlation_loss(contribution_covariances(values)), torch.tensor(-4 / 3 + 8 / 9))


@pytest.mark.parametrize(("m", "c"), SIZES)
def test_uncorrelation_loss_equals_the_loops_of_equations_12_and_14(m: int, c: int) -> None:
    values = random_values(m, c)
    expected = 0.0
    for output in range(c):
        for i, j in itertools.product(range(m), repeat=2):
            if i != j:
                a, b = values[i, i, output].tolist(), values[i, j, output].tolist()
                expected += abs(loop_covariance(a, b)) / (m * m - m) / c
    assert_close(uncorrelation_loss(contribution_covariances(values)), torch.tensor(expected))


@pytest.mark.parametrize(("m", "c"), SIZES)
def test_correlation_loss_equals_the_loops_of_equations_13_and_15(m: int, c: int) -> None:
    values = random_values(m, c)
    expected = 0.0
    for output in range(c):
        for i in range(m):
            for j in range(i + 1, m):
                a, b = values[i, j, output].tolist(), values[j, i, output].tolist()
                term = -loop_covariance(a, b)
                term += loop_covariance(a, a) * loop_covariance(b, b) / 2
                expected += term * 2 / (m * m - m) / c
    assert_close(correlation_loss(contribution_covariances(values)), torch.tensor(expected))


@pytest.mark.parametrize("m", [2, 3, 5])
def test_soft_hgr_loss_equals_the_loops_over_pairs_and_units(m: int) -> None:
    h = 3
    embeddings = torch.randn(m, h, 8, generator=torch.Generator().manual_seed(m))
    expected = 0.0
    for i in range(m):
        for j in range(i + 1, m):
            f, g = embeddings[i].tolist(), embeddings[j].tolist()
            expected -= sum(loop_covariance(f[u], g[u]) for u in range(h))
            for u, v in itertools.product(range(h), repeat=2):
                expected += loop_covariance(f[u], f[v]) * loop_covariance(g[v], g[u]) / 2
    rows = centred(embeddings).flatten(0, 1)
    covariances = covariance_matrix(rows).view(m, h, m, h)
    assert_close(soft_hgr_loss(covariances), torch.tensor(expected))


@pytest.mark.parametrize(("m", "c"), SIZES)
def test_losses_have_the_gradients_of_finite_differences(m: int, c: int) -> None:
    values = random_values(m, c, n=5, dtype=torch.float64).requires_grad_()
    # Of the largest, a random direction in place of every entry.
    check = partial(torch.autograd.gradcheck, fast_mode=(m, c) == max(SIZES))
    how = ADDITIVE
    for loss in (
        uncorrelation_loss,
        correlation_loss,
        partial(normalised_uncorrelation_loss, floor=how.floor),
        partial(normalised_correlation_loss, floor=how.floor,
                mismatch_weight=how.mismatch_weight, chance=how.chance),
    ):  # fmt: skip
        assert check(lambda v, loss=loss: loss(contribution_covariances(v)), (values,))
    rows = values.flatten(1, 2)
    assert check(
        lambda v: soft_hgr_loss(
            covariance_matrix(centred(v.flatten(0, 1))).view(m, m * c, m, m * c)
        ),
        (rows,),
    )


def test_task_losses_have_the_gradients_of_finite_differences() -> None:
    logits = random_values(3, 4, dtype=torch.float64).sum(dim=(0, 1)).requires_grad_()
    codes = torch.tensor([0, 1, 2, 3, 0, 1, 2, 3, 0])
    assert torch.autograd.gradcheck(lambda p: cross_entropy(p, codes), (logits,))
    target = logits.detach()[0] + 1
    assert torch.autograd.gradcheck(lambda p: squared_error(p[:1], target), (logits,))


def test_losses_of_a_stack_are_those_of_its_members() -> None:
    members = [random_values(3, 2, n=7) * scale for scale in (0.5, 1.0, 2.0)]
    stack = torch.stack(members)
    for loss in (uncorrelation_loss, correlation_loss):
        alone = [loss(contribution_covariances(member)) for member in members]
        assert_close(loss(contribution_covariances(stack)), torch.stack(alone))


def test_covariances_are_those_of_torch() -> None:
    rows = random_values(2, 1).flatten(0, 2)
    assert_close(covariance_matrix(centred(rows)), torch.cov(rows))


def test_covariance_of_one_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 samples, got 1"):
        covariance_matrix(torch.ones(3, 1))


def test_the_written_out_gradients_are_those_of_autograd() -> None:
    logits = random_values(3, 4, dtype=torch.float64).sum(dim=(0, 1)).requires_grad_()
    codes = torch.tensor([0, 1, 2, 3, 0, 1, 2, 3, 0])
    (expected,) = torch.autograd.grad(cross_entropy(logits, codes), logits)
    assert_close(cross_entropy_gradient(logits, codes), expected)
    target = logits.detach()[0] + 1
    (expected,) = torch.autograd.grad(squared_error(logits[:1], target), logits)
    assert_close(squared_error_gradient(logits[:1], target), expected[:1])


def test_the_gradient_through_absent_modalities_is_that_of_autograd() -> None:
    values = random_values(3, 2, n=6, dtype=torch.float64).requires_grad_()
    present = torch.tensor([[True] * 6, [True, False] * 3, [False] * 6])
    weight = random_values(3, 2, n=6, dtype=torch.float64).flip(0)
    (expected,) = torch.autograd.grad((fill_absent(values, present) * weight).sum(), values)
    assert_close(fill_absent_gradient(weight, present), expected)


def test_cross_entropy_is_that_of_torch() -> None:
    logits = random_values(2, 4).sum(dim=(0, 1))  # [c, n]
    codes = torch.tensor([0, 1, 2, 3, 0, 1, 2, 3, 0])
    expected = torch.nn.functional.cross_entropy(logits.T, codes)
    assert_close(cross_entropy(logits.unsqueeze(0), codes), expected.unsqueeze(0))


def test_squared_error_is_the_mean_over_samples() -> None:
    prediction = torch.tensor([[[1.0, 2.0]]])
    assert_close(squared_error(prediction, torch.tensor([0.0, 4.0])), torch.tensor([2.5]))


def test_an_absent_modality_says_its_mean_over_the_samples_that_have_it() -> None:
    values = torch.tensor([[[[1.0, 3.0, math.pi]]], [[[5.0, 6.0, 7.0]]]])  # [m=2, 1, 1, 3]
    present = torch.tensor([[True, True, False], [False, False, False]])
    filled = fill_absent(values, present)
    assert_close(filled[0, 0, 0], torch.tensor([1.0, 3.0, 2.0]))
    assert_close(filled[1, 0, 0], torch.zeros(3))
