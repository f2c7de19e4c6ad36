"""Packages that only extraction needs: imported when it starts, and missed in one sentence."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from smurf_core.errors import InputError

INSTALL = "pip install -e '.[extract]'"


def needed_package(name: str) -> ModuleType:
    """The package; where it is not installed, says how to get it."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise InputError(
            f"This extraction needs the package {name}, which is not installed: run {INSTALL} in "
            "the folder of SMURF Studio."
        ) from error
