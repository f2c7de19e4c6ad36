"""Exclusive contributions beside late fusion: how well both predict, and what solving costs.

`python -m benchmarks.exclusive DATA… --within DATA…` trains the quick preset of both kinds over
several seeds, on files (`--within`: standardised within persons) and on the simulated affect study,
and prints the paper's metric. `python -m benchmarks.exclusive --speed DATA…` prints processor time
and memory of solving, with 200 refits: files, by the quick preset, or without any, three modalities
of 20 features at 1,000 samples, and 700 features at 23,300.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.clip import dataset_of
from smurf_core.configuration import RunConfig, Standardisation
from smurf_core.data.dataset import MultimodalDataset
from smurf_core.data.generated.families import simulate
from smurf_core.data.generated.family import Family
from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.evaluation.metrics import METRICS
from smurf_core.evaluation.performance import performance
from smurf_core.model_kinds import ModelKind
from smurf_core.training.run import train_run

KINDS: tuple[ModelKind, ...] = ("late_fusion", "exclusive")


def predicted(
    dataset: MultimodalDataset, kind: ModelKind, seeds: int, how: Standardisation
) -> list[float]:
    """The main metric, mean over folds, of every seed."""
    main = next(iter(METRICS[dataset.task]))
    found = []
    for seed in range(seeds):
        config = RunConfig.from_preset(
            "quick", kind, seed=seed, clip=5.0, standardisation=how, refits=0
        )
        table = performance(train_run(dataset, config, jobs=2), dataset).set_index("metric")
        found.append(float(table.loc[main, "mean"]))
    return found


def compare(seeds: int, folders: Sequence[str], within: Sequence[str]) -> None:
    """A line per data set and kind."""
    work: list[tuple[MultimodalDataset, Standardisation]] = [
        *((dataset_of(name), "training_fold") for name in folders),
        *((dataset_of(name), "within_person") for name in within),
        (simulated_affect(), "training_fold"),
    ]
    for dataset, how in work:
        main = next(iter(METRICS[dataset.task]))
        means = {}
        for kind in KINDS:
            values = predicted(dataset, kind, seeds, how)
            means[kind] = float(np.mean(values))
            listed = ", ".join(f"{value:.3f}" for value in values)
            print(f"{dataset.name}, {how}: {kind} {main} {means[kind]:.3f} ({listed})", flush=True)
        print(f"  exclusive less late fusion: {means['exclusive'] - means['late_fusion']:+.3f}")


def speed(folders: Sequence[str]) -> None:
    """Processor time of a whole run: five folds, sets, the path of ridges and λ, 200 refits."""
    weights = {"A": 1.0, "B": 1.0, "C": 1.0, "AB": 1.0, "ABC": 1.0}
    work = [dataset_of(name) for name in folders] or [
        simulate(Family("", 3, weights, features=features), samples=samples)
        for samples, features in ((1_000, 20), (23_300, 233))
    ]
    for dataset in work:
        start = time.process_time()
        train_run(dataset, RunConfig.from_preset("quick", "exclusive", clip=5.0))
        spent = time.process_time() - start
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        features = ", ".join(str(len(f.names)) for f in dataset.features.values())
        print(
            f"{len(dataset):,} samples, features {features}: "
            f"{spent:.1f} s of processor time, {memory:.1f} GiB at most",
            flush=True,
        )


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", nargs="*", help="folders or files")
    parser.add_argument("--within", nargs="*", default=[], help="standardised within persons")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--speed", action="store_true")
    asked = parser.parse_args()
    if asked.speed:
        speed(asked.data)
    else:
        compare(asked.seeds, asked.data, asked.within)


if __name__ == "__main__":
    main()
