"""Takes pictures of pages, of simulated and synthetic data only.

`python docs/screenshots.py` opens the demo as a first start does and renews the pictures of the
documentation, about a minute. `python docs/screenshots.py --all FOLDER` takes the first screen of
every page in every state (the demo, eleven samples, shuffled labels, no run, a failed run, while
training; with `--data FOLDER` also VREED from its files), at 1280 × 800 and 1920 × 1080, light and
dark, and puts them on one contact sheet each: about half an hour.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # Only smurf_core is installed.

from app.state.navigation import HEADINGS  # noqa: E402
from smurf_core.configuration import RunConfig  # noqa: E402
from smurf_core.data.dataset import MultimodalDataset  # noqa: E402
from smurf_core.data.generated.synthetic import synthetic_additive  # noqa: E402
from smurf_core.data.importing.assembly import assemble  # noqa: E402
from smurf_core.data.readers.registry import find_sources  # noqa: E402
from smurf_core.model_kinds import ModelKind  # noqa: E402
from smurf_core.processes import worker  # noqa: E402
from smurf_core.processes.launcher import launch  # noqa: E402
from smurf_core.runs.simulated import add_simulated_study  # noqa: E402
from smurf_core.runs.store import create_run, get_run, request_cancel  # noqa: E402
from smurf_core.runs.studies import add_study, load_study  # noqa: E402
from smurf_core.runs.workspace import Workspace  # noqa: E402

PORT = 8599
URL = f"http://127.0.0.1:{PORT}"
SIZES: tuple[ViewportSize, ...] = ({"width": 1280, "height": 800}, {"width": 1920, "height": 1080})
_WIDTH, _NAME = 480, 26  # Pixels of a picture on a contact sheet, and of the line above it.


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
    page.get_by_role("button", name=re.compile(r"^\d of \d")).click()
    page.get_by_role("button", name="Dismiss").click()
    settle(page)
    page.screenshot(path=folder / "findings.png")
    page.goto(f"{URL}/samples?list=unexpected")
    page.locator(".sample-card").wait_for()
    settle(page)
    page.screenshot(path=folder / "samples.png")


def every_page(browser: Browser, folder: Path, studies: dict[str, str]) -> None:
    """The first screen of every page of every study, and a contact sheet for each size and scheme.

    `studies` are ids by the name of what a study shows.
    """
    for scheme in ("light", "dark"):
        for size in SIZES:
            pictures: dict[str, list[Path]] = {}
            name = f"{size['width']}_{scheme}"
            (folder / name).mkdir(parents=True, exist_ok=True)
            for state, study in studies.items():
                page = browser.new_page(viewport=size, color_scheme=scheme)
                page.set_default_timeout(90_000)
                page.goto(f"{URL}/?study={study}")
                settle(page)
                for link in page.get_by_test_id("stSidebarNavLink").all():
                    title = link.inner_text().split("\n")[-1].strip()
                    link.click()
                    page.locator("h1", has_text=HEADINGS[title]).wait_for()
                    settle(page)
                    path = folder / name / f"{title} {state}.png".lower().replace(" ", "_")
                    page.screenshot(path=path)
                    pictures.setdefault(title, []).append(path)
                page.close()
            contact_sheet(pictures, list(studies)).save(folder / f"{name}.png")


def contact_sheet(pictures: dict[str, list[Path]], states: Sequence[str]) -> Image.Image:
    """One row per page, one column per state, each with its name above it."""
    with Image.open(next(iter(pictures.values()))[0]) as first:
        height = round(_WIDTH * first.height / first.width)
    rows = height + _NAME
    sheet = Image.new("RGB", (_WIDTH * len(states), rows * len(pictures)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, (title, paths) in enumerate(pictures.items()):
        for column, (state, path) in enumerate(zip(states, paths, strict=True)):
            corner = (column * _WIDTH, row * rows)
            draw.text((corner[0] + 4, corner[1] + 4), f"{title}: {state}", "black", font_size=18)
            with Image.open(path) as picture:
                sheet.paste(picture.resize((_WIDTH, height)), (corner[0], corner[1] + _NAME))
    return sheet


def prepare(workspace: Workspace, data: Path | None) -> dict[str, str]:
    """A study for every state that a page can be in: ids by state.

    VREED is shown if `data` names the folder of its files; otherwise its labels, shuffled within
    persons, are those of the demo.
    """
    workspace.mark_seen("checklist")
    demo = add_simulated_study(workspace)
    simulated = load_study(workspace, demo)
    real = assemble(find_sources([data])).dataset if data else simulated
    studies = {"demo": demo}
    if data:
        studies["VREED"] = add_study(workspace, replace(real, name="VREED"))
    studies |= {
        "11 clips": add_study(
            workspace, replace(synthetic_additive(samples=11), name="Eleven clips (synthetic)")
        ),
        "shuffled labels": add_study(workspace, _shuffled(real)),
        "no run": add_simulated_study(workspace, samples=120, persons=8, seed=1),
        "failed": add_study(workspace, _constant(synthetic_additive(samples=80))),
    }
    kinds: tuple[ModelKind, ...] = ("late_fusion", "exclusive")
    for state, study in studies.items():
        for model in () if state == "no run" else kinds:
            create_run(workspace, study, RunConfig.from_preset("quick", model, clip=5.0))
    worker.work(workspace)
    studies["training"] = add_simulated_study(workspace, samples=120, persons=8, seed=2)
    return studies


def _shuffled(data: MultimodalDataset) -> MultimodalDataset:
    """The same study with its targets shuffled within persons."""
    target, chance = data.target.copy(), np.random.default_rng(0)
    persons = np.zeros(len(target)) if data.persons is None else data.persons
    for person in pd.unique(persons):
        rows = np.flatnonzero(persons == person)
        target[rows] = target[chance.permutation(rows)]
    return replace(data, name="Shuffled labels", target=target, factors={})


def _constant(data: MultimodalDataset) -> MultimodalDataset:
    """Data on which training fails: there is nothing to predict."""
    return replace(data, name="Constant target", target=np.ones_like(data.target), factors={})


@contextmanager
def training(workspace: Workspace, study: str) -> Iterator[None]:
    """A run that trains on and on, and is cancelled at the end."""
    config = replace(RunConfig.from_preset("quick", "smurf"), max_epochs=10_000_000, patience=None)
    run = create_run(workspace, study, config, jobs=1)
    launch(workspace)
    try:
        while get_run(workspace, run).progress <= 0:
            time.sleep(0.2)
        yield
    finally:
        request_cancel(workspace, run)


def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every page, into this folder")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="VREED's files, for --all")
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        sync_playwright() as playwright,
    ):
        home = Path(folder)
        os.environ["SMURF_HOME"] = folder
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        if asked.all:
            workspace = Workspace(home)
            studies = prepare(workspace, asked.data)
            with training(workspace, studies["training"]), app(home):
                every_page(browser, asked.all, studies)
        else:
            with app(home):
                documentation(browser, ROOT / "docs" / "images")
        browser.close()


if __name__ == "__main__":
    main()
