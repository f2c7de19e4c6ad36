"""Runs the server of the rater's page: in this process, or as one that outlives it."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from smurf_core.durable import write_whole
from smurf_core.errors import InputError
from smurf_core.people.guard import machine_only
from smurf_core.processes.detached import start_detached
from smurf_core.runs.workspace import Workspace

DEFAULT_PORT = 8502
_RECORD = "rater_server.json"
_STARTS_WITHIN = 20.0  # seconds


@dataclass(frozen=True)
class RaterServer:
    """A server that runs."""

    pid: int
    started: float  # of the process, so that another one with this number is not taken for it
    url: str  # under which raters reach it

    def link(self, token: str) -> str:
        """A rater's link."""
        return f"{self.url}/r/{token}"


def running(workspace: Workspace) -> RaterServer | None:
    """The workspace's server, if it runs."""
    try:
        found = RaterServer(**json.loads((workspace.root / _RECORD).read_text(encoding="utf-8")))
        process = psutil.Process(found.pid)
        is_same = abs(process.create_time() - found.started) < 1
        return found if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except (OSError, ValueError, TypeError, psutil.Error):
        return None


@machine_only
def serve(
    workspace: Workspace, *, port: int = DEFAULT_PORT, address: str = "127.0.0.1", url: str = ""
) -> None:
    """Serve the rater's page until the process is ended.

    Parameters
    ----------
    workspace : Workspace
        Its collections are served, and nothing else of it.
    port : int
        0: a free one.
    address : str
        Of the network interface to listen on.
    url : str
        Under which raters reach the server, such as that of a proxy; empty: address and port.

    Raises
    ------
    InputError
        If the workspace's server runs already, or the port or the URL cannot be used.
    """
    import uvicorn

    from smurf_core.ratings.server import rater_app

    if (other := running(workspace)) is not None:
        raise InputError(f"The page of raters is served already, at {other.url}.")
    public = checked_url(url)
    with _listening(address, port) as listener:
        shown = "127.0.0.1" if address in ("0.0.0.0", "::") else address  # noqa: S104
        host = f"[{shown}]" if ":" in shown else shown
        record = RaterServer(
            os.getpid(), psutil.Process().create_time(),
            public or f"http://{host}:{listener.getsockname()[1]}",
        )  # fmt: skip
        path = workspace.root / _RECORD
        write_whole(path, lambda partial: partial.write_text(json.dumps(asdict(record))))
        # Tokens are in addresses, so that no address is logged.
        config = uvicorn.Config(
            rater_app(workspace), log_level="warning", access_log=False, server_header=False
        )
        try:
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            path.unlink(missing_ok=True)


def start(workspace: Workspace, *, port: int = DEFAULT_PORT, url: str = "") -> RaterServer:
    """Start the server as a process of its own, unless it runs, and wait until it does."""
    if (found := running(workspace)) is not None:
        return found
    checked_url(url)
    log = workspace.root / "rater_server.log"
    process = start_detached(
        "smurf_core.processes.rater_server",
        ["--workspace", str(workspace.root), "--port", str(port), "--url", url],
        log,
        mode="wb",
    )
    deadline = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        if (found := running(workspace)) is not None:
            return found
        time.sleep(0.05)
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise InputError(
        said[-1] if said else f"The server of the rater's page did not start; see {log}."
    )


@machine_only
def stop(workspace: Workspace) -> None:
    """End the workspace's server, if it runs; answers that were acknowledged are stored."""
    if (found := running(workspace)) is None:
        return
    try:
        process = psutil.Process(found.pid)
        process.terminate()
        process.wait(10)
    except psutil.TimeoutExpired:
        process.kill()
    except psutil.Error:
        return


def checked_url(url: str) -> str:
    """A URL without the slash at its end; raises `InputError` if it is none of a server."""
    parts = urlsplit(url.strip())
    if not url.strip():
        return ""
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise InputError(
            f"{url[:80]!r} is not the address of a server: write it as https://raters.example.org."
        )
    return url.strip().rstrip("/")


def _listening(address: str, port: int) -> socket.socket:
    if not 0 <= port <= 65_535:
        raise InputError(f"The port must be between 1 and 65535, got {port}.")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name != "nt":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise InputError(
            f"Port {port} of {address} cannot be used ({error.strerror}): name another port."
        ) from error
    return listener


def _main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--url", required=True)
    options = parser.parse_args()
    try:
        serve(Workspace(options.workspace), port=options.port, url=options.url)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())
