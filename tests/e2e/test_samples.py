"""The first screen of Samples, and what its address keeps."""

import re

import pytest
from playwright.sync_api import expect

from smurf_core.runs.workspace import Workspace
from tests.e2e.prepared import EVERY_STATE

pytestmark = pytest.mark.e2e
STATES = ["simulated", *(["two modalities", "interactions", "classes"] if EVERY_STATE else [])]


@pytest.fixture
def wide(watched, prepared):
    """The page in a window of 1280 × 800, without the first steps' hint."""
    Workspace(prepared.server.home).mark_seen("tour")
    before = watched.page.viewport_size
    watched.page.set_viewport_size({"width": 1280, "height": 800})
    yield watched
    watched.page.set_viewport_size(before)


@pytest.mark.parametrize("state", STATES)
def test_list_and_card_are_on_the_first_screen(wide, prepared, state):
    page = wide.page
    wide.open(f"{prepared.url}/samples?study={prepared.studies[state]}")
    sentence, rows = page.locator(".card-sentence"), page.locator(".sample-card tbody tr")
    expect(sentence).to_be_visible()
    listed = page.get_by_test_id("stDataFrame").bounding_box()
    assert listed["y"] + 200 < 800
    ends = [box["y"] + box["height"] for box in (sentence.bounding_box(), *(
        row.bounding_box() for row in rows.all()
    ))]  # fmt: skip
    assert max(ends) <= 800, ends
    # Side by side: the card begins where the list ends.
    assert sentence.bounding_box()["x"] >= listed["x"] + listed["width"]
    wide.check(f"samples, {state}")


def test_the_address_brings_back_sample_list_and_tab(wide, prepared):
    page = wide.page
    wide.open(f"{prepared.url}/samples?study={prepared.studies['simulated']}")
    heading = page.get_by_role("heading", name=re.compile("^Sample "))
    page.get_by_role("button", name=re.compile("^Next")).click()
    expect(page.get_by_text(re.compile(r"^2 of \d+$"))).to_be_visible()
    shown = heading.inner_text()
    page.get_by_role("tab", name="Details").click()
    expect(page.get_by_test_id("stTable").first).to_be_visible()
    wide.settle()
    expect(page).to_have_url(re.compile("tab=Details"))
    wide.open(page.url)
    expect(page.get_by_role("tab", name="Details")).to_have_attribute("aria-selected", "true")
    expect(heading).to_have_text(shown)
    page.get_by_role("radio", name="Unique").click()
    expect(page).to_have_url(re.compile("list=unique"))
    wide.open(page.url)
    expect(page.get_by_role("radio", name="Unique")).to_be_checked()
    wide.check("samples by address")


def test_the_old_address_of_what_if_leads_to_its_tab(wide, prepared):
    page = wide.page
    wide.open(f"{prepared.url}/what_if?study={prepared.studies['simulated']}")
    expect(page.get_by_role("tab", name="What if")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text("Suggested: the group")).to_be_visible()
    wide.check("what if")
