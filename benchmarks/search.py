"""What a search by halves loses against the full grid, and what it saves.

`python -m benchmarks.search DATA --preset paper` trains SMURF by both on the same data (files, a
folder, or `synthetic`) and prints, fold by fold, the validation metric of the configuration that
each chose by the published rule, and the metric on the fold's test samples; then seconds, seconds
of processor time, and epochs of all members together.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import psutil

from benchmarks.machine import machine
from smurf_core.configuration import PRESETS, RunConfig, suggested_standardisation
from smurf_core.data.dataset import Folds, MultimodalDataset
from smurf_core.data.folds import with_made_folds
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.readers.registry import find_sources
from smurf_core.evaluation.metrics import METRICS
from smurf_core.evaluation.performance import fold_performance
from smurf_core.results import RunResult
from smurf_core.training.run import train_run


@dataclass(frozen=True)
class Outcome:
    """A run and what it cost."""

    result: RunResult
    seconds: float
    processor_seconds: float

    @property
    def epochs(self) -> int:
        """Epochs of all members of the search together."""
        return int(sum(fold.candidates["epochs"].sum() for fold in self.result.fold_results))


def dataset_of(name: str, samples: int) -> MultimodalDataset:
    """Simulated from known factors, or read from files."""
    if name == "synthetic":
        return synthetic_additive(samples=samples)
    sources = find_sources([Path(name)])
    return assemble(sources, guess_mapping(sources)).dataset


def with_one_fold(dataset: MultimodalDataset, fold: int, seed: int) -> MultimodalDataset:
    """The data with one of its five folds."""
    folds = with_made_folds(dataset, count=5, seed=seed).folds
    roles = ("training", "validation", "test")
    return dataset.with_folds(Folds(*(getattr(folds, r)[[fold]] for r in roles)))


def processor_seconds() -> float:
    """Of this process and its children so far."""
    here = psutil.Process()
    times = [p.cpu_times() for p in (here, *here.children(recursive=True))]
    return sum(t.user + t.system for t in times)


def run(dataset: MultimodalDataset, config: RunConfig, jobs: int) -> Outcome:
    """Train, and take the time."""
    before, start = processor_seconds(), time.perf_counter()
    result = train_run(dataset, config, jobs=jobs)
    return Outcome(result, time.perf_counter() - start, processor_seconds() - before)


def main() -> None:
    """Train by both and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", help="a file or folder, or synthetic")
    parser.add_argument("--preset", choices=PRESETS, default="standard")
    parser.add_argument("--samples", type=int, default=500, help="of synthetic data")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=joblib.cpu_count())
    parser.add_argument("--only", choices=["full", "halving"], help="run one, do not compare")
    parser.add_argument("--fold", type=int, help="only one; the others take as long")
    asked = parser.parse_args()
    dataset = dataset_of(asked.data, asked.samples)
    if asked.fold is not None:
        dataset = with_one_fold(dataset, asked.fold, asked.seed)
    base = {
        "seed": asked.seed,
        "device": "cpu",
        "selection": "published",
        "standardisation": suggested_standardisation(asked.preset, dataset.origin),
    }
    print(machine())
    print(f"{dataset.name}: {len(dataset)} samples, preset {asked.preset}, seed {asked.seed}, "
          f"{asked.jobs} processes", flush=True)  # fmt: skip
    found: dict[str, Outcome] = {}
    for search in [asked.only] if asked.only else ["halving", "full"]:
        config = RunConfig.from_preset(asked.preset, search=search, **base)
        outcome = found[search] = run(dataset, config, asked.jobs)
        print(f"{search}: {outcome.seconds:.0f} s, {outcome.processor_seconds:.0f} s of processor "
              f"time, {outcome.epochs:,} epochs", flush=True)  # fmt: skip
    metric = next(iter(METRICS[dataset.task]))
    tested = {}
    for search, outcome in found.items():
        table = fold_performance(outcome.result, dataset)
        tested[search] = table[table["metric"] == metric]["value"].to_numpy()
    print("| fold | " + " | ".join(f"{s}: validation, test" for s in found) + " |")
    for fold in range(len(next(iter(found.values())).result.folds)):
        cells = []
        for search, outcome in found.items():
            rows = outcome.result.fold_results[fold].candidates
            best = rows.loc[rows["is_chosen"], "validation_metric"].iloc[0]
            cells.append(f"{best:.4f}, {tested[search][fold]:.4f}")
        print(f"| {fold} | " + " | ".join(cells) + " |")
    if len(found) == 2:
        lost = np.array([
            _best(found["full"].result, f) - _best(found["halving"].result, f)
            for f in range(len(found["full"].result.folds))
        ])  # fmt: skip
        print(f"validation {metric} lost: mean {lost.mean():.4f}, most {lost.max():.4f}; "
              f"test {metric}: {tested['full'].mean():.4f} full, "
              f"{tested['halving'].mean():.4f} halving")  # fmt: skip


def _best(result: RunResult, fold: int) -> float:
    rows = result.fold_results[fold].candidates
    return float(rows.loc[rows["is_chosen"], "validation_metric"].iloc[0])


if __name__ == "__main__":
    main()
