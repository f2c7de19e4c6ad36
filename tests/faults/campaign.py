"""Many faults, all of them or a sample that is spread over scenarios, kinds and steps."""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.faults.injecting import KINDS, Kind
from tests.faults.scenarios import SCENARIOS
from tests.faults.trying import Fault, Loss, Trial, small_and_prompt


def run(count: int | None = None, seed: int = 0, only: str = "") -> int:
    """Try faults, print the table of them and each loss; 1 if there was a loss."""
    import torch

    torch.set_num_threads(1)  # Threads do not survive a fork.
    warnings.simplefilter("ignore")
    began = time.perf_counter()
    memory = Path("/dev/shm")  # noqa: S108 — a disk in memory, where there is one
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as work,
        small_and_prompt(),
    ):
        tried, losses = _all(Path(work).resolve(), count, seed, only)
    seconds = os.times()
    print(table(tried, losses))
    shown: Counter[str] = Counter()
    for loss in losses:
        kind = f"{loss.fault.scenario.name}: {loss.what.strip().splitlines()[-1][:50]}"
        shown[kind] += 1
        if shown[kind] == 1:
            where = f"{loss.fault.scenario.name}, {loss.fault.kind} at {loss.fault.at}"
            print(f"\n{where} ({loss.fault.what}):\n{loss.what}", file=sys.stderr)
    for kind, number in shown.most_common():
        print(f"{number:6}  {kind}", file=sys.stderr)
    busy = seconds.user + seconds.system + seconds.children_user + seconds.children_system
    print(f"{len(tried)} faults, {len({id(loss.fault) for loss in losses})} with losses; "
          f"{busy:.0f} s of processor time, {time.perf_counter() - began:.0f} s",
          file=sys.stderr)  # fmt: skip
    return int(bool(losses))


def _all(work: Path, count: int | None, seed: int, only: str) -> tuple[list[Fault], list[Loss]]:
    """What was tried and lost; an interrupt ends it early."""
    trials = {s.name: Trial(s, work) for s in SCENARIOS if only in s.name}
    chance = random.Random(seed)  # noqa: S311 — no secret
    chosen: list[Fault] = []
    # The shortest first, so that longer ones make up for what these do not have.
    for number, faults in enumerate(sorted((t.faults() for t in trials.values()), key=len)):
        if count is not None:  # Each scenario has its part of what is left.
            part = round((count - len(chosen)) / (len(trials) - number))
            chosen += spread(faults, part, chance)
        else:
            chosen += faults
    chance.shuffle(chosen)  # So that what was tried before an interrupt is spread as well.
    tried: list[Fault] = []
    losses: list[Loss] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    gc.freeze()  # Forked processes share what is there, and do not look through it.
    with suppress(KeyboardInterrupt):
        for fault in chosen:
            losses += trials[fault.scenario.name].attempt(fault)
            tried.append(fault)
    return tried, losses


def spread(faults: Sequence[Fault], count: int, chance: random.Random) -> list[Fault]:
    """A sample at equal distances, so that it has all kinds and all parts of the work."""
    if count >= len(faults):
        return list(faults)
    distance = len(faults) / count
    start = chance.random() * distance
    return [faults[int(start + k * distance)] for k in range(count)]


def table(tried: Sequence[Fault], losses: Sequence[Loss]) -> str:
    """Faults by scenario and kind, and how many had a loss, in Markdown."""
    number: Counter[tuple[str, Kind]] = Counter((f.scenario.name, f.kind) for f in tried)
    bad = Counter(
        name for name, _ in {(loss.fault.scenario.name, id(loss.fault)) for loss in losses}
    )
    rows = [["work", *KINDS, "faults", "losses"], ["---", *["---:"] * (len(KINDS) + 2)]]
    for name in [s.name for s in SCENARIOS if any(key[0] == s.name for key in number)]:
        each = [number[name, kind] for kind in KINDS]
        rows.append([name, *map(str, each), str(sum(each)), str(bad[name])])
    each = [sum(number[key] for key in number if key[1] == kind) for kind in KINDS]
    rows.append(["all", *(f"{n:,}" for n in each), f"{sum(each):,}", str(sum(bad.values()))])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
