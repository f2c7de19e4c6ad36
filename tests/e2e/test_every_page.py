"""Every page in every state, in a real browser: no error in it, none in its console."""

import re
from pathlib import Path

import axe_core_python
import pytest
from playwright.sync_api import expect

from app.state.navigation import HEADINGS
from smurf_core.runs import store
from smurf_core.runs.workspace import Workspace
from tests.e2e.conftest import Watched
from tests.e2e.prepared import EVERY_STATE, start_endless_run, stop
from tests.studio import PAGES

pytestmark = pytest.mark.e2e
# VREED is not part of the project: its state is left out where the data is not there.
STATES = ["simulated", "vreed", "no run", "training"]
if EVERY_STATE:
    STATES += ["classes", "two modalities", "five modalities", "interactions", "failed"]


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


def serious(watched: Watched) -> list[str]:
    """What axe finds serious on the page that is open, in what is ours."""
    watched.page.evaluate(
        (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    )
    return list(watched.page.evaluate(AXE, STREAMLITS_OWN))


@pytest.mark.parametrize("state", STATES)
def test_no_page_fails_in_any_state(prepared, watched, state):
    if state not in prepared.studies:
        pytest.skip(f"No data for {state!r} here.")
    study = prepared.studies[state]
    run = start_endless_run(prepared.server.home, study) if state == "training" else None
    not_accessible = []
    try:
        watched.open(f"{prepared.url}/?study={study}")
        links = watched.page.get_by_test_id("stSidebarNavLink")
        assert links.count() == len(PAGES)
        for link in links.all():  # By a click, as users do; also much faster than by the address.
            link.click()
            title = link.inner_text().split("\n")[-1].strip()
            expect(watched.page.locator("h1").first).to_have_text(HEADINGS[title])
            watched.settle()
            watched.check(f"{title}, {state}")
            if state == "simulated":  # axe takes longer than a page; markup is the same elsewhere.
                not_accessible += [f"{title}: {one}" for one in serious(watched)]
    finally:
        if run:
            stop(prepared.server.home, run)
    assert not_accessible == []
    if run:
        assert store.get_run(Workspace(prepared.server.home), run).status == "cancelled"


def test_a_report_is_downloaded_and_opens_without_a_network(prepared, watched, browser, tmp_path):
    study = prepared.studies["simulated"]
    watched.open(f"{prepared.url}/report?study={study}")
    page = watched.page
    page.get_by_text("Also export figures as SVG, PNG and PDF").click()
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
