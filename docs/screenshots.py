"""Takes pictures of pages, of simulated and synthetic data only.

`python docs/screenshots.py` opens the demo as a first start does and renews the pictures of the
documentation, about a minute. `python docs/screenshots.py --all FOLDER` takes every page of
a simulated affect study, 1280 and 1920 pixels wide, light and dark, to be looked at; with `--home`
of the study that was worked on last in that workspace.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # Only smurf_core is installed.

from app.state.navigation import HEADINGS  # noqa: E402
from smurf_core.configuration import RunConfig  # noqa: E402
from smurf_core.model_kinds import ModelKind  # noqa: E402
from smurf_core.processes import worker  # noqa: E402
from smurf_core.runs import store  # noqa: E402
from smurf_core.runs.simulated import add_simulated_study  # noqa: E402
from smurf_core.runs.workspace import Workspace  # noqa: E402

PORT = 8599
URL = f"http://127.0.0.1:{PORT}"


@contextmanager
def app(home: Path) -> Iterator[None]:
    """The app on a workspace, as long as it is needed."""
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app/main.py", f"--server.port={PORT}",
         "--server.headless=true"],
        cwd=ROOT, env={**os.environ, "SMURF_HOME": str(home)}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{URL}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield
    finally:
        server.kill()
        server.wait()


def settle(page: Page) -> None:
    """Wait until a page was run and drawn."""
    page.locator("h1").first.wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(1_500)


def documentation(browser: Browser, folder: Path) -> None:
    """The demo as a first start opens it: what was found, and a sample's card."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(300_000)  # Its first model is trained meanwhile.
    page.goto(URL)
    page.get_by_role("button", name="Explore the demo").click()
    page.locator("h1", has_text=HEADINGS["Findings"]).wait_for()
    page.locator(".js-plotly-plot").first.wait_for()
    page.get_by_role("button", name="Dismiss").click()
    settle(page)
    page.screenshot(path=folder / "findings.png")
    page.goto(f"{URL}/samples?list=unexpected")
    page.locator(".sample-card").wait_for()
    settle(page)
    page.screenshot(path=folder / "samples.png")


def every_page(browser: Browser, folder: Path) -> None:
    """Every page at two widths, light and dark, as tall as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        for width in (1280, 1920):
            page = browser.new_page(viewport={"width": width, "height": 1000}, color_scheme=scheme)
            page.set_default_timeout(90_000)
            page.goto(URL)
            settle(page)
            for link in page.get_by_test_id("stSidebarNavLink").all():
                title = link.inner_text().split("\n")[-1].strip()
                link.click()
                page.locator("h1", has_text=HEADINGS[title]).wait_for()
                settle(page)
                if title == "Report":
                    page.get_by_role("button", name="Build the report").click()
                    page.get_by_role("button", name="Report (HTML)").wait_for(timeout=300_000)
                    settle(page)
                height = page.evaluate(
                    "document.querySelector('[data-testid=stMain]').scrollHeight"
                )
                page.set_viewport_size({"width": width, "height": min(6_000, height + 40)})
                page.wait_for_timeout(1_500)
                name = title.lower().replace(" ", "_")
                page.screenshot(path=folder / f"{name}_{width}_{scheme}.png")
                page.set_viewport_size({"width": width, "height": 1000})
            page.close()


def prepare(home: Path) -> None:
    """The simulated study with two runs."""
    workspace = Workspace(home)
    workspace.mark_seen("checklist")
    study = add_simulated_study(workspace)
    kinds: tuple[ModelKind, ...] = ("late_fusion", "exclusive")
    for model in kinds:
        config = RunConfig.from_preset("quick", model, clip=5.0)
        store.create_run(workspace, study, config)
    worker.work(workspace)


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every page, into this folder")
    parser.add_argument("--home", type=Path, help="a workspace with trained runs")
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        sync_playwright() as playwright,
    ):
        home = asked.home or Path(folder)
        if asked.all and not asked.home:
            prepare(home)
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        with app(home):
            if asked.all:
                every_page(browser, asked.all)
            else:
                documentation(browser, ROOT / "docs" / "images")
        browser.close()


if __name__ == "__main__":
    main()
