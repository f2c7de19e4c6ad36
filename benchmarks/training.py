"""How fast the engine trains a grid, beside a plain loop, skorch and Lightning.

`python -m benchmarks.training` trains the same work in all four ways, in turns: SMURF with
configurations of the published grid, on simulated features of the sizes of three data sets, with
the same batches and epochs, early stopping watched but not acted upon. It prints time per
configuration and epoch (validation included), ratios, and for the engine the GFLOP/s of the
towers' products and their share of what a 2048³ product reaches on the same cores in the same run.
The slow ways train few configurations of each layer setting, the engine as many as are asked for.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import joblib
import torch

from benchmarks.machine import machine, peak_gflops
from benchmarks.rivals import Work, train_plainly, train_with_lightning, train_with_skorch
from benchmarks.work import LAYERS, SIZES, Size, members_of, products_flops, train_by_engine
from smurf_core.configuration import layers_label

Clock = Callable[[], float]


def timed(work: Callable[[], object], clock: Clock) -> tuple[float, object]:
    """Seconds, and what came back."""
    start = clock()
    result = work()
    return clock() - start, result


@dataclass(frozen=True)
class Contest:
    """How ways of training are compared."""

    rivals: Sequence[str]
    rounds: int
    cores: int
    clock: Clock

    @property
    def ways(self) -> list[str]:
        """In the order of the table's columns; the engine's on all cores last."""
        several = [f"engine, {self.cores} cores"] if self.cores > 1 else []
        return ["plain", *self.rivals, "engine, 1 core", *several]


def compare(
    size: Size, layers: tuple[int, ...], contest: Contest, parallel: joblib.Parallel
) -> dict[str, float]:
    """Seconds per configuration and epoch of every way, the best of some rounds in turns."""
    work = Work.of(size)
    members, clock = members_of(layers, size.members), contest.clock
    few = members[: size.few]
    parts = [members[i :: contest.cores] for i in range(contest.cores)]
    shares = [joblib.delayed(train_by_engine)(size, layers, part) for part in parts if part]
    best: dict[str, float] = {}

    def note(name: str, seconds: float, count: int) -> None:
        best[name] = min(best.get(name, float("inf")), seconds / count / size.epochs)

    for _ in range(contest.rounds):
        # Threads rarely pay in products this small: the plain ways get the better of both.
        for threads in sorted({1, contest.cores}):
            torch.set_num_threads(threads)
            seconds, plain = timed(lambda: train_plainly(work, few), clock)
            note("plain", seconds, len(few))
            if "skorch" in contest.rivals:
                note("skorch", train_with_skorch(work, few[:1], clock), 1)
            if "lightning" in contest.rivals:
                note("lightning", train_with_lightning(work, few[:1], clock), 1)
        seconds, stacked = timed(lambda: train_by_engine(size, layers, members), clock)
        note("engine, 1 core", seconds, len(members))
        if contest.cores > 1:
            seconds, _ = timed(lambda: parallel(shares), clock)
            note(contest.ways[-1], seconds, len(members))
        assert isinstance(plain, list)  # noqa: S101 — for the type checker
        assert isinstance(stacked, list)  # noqa: S101
        torch.testing.assert_close(stacked[: len(few)], plain, rtol=1e-3, atol=1e-4)
    return best


def report(
    name: str, size: Size, layer_settings: Sequence[tuple[int, ...]], contest: Contest
) -> None:
    """Print one size's table: a line a layer setting, and one for their mix."""
    m, features = len(size.features), sum(size.features)
    print(
        f"\n{name}: {size.training} + {size.validation} samples × {features} features, m = {m}, "
        f"{size.classes} output{'s' if size.classes > 1 else ''}; {size.epochs} epochs of "
        f"{size.members} configurations by the engine, {size.few} by the plain loop"
    )
    ways, cores = contest.ways, contest.cores
    peak = peak_gflops(cores, contest.clock)
    print(f"matrix product, 2048³, {cores} core{'s' if cores > 1 else ''}: {peak:.0f} GFLOP/s")
    print("| layers | " + " | ".join(f"{way}, ms" for way in ways)
          + " | plain ÷ engine | GFLOP/s | share of peak |")  # fmt: skip
    print("|---" * (len(ways) + 4) + "|", flush=True)
    total = dict.fromkeys(ways, 0.0)
    with joblib.Parallel(n_jobs=cores) as parallel:
        parallel(joblib.delayed(torch.set_num_threads)(1) for _ in range(cores))
        for layers in layer_settings:
            found = compare(size, layers, contest, parallel)
            for way in ways:
                total[way] += found[way]
            rate = products_flops(size, layers) / found[ways[-1]] / 1e9
            print(_row(layers_label(layers), found, ways) + f" {rate:.1f} | {rate / peak:.0%} |",
                  flush=True)  # fmt: skip
    print(_row("mix", total, ways) + " | |")
    for way in ways[: 1 + len(contest.rivals)]:
        ratios = [f"{own} {total[way] / total[own]:.1f}×" for own in ways if "engine" in own]
        print(f"mix, {way} in times of the engine: " + ", ".join(ratios), flush=True)


def _row(title: str, seconds: dict[str, float], ways: Sequence[str]) -> str:
    numbers = " | ".join(f"{seconds[way] * 1e3:.3f}" for way in ways)
    return f"| {title} | {numbers} | {seconds['plain'] / seconds[ways[-1]]:.1f}× |"


def profile_engine(size: Size, layer_settings: Sequence[tuple[int, ...]], top: int = 10) -> None:
    """Print which operations the engine spends its time on, on one thread."""
    for layers in layer_settings:
        members = members_of(layers, size.members)
        train_by_engine(replace(size, epochs=2), layers, members)
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
            train_by_engine(size, layers, members)
        events = profiler.key_averages()
        total = sum(event.self_cpu_time_total for event in events)
        largest = sorted(events, key=lambda event: -event.self_cpu_time_total)[:top]
        print(f"{layers_label(layers)}: " + ", ".join(
            f"{event.key.removeprefix('aten::')} {event.self_cpu_time_total / total:.0%}"
            for event in largest
        ))  # fmt: skip


def main() -> None:
    """Read options and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", nargs="*", choices=SIZES, default=["vreed", "mosei"])
    parser.add_argument("--layers", nargs="*", choices=[layers_label(x) for x in LAYERS],
                        help="of the published grid; default: all")  # fmt: skip
    parser.add_argument("--rivals", nargs="*", choices=["skorch", "lightning"], default=[])
    parser.add_argument("--members", type=int, help="configurations by the engine, 1 to 1,000")
    parser.add_argument("--modalities", type=int, help="2 to 6; features are shared out anew")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--rounds", type=int, default=2, help="the best of so many counts")
    parser.add_argument("--profile", action="store_true", help="operations instead of times")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="in place of wall-clock time, on one core: hardly depends on what else is running",
    )
    parser.add_argument("--cores", type=int, default=joblib.cpu_count())
    asked = parser.parse_args()
    cores, clock = asked.cores, time.perf_counter
    if asked.processor_time:
        cores, clock = 1, time.process_time
    contest = Contest(asked.rivals, asked.rounds, cores, clock)
    print(machine())
    for name in asked.size:
        size = SIZES[name]
        if asked.modalities:
            share, rest = divmod(sum(size.features), asked.modalities)
            widths = (share + rest, *[share] * (asked.modalities - 1))
            size = replace(size, features=widths)
        if asked.members:
            size = replace(size, members=asked.members, few=min(size.few, asked.members))
        if asked.epochs:
            size = replace(size, epochs=asked.epochs)
        settings = [x for x in LAYERS if not asked.layers or layers_label(x) in asked.layers]
        if asked.profile:
            profile_engine(size, settings)
            continue
        report(name, size, settings, contest)


if __name__ == "__main__":
    main()
