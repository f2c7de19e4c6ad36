"""Ratings over HTTP while servers and workers are killed: lost, doubled or misplaced ones.

`python -m benchmarks.rating_kills` starts the server as the app does. Simulated raters save 10,000
ratings, send again what was not acknowledged, and drop a share of their connections. Meanwhile the
rater's server is killed (SIGKILL) 180 times and started again, and a worker that trains on the same
study 20 times, whose run is resumed. Then the file is compared with what was sent. All of it is on
this machine; `--kills 0 --worker-kills 0 --drops 0 --think 2` prints how long a save takes while
twenty raters need two seconds for each clip.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import psutil

from benchmarks.machine import machine
from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.processes import rater_server
from smurf_core.processes.launcher import launch
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.rater_items import clip_mark
from smurf_core.ratings.store import Collection, Invitation
from smurf_core.ratings.tables import answer_table
from smurf_core.runs import store
from smurf_core.runs.studies import add_study
from smurf_core.runs.workspace import Workspace

FORMS = ("words", "voice", "filtered_voice")
_TRIES = 200  # of one request, at most; a try that is refused is followed by a pause
_CORRECTED = 0.1  # share of answers that the rater changes afterwards
_REPEATED = 0.05  # share of acknowledged answers that are sent once more, late
_COUNTING = threading.Lock()


@dataclass(frozen=True)
class Sent:
    """The last acknowledged answer to one item."""

    rater: int
    position: int
    mark: str  # of the clip, as the page knows it
    values: dict[str, float]


@dataclass
class Campaign:
    """What happened: what was sent, what is in the file, and what went wrong."""

    sent: list[Sent] = field(default_factory=list)
    requests: int = 0  # all tries
    dropped: int = 0  # connections that the rater closed before the answer was read
    broken: int = 0  # requests that a killed server did not answer
    kills: int = 0  # of the rater's server
    worker_kills: int = 0
    seconds: float = 0.0
    server_seconds: float = 0.0  # processor time of the last server, after its start
    waits: list[float] = field(default_factory=list)  # seconds until an answer was acknowledged
    stored: int = 0
    lost: int = 0  # acknowledged, and not in the file
    doubled: int = 0  # more than one answer to an item or clip, or one that nobody sent
    misplaced: int = 0  # another value, or another clip, than was sent


def campaign(
    home: Path, *, raters: int, ratings: int, kills: int, drops: float, worker_kills: int = 0,
    think: float = 0.0, seed: int = 0,
) -> tuple[Campaign, Collection, list[Invitation]]:  # fmt: skip
    """Save ratings while the server and a worker are killed again and again, and compare.

    Parameters
    ----------
    home
        An empty folder for the workspace.
    raters, ratings
        Raters at once, and answers in all: each rater gives an equal part, rounded up.
    kills
        Of the server, each after a number of answers that is drawn.
    drops
        Share of requests whose connection is closed before the answer is read; in a third of
        these, before the request was sent as a whole.
    worker_kills
        Of the worker that trains on the study meanwhile; 0: none trains.
    think
        Seconds before each answer, on average.
    seed
        Of what raters answer, and of kills and drops.

    Returns
    -------
    What happened, the collection, and who was invited.

    Raises
    ------
    RuntimeError
        If a request was not answered after 200 tries, or was refused.
    """
    workspace = Workspace(home)
    each = -(-ratings // raters)
    data = simulated_affect(samples=max(60, each), persons=10)
    design = replace(
        default_design(data, forms=FORMS), clips_per_rater=each, attention=0, repeats=0,
        practice=(), raters_per_cell=-(-raters // len(FORMS)),
    )  # fmt: skip
    clips = data.sample_ids[:each].tolist()
    study = add_study(workspace, data)
    collection = create_collection(workspace, study, design, clips=clips)
    invited = [collection.invite() for _ in range(raters)]
    found, began = Campaign(), time.perf_counter()
    server = rater_server.start(workspace, port=0)
    port = urlsplit(server.url).port
    at_start = processor_time(server.pid)
    chance = np.random.default_rng([seed, 0])
    stops = threading.Event()
    training = Training(workspace, study) if worker_kills else None
    victims = chance.permutation(np.arange(kills + worker_kills) < worker_kills)  # True: a worker
    try:
        with ThreadPoolExecutor(raters) as pool:
            people = [
                Rater(one, port, found, drops, think, [seed, 1, k]) for k, one in enumerate(invited)
            ]
            work = [pool.submit(person.rate, stops) for person in people]
            try:
                moments = chance.integers(1, max(2, raters * each - 1), len(victims))
                for after, is_worker in zip(np.sort(moments), victims, strict=True):
                    while len(found.sent) < after and not any(one.done() for one in work):
                        time.sleep(0.002)
                    if training and is_worker:
                        training.kill()
                        found.worker_kills += 1
                        continue
                    time.sleep(chance.uniform(0, 0.03))
                    os.kill(server.pid, signal.SIGKILL)
                    while rater_server.running(workspace):
                        time.sleep(0.005)
                    found.kills += 1
                    server = rater_server.start(workspace, port=port)
                for one in work:
                    one.result()
                found.server_seconds = processor_time(server.pid) - at_start
            finally:
                stops.set()
    finally:
        rater_server.stop(workspace)
        if training:
            training.stop()
    found.seconds = time.perf_counter() - began
    compare(found, collection, invited)
    return found, collection, invited


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


def training_worker(workspace: Workspace) -> int | None:
    """The process that trains now; None if none does."""
    with workspace.connect() as connection:
        row = connection.execute("SELECT pid FROM run WHERE status = 'running'").fetchone()
    return int(row["pid"]) if row is not None and row["pid"] else None


class Training:
    """A run on the study that raters rate, which is resumed when its worker was killed."""

    def __init__(self, workspace: Workspace, study: str) -> None:
        self._workspace = workspace
        config = RunConfig(
            model="smurf", preset="custom", grid=Grid((1e-3,), ((10, 5),), (0.0,), (0.5,)),
            max_epochs=100_000, patience=None, restarts=1, device="cpu",
        )  # fmt: skip
        self._run = store.create_run(workspace, study, config)
        launch(workspace)

    def kill(self) -> None:
        """Kill the worker once it trains, and have the run resumed by another one."""
        os.kill(self._worker(), signal.SIGKILL)
        while store.get_run(self._workspace, self._run).is_active:
            time.sleep(0.1)
        store.resume_run(self._workspace, self._run)
        launch(self._workspace)

    def stop(self) -> None:
        """End the training."""
        os.kill(self._worker(), signal.SIGKILL)

    def _worker(self) -> int:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            launch(self._workspace)
            if pid := training_worker(self._workspace):
                return pid
            time.sleep(0.1)
        raise RuntimeError("No worker trained within two minutes.")


class Rater:
    """One rater's page, which insists on every request until it is acknowledged."""

    def __init__(
        self, invitation: Invitation, port: int | None, found: Campaign, drops: float,
        think: float, seed: list[int],
    ) -> None:  # fmt: skip
        self._who, self._port, self._found = invitation, port, found
        self._drops, self._think = drops, think
        self._chance = np.random.default_rng(seed)

    def rate(self, stops: threading.Event) -> None:
        """Answer the whole list."""
        position = self._insist("POST", "/consent", {})["next"]
        while position is not None and not stops.is_set():
            item = self._insist("GET", f"/items/{position}")
            time.sleep(self._think * self._chance.uniform(0.5, 1.5))  # nobody keeps step
            began = time.perf_counter()
            values, reply = self._answered(item, 0)
            wait = time.perf_counter() - began
            first = {"clip": item["clip"], "values": values, "revision": 0}
            if self._chance.random() < _CORRECTED:
                values, reply = self._answered(item, 1)
            if self._chance.random() < _REPEATED:  # as if the first one came late
                self._insist("POST", f"/items/{position}/answer", first)
            with _COUNTING:
                self._found.waits.append(wait)
                self._found.sent.append(Sent(self._who.rater, position, item["clip"], values))
            position = reply["next"]

    def _answered(
        self, item: dict[str, Any], revision: int
    ) -> tuple[dict[str, float], dict[str, Any]]:
        values = {
            f["key"]: float(
                self._chance.choice(f["values"])
                if f["values"]
                else self._chance.uniform(f["low"], f["high"])
            )
            for f in item["fields"]
        }
        body = {"clip": item["clip"], "values": values, "revision": revision}
        return values, self._insist("POST", f"/items/{item['position']}/answer", body)

    def _insist(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        content = None if body is None else json.dumps(body).encode()
        pause = 0.05
        for _ in range(_TRIES):
            with _COUNTING:
                self._found.requests += 1
            line = http.client.HTTPConnection("127.0.0.1", self._port or 0, timeout=20)
            try:
                if self._chance.random() < self._drops:
                    self._drop(line, method, path, content)
                    continue
                line.request(method, f"/r/{self._who.token}{path}", content)
                reply = line.getresponse()
                text = reply.read()
            except (OSError, http.client.HTTPException):
                with _COUNTING:
                    self._found.broken += 1
                time.sleep(pause)
                pause = min(1.0, 1.5 * pause)
                continue
            finally:
                line.close()
            if reply.status != 200:
                raise RuntimeError(f"{method} {path} was refused: {reply.status}, {text[:200]!r}")
            answer: dict[str, Any] = json.loads(text)
            return answer
        raise RuntimeError(f"{method} {path} was not answered after {_TRIES} tries.")

    def _drop(
        self, line: http.client.HTTPConnection, method: str, path: str, content: bytes | None
    ) -> None:
        """Send a request, or a part of it, and go away."""
        line.putrequest(method, f"/r/{self._who.token}{path}")
        if content is not None:
            line.putheader("Content-Length", str(len(content)))
        line.endheaders()
        if content is not None:
            is_cut = self._chance.random() < 1 / 3
            line.send(content[: len(content) // 2] if is_cut else content)
        time.sleep(self._chance.uniform(0, 0.02))
        with _COUNTING:
            self._found.dropped += 1


def compare(found: Campaign, collection: Collection, invited: list[Invitation]) -> None:
    """Count what the file has and these raters did not send, and the other way round."""
    table = answer_table(collection)
    tokens = {one.rater: one.token for one in invited}
    rows: dict[tuple[int, int], list[tuple[str, str, float]]] = {}
    for row in table[table["rater"].isin(tokens.keys())].itertuples():
        mark = clip_mark(tokens[row.rater], row.clip)
        rows.setdefault((row.rater, row.position), []).append((row.key, mark, row.value))
    found.stored = len(rows)
    found.lost = found.misplaced = 0
    times_sent = Counter((one.rater, one.position) for one in found.sent)
    times_met = Counter((one.rater, one.mark) for one in found.sent)
    found.doubled = sum(n - 1 for n in times_sent.values()) + sum(n - 1 for n in times_met.values())
    found.doubled += len(rows.keys() - times_sent.keys())
    for one in found.sent:
        stored = rows.get((one.rater, one.position))
        if stored is None:
            found.lost += 1
            continue
        found.doubled += len(stored) - len({key for key, _, _ in stored})
        wanted = {(key, one.mark, value) for key, value in one.values.items()}
        found.misplaced += set(stored) != wanted


def main() -> None:
    """Print what happened as a table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--raters", type=int, default=20)
    asked.add_argument("--ratings", type=int, default=10_000)
    asked.add_argument("--kills", type=int, default=180)
    asked.add_argument("--worker-kills", type=int, default=20)
    asked.add_argument("--drops", type=float, default=0.05)
    asked.add_argument("--think", type=float, default=0.0)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found, _, _ = campaign(Path(folder), **vars(options))
    print(machine())
    print("| ratings sent | stored | lost | doubled | misplaced |")
    print("|---:|---:|---:|---:|---:|")
    print(
        f"| {len(found.sent):,} | {found.stored:,} | {found.lost} | {found.doubled} "
        f"| {found.misplaced} |"
    )
    print(
        f"{found.kills} kills of the server, {found.worker_kills} of a worker; "
        f"{found.dropped:,} connections dropped by raters, {found.broken:,} requests not "
        f"answered, {found.requests:,} requests, {found.seconds:.0f} s"
    )
    half, most = 1000 * np.quantile(found.waits, (0.5, 0.95))
    print(
        f"50% of saves were acknowledged within {half:.0f} ms, 95% within {most:.0f} ms; load "
        f"average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    if not found.kills:
        spent = 1000 * found.server_seconds / found.requests
        print(f"processor time of the server: {spent:.1f} ms per request")


if __name__ == "__main__":
    main()
