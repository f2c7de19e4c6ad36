"""How time and memory of training grow: with samples, features, members, modalities, workers.

`python -m benchmarks.scaling` varies one at a time from a middle case and prints seconds per epoch,
microseconds per member, batch and epoch, and the highest memory of the process that trained (a
process of its own each, torch included) beside what `stack_size` reckons for the stack.
`--workers 1 2` times a whole run on Dask clusters of so many workers, and beside them on as many
processes. `--paper-grid` trains the published grid on data of MOSEI's size for a few epochs and
prints the highest memory of all its processes together; pages that processes share count once.
"""

import argparse
import resource
import threading
import time
from dataclasses import dataclass, replace
from multiprocessing import get_context

import joblib
import numpy as np
import psutil

from benchmarks.machine import machine
from benchmarks.work import Size, members_of, train_by_engine
from smurf_core.configuration import PRESETS, Grid, RunConfig
from smurf_core.data.dataset import Features, MultimodalDataset
from smurf_core.models.architecture import Architecture
from smurf_core.training.run import train_run
from smurf_core.training.sizing import member_bytes, stack_size

LAYERS = (20, 10)
MIDDLE = Size((50, 50, 50), 2_048, 512, 1, epochs=3, members=100, few=1)
VARIED = {
    "samples": [replace(MIDDLE, training=n) for n in (512, 2_048, 8_192, 32_768)],
    "features": [replace(MIDDLE, features=(d, d, d)) for d in (10, 50, 250, 1_000)],
    "members": [replace(MIDDLE, members=k) for k in (1, 10, 100, 1_000)],
    "modalities": [replace(MIDDLE, features=(150 // m,) * m) for m in (2, 3, 4, 6)],
}


def measured(size: Size) -> tuple[float, int]:
    """Seconds of the epochs, and the highest memory in bytes of the process that ran them."""
    train_by_engine(replace(size, epochs=1), LAYERS, members_of(LAYERS, size.members)[:2])
    start = time.perf_counter()
    train_by_engine(size, LAYERS, members_of(LAYERS, size.members))
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def show(what: str, sizes: list[Size]) -> None:
    """One table."""
    print(f"\n| {what} | s per epoch | µs per member and batch | stack reckoned, MB | peak, MB |")
    print("|---|---|---|---|---|")
    for size in sizes:
        with get_context("spawn").Pool(1) as pool:
            seconds, peak = pool.apply(measured, (size,))
        architecture = Architecture.of("smurf", size.features, LAYERS, size.classes)
        stacked = min(size.members, stack_size(architecture, 256))
        value = {
            "samples": size.training,
            "features": size.features[0],
            "members": size.members,
            "modalities": len(size.features),
        }[what]
        steps = size.epochs * size.members * -(-size.training // 256)
        print(f"| {value:,} | {seconds / size.epochs:.3f} | {seconds / steps * 1e6:.0f} | "
              f"{stacked * member_bytes(architecture, 256) / 2**20:.0f} | {peak / 2**20:.0f} |",
              flush=True)  # fmt: skip


def simulated_study(samples: int, features: tuple[int, ...], seed: int = 0) -> MultimodalDataset:
    """Standard normal features and a target that depends on them, without folds."""
    random = np.random.default_rng(seed)
    values = [random.standard_normal((samples, d), dtype=np.float32) for d in features]
    target = sum(x[:, 0] for x in values) + random.standard_normal(samples, dtype=np.float32)
    return MultimodalDataset(
        name="simulated", task="regression", target=np.asarray(target, dtype=np.float32),
        features={
            f"modality {i}": Features(x, tuple(f"f{j}" for j in range(x.shape[1])))
            for i, x in enumerate(values)
        },
        sample_ids=np.arange(samples).astype(str), target_name="y",
    )  # fmt: skip


@dataclass
class MemoryWatch:
    """Highest proportional memory of this process and its children, looked at every second."""

    peak: int = 0
    is_over: bool = False

    def __enter__(self) -> "MemoryWatch":
        self.thread = threading.Thread(target=self._look)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        self.thread.join()

    def _look(self) -> None:
        here = psutil.Process()
        while not self.is_over:
            total = 0
            for process in (here, *here.children(recursive=True)):
                try:
                    total += process.memory_full_info().pss
                except psutil.NoSuchProcess:
                    continue
            self.peak = max(self.peak, total)
            time.sleep(1)


def show_paper_grid(epochs: int, jobs: int) -> None:
    """Memory of the whole published grid at MOSEI's size."""
    features = (300, 74, 326)
    data = simulated_study(23_300, features)
    config = RunConfig.from_preset(
        "paper", max_epochs=epochs, patience=None, restarts=1, fold_count=3, device="cpu"
    )
    with MemoryWatch() as watch:
        start = time.perf_counter()
        train_run(data, config, jobs=jobs)
        seconds = time.perf_counter() - start
    megabytes = sum(x.values.nbytes for x in data.features.values()) / 2**20
    print(f"\npublished grid, 23,300 × {features}: features {megabytes:.0f} MB; {jobs} processes, "
          f"{epochs} epochs, 3 folds: {seconds:.0f} s, highest memory "
          f"{watch.peak / 2**30:.2f} GB")  # fmt: skip


def show_workers(counts: list[int]) -> None:
    """Time of one run on processes and on Dask clusters."""
    import distributed

    data = simulated_study(2_000, (50, 50, 50))
    grid = Grid((1e-3, 1e-2), PRESETS["paper"].hidden_layers[:3], (0.0, 1e-3), (0.25, 0.5))
    config = RunConfig(preset="custom", grid=grid, max_epochs=60, patience=None, device="cpu")
    print("\n| workers | processes, s | Dask, s |\n|---|---|---|")
    for count in counts:
        with joblib.Parallel(n_jobs=count) as warm:
            warm(
                joblib.delayed(train_run)(data, replace(config, max_epochs=2)) for _ in range(count)
            )
        start = time.perf_counter()
        train_run(data, config, jobs=count)
        local = time.perf_counter() - start
        with distributed.LocalCluster(
            n_workers=count, threads_per_worker=1, dashboard_address=None
        ) as cluster:
            train_run(data, replace(config, max_epochs=2), scheduler=cluster.scheduler_address)
            start = time.perf_counter()
            train_run(data, config, scheduler=cluster.scheduler_address)
            there = time.perf_counter() - start
        print(f"| {count} | {local:.1f} | {there:.1f} |", flush=True)


def main() -> None:
    """Read options and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--vary", nargs="*", choices=VARIED, default=list(VARIED))
    parser.add_argument("--workers", nargs="*", type=int, default=[])
    parser.add_argument("--paper-grid", action="store_true")
    parser.add_argument("--epochs", type=int, default=1, help="of the published grid")
    parser.add_argument("--jobs", type=int, default=joblib.cpu_count())
    asked = parser.parse_args()
    print(machine())
    for what in asked.vary:
        show(what, VARIED[what])
    if asked.workers:
        show_workers(asked.workers)
    if asked.paper_grid:
        show_paper_grid(asked.epochs, asked.jobs)


if __name__ == "__main__":
    main()
