"""The work that benchmarks give out: sizes of data sets, simulated features, points of the grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch

from smurf_core.configuration import PRESETS, Configuration
from smurf_core.models.architecture import Architecture
from smurf_core.training.objective import Partition
from smurf_core.training.sizing import STACK_BYTES, stack_size
from smurf_core.training.stack import Member, train_stack

BATCH = 256
LAYERS = PRESETS["paper"].hidden_layers
OUTPUT_SCALE, BATCH_SEED = 0.01, 3


@dataclass(frozen=True)
class Size:
    """Shape of a data set: features of each modality, samples of two roles of a fold."""

    features: tuple[int, ...]
    training: int
    validation: int
    classes: int  # 1 for regression
    epochs: int
    members: int  # of the engine, per layer setting
    few: int  # configurations of the slow ways


SIZES = {
    "vreed": Size((18, 8, 49), 192, 60, 4, 40, 120, 2),
    "mosi": Size((300, 74, 126), 1320, 440, 1, 6, 40, 2),
    "mosei": Size((300, 74, 326), 13_980, 4_660, 1, 1, 24, 2),
}


def simulated(size: Size, samples: int, seed: int) -> Partition:
    """Standard normal features and a target that depends on them."""
    generator = torch.Generator().manual_seed(seed)
    inputs = tuple(torch.randn(d, samples, generator=generator) for d in size.features)
    score = sum(x[0] for x in inputs) / len(inputs) ** 0.5
    score = score + 0.5 * torch.randn(samples, generator=generator)
    if size.classes > 1:
        edges = torch.arange(1, size.classes) / size.classes
        return Partition(inputs, torch.bucketize(score, torch.special.ndtri(edges)))
    return Partition(inputs, score)


def members_of(layers: tuple[int, ...], count: int) -> list[Member]:
    """Points of the published grid, those of the usual learning rates first; seeds repeat it."""
    grid = PRESETS["paper"]
    rates = sorted(grid.learning_rates, key=lambda rate: abs(rate - 1e-3))
    points = list(product(rates, grid.weight_decays, grid.auxiliary_weights))
    return [
        Member(Configuration(rate, layers, decay, weight), seed=i // len(points))
        for i, (rate, decay, weight) in enumerate(points[i % len(points)] for i in range(count))
    ]


def on_device(data: Partition, device: str) -> Partition:
    """The same samples on another device."""
    return Partition(tuple(x.to(device) for x in data.inputs), data.target.to(device))


def train_by_engine(
    size: Size,
    layers: tuple[int, ...],
    members: Sequence[Member],
    device: str = "cpu",
    budget: int = STACK_BYTES,
) -> list[float]:
    """Best validation objective of every member, on one thread; a stack takes `budget` bytes."""
    torch.set_num_threads(1)
    architecture = Architecture.of("smurf", size.features, layers, size.classes)
    training, validation = (
        on_device(simulated(size, samples, seed), device)
        for seed, samples in enumerate((size.training, size.validation))
    )
    step = stack_size(architecture, BATCH, budget)
    found: list[float] = []
    for first in range(0, len(members), step):
        outcome = train_stack(
            "smurf", architecture, members[first : first + step], training=training,
            validation=validation, max_epochs=size.epochs, patience=size.epochs,
            batch_size=BATCH, batch_seed=BATCH_SEED, output_scale=OUTPUT_SCALE,
        )  # fmt: skip
        found += outcome.best_objective.tolist()
    return found


def products_flops(size: Size, layers: tuple[int, ...]) -> int:
    """Floating-point operations of the towers' products, per configuration and epoch.

    Two a weight and sample forward, four backward (two in the first layer, whose inputs need no
    derivative), two a validation sample. Covariances, losses and Adam are not counted.
    """
    architecture = Architecture.of("smurf", size.features, layers, size.classes)
    total = 0
    for _, layer, units_in, units_out in architecture.layers():
        per_sample = 2 * units_in * units_out
        total += per_sample * ((2 if layer == 0 else 3) * size.training + size.validation)
    return total
