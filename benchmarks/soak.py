"""Twenty sessions on one server for half an hour, while the worker is killed again and again.

`python -m benchmarks.soak` starts the app and the raters' server on a workspace of simulated data.
Sessions explore, rate, train and upload, all but most raters in a Chromium of their own context;
raters beyond `--browser-raters` send what the rater's page sends. Every two minutes the worker
that trains is killed (SIGKILL), and whoever trains presses *Resume*. It prints what was shown as
an error, the server's private memory by minute, and how long pages took, compared with one session
alone on the same server before. All of it is on this machine, browsers included: one of the
sessions that explore has the browser of the session alone, and the browser of all others works when
nothing else does. So times are those of that session, and of the server's scripts.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
import pandas as pd
import psutil
from playwright.async_api import Browser, async_playwright
from playwright.async_api import Error as BrowserError

from benchmarks.latency import FAST, server
from benchmarks.machine import machine
from benchmarks.rating_kills import Campaign, Rater, compare, training_worker
from benchmarks.soak_load import Load, script_times
from benchmarks.soak_sessions import (
    RATES,
    WARM_MINUTES,
    Session,
    Soak,
    explore,
    rate,
    train,
    upload,
)
from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.processes import rater_server, worker
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.store import Collection, Invitation
from smurf_core.runs import store
from smurf_core.runs.studies import add_study
from smurf_core.runs.workspace import Workspace

KILL_EVERY = 120.0  # seconds
MOST_GROWTH, MOST_SLOWDOWN = 1.1, 4.0
_SAMPLES = 600


async def lasting(act: Callable[[], Awaitable[None]], session: Session, end: float) -> None:
    """Repeat what a session does until the end; what fails is an error, and begins anew."""
    while (left := end - time.monotonic()) > 0:
        try:
            await asyncio.wait_for(act(), left)
        except TimeoutError:
            return
        except BrowserError as error:
            session.note(f"no such page or button in time: {str(error)[:600]}")
            await session.picture()
            await asyncio.sleep(2)


async def kill_workers(home: Workspace, found: Soak, every: float) -> None:
    """Kill whatever process trains, from time to time."""
    due = time.monotonic() + every
    while True:
        if pid := training_worker(home):
            found.workers.add(pid)
            if time.monotonic() >= due:
                os.kill(pid, signal.SIGKILL)
                found.kills += 1
                due += every
        await asyncio.sleep(0.5)


async def watch_memory(studio: psutil.Process, raters: psutil.Process, found: Soak) -> None:
    """Note both servers' private memory once a minute."""
    while True:
        await asyncio.sleep(60)
        held = [process.memory_full_info().uss / 2**20 for process in (studio, raters)]
        found.memory.append((held[0], held[1], studio.num_fds()))
        sys.stderr.write(
            f"{len(found.memory)} min: {held[0]:.0f} and {held[1]:.0f} MiB, {found.kills} kills, "
            f"{found.resumed} resumed, {dict(found.pages)}, {len(found.errors)} errors\n"
        )


def table(folder: Path, rows: int = 1_500) -> Path:
    """A file to upload: two modalities, folds and a target; noise and one true relation."""
    noise = np.random.default_rng(0)
    target = noise.normal(size=rows)
    columns = {f"{m}_{j}": noise.normal(size=rows) for m in ("audio", "text") for j in range(20)}
    columns["audio_0"] = target + noise.normal(size=rows)
    path = folder / "soak.csv"
    about = {"id": [f"s{k:05d}" for k in range(rows)], "person": np.arange(rows) // 50}
    pd.DataFrame({**about, **columns, "valence": target.round(4)}).to_csv(path, index=False)
    return path


def collect(home: Workspace, raters: int) -> tuple[Collection, list[Invitation]]:
    """A collection of words to rate, longer than anybody can rate meanwhile, and who is invited."""
    data = simulated_affect(samples=_SAMPLES, persons=12)
    design = replace(
        default_design(data, forms=("words",)), clips_per_rater=_SAMPLES, attention=0, repeats=0,
        practice=(), raters_per_cell=raters,
    )  # fmt: skip
    collection = create_collection(
        home, add_study(home, data), design, clips=data.sample_ids.tolist()
    )
    return collection, [collection.invite() for _ in range(raters)]


async def soak(home: Workspace, options: argparse.Namespace, url: str, studio: psutil.Process,
               times: Path) -> tuple[Soak, Campaign, Collection, list[Invitation]]:  # fmt: skip
    """Measure one session, then all of them."""
    found, campaign = Soak(pictures=options.keep), Campaign()
    study = add_study(home, simulated_affect(samples=_SAMPLES, persons=12))
    for model in ("late_fusion", "smurf"):
        store.create_run(home, study, replace(FAST, model=model), jobs=1)
    worker.work(home)
    trained = [
        add_study(home, synthetic_additive(samples=400, seed=k)) for k in range(options.train)
    ]
    collection, invited = collect(home, options.rate)
    raters = rater_server.start(home, port=0)
    stops, threads = threading.Event(), []
    try:
        async with async_playwright() as playwright, async_playwright() as second:
            _give_way(max(psutil.Process().children(), key=psutil.Process.create_time))
            browser, others = await _browser(playwright), await _browser(second)

            async def session(kind: str, seed: int, of: Browser = others) -> Session:
                context = await of.new_context(viewport={"width": 1280, "height": 900})
                return Session(await context.new_page(), url, kind, found, seed)

            alone = await session("alone", 0, browser)
            await explore(alone, study, found.single, options.single)
            await alone.page.context.close()
            began = time.time()
            found.scripts["one session"] = script_times(times, found.warm, began)
            end = time.monotonic() + 60 * options.minutes
            file = table(home.root.parent)
            work: list[Awaitable[None]] = []
            for k in range(options.explore):
                one = await session("explore", k, others if k else browser)
                took = found.loaded if k else found.watched
                work.append(lasting(lambda o=one, t=took: explore(o, study, t, None), one, end))
            for k in range(options.train):
                one = await session("train", 100 + k)
                work.append(lasting(lambda o=one, s=trained[k]: train(o, home, s), one, end))
            for k in range(options.upload):
                one = await session("upload", 200 + k)
                work.append(lasting(lambda o=one: upload(o, file), one, end))
            shown = min(options.rate, options.browser_raters)
            for k in range(shown):
                one = await session("rate", 300 + k)
                link = raters.link(invited[k].token)
                work.append(lasting(lambda o=one, a=link: rate(o, a), one, end))
            port = urlsplit(raters.url).port
            for k, who in enumerate(invited[shown:]):
                person = Rater(who, port, campaign, 0.0, RATES, [1, k])
                threads.append(threading.Thread(target=_rated, args=(person, stops, found)))
                threads[-1].start()
            load = Load(studio.pid, raters.pid)
            beside = [
                asyncio.create_task(load.watch()),
                asyncio.create_task(kill_workers(home, found, options.kill_every)),
                asyncio.create_task(watch_memory(studio, psutil.Process(raters.pid), found)),
            ]
            await asyncio.gather(*work)
            for task in beside:
                if task.done():
                    task.result()  # An error of the measurement itself.
                task.cancel()
            ended = time.time()
            found.load = load.sentence
            found.scripts["all sessions"] = script_times(times, began, ended)
            found.scripts["all sessions, fragments"] = script_times(times, began, ended, parts=True)
            await browser.close()
            await others.close()
    finally:
        stops.set()
        for thread in threads:
            thread.join(60)
        rater_server.stop(home)
    return found, campaign, collection, invited[shown:]


async def _browser(playwright: object) -> Browser:
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
    return await playwright.chromium.launch(  # type: ignore[attr-defined, no-any-return]
        executable_path=chromium,
        args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    )


def _give_way(driver: psutil.Process) -> None:
    """Let a driver, and the browsers that it starts, work when nothing else does.

    Browsers of other people are not on the server's machine.
    """
    if sys.platform == "linux":
        for thread in driver.threads():
            os.sched_setscheduler(thread.id, os.SCHED_IDLE, os.sched_param(0))


def _rated(person: Rater, stops: threading.Event, found: Soak) -> None:
    try:
        person.rate(stops)
    except RuntimeError as error:
        found.errors.append(f"rate: {error}")


def stopped(home: Workspace) -> list[str]:
    """End what trains; the processes of this workspace that are left although they should not."""
    for run in store.list_runs(home):
        if run.is_active:
            store.request_cancel(home, run.id)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (left := _processes(home)):
        time.sleep(0.5)
    return left


def _processes(home: Workspace) -> list[str]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if str(home.root) in line and process.pid != os.getpid():
            found.append(f"{process.pid}: {line[:200]}")
    return found


def report(found: Soak, campaign: Campaign, runs: Counter[str], left: list[str]) -> bool:
    """Print what happened; True if every bar holds."""
    print("| minute | app, MiB | its open files | raters' server, MiB |\n|---:|---:|---:|---:|")
    for minute, (studio, raters, files) in enumerate(found.memory, 1):
        print(f"| {minute} | {studio:.0f} | {files} | {raters:.0f} |")
    pages = ", ".join(f"{count:,} ({kind})" for kind, count in sorted(found.pages.items()))
    ends = ", ".join(f"{count} {status}" for status, count in sorted(runs.items()))
    lost = campaign.lost + campaign.doubled + campaign.misplaced
    print("\n| what | |\n|---|---|")
    for what, value in (
        ("pages loaded", pages),
        ("answers of raters without a browser", f"{len(campaign.sent):,}"),
        ("of these lost, doubled or misplaced", f"{lost}"),
        ("requests of these raters that were not answered", f"{campaign.broken}"),
        ("kills of the worker", f"{found.kills}"),
        ("workers seen training", f"{len(found.workers)}"),
        ("runs resumed in the browser", f"{found.resumed}"),
        ("runs", ends),
        ("tracebacks in the server's log", f"{found.tracebacks}"),
        ("processes left at the end", f"{len(left)}"),
        ("page, one session", _spread(found.single)),
        ("page, one of all sessions, in the same browser", _spread(found.watched)),
        ("page, the others, whose browser yields", _spread(found.loaded)),
        *((f"script of a page on the server, {when}; its processor time",
           f"{_spread(took[:, 0])}; {_spread(took[:, 1])}")
          for when, took in found.scripts.items()),
        ("processor time, all sessions", found.load),
    ):  # fmt: skip
        print(f"| {what} | {value} |")
    errors = len(found.errors) + lost + found.tracebacks + len(left)
    bars = (
        ("errors shown, losses, tracebacks, processes left", f"{errors}", errors == 0),
        (f"memory of the app after minute {WARM_MINUTES}: at most", f"{found.growth:.3f} ×",
         found.growth <= MOST_GROWTH),
        ("p95 of a page in the same browser, as a multiple of one session's",
         f"{found.slowdown:.1f} ×", found.slowdown <= MOST_SLOWDOWN),
    )  # fmt: skip
    print("\n| bar | found | holds |\n|---|---:|---|")
    for what, value, holds in bars:
        print(f"| {what} | {value} | {'yes' if holds else 'no'} |")
    for words, count in Counter(found.errors).most_common():
        print(f"- {count} × {words}")
    for line in left:
        print(f"- left: {line}")
    return all(holds for _, _, holds in bars)


def _spread(seconds: Sequence[float] | npt.NDArray[np.float64]) -> str:
    if len(seconds) == 0:
        return "none"
    median, high = 1000 * np.quantile(seconds, (0.5, 0.95))
    return f"median {median:,.0f} ms, p95 {high:,.0f} ms of {len(seconds):,}"


def main() -> int:
    """Print what happened; 1 if a bar does not hold."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--minutes", type=float, default=30)
    for kind, count in (("explore", 5), ("rate", 10), ("train", 3), ("upload", 2)):
        asked.add_argument(f"--{kind}", type=int, default=count, help="sessions")
    asked.add_argument("--browser-raters", type=int, default=2, help="raters in Chromium")
    asked.add_argument("--single", type=int, default=26, help="pages of one session, measured")
    asked.add_argument("--kill-every", type=float, default=KILL_EVERY, help="seconds")
    asked.add_argument("--keep", type=Path, help="folder for the log and pictures of errors")
    options = asked.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as folder:
        home, log = Workspace(Path(folder) / "home"), Path(options.keep or folder) / "log"
        times = log.with_name("times")
        log.parent.mkdir(parents=True, exist_ok=True)
        times.unlink(missing_ok=True)
        home.mark_seen("checklist")
        try:
            timed = ("benchmarks.timed_server", str(times))
            with server(home.root, log, timed) as (url, studio):
                found, campaign, collection, invited = asyncio.run(
                    soak(home, options, url, studio, times)
                )
        finally:
            left = stopped(home)
        found.tracebacks = log.read_text(errors="replace").count("Traceback (most recent")
        compare(campaign, collection, invited)
        runs = Counter(run.status for run in store.list_runs(home))
        print(f"{machine()}; {options.minutes:g} minutes: {options.explore} explore, "
              f"{options.rate} rate ({min(options.rate, options.browser_raters)} in Chromium), "
              f"{options.train} train, {options.upload} upload\n")  # fmt: skip
        is_held = report(found, campaign, runs, left)
        if found.tracebacks:
            sys.stderr.write(log.read_text(errors="replace")[-20_000:])
    return 0 if is_held else 1


if __name__ == "__main__":
    raise SystemExit(main())
