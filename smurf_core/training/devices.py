"""Where torch computes: the device that a run asks for, on this machine.

Torch takes seconds to import: only a run that needs it does.
"""

from __future__ import annotations

from smurf_core.configuration import RunConfig
from smurf_core.errors import InputError


def device_of(config: RunConfig) -> str:
    """The device of a run. What is solved on the user's features is solved on the CPU."""
    if config.device == "auto" and not config.trains_networks:
        return "cpu"
    return resolve_device(config.device)


def resolve_device(device: str) -> str:
    """The device that `auto` stands for here: a CUDA GPU, Apple's, or the CPU."""
    if device == "cpu":
        return device
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if (device == "cuda" and not torch.cuda.is_available()) or (
        device == "mps" and not torch.backends.mps.is_available()
    ):
        raise InputError(f"This machine offers torch no {device} device; use auto or cpu.")
    return device


def device_title(device: str) -> str:
    """A device by the name of its hardware, where it has one."""
    if device != "cuda":
        return device
    import torch

    return torch.cuda.get_device_name()
