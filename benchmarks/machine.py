"""What a benchmark ran on, and how fast that multiplies matrices."""

import platform
import time
from collections.abc import Callable
from pathlib import Path

import torch

from smurf_core import __version__
from smurf_core.training.devices import device_title, resolve_device


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


def card() -> str:
    """One line: the graphics card that torch offers, its memory, and versions."""
    device = resolve_device("auto")
    if device == "cpu":
        return "no card: everything below runs on the processor, with small sizes"
    if device != "cuda":
        return f"card: {device}"
    found = torch.cuda.get_device_properties(0)
    return (
        f"card: {device_title(device)}, {found.total_memory / 2**30:.0f} GB, "
        f"{found.multi_processor_count} multiprocessors, compute capability "
        f"{found.major}.{found.minor}; CUDA {torch.version.cuda}, "
        f"cuDNN {torch.backends.cudnn.version()}"
    )


def peak_gflops(
    threads: int,
    clock: Callable[[], float] = time.perf_counter,
    side: int = 2048,
    device: str = "cpu",
) -> float:
    """Best of five square matrix products, in GFLOP/s."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    a, b = torch.randn(2, side, side, device=device)
    float((a @ b)[0, 0])
    seconds = []
    for _ in range(5):
        start = clock()
        product = a @ b
        if device != "cpu":
            float(product[0, 0])  # waits for the device
        seconds.append(clock() - start)
    torch.set_num_threads(before)
    return 2 * side**3 / min(seconds) / 1e9
