"""What a graphics card brings: one command, no arguments, under eight minutes.

`python -m benchmarks.gpu` prints the card and versions; the time per configuration and epoch of the
plain loop and of the engine, on this machine's cores and on the card; how far the card's numbers
agree with the processor's; the card's memory and what larger stacks bring; and the published grid
at VREED's and MOSEI's size for some epochs. Without a card, the same runs on the processor with
small sizes, so that it can be tried and tested. After `LIMIT` seconds, the remaining parts are
skipped and named.
"""

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import joblib
import numpy as np
import torch

from benchmarks.machine import card, machine, peak_gflops
from benchmarks.rivals import Work, train_plainly
from benchmarks.scaling import MemoryWatch, simulated_study
from benchmarks.search import run, with_one_fold
from benchmarks.training import Contest, compare, timed
from benchmarks.work import BATCH, LAYERS, SIZES, Size, members_of, products_flops, train_by_engine
from smurf_core.configuration import Grid, RunConfig, layers_label
from smurf_core.models.architecture import Architecture
from smurf_core.training.devices import resolve_device
from smurf_core.training.run import train_run
from smurf_core.training.sizing import STACK_BYTES, member_bytes, stack_size

LIMIT = 400  # seconds after which no further part begins
LONG = 100  # epochs from which the start and the end of a run hardly count
PUBLISHED_EPOCHS = 4_071_572  # of all members, SMURF on VREED: docs/performance.md
Layers = tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    sizes: Mapping[str, Size]
    layers: Sequence[Layers]
    budgets: Sequence[int]  # bytes of a stack
    search: Mapping[str, tuple[int, tuple[int, ...], int]]  # samples, features, epochs
    grid: Grid | None = None  # None: the published one
    cores: int = field(default_factory=joblib.cpu_count)


FULL = Plan(
    SIZES,
    LAYERS,
    (STACK_BYTES, 8 * STACK_BYTES, 32 * STACK_BYTES),
    {"VREED": (312, (18, 8, 49), 200), "MOSEI": (23_300, (300, 74, 326), 1)},
)
SMALL = Plan(
    {"vreed": replace(SIZES["vreed"], epochs=10, members=40),
     "mosi": replace(SIZES["mosi"], epochs=2, members=10)},
    LAYERS,
    (STACK_BYTES, 2 * STACK_BYTES),
    {"VREED": (312, (18, 8, 49), 5), "MOSEI": (1_000, (300, 74, 326), 1)},
)  # fmt: skip


def show_times(name: str, size: Size, plan: Plan, device: str) -> None:
    """A table: ms per configuration and epoch, on the cores and on the device."""
    cores, settings = plan.cores, plan.layers
    contest = Contest((), 1, cores, time.perf_counter)
    ways = [*contest.ways, f"plain, {device}", f"engine, {device}"]
    peak = peak_gflops(1, device=device)
    print(f"\n{name}: {size.training} + {size.validation} samples × {sum(size.features)} features, "
          f"{size.epochs} epochs of {size.members} configurations; matrix product on {device}: "
          f"{peak:.0f} GFLOP/s")  # fmt: skip
    print("| layers | " + " | ".join(f"{way}, ms" for way in ways)
          + f" | plain ÷ engine, {device} | cores ÷ {device} | share of peak |")  # fmt: skip
    print("|---" * (len(ways) + 4) + "|", flush=True)
    work = Work.of(size, device)
    for place in {"cpu", device}:  # The first work on a device loads libraries.
        train_plainly(Work.of(replace(size, epochs=1), place), members_of(settings[0], 1))
    total = dict.fromkeys(ways, 0.0)
    with joblib.Parallel(n_jobs=cores) as parallel:
        parallel(joblib.delayed(torch.set_num_threads)(1) for _ in range(cores))
        for layers in settings:
            found = compare(size, layers, contest, parallel)
            members = members_of(layers, size.members)
            few = members[: size.few]
            train_by_engine(replace(size, epochs=1), layers, members, device)  # loads its kernels
            seconds, _ = timed(lambda few=few: train_plainly(work, few), time.perf_counter)
            found[ways[-2]] = seconds / len(few) / size.epochs
            seconds, _ = timed(
                lambda layers=layers, members=members: train_by_engine(
                    size, layers, members, device
                ),
                time.perf_counter,
            )
            found[ways[-1]] = seconds / len(members) / size.epochs
            total = {way: total[way] + found[way] for way in ways}
            rate = products_flops(size, layers) / found[ways[-1]] / 1e9
            print(_row(layers_label(layers), found, ways) + f" {rate / peak:.0%} |", flush=True)
    print(_row("mix", total, ways) + " |", flush=True)


def _row(title: str, seconds: Mapping[str, float], ways: Sequence[str]) -> str:
    numbers = " | ".join(f"{seconds[way] * 1e3:.3f}" for way in ways)
    on_cores, plain, engine = (seconds[way] for way in ways[-3:])
    return f"| {title} | {numbers} | {plain / engine:.1f}× | {on_cores / engine:.1f}× |"


def show_agreement(size: Size, settings: Sequence[Layers], device: str) -> None:
    """Do device and processor train to the same numbers?"""
    furthest = 0.0
    for layers in settings:
        members = members_of(layers, min(size.members, 8))
        here, there = (
            np.array(train_by_engine(size, layers, members, place)) for place in ("cpu", device)
        )
        furthest = max(furthest, float(np.max(np.abs(here - there) / np.abs(here))))
    print(f"\nagreement: lowest validation objectives of the processor and of {device} differ by "
          f"{furthest:.1e} of their size at most")  # fmt: skip
    data = simulated_study(300, (20, 20, 20))
    config = RunConfig(
        preset="custom", grid=Grid((5e-3,), ((20, 10),), (0.0,), (0.5,)), max_epochs=50,
        patience=None, restarts=1,
    )  # fmt: skip
    one, other = (
        train_run(data, replace(config, device=place)).contributions().values
        for place in ("cpu", device)
    )
    print(f"agreement: contributions of a run of 50 epochs differ by "
          f"{np.abs(one - other).max() / one.std():.1e} of their standard deviation at most; "
          f"products in float32, precision {torch.get_float32_matmul_precision()}",
          flush=True)  # fmt: skip


def show_memory(size: Size, layers: Layers, budgets: Sequence[int], device: str) -> None:
    """Time and memory of larger stacks."""
    print(f"\n| memory of a stack, {layers_label(layers)} | configurations | ms | reckoned, MB "
          "| highest, MB |\n|---|---|---|---|---|")  # fmt: skip
    architecture = Architecture.of("smurf", size.features, layers, size.classes)
    for budget in budgets:
        count = stack_size(architecture, BATCH, budget)
        members = members_of(layers, count)
        _forget_peak(device)
        seconds, _ = timed(
            lambda members=members, budget=budget: train_by_engine(
                size, layers, members, device, budget
            ),
            time.perf_counter,
        )
        print(f"| {budget / 2**20:,.0f} MB | {count:,} | {seconds / count / size.epochs * 1e3:.3f} "
              f"| {count * member_bytes(architecture, BATCH) / 2**20:,.0f} "
              f"| {_peak_memory(device) / 2**20:,.0f} |", flush=True)  # fmt: skip


def _forget_peak(device: str) -> None:
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _peak_memory(device: str) -> int:
    """Of the card; where torch does not count that, of this process so far."""
    if device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def show_search(name: str, plan: Plan, device: str) -> None:
    """The published grid for some epochs in one fold, as a run trains it."""
    samples, features, epochs = plan.search[name]
    data = with_one_fold(simulated_study(samples, features), 0, 0)
    config = RunConfig.from_preset(
        "paper", max_epochs=epochs, patience=None, restarts=1, search="full", device=device
    )
    if plan.grid is not None:
        config = replace(config, preset="custom", grid=plan.grid)
    _forget_peak(device)
    with MemoryWatch() as watch:
        outcome = run(data, config, jobs=plan.cores if device == "cpu" else 1)
    on_card = "" if device != "cuda" else f", {_peak_memory(device) / 2**30:.2f} GB on the card"
    rate = outcome.epochs / outcome.seconds
    print(f"\npublished search, {name}'s size ({samples:,} × {features}), one fold, "
          f"{epochs} epoch{'s' if epochs > 1 else ''}: {outcome.seconds:.1f} s, "
          f"{outcome.epochs:,} epochs of configurations, {rate:,.0f} per second; highest "
          f"memory {watch.peak / 2**30:.2f} GB{on_card}", flush=True)  # fmt: skip
    if epochs >= LONG:
        print(f"at this rate, the whole published search of VREED ({PUBLISHED_EPOCHS:,} epochs) "
              f"would take {PUBLISHED_EPOCHS / rate / 60:.1f} minutes", flush=True)  # fmt: skip


def main(plan: Plan | None = None) -> None:
    """Print everything that there is time for."""
    start = time.perf_counter()
    device = resolve_device("auto")
    plan = plan or (SMALL if device == "cpu" else FULL)
    print(machine())
    print(card(), flush=True)
    first = next(iter(plan.sizes.values()))
    parts: list[tuple[str, Callable[[], None]]] = [
        ("agreement", lambda: show_agreement(first, plan.layers, device)),
        *((f"times, {name}", lambda n=name, s=size: show_times(n, s, plan, device))
          for name, size in plan.sizes.items()),
        ("memory", lambda: show_memory(first, plan.layers[-1], plan.budgets, device)),
        *((f"published search, {name}", lambda n=name: show_search(n, plan, device))
          for name in plan.search),
    ]  # fmt: skip
    for title, show in parts:
        if time.perf_counter() - start > LIMIT:
            print(f"\n{title}: skipped after {LIMIT} s", flush=True)
        else:
            show()
    print(f"\n{time.perf_counter() - start:.0f} s in all")


if __name__ == "__main__":
    main()
