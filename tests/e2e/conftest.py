"""A real server on a workspace of its own, and a real Chromium."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from smurf_core.runs.own_studies import ensure_synthetic_study
from smurf_core.runs.workspace import HOME_VARIABLE, Workspace
from tests.e2e.prepared import prepare

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
# Machines that test are busy: five seconds, the default, are sometimes too short.
expect.set_options(timeout=30_000)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)


_LONELY = """(plot, after) => {
  const box = plot.getBoundingClientRect(), {xaxis, yaxis} = plot._fullLayout;
  const traces = plot._fullData.filter(
    t => t.type === 'scattergl' && t.mode === 'markers' && t.customdata);
  const all = traces.flatMap((t, k) => Array.from(t.x, (x, i) => ({
    k, sample: String(t.customdata[i]), name: t.name,
    px: box.x + xaxis._offset + xaxis.d2p(x),
    py: box.y + yaxis._offset + yaxis.d2p(t.y[i]) })));
  const room = p => Math.min(...all.filter(q => q !== p).map(
    q => Math.hypot(p.px - q.px, p.py - q.py)));
  const offered = all.filter(p => p.k >= after).map(p => ({...p, room: room(p)}));
  return {traces: traces.length, ...offered.sort((a, b) => b.room - a.room)[0]};
}"""


class Server:
    """The app as `smurf studio` serves it, which can be stopped and started again."""

    def __init__(
        self, home: Path, *options: str, environment: Mapping[str, str] | None = None,
        folder: Path = ROOT, log: Path = Path(os.devnull),
    ) -> None:  # fmt: skip
        self.home, self.options, self.environment = home, options, environment or {}
        self.folder, self.log = folder, log
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app/served.py",
                 f"--server.port={self.port}", "--server.headless=true", *self.options],
                cwd=self.folder,
                env={**os.environ, HOME_VARIABLE: str(self.home), **self.environment},
                stdout=output,
                stderr=output,
            )  # fmt: skip
        base = self.environment.get("STREAMLIT_SERVER_BASE_URL_PATH", "")
        health = "/".join(filter(None, (self.url, base, "_stcore/health")))
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "The server ended."
            try:
                urllib.request.urlopen(health, timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("The server does not answer.")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(30)


def click_point(page: Page, plot: Locator, x: float, y: float) -> None:
    """Click a figure once Plotly has seen what is under the mouse, which may take a while."""
    for _ in range(40):
        page.mouse.move(x - 2, y - 2)
        page.mouse.move(x, y)
        page.wait_for_timeout(250)
        if plot.evaluate("plot => (plot._hoverdata || []).length > 0"):
            break
    page.mouse.click(x, y)


def lonely_point(plot: Locator, *, after: int = 0) -> dict[str, Any]:
    """The point farthest from all others, so that the pointer meets no other.

    Its sample by what was put in (`customdata`), its trace's name, its pixel (`px`, `py`) in the
    window, and the number of traces. `after`: as many traces are passed over.
    """
    found: dict[str, Any] = plot.evaluate(_LONELY, after)
    return found


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    """A server on a workspace with the synthetic study only, so that nothing else trains."""
    server = Server(tmp_path / "home")
    ensure_synthetic_study(Workspace(server.home))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def new_server(tmp_path) -> Iterator[Server]:
    """A server that nobody has visited."""
    server = Server(tmp_path / "home")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("No Chromium here: install it to run the browser tests.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(30_000)
    yield page
    page.close()


class Prepared:
    """A server on a workspace with a study for every state, made once for all tests."""

    def __init__(self, server: Server, studies: dict[str, str]) -> None:
        self.server, self.studies, self.url = server, studies, server.url


@pytest.fixture(scope="session")
def prepared(tmp_path_factory, browser) -> Iterator[Prepared]:
    home = tmp_path_factory.mktemp("prepared") / "home"
    studies = prepare(home)
    server = Server(home)
    server.start()
    yield Prepared(server, studies)
    server.stop()
    shutil.rmtree(home)


# The styles of the entry point and the fonts come after the first texts, and move them.
_IS_LAID_OUT = """() => document.fonts.status === 'loaded' &&
  (!document.querySelector('[data-testid="stSidebarNavItems"]') ||
   [...document.querySelectorAll('style')].some(
     style => style.textContent.includes('stSidebarNavItems')))"""


class Watched:
    """A browser's page that remembers what its console complains of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        # A deep link makes Streamlit look for its server below the page's path first.
        is_search = re.search(r"/_stcore/(health|host-config)$", message.location.get("url", ""))
        if message.type == "error" and not is_search:
            self.complaints.append(message.text)

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.settle()

    def settle(self) -> None:
        """Return when the page has run to its end."""
        expect(self.page.locator("h1").first).to_be_visible()
        expect(self.page.get_by_test_id("stApp")).to_have_attribute(
            "data-test-script-state", "notRunning"
        )
        self.page.wait_for_function(_IS_LAID_OUT)

    def check(self, where: str) -> None:
        raised = self.page.get_by_test_id("stException").all_inner_texts()
        assert not raised, f"{where}: {raised}"
        assert self.page.get_by_test_id("stAlertContentError").count() == 0, where
        shown = self.page.get_by_test_id("stMain").inner_text()
        assert not re.search(r"\b(None|nan|NaN|undefined|Traceback)\b", shown), where
        complaints, self.complaints[:] = self.complaints.copy(), []
        assert complaints == [], where


@pytest.fixture(scope="module")
def watched(browser: Browser) -> Iterator[Watched]:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(30_000)
    yield Watched(page)
    page.close()
