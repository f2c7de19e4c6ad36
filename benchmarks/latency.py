"""How long a user waits: from a click until the changed number is on the screen, in Chromium.

`python -m benchmarks.latency` simulates a study of 25,000 samples and three modalities, trains it
for a moment, starts the app, and measures

- first paint: from `streamlit run` until the first page's title is on the screen,
- a modality switch on *Missing modalities*, and a point clicked on *Human judgments*, from the
  pointer going down until a number on the page has changed and was painted,
- *Next* on *Samples*, until the card has changed,
- the first two while a training run uses both cores,

and, so that machines can be compared, a matrix product of 2048³, and the first paint and a switch
of a page of Streamlit that holds nothing else.

`python -m benchmarks.latency --memory --samples 250000` opens every page in place of that and
prints the most memory that the server, and that all of Chromium's processes, have held (PSS: what
processes share is counted once).

`python -m benchmarks.latency --train DATA` (a file or folder, or nothing for the synthetic study)
takes the time from the click on *Start training*, as the page offers it (quick preset), until the
first contributions are on the screen.

`--home FOLDER` keeps the workspace for the next time. What is made here is simulated data.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from app.state.navigation import HEADINGS
from benchmarks.machine import machine, peak_gflops
from smurf_core.configuration import Grid, RunConfig
from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.data.importing.assembly import assemble, guess_mapping
from smurf_core.data.readers.registry import find_sources
from smurf_core.processes import worker
from smurf_core.processes.launcher import launch
from smurf_core.runs import own_studies, store, studies
from smurf_core.runs.workspace import HOME_VARIABLE, Workspace

ROOT = Path(__file__).resolve().parents[1]
FAST = replace(
    RunConfig.from_preset("quick"), preset="custom", max_epochs=3, restarts=1,
    grid=Grid((5e-3,), ((10,),), (0.0,), (0.5,)),
)  # fmt: skip
TITLES = tuple(name for name in HEADINGS if name != "Study")  # which is opened first

_EMPTY = """import streamlit as st
st.title("Nothing")
st.markdown(str(int(st.toggle("Switch"))))
"""
# Waits for the pointer to go down, then for a number on the page to change and be painted.
WATCH = """selector => {
  const numbers = () => Array.from(document.querySelectorAll(selector),
    e => e.textContent.replace(/[^0-9.−-]+/g, ' ')).join('|');
  const before = numbers();
  let start = null;
  window.waited = new Promise(resolve => {
    addEventListener('pointerdown', () => { start = performance.now(); },
                     {capture: true, once: true});
    const observer = new MutationObserver(() => {
      if (start !== null && numbers() !== before) {
        observer.disconnect();
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
      }
    });
    observer.observe(document.querySelector('[data-testid=stMain]'),
                     {subtree: true, childList: true, characterData: true});
  });
}"""
NUMBERS = ", ".join(
    f"[data-testid=stMain] {part}"
    for part in ("[data-testid=stMarkdownContainer]", "h3", "[data-testid=stMetricValue]")
)
# Points of the first figure that stand apart from others, as pixels in the window.
POINTS = """() => {
  const plot = document.querySelector('.js-plotly-plot'), box = plot.getBoundingClientRect();
  const {xaxis, yaxis} = plot._fullLayout;
  const drawn = plot._fullData.filter(t => t.type === 'scattergl' && t.mode === 'markers');
  const all = drawn.flatMap(t =>
    Array.from(t.x, (x, i) => [box.x + xaxis._offset + xaxis.d2p(x),
                               box.y + yaxis._offset + yaxis.d2p(t.y[i])]));
  const some = all.filter((_, i) => i % Math.ceil(all.length / 1500) === 0);
  const room = p => all.reduce((least, q) => q === p ? least :
    Math.min(least, Math.hypot(p[0] - q[0], p[1] - q[1])), 1e9);
  return some.map(p => [room(p), ...p]).filter(p => p[0] > 3).sort((a, b) => b[0] - a[0])
    .slice(0, 12).map(p => p.slice(1));
}"""


def prepare(home: Path, samples: int) -> str:
    """A trained study of that size in a workspace; its id."""
    workspace = Workspace(home)
    workspace.mark_seen("checklist")
    known = [study.id for study in studies.list_studies(workspace) if study.samples == samples]
    if known and any(run.status == "finished" for run in store.list_runs(workspace, known[0])):
        return known[0]
    dataset = simulated_affect(samples=samples, persons=samples // 50)
    study = studies.add_study(workspace, dataset)
    store.create_run(workspace, study, FAST, jobs=2)
    worker.work(workspace)
    (run,) = store.list_runs(workspace, study)
    if run.status != "finished":
        raise RuntimeError(f"The benchmark's run is {run.status}: {run.error}")
    return study


@contextmanager
def server(
    home: Path,
    log: Path = Path(os.devnull),
    module: Sequence[str] = ("streamlit",),
    script: str = "app/served.py",
) -> Iterator[tuple[str, psutil.Process]]:
    """The app as `smurf studio` serves it, or another script: its address and process.

    What it prints goes to the log. `module` runs in place of Streamlit, with its arguments.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *module, "run", script, f"--server.port={port}",
             "--server.headless=true"],
            cwd=ROOT, env={**os.environ, HOME_VARIABLE: str(home)}, stdout=output, stderr=output,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        while process.poll() is None:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.02)
        yield url, psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def settled(page: Page, title: str) -> None:
    """Return when a page was run to its end."""
    page.locator("h1", has_text=HEADINGS[title]).wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def first_paint(home: Path, browser: Browser, script: str = "app/served.py") -> float:
    """Seconds from `streamlit run` until the first page's title is there."""
    page = browser.new_page()
    start = time.perf_counter()
    with server(home, script=script) as (url, _):
        page.goto(url)
        page.locator("h1").first.wait_for()
        found = time.perf_counter() - start
    page.close()
    return found


def waited(page: Page, act: Callable[[], None], selector: str = NUMBERS) -> float:
    """Milliseconds from the pointer going down until a number has changed."""
    page.evaluate(WATCH, selector)
    act()
    return float(page.evaluate("window.waited"))


def switches(page: Page, url: str, study: str, count: int) -> list[float]:
    """Switch modalities off and on."""
    page.goto(f"{url}/missing?study={study}")
    settled(page, "Missing modalities")
    toggles = page.get_by_test_id("stMain").get_by_test_id("stCheckbox").locator("label")
    found = []
    for k in range(count):
        toggle = toggles.nth(k // 2 % 3)
        found.append(waited(page, toggle.click))
        page.wait_for_timeout(300)
    return found[2:]  # The first of each fill caches.


def points(page: Page, url: str, study: str, count: int) -> list[float]:
    """Click points of a scatter plot."""
    page.goto(f"{url}/judgments?study={study}")
    settled(page, "Human judgments")
    page.wait_for_timeout(3_000)
    found: list[float] = []
    while len(found) < count:
        there = page.evaluate(POINTS)
        x, y = there[len(found) % len(there)]
        page.mouse.move(x - 3, y - 3)
        page.mouse.move(x, y)
        page.wait_for_timeout(300)
        found.append(waited(page, lambda x=x, y=y: page.mouse.click(x, y)))
        page.get_by_role("button", name="Clear").click()
        page.get_by_role("button", name="Clear").wait_for(state="detached")
        page.wait_for_timeout(1_000)
    return found[2:]


def next_samples(page: Page, url: str, study: str, count: int) -> list[float]:
    """Walk from sample to sample."""
    page.goto(f"{url}/samples?study={study}")
    settled(page, "Samples")
    found = []
    for _ in range(count):
        button = page.get_by_role("button", name="Next")
        found.append(waited(page, button.click, ".sample-card"))
        page.wait_for_timeout(300)
    return found[2:]


def report(what: str, milliseconds: list[float]) -> None:
    """Print median and 95th percentile."""
    middle, high = statistics.median(milliseconds), np.percentile(milliseconds, 95)
    print(f"{what:<36} {len(milliseconds):>3} ×  median {middle:>5.0f} ms   p95 {high:>5.0f} ms",
          flush=True)  # fmt: skip


def measure_machine(home: Path, browser: Browser, count: int) -> None:
    """Print what this machine needs for a page of Streamlit that holds nothing else."""
    print(f"{machine()}\nmatrix product, 2048³, 1 core: {peak_gflops(1):.0f} GFLOP/s")
    script = str(home / "nothing.py")
    Path(script).write_text(_EMPTY)
    report_paint("first paint, an empty page", home, browser, script)
    with server(home, script=script) as (url, _):
        page = browser.new_page()
        page.goto(url)
        page.locator("h1").wait_for()
        toggle = page.get_by_test_id("stCheckbox").locator("label")
        found = []
        for _ in range(count):
            found.append(waited(page, toggle.click))
            page.wait_for_timeout(300)
        report("switch, an empty page", found[2:])
        page.close()


def report_paint(what: str, home: Path, browser: Browser, script: str = "app/served.py") -> None:
    """Print the first paint's median of three, after one that warms the disk."""
    found = [first_paint(home, browser, script) for _ in range(4)][1:]
    print(f"{what:<36} {len(found):>3} ×  median {1000 * statistics.median(found):>5.0f} ms",
          flush=True)  # fmt: skip


def measure_latency(home: Path, study: str, browser: Browser, count: int) -> None:
    """Print all times."""
    report_paint("first paint after streamlit run", home, browser)
    workspace = Workspace(home)
    with server(home) as (url, _):
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        report("modality switch", switches(page, url, study, count))
        report("point in a scatter plot", points(page, url, study, count))
        report("next sample", next_samples(page, url, study, count))
        endless = replace(FAST, max_epochs=10_000_000, patience=None)
        run = store.create_run(workspace, study, endless, jobs=2)
        os.environ[HOME_VARIABLE] = str(home)
        launch(workspace)
        while store.get_run(workspace, run).progress == 0:
            time.sleep(0.2)
        try:
            report("modality switch, while training", switches(page, url, study, count))
            report("point, while training", points(page, url, study, count))
        finally:
            store.request_cancel(workspace, run)
            while store.get_run(workspace, run).is_active:
                time.sleep(0.2)
            store.delete_run(workspace, run)


def measure_training(home: Path, data: Path | None, browser: Browser) -> None:
    """Print how long a user waits for contributions after training with the page's defaults."""
    workspace = Workspace(home)
    workspace.mark_seen("checklist")
    study = own_studies.ensure_synthetic_study(workspace)
    if data is not None:
        sources = find_sources([data])
        study = studies.add_study(workspace, assemble(sources, guess_mapping(sources)).dataset)
    with server(home) as (url, _):
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(300_000)
        page.goto(f"{url}/train?study={study}")
        settled(page, "Train")
        start = time.perf_counter()
        page.get_by_role("button", name="Start training").click()
        page.get_by_role("button", name="Open run", exact=True).click()
        page.locator("h1", has_text=HEADINGS["Overview"]).wait_for()
        page.locator(".js-plotly-plot").first.wait_for()
        found = time.perf_counter() - start
    print(f"{data or 'synthetic study'}: {found:.1f} s from the click to the first contributions")


def held(processes: list[psutil.Process]) -> float:
    """MiB that processes hold; what they share is counted once if the system reports it (Linux)."""
    total = 0
    for process in processes:
        try:
            info = process.memory_full_info()
            total += getattr(info, "pss", info.rss)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / 2**20


def measure_memory(home: Path, study: str, browser: Browser) -> None:
    """Print what server and browser hold at most while all pages are opened."""
    ours = psutil.Process()
    most = {"server": 0.0, "Chromium": 0.0}
    with server(home) as (url, process):
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(180_000)
        page.goto(f"{url}/?study={study}")
        settled(page, "Study")
        for title in TITLES:
            start = time.perf_counter()
            link = page.get_by_test_id("stSidebarNavLink")
            link.filter(has_text=re.compile(f"{title}$")).click()
            settled(page, title)
            took = time.perf_counter() - start
            page.mouse.move(700, 500)
            for _ in range(5):
                page.mouse.wheel(0, 600)
                page.wait_for_timeout(300)
            chromium = [p for p in ours.children(recursive=True) if "chrom" in p.name().lower()]
            now = {"server": held([process]), "Chromium": held(chromium)}
            most = {name: max(most[name], now[name]) for name in most}
            print(f"{title:<20} {took:>5.1f} s   "
                  + "   ".join(f"{name} {mib:>6.0f} MiB" for name, mib in now.items()),
                  flush=True)  # fmt: skip
    print("at most: " + ", ".join(f"{name} {mib:.0f} MiB" for name, mib in most.items()))


def main() -> None:
    """Prepare, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=25_000)
    parser.add_argument("--count", type=int, default=40, help="clicks of each kind")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--train", type=Path, nargs="?", const=Path(), metavar="DATA")
    parser.add_argument("--home", type=Path, help="workspace to keep")
    asked = parser.parse_args()
    # A termination signal also ends server and training run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    chromium = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = asked.home or Path(folder)
        study = "" if asked.train else prepare(home, asked.samples)
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        if asked.train:
            data = None if asked.train == Path() else asked.train
            measure_training(home, data, browser)
            browser.close()
            return
        print(f"{asked.samples:,} simulated samples, three modalities, {os.cpu_count()} cores, "
              f"Chromium {browser.version}", flush=True)  # fmt: skip
        if asked.memory:
            measure_memory(home, study, browser)
        else:
            measure_machine(home, browser, asked.count)
            measure_latency(home, study, browser, asked.count)
        browser.close()


if __name__ == "__main__":
    main()
