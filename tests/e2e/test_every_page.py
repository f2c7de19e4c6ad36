"""Every page in every state, in a real browser: no error in it, none in its console."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from smurf_core.runs import store
from smurf_core.runs.workspace import Workspace
from tests.e2e.conftest import Server
from tests.e2e.prepared import prepare, start_endless_run, stop
from tests.pages.test_pages import PAGES

pytestmark = pytest.mark.e2e
# States whose preparation needs data that is not part of the project are left out where it is not.
STATES = (
    "simulated", "vreed", "classes", "two modalities", "five modalities", "interactions",
    "no run", "failed", "training",
)  # fmt: skip


class Prepared:
    """A server on a workspace with a study for every state, made once for all tests."""

    def __init__(self, server: Server, studies: dict[str, str]) -> None:
        self.server, self.studies, self.url = server, studies, server.url


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, browser) -> Iterator[Prepared]:
    home = tmp_path_factory.mktemp("prepared") / "home"
    studies = prepare(home)
    server = Server(home)
    server.start()
    yield Prepared(server, studies)
    server.stop()
    shutil.rmtree(home)


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

    def check(self, where: str) -> None:
        assert self.page.get_by_test_id("stException").count() == 0, where
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


@pytest.mark.parametrize("state", STATES)
def test_no_page_fails_in_any_state(prepared, watched, state):
    if state not in prepared.studies:
        pytest.skip(f"No data for {state!r} here.")
    study = prepared.studies[state]
    run = start_endless_run(prepared.server.home, study) if state == "training" else None
    try:
        watched.open(f"{prepared.url}/?study={study}")
        links = watched.page.get_by_test_id("stSidebarNavLink")
        assert links.count() == len(PAGES)
        for link in links.all():  # By a click, as users do; much faster than by the address, too.
            link.click()
            title = link.inner_text().split("\n")[-1].strip()
            expect(watched.page.locator("h1").first).to_have_text(title)
            watched.settle()
            watched.check(f"{title}, {state}")
    finally:
        if run:
            stop(prepared.server.home, run)
    if run:
        assert store.get_run(Workspace(prepared.server.home), run).status == "cancelled"


def test_a_report_is_downloaded_and_opens_without_a_network(prepared, watched, browser, tmp_path):
    study = prepared.studies["simulated"]
    watched.open(f"{prepared.url}/report?study={study}")
    page = watched.page
    page.get_by_text("Figures as SVG, PNG and PDF, too").click()
    page.get_by_role("button", name="Build the report").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Report (HTML)").click()
    download.value.save_as(tmp_path / "report.html")
    watched.check("report")
    context = browser.new_context(offline=True)
    report = Watched(context.new_page())
    report.page.goto((tmp_path / "report.html").as_uri())
    expect(report.page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    expect(report.page.get_by_role("cell", name=re.compile("^r\\(ŷ")).first).to_be_visible()
    assert report.complaints == []
    context.close()


# What axe finds serious in Streamlit's own markup: sections of the navigation (lists in lists,
# pale icons), and cells of its tables, whose ids repeat where a page has two tables.
STREAMLITS_OWN = {
    "list": '[data-testid="stSidebarNav"]',
    "listitem": '[data-testid="stSidebarNav"]',
    "color-contrast": '[data-testid="stSidebarNav"]',
    "duplicate-id-active": '[data-testid="stDataFrame"]',
}
AXE = """own => axe.run({elementRef: true}).then(result => result.violations
  .filter(v => v.impact === 'serious' || v.impact === 'critical')
  .flatMap(v => v.nodes
    .filter(n => !(v.id in own && n.element.closest(own[v.id])))
    .map(n => `${v.id}: ${n.html}`)))"""


def test_axe_finds_nothing_serious_in_what_is_ours(prepared, watched):
    axe = pytest.importorskip("axe_core_python", reason="No axe-core here: install the extra dev.")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    watched.open(f"{prepared.url}/?study={prepared.studies['simulated']}")
    found = []
    for link in watched.page.get_by_test_id("stSidebarNavLink").all():
        link.click()
        title = link.inner_text().split("\n")[-1].strip()
        expect(watched.page.locator("h1").first).to_have_text(title)
        watched.settle()
        watched.page.evaluate(script)
        found += [f"{title}: {one}" for one in watched.page.evaluate(AXE, STREAMLITS_OWN)]
    assert found == []
