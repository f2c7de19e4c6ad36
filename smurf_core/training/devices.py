"""Where torch computes: the device that a run asks for, on this machine."""

import torch

from smurf_core.errors import InputError


def resolve_device(device: str) -> str:
    """The device that `auto` stands for here: a CUDA GPU, Apple's, or the CPU."""
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
    return torch.cuda.get_device_name() if device == "cuda" else device
