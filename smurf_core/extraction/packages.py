"""Imports the packages that only extraction needs, and explains how to install a missing one."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from smurf_core.errors import InputError

INSTALL = "pip install -e '.[extract]'"


def needed_package(name: str) -> ModuleType:
    """Import the package; if it is not installed, the error says how to install it."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise InputError(
            f"This extraction needs the package {name}, which is not installed: run {INSTALL} in "
            "the folder of SMURF Studio."
        ) from error
