"""What the sessions of `benchmarks.soak` do in a browser, and what is noted of it."""

from __future__ import annotations

import asyncio
import random
import re
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from playwright.async_api import ConsoleMessage, Page
from playwright.async_api import Error as BrowserError

from app.state.navigation import HEADINGS
from smurf_core.runs import store
from smurf_core.runs.workspace import Workspace

WARM_MINUTES = 5  # until the server's memory must be flat
RATES = 5.0  # mean seconds in which a clip is rated
_READS = 20.0  # mean seconds in which a page is read
PATIENCE = 90_000  # milliseconds until a page counts as one that does not come
_WALK = tuple(name for name in HEADINGS if name not in ("Study", "Train"))
_SHOWN = ", ".join(
    f'[data-testid="{name}"]' for name in ("stException", "stAlertContentError", "stDialog")
)
# A deep link makes Streamlit look for its server below the page's path first.
_SEARCH = re.compile(r"/_stcore/(health|host-config)$")


@dataclass
class Soak:
    """What happened."""

    pages: Counter[str] = field(default_factory=Counter)  # kind of session → pages loaded
    errors: list[str] = field(default_factory=list)  # that a session was shown
    single: list[float] = field(default_factory=list)  # seconds until a page was there, alone
    watched: list[float] = field(default_factory=list)  # the same under load, in that browser
    loaded: list[float] = field(default_factory=list)  # and in the browser of all others
    warm: float = 0.0  # when the session alone had seen all pages once
    scripts: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)  # see `script_times`
    load: str = ""  # who took the processors' time
    memory: list[tuple[float, float, int]] = field(default_factory=list)  # by minute: MiB, files
    kills: int = 0
    workers: set[int] = field(default_factory=set)  # processes that were seen training
    resumed: int = 0
    tracebacks: int = 0  # in the server's log
    pictures: Path | None = None  # where pictures of pages with an error go

    @property
    def growth(self) -> float:
        """Highest memory after the first minutes, as a multiple of that at their end."""
        studio = [studio for studio, _, _ in self.memory]
        after = studio[WARM_MINUTES:]
        return max(after) / after[0] if after else float("nan")

    @property
    def slowdown(self) -> float:
        """95th percentile of a page under load, as a multiple of that of one session."""
        if not self.watched:
            return float("nan")
        return float(np.quantile(self.watched, 0.95) / np.quantile(self.single, 0.95))


class Session:
    """One visitor of the app, who says what was shown as an error."""

    def __init__(self, page: Page, url: str, kind: str, found: Soak, seed: int) -> None:
        self.page, self.url, self.kind, self.found = page, url, kind, found
        self.random = random.Random(seed)  # noqa: S311 — of pauses, not of secrets
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.note(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _SEARCH.search(message.location.get("url", "")):
            self.note(message.text)

    def note(self, what: str) -> None:
        """Note an error."""
        words = f"{self.kind}, {urlsplit(self.page.url).path}: {' '.join(what.split())[:300]}"
        self.found.errors.append(words)
        sys.stderr.write(f"{words}\n")

    async def picture(self) -> None:
        """Keep what the page shows, if pictures are asked for."""
        if self.found.pictures is not None:
            name = f"{len(self.found.errors):03}_{self.kind}.png"
            with suppress(BrowserError):  # The page itself may be what does not answer.
                await self.page.screenshot(path=self.found.pictures / name)

    async def pause(self) -> None:
        """Look at the page."""
        seconds = RATES if self.kind == "rate" else _READS
        await asyncio.sleep(self.random.uniform(0.5, 1.5) * seconds)

    async def open(self, path: str, title: str) -> None:
        """Open an address."""
        await self.page.goto(f"{self.url}/{path}")
        await self.arrived(title)

    async def follow(self, title: str) -> float:
        """Click a page in the navigation; seconds until it is there as a whole."""
        link = self.page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile(f"{title}$"))
        began = time.perf_counter()
        await link.click()
        return await self.arrived(title) - began

    async def arrived(self, title: str) -> float:
        """When a page was run to its end; what it shows as an error is noted."""
        await self.page.locator("h1", has_text=HEADINGS[title]).wait_for()
        await self.settled()
        came = time.perf_counter()
        self.found.pages[self.kind] += 1
        await self.check()
        return came

    async def settled(self) -> None:
        """Return when nothing runs."""
        ready = '[data-testid="stApp"][data-test-script-state="notRunning"]'
        await self.page.locator(ready).wait_for()

    async def check(self) -> None:
        """Note what is shown as an error."""
        for text in await self.page.locator(_SHOWN).all_inner_texts():
            self.note(text)


async def explore(session: Session, study: str, took: list[float], pages: int | None) -> None:
    """Walk through all pages, again and again, or for a number of them."""
    await session.open(f"?study={study}", "Study")
    await asyncio.sleep(0 if pages else session.random.uniform(0, _READS))
    place = session.random.randrange(len(_WALK)) if pages is None else 0
    for number in range(10**9 if pages is None else pages + len(_WALK)):
        if pages is not None and number == len(_WALK):
            session.found.warm = time.time()
        seconds = await session.follow(_WALK[(place + number) % len(_WALK)])
        if pages is None or number >= len(_WALK):  # The first walk alone fills caches.
            took.append(seconds)
        await (session.pause() if pages is None else asyncio.sleep(0.5))


async def train(session: Session, home: Workspace, study: str) -> None:
    """Train, resume what was killed, and look at the result."""
    page = session.page
    await session.open(f"train?study={study}", "Train")
    while True:
        known = {run.id for run in store.list_runs(home, study)}
        await page.get_by_role("button", name="Start training").click()
        while not (new := {run.id for run in store.list_runs(home, study)} - known):
            await asyncio.sleep(0.5)
        run = new.pop()
        opened, resume = (page.locator(f".st-key-{act}_{run} button") for act in ("open", "resume"))
        while True:
            await opened.or_(resume).first.wait_for(timeout=3_600_000)
            await session.settled()
            await session.check()
            if await opened.count():
                break
            session.found.resumed += 1
            await resume.click()
            await resume.wait_for(state="detached")
        await session.pause()
        await opened.click()
        await session.arrived("Overview")
        await session.pause()
        await session.follow("Train")


async def upload(session: Session, file: Path) -> None:
    """Import a table, look at it, and delete the study."""
    page = session.page
    await session.open("", "Study")
    while True:
        await page.get_by_role("tab", name="Upload").click()
        # Other tabs have a place for files as well; this sentence is in the open one.
        await page.get_by_text("One table with all modalities").wait_for()
        await session.settled()
        panel = page.get_by_role("tabpanel", name="Upload")
        await panel.locator("input[type=file]").first.set_input_files(file)
        await page.get_by_role("button", name=f"Remove {file.name}").wait_for()
        await session.pause()
        await page.get_by_role("button", name="Import").click()
        await session.arrived("Data")
        await session.pause()
        await session.follow("Study")
        await page.get_by_role("button", name="Change").first.click()
        await page.get_by_role("button", name="Delete", exact=True).first.click()
        await page.get_by_text("was deleted").wait_for()
        await session.settled()
        await session.check()
        await session.pause()
        await page.reload()
        await session.arrived("Study")


async def rate(session: Session, link: str) -> None:
    """Answer one clip after another on the rater's page."""
    page = session.page
    await page.goto(link)
    await page.locator("#agree").click()
    for number in range(1, 10**9):
        await page.locator("#place", has_text=f"Clip {number} of").wait_for()
        session.found.pages[session.kind] += 1
        await session.pause()
        for slider in await page.locator("input[type=range]").all():
            await slider.press("ArrowRight")
        for steps in await page.locator(".steps").all():
            await steps.locator("label").last.click()
        await page.locator("#next").click()
