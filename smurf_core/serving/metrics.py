"""Metrics for whoever runs a server, as Prometheus reads them: counts and sizes, nothing else.

They are served at `/metrics` to requests with the token of `SMURF_METRICS_TOKEN`. Without it,
there is no such address.
"""

from __future__ import annotations

import hmac
import os
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smurf_core.errors import InputError
from smurf_core.people.guard import machine_only
from smurf_core.runs.leases import is_alive
from smurf_core.runs.workspace import Workspace

TOKEN_VARIABLE = "SMURF_METRICS_TOKEN"  # noqa: S105 — the variable's name
_Sample = tuple[str, float]  # labels, value


@dataclass
class Counts:
    """What a process has counted since its start."""

    requests: Counter[str] = field(default_factory=Counter)  # class of their answers, such as 2xx
    errors: int = 0  # that no page and no route expected


class Counting:
    """Counts requests by the class of their answers, and what was raised."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        self._app, self._counts = app, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counts.requests[f"{message['status'] // 100}xx"] += 1
            await send(message)

        try:
            await self._app(scope, receive, sent if scope["type"] == "http" else send)
        except Exception:
            self._counts.errors += 1
            raise


def answer(request: Request, workspace: Workspace, counts: Counts) -> Response:
    """The metrics, or the page of what does not exist without the token.

    Raises `HTTPException` (404) then.
    """
    token = os.environ.get(TOKEN_VARIABLE, "")
    given = request.headers.get("Authorization", "")
    if not token or not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise HTTPException(404)
    return PlainTextResponse(metrics(workspace, counts), media_type="text/plain; version=0.0.4")


@machine_only
def metrics(workspace: Workspace, counts: Counts) -> str:
    """Prometheus text: runs by state, workers, disk, requests and errors; no names and no ids.

    Of a store that cannot be read, there is `smurf_store_readable 0` and no number of runs.
    """
    from smurf_core.runs.store import Status  # here: the server starts without pandas

    parts = []
    try:
        runs, workers = _runs(workspace)
        states = [(f'{{state="{state}"}}', float(runs[state])) for state in get_args(Status)]
        parts += [
            _gauge("smurf_runs", "Runs that are kept, by state; the queue is queued.", states),
            _gauge("smurf_workers_alive", "Workers that train a run now.", [("", workers)]),
        ]
    except InputError:
        readable = 0.0
    else:
        readable = 1.0
    disk = shutil.disk_usage(workspace.root if workspace.root.exists() else workspace.root.parent)
    parts += [
        _gauge("smurf_store_readable", "1 if the store can be read.", [("", readable)]),
        _gauge("smurf_disk_free_bytes", "Of the workspace's disk.", [("", disk.free)]),
        _gauge("smurf_disk_used_bytes", "Of the workspace's disk.", [("", disk.used)]),
        _text(
            "smurf_requests_total", "counter", "Requests to this server since its start.",
            [(f'{{status="{status}"}}', n) for status, n in sorted(counts.requests.items())],
        ),
        _text(
            "smurf_errors_total", "counter", "Errors of the program since this server's start.",
            [("", counts.errors)],
        ),
    ]  # fmt: skip
    return "".join(parts)


def _runs(workspace: Workspace) -> tuple[Counter[str], int]:
    with workspace.connect() as connection:
        rows = connection.execute(
            "SELECT status, pid, pid_started, boot, namespace, beat FROM run WHERE deleted IS NULL"
        ).fetchall()
    training = [row for row in rows if row["status"] == "running"]
    return Counter(row["status"] for row in rows), sum(is_alive(row) for row in training)


def _gauge(name: str, about: str, samples: Iterable[_Sample]) -> str:
    return _text(name, "gauge", about, samples)


def _text(name: str, kind: str, about: str, samples: Iterable[_Sample]) -> str:
    lines = "".join(f"{name}{labels} {value:.0f}\n" for labels, value in samples)
    return f"# HELP {name} {about}\n# TYPE {name} {kind}\n{lines}"
