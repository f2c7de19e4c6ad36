"""Runs whose contributions are shared by sets that the data select: none, pairs, and triples."""

from dataclasses import replace
from functools import cache

from smurf_core.configuration import RunConfig
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.generated.families import simulate
from smurf_core.results import RunResult
from smurf_core.training.run import train_run

SIZES = {"pair_and_triple": 300, "noise": 200, "three_classes": 300}
CONFIG = replace(RunConfig.from_preset("quick", "exclusive", clip=5.0), refits=40)


@cache
def exclusive_run(family: str) -> tuple[RunResult, MultimodalDataset]:
    """A run of the exclusive kind on a family of simulated data, and its data."""
    dataset = simulate(family, samples=SIZES[family])
    return train_run(dataset, CONFIG, jobs=1), dataset
