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
from dataclasses import replace

import joblib
import torch

from benchmarks.machine import machine, peak_gflops
from benchmarks.rivals import Work, train_plainly, train_with_lightning, train_with_skorch
from benchmarks.work import (
    BATCH_SEED,
    LAYERS,
    OUTPUT_SCALE,
    SIZES,
    Size,
    members_of,
    products_flops,
    simulated,
    train_by_engine,
)
from smurf_core.configuration import layers_label


def timed(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds, and what came back."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def compare(size: Size, layers: tuple[int, ...], rivals: Sequence[str], rounds: int,
            cores: int, parallel: joblib.Parallel) -> dict[str, float]:  # fmt: skip
    """Seconds per configuration and epoch of every way, the best of some rounds in turns."""
    training, validation = simulated(size, size.training, 0), simulated(size, size.validation, 1)
    work = Work(
        tuple(x.T.contiguous() for x in training.inputs), training.target,
        tuple(x.T.contiguous() for x in validation.inputs), validation.target,
        size.classes, size.epochs, BATCH_SEED, OUTPUT_SCALE,
    )  # fmt: skip
    members = members_of(layers, size.members)
    few = members[: size.few]
    parts = [members[i::cores] for i in range(cores)]
    best: dict[str, float] = {}

    def note(name: str, seconds: float, count: int) -> None:
        best[name] = min(best.get(name, float("inf")), seconds / count / size.epochs)

    for _ in range(rounds):
        # Threads rarely pay in products this small: the plain ways get the better of both.
        for threads in sorted({1, cores}):
            torch.set_num_threads(threads)
            seconds, plain = timed(lambda: train_plainly(work, few))
            note("plain", seconds, len(few))
            if "skorch" in rivals:
                note("skorch", train_with_skorch(work, few[:1]), 1)
            if "lightning" in rivals:
                note("lightning", train_with_lightning(work, few[:1]), 1)
        seconds, stacked = timed(lambda: train_by_engine(size, layers, members))
        note("engine, 1 core", seconds, len(members))
        seconds, _ = timed(
            lambda: parallel(
                joblib.delayed(train_by_engine)(size, layers, part) for part in parts if part
            )
        )
        note(f"engine, {cores} cores", seconds, len(members))
        assert isinstance(plain, list)  # noqa: S101 — for the type checker
        assert isinstance(stacked, list)  # noqa: S101
        torch.testing.assert_close(stacked[: len(few)], plain, rtol=1e-3, atol=1e-4)
    return best


def report(name: str, size: Size, layer_settings: Sequence[tuple[int, ...]],
           rivals: Sequence[str], rounds: int, cores: int) -> None:  # fmt: skip
    """Print one size's table: a line a layer setting, and one for their mix."""
    m, features = len(size.features), sum(size.features)
    print(
        f"\n{name}: {size.training} + {size.validation} samples × {features} features, m = {m}, "
        f"{size.classes} output{'s' if size.classes > 1 else ''}; {size.epochs} epochs of "
        f"{size.members} configurations by the engine, {size.few} by the plain loop",
        flush=True,
    )
    peaks = {1: peak_gflops(1), cores: peak_gflops(cores)}
    print(
        "matrix product, 2048³: " + ", ".join(f"{g:.0f} GFLOP/s on {n}" for n, g in peaks.items())
    )
    ways = ["plain", *rivals, "engine, 1 core", f"engine, {cores} cores"]
    print("| layers | " + " | ".join(f"{way}, ms" for way in ways) + " | plain ÷ engine | GFLOP/s, "
          f"{cores} cores | share of peak |")  # fmt: skip
    print("|---" * (len(ways) + 4) + "|")
    total = dict.fromkeys(ways, 0.0)
    with joblib.Parallel(n_jobs=cores) as parallel:
        parallel(joblib.delayed(torch.set_num_threads)(1) for _ in range(cores))
        for layers in layer_settings:
            found = compare(size, layers, rivals, rounds, cores, parallel)
            for way in ways:
                total[way] += found[way]
            rate = products_flops(size, layers) / found[ways[-1]] / 1e9
            print(_row(layers_label(layers), found, ways)
                  + f" {rate:.1f} | {rate / peaks[cores]:.0%} |", flush=True)  # fmt: skip
    print(_row("mix", total, ways) + " | |")
    for way in ways[:-2]:
        print(f"{way} ÷ engine, mix: {total[way] / total[ways[-2]]:.1f}× on one core, "
              f"{total[way] / total[ways[-1]]:.1f}× on {cores}")  # fmt: skip


def _row(title: str, seconds: dict[str, float], ways: Sequence[str]) -> str:
    numbers = " | ".join(f"{seconds[way] * 1e3:.3f}" for way in ways)
    return f"| {title} | {numbers} | {seconds['plain'] / seconds[ways[-1]]:.1f}× |"


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
    parser.add_argument("--cores", type=int, default=joblib.cpu_count())
    asked = parser.parse_args()
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
        report(name, size, settings, asked.rivals, asked.rounds, asked.cores)


if __name__ == "__main__":
    main()
