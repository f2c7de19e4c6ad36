"""The scale-free criterion by which configurations that predict alike are distinguished."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pytest
import torch

from smurf_core.model_kinds import MODEL_KINDS, ModelTraits
from smurf_core.models.architecture import Architecture, initial_parameters
from smurf_core.models.towers import Buffers, StackedWeights, forward
from smurf_core.training import objective
from smurf_core.training.objective import (
    Partition,
    differentiate,
    evaluate,
    evaluate_factorisation,
)

FLOOR = 1e-3  # of `factorisation_loss`, in units of the target's variance


@pytest.mark.parametrize("classes", [1, 3])
def test_factorisation_is_what_unique_and_shared_have_in_common_less_what_the_two_sides_have(
    classes,
):
    architecture = Architecture.of("smurf", (4, 3, 2), (5,), classes)
    starts = [initial_parameters(architecture, seed, output_scale=3.0) for seed in (0, 1)]
    stacked = StackedWeights.of(
        architecture, [torch.cat(pair) for pair in zip(*starts, strict=True)]
    )
    generator = torch.Generator().manual_seed(2)
    inputs = [torch.randn(d, 40, generator=generator) for d in (4, 3, 2)]
    data = Partition(architecture.tower_inputs(inputs), torch.zeros(40))
    found = evaluate_factorisation("smurf", stacked, data)
    outputs = forward(stacked, data.inputs, Buffers(torch.device("cpu")))
    values = outputs.values[0].transpose(0, 1).numpy().astype(float)
    for k in range(2):
        total = 0.0
        for c in range(classes):
            for i, j in permutations(range(3), 2):
                unique, shared = values[k, i, i, c], values[k, i, j, c]
                cov = np.cov(unique, shared)
                size = cov[0, 0] * cov[1, 1] + FLOOR**2
                total += cov[0, 1] ** 2 / size / 6 / classes
                if i < j:
                    cov = np.cov(shared, values[k, j, i, c])
                    total -= cov[0, 1] / ((cov[0, 0] + cov[1, 1]) / 2 + FLOOR) / 3 / classes
        assert found[k].item() == pytest.approx(total, abs=1e-4)


def test_a_stack_evaluated_some_members_at_a_time_is_the_same(monkeypatch):
    architecture = Architecture.of("smurf", (4, 3, 2), (5,), 3)
    starts = [initial_parameters(architecture, seed) for seed in range(5)]
    stacked = StackedWeights.of(
        architecture, [torch.cat(same) for same in zip(*starts, strict=True)]
    )
    generator = torch.Generator().manual_seed(2)
    inputs = [torch.randn(d, 40, generator=generator) for d in (4, 3, 2)]
    data = Partition(architecture.tower_inputs(inputs), torch.arange(40) % 3)
    weight = torch.linspace(0.1, 1, 5)

    def numbers() -> list[torch.Tensor]:
        found = evaluate("smurf", stacked, data, weight)
        factorisation = evaluate_factorisation("smurf", stacked, data)
        return [found.objective, found.auxiliary, found.prediction, factorisation]

    together = numbers()
    monkeypatch.setattr(objective, "EVALUATED_NUMBERS", 2 * architecture.unit_count * 40)
    for whole, parted in zip(together, numbers(), strict=True):
        torch.testing.assert_close(parted, whole)


def test_models_without_an_auxiliary_loss_are_not_distinguished():
    architecture = Architecture.of("late_fusion", (4, 3), (), 1)
    weights = StackedWeights.of(architecture, initial_parameters(architecture, 0))
    data = Partition(tuple(torch.randn(d, 10) for d in (4, 3)), torch.zeros(10))
    assert evaluate_factorisation("late_fusion", weights, data).tolist() == [0.0]


@pytest.fixture
def double_precision() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "gaps"])
@pytest.mark.parametrize("layers", [(), (5, 4)])
@pytest.mark.parametrize("products", [False, True], ids=["subsets", "products"])
@pytest.mark.parametrize("place", ["published:PUBLISHED", "soft_hgr:SOFT_HGR"])
def test_an_auxiliary_loss_of_any_rows_has_its_gradient_in_any_architecture(
    place, products, layers, gaps, monkeypatch
):
    """Hidden layers of a model with interactions, for one, which no kind of today reads."""
    row = ModelTraits(
        name="New", description="", has_interactions=True, multiplies_embeddings=products,
        auxiliary_loss=f"smurf_core.losses.{place}",
    )  # fmt: skip
    monkeypatch.setitem(MODEL_KINDS, "new", row)
    architecture = Architecture.of("new", (4, 3, 2), layers, 1)
    start = [p.double() for p in initial_parameters(architecture, 0, output_scale=3.0)]
    weights = StackedWeights.of(architecture, start)
    generator = torch.Generator().manual_seed(2)
    inputs = [torch.randn(d, 40, generator=generator) for d in (4, 3, 2)]
    present = torch.rand(3, 40, generator=generator) > 0.2
    data = Partition(
        architecture.tower_inputs(inputs),
        torch.zeros(40),
        architecture.order_presence(present) if gaps else None,
    )

    def gradient(weight: float) -> torch.Tensor:
        found = StackedWeights(architecture, 1, torch.zeros_like(weights.flat))
        buffers = Buffers(torch.device("cpu"))
        differentiate("new", weights, found, data, torch.tensor([weight]), buffers)
        return found.flat

    def auxiliary(moved: torch.Tensor) -> torch.Tensor:
        stacked = StackedWeights(architecture, 1, moved)
        return evaluate("new", stacked, data, torch.ones(1)).auxiliary

    by_loss = gradient(1.0) - gradient(0.0)
    step = 1e-6
    for place_of in range(0, len(weights.flat), 7):
        moves = torch.zeros_like(weights.flat)
        moves[place_of] = step
        slope = auxiliary(weights.flat + moves) - auxiliary(weights.flat - moves)
        assert by_loss[place_of].item() == pytest.approx(slope.item() / (2 * step), abs=1e-6)
