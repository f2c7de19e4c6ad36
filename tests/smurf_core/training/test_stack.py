"""The stack against members trained alone, and against a plain torch.nn loop."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from smurf_core.configuration import Configuration
from smurf_core.losses.normalised import ADDITIVE, INTERACTIONS
from smurf_core.model_kinds import MODEL_KINDS, ModelKind
from smurf_core.models.architecture import Architecture, initial_parameters
from smurf_core.training.objective import Partition
from smurf_core.training.stack import (
    Member,
    StackOutcome,
    batch_bounds,
    train_stack,
)

MODELS = tuple(MODEL_KINDS)
NORMALISED = ("smurf_normalised", "mro_smurf_normalised")
INPUTS = (4, 3, 2)
LAYERS = [(), (6, 4)]


def grow_over(epochs: int, model: ModelKind, monkeypatch) -> None:
    """Let λ of a kind grow over a few epochs, so that a short test sees all of it."""
    monkeypatch.setitem(MODEL_KINDS, model, replace(MODEL_KINDS[model], growth_epochs=epochs))


def features(seed: int, n: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shared = torch.randn(n, generator=generator)
    return [torch.randn(d, n, generator=generator) + shared for d in INPUTS]


def presence(seed: int, n: int) -> torch.Tensor:
    """Every modality is missing for a fifth of the samples."""
    return torch.rand(len(INPUTS), n, generator=torch.Generator().manual_seed(seed)) > 0.2


def partition(
    architecture: Architecture, seed: int, n: int, classes: int, *, gaps: bool = False
) -> Partition:
    inputs = features(seed, n)
    score = inputs[0][0] + inputs[1][1] * inputs[2][0]
    present = None
    if gaps:
        present = architecture.order_presence(presence(seed, n))
    if classes > 1:
        score = torch.bucketize(score, torch.tensor([-0.5, 0.5]))
    return Partition(architecture.tower_inputs(inputs), score, present)


def members(model: ModelKind, layers: tuple[int, ...]) -> list[Member]:
    weights = (0.1, 0.7) if MODEL_KINDS[model].has_auxiliary_loss else (0.0,)
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
    epochs: int = 20,
    patience: int | None = 4,
    halve_from: int | None = None,
) -> StackOutcome:
    architecture = Architecture.of(model, INPUTS, layers, classes)
    return train_stack(
        model,
        architecture,
        stack,
        training=partition(architecture, 0, 50, classes, gaps=gaps),
        validation=partition(architecture, 1, 30, classes, gaps=gaps),
        max_epochs=epochs,
        patience=patience,
        batch_size=20,
        batch_seed=3,
        output_scale=0.1,
        halve_from=halve_from,
    )


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("model", MODELS)
def test_a_member_in_a_stack_equals_the_same_member_alone(
    model: ModelKind, layers: tuple[int, ...], classes: int
) -> None:
    # The normalised losses are steep near zero, where they magnify rounding from epoch to epoch.
    epochs, rounding = (4, 1e-4) if model in NORMALISED else (12, 1e-5)
    stack = members(model, layers)
    together = train(model, layers, stack, classes, gaps=classes == 3, epochs=epochs)
    for k, member in enumerate(stack):
        alone = train(model, layers, [member], classes, gaps=classes == 3, epochs=epochs)
        assert together.best_epoch[k] == alone.best_epoch[0]
        assert together.epochs[k] == alone.epochs[0]
        for in_stack, by_itself in zip(together.parameters, alone.parameters, strict=True):
            assert_close(in_stack[k], by_itself[0], rtol=1e-3, atol=rounding)


class PlainModel(torch.nn.Module):
    """The networks as anyone would write them, for one member: one a subset of modalities."""

    def __init__(self, model: ModelKind, layers: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.model, self.classes = model, classes
        m = len(INPUTS)
        orders = range(1, m + 1) if MODEL_KINDS[model].has_interactions else (1,)
        self.subsets = [list(combinations(range(m), order)) for order in orders]
        self.networks = torch.nn.ModuleList()
        for subset in (s for order in self.subsets for s in order):
            heads = 1 if model == "late_fusion" else len(self.subsets[len(subset) - 1])
            if MODEL_KINDS[model].multiplies_embeddings and len(subset) > 1:
                widths = [layers[-1] if layers else INPUTS[i] for i in subset]
                sizes: tuple[int, ...] = (int(np.prod(widths)), heads * classes)
            else:
                sizes = (sum(INPUTS[i] for i in subset), *layers, heads * classes)
            modules: list[torch.nn.Module] = []
            for i in range(len(sizes) - 1):
                modules += [torch.nn.ReLU()] if i else []
                modules += [torch.nn.Linear(sizes[i], sizes[i + 1])]
            self.networks.append(torch.nn.Sequential(*modules))

    def load(self, parameters: list[torch.Tensor]) -> None:
        for own, start in zip(self.parameters(), parameters, strict=True):
            own.data.copy_(start[0])

    def forward(
        self, inputs: list[torch.Tensor], here: torch.Tensor
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Contributions [n, s, heads, c] of every order, and the modalities' hidden layers.

        `here` [m, n] is what is present; what is absent says what the present say on average.
        """
        hidden = [
            network[:-1](x.T)
            for network, x in zip(self.networks, inputs, strict=False)
            if isinstance(network, torch.nn.Sequential)
        ]
        found, number = [], 0
        for order in self.subsets:
            outputs = []
            for subset in order:
                read = torch.cat([inputs[i].T for i in subset], dim=1)
                if MODEL_KINDS[self.model].multiplies_embeddings and len(subset) > 1:
                    read = hidden[subset[0]]
                    for i in subset[1:]:
                        read = torch.einsum("na,nb->nab", read, hidden[i]).flatten(1)
                output = self.networks[number](read)
                output = output.view(len(read), -1, self.classes)
                there = here[list(subset)].all(dim=0)
                outputs.append(torch.where(there[:, None, None], output, output[there].mean(dim=0)))
                number += 1
            found.append(torch.stack(outputs, dim=1))
        return found, hidden


def sample_covariance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return ((a - a.mean()) * (b - b.mean())).sum() / (len(a) - 1)


def plain_pair_term(
    model: ModelKind, own: torch.Tensor, shared: torch.Tensor, back: torch.Tensor, *, once: bool
) -> torch.Tensor:
    """One pair's part of L_uncor, and of L_cor where `once` (each pair counts once there)."""
    var = [sample_covariance(x, x) for x in (own, shared, back)]
    term = sample_covariance(own, shared).abs()
    together = sample_covariance(shared, back)
    if model in NORMALISED:
        how = INTERACTIONS if MODEL_KINDS[model].has_interactions else ADDITIVE
        apart = sample_covariance(own, back).abs() / (var[0] * var[2] + how.floor**2).sqrt()
        size = (var[1] + var[2]) / 2
        difference = sample_covariance(shared - back, shared - back)
        likeness = (together - how.chance * size) / (size + how.floor)
        likeness -= how.mismatch_weight * difference / 2
        return apart - 2 * once * likeness
    return term + once * (var[1] * var[2] - 2 * together)


def plain_auxiliary(
    model: ModelKind, orders: list[torch.Tensor], hidden: list[torch.Tensor], linear: bool
) -> torch.Tensor:
    """Auxiliary losses by loops over pairs and classes (eq. 12-15, 30 and 31)."""
    total = torch.zeros(())
    if model == "e_hgr":
        whole = list(orders[0].flatten(2).unbind(1)) if linear else hidden
        halves = [h[:, h.shape[1] // 2 :] for h in whole]
        for f, g in combinations(halves, 2):
            total = total - sum(sample_covariance(f[:, u], g[:, u]) for u in range(f.shape[1]))
            total = total + (torch.cov(f.T) @ torch.cov(g.T)).trace() / 2
        return total
    count = 0
    for values in orders:
        s = values.shape[1]
        count += s * s - s
        for i, j, k in product(range(s), range(s), range(values.shape[3])):
            if i != j:
                total = total + plain_pair_term(
                    model, values[:, i, i, k], values[:, i, j, k], values[:, j, i, k], once=i < j
                )
    return total / count / orders[0].shape[3]


def plain_objective(
    network: PlainModel,
    inputs: list[torch.Tensor],
    here: torch.Tensor,
    target: torch.Tensor,
    weight: float,
) -> torch.Tensor:
    """Equation 4, with the task loss of equation 29 for several interaction orders."""
    orders, hidden = network(inputs, here)
    before = torch.zeros(())
    loss = torch.zeros(())
    for values in orders:
        prediction = before + values.sum(dim=(1, 2))
        if network.classes == 1:
            loss = loss + torch.nn.functional.mse_loss(prediction[:, 0], target)
        else:
            loss = loss + torch.nn.functional.cross_entropy(prediction, target)
        before = prediction.detach()
    if MODEL_KINDS[network.model].has_auxiliary_loss:
        linear = len(network.networks[0]) == 1  # type: ignore[arg-type]
        loss = loss + weight * plain_auxiliary(network.model, orders, hidden, linear)
    return loss


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "gaps"])
@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("model", MODELS)
def test_the_stack_walks_the_same_curve_as_a_plain_loop(
    model: ModelKind, layers: tuple[int, ...], classes: int, gaps: bool, monkeypatch
) -> None:
    if model in NORMALISED:
        grow_over(3, model, monkeypatch)
    member = Member(Configuration(1e-2, layers, 1e-3, 0.5), seed=11)
    epochs = 6  # The normalised losses, steep near zero, magnify rounding.
    outcome = train(model, layers, [member], classes, gaps=gaps, epochs=epochs, patience=None)
    architecture = Architecture.of(model, INPUTS, layers, classes)
    network = PlainModel(model, layers, classes)
    network.load(initial_parameters(architecture, member.seed, output_scale=0.1))
    adam = torch.optim.Adam(network.parameters(), lr=1e-2, weight_decay=1e-3)
    inputs, validation_inputs = features(0, 50), features(1, 30)
    target = partition(architecture, 0, 50, classes).target
    validation_target = partition(architecture, 1, 30, classes).target
    here, validation_here = (
        presence(seed, n) if gaps else torch.ones(len(INPUTS), n, dtype=torch.bool)
        for seed, n in ((0, 50), (1, 30))
    )
    generator = torch.Generator().manual_seed(3)
    curve = []
    for epoch in range(1, epochs + 1):
        grown = min(epoch / 3, 1) ** 2 if model in NORMALISED else 1
        order = torch.randperm(50, generator=generator)
        for start, end in ((0, 16), (16, 33), (33, 50)):
            rows = order[start:end]
            adam.zero_grad()
            plain_objective(
                network, [x[:, rows] for x in inputs], here[:, rows], target[rows], 0.5 * grown
            ).backward()
            adam.step()
        with torch.no_grad():
            value = plain_objective(
                network, validation_inputs, validation_here, validation_target, 0.5
            )
            curve.append(float(value))
    np.testing.assert_allclose(outcome.validation_curves[0], curve, rtol=1e-3, atol=1e-5)


def test_only_the_normalised_losses_grow_to_their_weight() -> None:
    for model, traits in MODEL_KINDS.items():
        grown = [traits.share_of_weight(epoch) for epoch in (5, 25, 50, 400)]
        assert grown == pytest.approx([0.01, 0.25, 1, 1] if model in NORMALISED else [1] * 4)


def test_weights_are_kept_and_patience_counts_from_the_end_of_the_growth_on(monkeypatch) -> None:
    grow_over(8, "smurf_normalised", monkeypatch)
    stack = [
        Member(Configuration(rate, (6, 4), 0.0, weight), seed=1)
        for rate in (0.3, 0.05, 1e-3)
        for weight in (0.1, 1.0)
    ]
    outcome = train("smurf_normalised", (6, 4), stack, 1, epochs=60, patience=5)
    for k, curve in enumerate(outcome.validation_curves):
        trained = curve[: outcome.epochs[k]]
        assert outcome.best_epoch[k] == 8 + np.argmin(trained[7:])
        assert outcome.best_objective[k] == trained[7:].min()
        assert len(trained) == min(60, outcome.best_epoch[k] + 5)
    # Some would have stopped before, at an epoch that hardly asked for a factorisation.
    assert any(np.argmin(curve[:13]) < 7 for curve in outcome.validation_curves)
    short = train("smurf_normalised", (), stack[:1], 1, epochs=3, patience=5)
    assert (short.best_epoch[0], short.epochs[0]) == (3, 3)


def test_a_halving_search_drops_nobody_before_the_losses_have_grown(monkeypatch) -> None:
    grow_over(12, "smurf_normalised", monkeypatch)
    stack = [Member(Configuration(10**-e, (), 0.0, 0.5), seed=1) for e in np.linspace(4, 1, 8)]
    halved = train("smurf_normalised", (), stack, 1, epochs=40, patience=None, halve_from=5)
    assert sorted(halved.epochs) == [12, 12, 12, 12, 24, 40, 40, 40]


def test_what_is_reported_while_the_losses_grow_is_a_number() -> None:
    reported: list[float] = []
    architecture = Architecture.of("smurf_normalised", INPUTS, (), 1)
    train_stack(
        "smurf_normalised",
        architecture,
        members("smurf_normalised", ()),
        training=partition(architecture, 0, 50, 1),
        validation=partition(architecture, 1, 30, 1),
        max_epochs=4, patience=2, batch_size=20, batch_seed=3, output_scale=0.1, report_every=1,
        on_epoch=lambda report: reported.append(report.validation_objective),
    )  # fmt: skip
    assert len(reported) == 4
    assert np.isfinite(reported).all()


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


def test_halving_drops_the_worse_half_of_each_weight_and_leaves_the_others_as_they_are() -> None:
    rates = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 5e-2)
    points = [Configuration(r, (6, 4), 0.0, w) for w in (0.1, 0.7) for r in rates]
    stack = [Member(point, seed=1) for point in points]
    full = train("smurf", (6, 4), stack, 1, epochs=40, patience=None)
    halved = train("smurf", (6, 4), stack, 1, epochs=40, patience=None, halve_from=10)
    # 7 → 4 of each weight after 10 epochs, 4 → 3 after 20, which is as few as are left.
    assert sorted(halved.epochs[:7]) == [10, 10, 10, 20, 40, 40, 40]
    assert sorted(halved.epochs[7:]) == [10, 10, 10, 20, 40, 40, 40]
    for weight in (slice(0, 7), slice(7, 14)):
        at_10 = full.validation_curves[weight, 9]
        assert set(np.argsort(at_10)[:4]) == set(np.flatnonzero(halved.epochs[weight] > 10))
    for k, epochs in enumerate(halved.epochs):
        np.testing.assert_allclose(
            halved.validation_curves[k, :epochs], full.validation_curves[k, :epochs], rtol=1e-3
        )


def test_a_diverging_member_is_reported_by_an_infinite_objective_and_spoils_no_other() -> None:
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
