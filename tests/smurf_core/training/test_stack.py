"""The stack against members trained alone, and against a plain torch.nn loop."""

from itertools import product

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from smurf_core.configuration import Configuration, ModelKind
from smurf_core.models.towers import Architecture, initial_parameters
from smurf_core.training.objective import Partition
from smurf_core.training.stack import (
    Member,
    StackOutcome,
    batch_bounds,
    train_stack,
)

MODELS: list[ModelKind] = ["late_fusion", "smurf_no_aux", "e_hgr", "smurf"]
INPUTS = (4, 3, 2)
LAYERS = [(), (6, 4)]


def partition(seed: int, n: int, classes: int, *, gaps: bool = False) -> Partition:
    generator = torch.Generator().manual_seed(seed)
    shared = torch.randn(n, generator=generator)
    inputs = tuple(torch.randn(d, n, generator=generator) + shared for d in INPUTS)
    score = shared + inputs[0][0]
    present = torch.rand(len(INPUTS), n, generator=generator) > 0.2 if gaps else None
    if classes == 1:
        return Partition(inputs, score, present)
    return Partition(inputs, torch.bucketize(score, torch.tensor([-0.5, 0.5])), present)


def members(model: ModelKind, layers: tuple[int, ...]) -> list[Member]:
    weights = (0.1, 0.7) if model in ("smurf", "e_hgr") else (0.0,)
    points = product((1e-3, 2e-2), (0.0, 1e-2), weights)
    return [
        Member(Configuration(rate, layers, decay, weight), seed=7 + i % 2)
        for i, (rate, decay, weight) in enumerate(points)
    ]


def train(
    model: ModelKind,
    layers: tuple[int, ...],
    stack: list[Member],
    classes: int,
    *,
    gaps: bool = False,
    epochs: int = 40,
    patience: int | None = 4,
) -> StackOutcome:
    return train_stack(
        model,
        Architecture.of(model, INPUTS, layers, classes),
        stack,
        training=partition(0, 50, classes, gaps=gaps),
        validation=partition(1, 30, classes, gaps=gaps),
        max_epochs=epochs,
        patience=patience,
        batch_size=20,
        batch_seed=3,
        output_scale=0.1,
    )


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("model", MODELS)
def test_a_member_in_a_stack_equals_the_same_member_alone(
    model: ModelKind, layers: tuple[int, ...], classes: int
) -> None:
    stack = members(model, layers)
    together = train(model, layers, stack, classes, gaps=classes == 3)
    for k, member in enumerate(stack):
        alone = train(model, layers, [member], classes, gaps=classes == 3)
        assert together.best_epoch[k] == alone.best_epoch[0]
        assert together.epochs[k] == alone.epochs[0]
        for in_stack, by_itself in zip(together.parameters, alone.parameters, strict=True):
            assert_close(in_stack[k], by_itself[0], rtol=1e-3, atol=1e-5)


class PlainModel(torch.nn.Module):
    """The architecture as anyone would write it, for one member."""

    def __init__(self, layers: tuple[int, ...], heads: int, classes: int) -> None:
        super().__init__()
        self.heads, self.classes = heads, classes
        self.towers = torch.nn.ModuleList()
        for features in INPUTS:
            sizes = (features, *layers, heads * classes)
            modules: list[torch.nn.Module] = []
            for i in range(len(sizes) - 1):
                modules += [torch.nn.ReLU()] if i else []
                modules += [torch.nn.Linear(sizes[i], sizes[i + 1])]
            self.towers.append(torch.nn.Sequential(*modules))

    def load(self, parameters: list[torch.Tensor]) -> None:
        for own, start in zip(self.parameters(), parameters, strict=True):
            own.data.copy_(start[0])

    def forward(self, data: Partition) -> tuple[torch.Tensor, list[torch.Tensor]]:
        outputs, hidden = [], []
        for tower, x in zip(self.towers, data.inputs, strict=True):
            assert isinstance(tower, torch.nn.Sequential)
            hidden.append(tower[:-1](x.T))
            outputs.append(tower(x.T).reshape(-1, self.heads, self.classes))
        return torch.stack(outputs, dim=1), hidden  # [n, m, heads, c]


def sample_covariance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return ((a - a.mean()) * (b - b.mean())).sum() / (len(a) - 1)


def plain_objective(
    model: ModelKind, network: PlainModel, data: Partition, weight: float
) -> torch.Tensor:
    """Equation 4 by loops over modalities and classes."""
    values, hidden = network(data)
    m, c = len(INPUTS), network.classes
    prediction = values.sum(dim=(1, 2))
    if c == 1:
        loss = torch.nn.functional.mse_loss(prediction[:, 0], data.target)
    else:
        loss = torch.nn.functional.cross_entropy(prediction, data.target)
    pairs = [(i, j) for i in range(m) for j in range(m) if i != j]
    if model == "smurf":
        for (i, j), k in product(pairs, range(c)):
            own, shared, back = values[:, i, i, k], values[:, i, j, k], values[:, j, i, k]
            term = sample_covariance(own, shared).abs()
            if i < j:
                term = term - 2 * sample_covariance(shared, back)
                term = term + sample_covariance(shared, shared) * sample_covariance(back, back)
            loss = loss + weight * term / len(pairs) / c
    if model == "e_hgr":
        whole = hidden if len(network.towers[0]) > 1 else list(values.flatten(2).unbind(1))
        halves = [h[:, h.shape[1] // 2 :] for h in whole]
        for i, j in ((i, j) for i, j in pairs if i < j):
            f, g = halves[i], halves[j]
            for u in range(f.shape[1]):
                loss = loss - weight * sample_covariance(f[:, u], g[:, u])
            loss = loss + weight * (torch.cov(f.T) @ torch.cov(g.T)).trace() / 2
    return loss


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("model", MODELS)
def test_the_stack_walks_the_same_curve_as_a_plain_loop(
    model: ModelKind, layers: tuple[int, ...], classes: int
) -> None:
    member = Member(Configuration(1e-2, layers, 1e-3, 0.5), seed=11)
    outcome = train(model, layers, [member], classes, epochs=12, patience=None)
    architecture = Architecture.of(model, INPUTS, layers, classes)
    network = PlainModel(layers, architecture.heads, classes)
    network.load(initial_parameters(architecture, member.seed, output_scale=0.1))
    adam = torch.optim.Adam(network.parameters(), lr=1e-2, weight_decay=1e-3)
    training, validation = partition(0, 50, classes), partition(1, 30, classes)
    generator = torch.Generator().manual_seed(3)
    curve = []
    for _ in range(12):
        order = torch.randperm(50, generator=generator)
        for start, end in ((0, 16), (16, 33), (33, 50)):
            adam.zero_grad()
            batch = training.subset(order[start:end])
            plain_objective(model, network, batch, 0.5).backward()
            adam.step()
        with torch.no_grad():
            curve.append(float(plain_objective(model, network, validation, 0.5)))
    np.testing.assert_allclose(outcome.validation_curves[0], curve, rtol=2e-4, atol=1e-5)


def test_equal_seeds_give_equal_numbers() -> None:
    first, second = (train("smurf", (6, 4), members("smurf", (6, 4)), 1) for _ in range(2))
    for a, b in zip(first.parameters, second.parameters, strict=True):
        assert torch.equal(a, b)


def test_the_weights_kept_are_those_of_the_best_epoch() -> None:
    outcome = train("smurf", (), members("smurf", ()), 1, epochs=60, patience=5)
    curves = outcome.validation_curves
    assert (np.nanargmin(curves, axis=1) + 1 == outcome.best_epoch).all()
    np.testing.assert_array_equal(np.nanmin(curves, axis=1), outcome.best_objective)
    trained = np.isfinite(curves).sum(axis=1)
    np.testing.assert_array_equal(trained, outcome.epochs)


def test_a_member_that_stops_is_patient_for_as_long_as_asked() -> None:
    stack = [Member(Configuration(rate, (), 0.0, 0.5), seed=1) for rate in (0.3, 1e-4, 0.05)]
    outcome = train("smurf", (), stack, 1, epochs=200, patience=5)
    stopped = outcome.epochs < 200
    assert stopped.any()
    assert (outcome.epochs[stopped] - outcome.best_epoch[stopped] == 5).all()


def test_a_diverging_member_is_told_by_an_infinite_objective_and_spoils_no_other() -> None:
    good = Member(Configuration(1e-2, (6, 4), 0.0, 0.5), seed=1)
    bad = Member(Configuration(1e30, (6, 4), 0.0, 0.5), seed=1)
    together = train("smurf", (6, 4), [bad, good], 1)
    alone = train("smurf", (6, 4), [good], 1)
    assert together.best_epoch[1] == alone.best_epoch[0]
    assert_close(together.parameters[0][1], alone.parameters[0][0], rtol=1e-3, atol=1e-5)
    assert not together.best_objective[0] < together.best_objective[1]


@pytest.mark.parametrize(("n", "size"), [(1, 256), (256, 256), (257, 256), (1000, 256)])
def test_batches_cover_all_samples_once_in_nearly_equal_parts(n: int, size: int) -> None:
    bounds = batch_bounds(n, size)
    sizes = [end - start for start, end in bounds]
    assert bounds[0][0] == 0
    assert bounds[-1][1] == n
    assert sum(sizes) == n
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1
