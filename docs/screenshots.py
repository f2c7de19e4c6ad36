"""Takes the pictures of the documentation: `python docs/screenshots.py`, about a minute.

Starts the app on an empty workspace, trains the quick preset on the synthetic study, and opens
pages in Chromium. Everything in the pictures is synthetic data.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PORT = 8599
URL = f"http://127.0.0.1:{PORT}"


def wait_for_server() -> None:
    """Return when the app answers."""
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{URL}/_stcore/health", timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("The app does not answer.")


def take(folder: Path) -> None:
    """Train once and save one picture a page."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{URL}/train")
        page.get_by_role("button", name="Start training").click()
        page.get_by_role("button", name="Cancel").wait_for()
        page.get_by_test_id("stVegaLiteChart").wait_for(timeout=60_000)
        page.wait_for_timeout(4_000)
        page.screenshot(path=folder / "train.png")
        page.get_by_role("button", name="Look inside").wait_for(timeout=300_000)
        for name in ("overview", "samples"):
            page.goto(f"{URL}/{name}")
            page.locator(".js-plotly-plot").wait_for()
            page.wait_for_timeout(2_000)
            if name == "samples":
                page.set_viewport_size({"width": 1280, "height": 1240})
                page.wait_for_timeout(1_000)
            page.screenshot(path=folder / f"{name}.png")
        browser.close()


def main() -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as home:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app/main.py", f"--server.port={PORT}",
             "--server.headless=true"],
            cwd=ROOT, env={**os.environ, "SMURF_HOME": home},
        )  # fmt: skip
        try:
            wait_for_server()
            take(ROOT / "docs" / "images")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
