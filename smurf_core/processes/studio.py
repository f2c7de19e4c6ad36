"""Starts the app with Streamlit, from a checkout or from an installed wheel."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smurf_core.errors import InputError

_PACKAGE = Path(__file__).resolve().parents[1]
# A wheel has the app inside the package, so that no `app` or `pages` lies on a user's path.
# In a checkout (also when it is installed with `-e`) the app lies beside the package.
_PLACES = (_PACKAGE / "_studio", _PACKAGE.parent)
_HOSTS = "server.allowedHosts"
# Addresses of all network interfaces are not host names that a browser requests.
_EVERY_INTERFACE = {"0.0.0.0", "::", ""}  # noqa: S104 — compared with, not bound to


@dataclass(frozen=True, kw_only=True)
class StudioOptions:
    """How `smurf studio` serves the app.

    Parameters
    ----------
    port
        Port of the server, 1 to 65535; None: Streamlit's choice (8501 or the next free one).
    headless
        True to open no browser.
    address
        Address to listen on; None: this machine only, as the app's configuration says.
    allowed_hosts
        Further host names under which browsers may reach the app.

    Raises
    ------
    InputError
        If the port is out of range.
    """

    port: int | None = None
    headless: bool = False
    address: str | None = None
    allowed_hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.port is not None and not 1 <= self.port <= 65_535:
            raise InputError(f"The port must be between 1 and 65535, got {self.port}.")


def studio_folder(places: tuple[Path, ...] = _PLACES) -> Path:
    """Return the folder that contains `app/main.py`, `pages/` and `.streamlit/config.toml`.

    Raises
    ------
    InputError
        If the installation has no app, for instance because only `smurf_core` was copied.
    """
    for folder in places:
        if (folder / "app" / "main.py").is_file() and (folder / "pages").is_dir():
            return folder
    raise InputError(
        "The app is missing from this installation: neither "
        f"{' nor '.join(str(folder) for folder in places)} has app/main.py and pages/. "
        "Install the wheel of smurf-studio, or work in a checkout."
    )


def studio_command(
    options: StudioOptions, *, environment: Mapping[str, str] | None = None
) -> list[str]:
    """Return the command that serves the app with its own configuration, from any folder.

    Streamlit reads `.streamlit/config.toml` in the working folder only. So every setting of the
    app's file is passed as an option, unless the user has set it in an environment variable.
    """
    folder = studio_folder()
    environment = os.environ if environment is None else environment
    text = (folder / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    from_file = dict(_flat(tomllib.loads(text)))
    settings = {n: value for n, value in from_file.items() if _variable(n) not in environment}
    hosts = list(options.allowed_hosts)
    if options.address is not None:
        settings["server.address"] = options.address
        hosts += [options.address] if options.address not in _EVERY_INTERFACE else []
    if hosts:
        settings[_HOSTS] = list(dict.fromkeys(from_file[_HOSTS] + hosts))
    if options.port is not None:
        settings["server.port"] = options.port
    if options.headless:
        settings["server.headless"] = True
    command = [sys.executable, "-m", "streamlit", "run", str(folder / "app" / "served.py")]
    for name, value in settings.items():
        command += [f"--{name}={text}" for text in _texts(name, value)]
    return command


def serve(options: StudioOptions) -> int:
    """Serve the app until it is stopped; return the server's exit code."""
    command = studio_command(options)
    if os.name == "posix":
        # The server replaces this process, so that it receives all signals directly.
        os.execv(command[0], command)  # noqa: S606
    return subprocess.call(command)  # noqa: S603 — our own command, no shell


def _flat(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _variable(name: str) -> str:
    """Return Streamlit's variable for a setting: `server.port` is STREAMLIT_SERVER_PORT."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.replace(".", "_"))
    return f"STREAMLIT_{words.upper()}"


def _texts(name: str, value: object) -> list[str]:
    """Return a setting's value for Streamlit's command line: a list of colours is JSON."""
    if isinstance(value, list) and not name.startswith("theme."):
        return [str(item) for item in value]
    return [json.dumps(value) if isinstance(value, list | bool) else str(value)]
