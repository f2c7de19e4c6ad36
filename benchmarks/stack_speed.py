"""How much faster a stack of configurations trains than the same ones, one after another.

`python benchmarks/stack_speed.py` prints seconds of both in one run and their ratio, on synthetic
data of VREED's size, on one thread.
"""

import time
from dataclasses import replace
from itertools import product

import torch

from smurf_core.configuration import Configuration
from smurf_core.models.architecture import Architecture
from smurf_core.training.objective import Partition
from smurf_core.training.stack import Member, train_stack

SIZES, SAMPLES, CLASSES, EPOCHS = (18, 8, 49), 192, 4, 100


def data(samples: int, seed: int) -> Partition:
    """Standard normal features with random classes: speed does not depend on what is learned."""
    generator = torch.Generator().manual_seed(seed)
    inputs = tuple(torch.randn(d, samples, generator=generator) for d in SIZES)
    return Partition(inputs, torch.randint(CLASSES, (samples,), generator=generator))


def seconds(layers: tuple[int, ...], stacks: list[list[Member]]) -> float:
    """Time to train some stacks, one after another."""
    architecture = Architecture.of("smurf", SIZES, layers, CLASSES)
    training, validation = data(SAMPLES, 0), data(60, 1)
    start = time.perf_counter()
    for members in stacks:
        train_stack(
            "smurf", architecture, members, training=training, validation=validation,
            max_epochs=EPOCHS, patience=None, batch_size=256, batch_seed=0, output_scale=0.01,
        )  # fmt: skip
    return time.perf_counter() - start


def main() -> None:
    """Print one line a layer setting."""
    torch.set_num_threads(1)
    point = Configuration(1e-3, (), 0.0, 0.5)
    print(
        f"{EPOCHS} epochs of {SAMPLES} samples, one thread\nlayers    members  stack  alone  ratio"
    )
    for layers in ((5,), (20, 10), (100, 100, 10)):
        members = [
            Member(
                replace(point, learning_rate=rate, hidden_layers=layers, auxiliary_weight=weight), 0
            )
            for rate, weight in product((1e-4, 1e-3, 5e-3, 1e-2), (0.1, 0.25, 0.5, 0.75, 1.0))
        ]
        together = seconds(layers, [members])
        alone = seconds(layers, [[member] for member in members])
        name = "-".join(map(str, layers))
        ratio = alone / together
        print(f"{name:<9} {len(members):>7}  {together:>4.1f}s  {alone:>4.1f}s  {ratio:>4.1f}×")


if __name__ == "__main__":
    main()
