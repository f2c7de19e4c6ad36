"""What a benchmark ran on, and how fast that multiplies matrices."""

import platform
import time
from collections.abc import Callable
from pathlib import Path

import torch

from smurf_core import __version__


def machine() -> str:
    """One line: processor, cores, versions."""
    info = Path("/proc/cpuinfo")
    names = [
        line.partition(":")[2].strip()
        for line in (info.read_text().splitlines() if info.exists() else [])
        if line.startswith("model name")
    ]
    name = f"{len(names)} × {names[0]}" if names else platform.processor() or platform.machine()
    return (
        f"{name}; Python {platform.python_version()}, torch {torch.__version__}, "
        f"smurf-studio {__version__}"
    )


def peak_gflops(
    threads: int, clock: Callable[[], float] = time.perf_counter, side: int = 2048
) -> float:
    """Best of five square matrix products, in GFLOP/s."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    a, b = torch.randn(side, side), torch.randn(side, side)
    seconds = []
    for _ in range(5):
        start = clock()
        a @ b
        seconds.append(clock() - start)
    torch.set_num_threads(before)
    return 2 * side**3 / min(seconds) / 1e9
