"""Back, a reload and a copied address lead to the same view."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Watched
from tests.e2e.prepared import EVERY_STATE

pytestmark = pytest.mark.e2e


def next_sample(page):
    page.get_by_role("button", name=re.compile("^Next")).click()


def second_tab(page):
    page.get_by_role("tab").nth(1).click()


def choose(title, option):
    """Choose in the list with this title."""

    def do(page):
        field = page.get_by_role("combobox", name=title, exact=True)
        field.scroll_into_view_if_needed()
        page.wait_for_timeout(500)  # A list that is open closes when the page scrolls.
        field.click()
        page.get_by_role("option", name=option).first.click()

    return do


def switch_text(page):
    page.get_by_text("text", exact=True).first.click()


# Page → what a user does there, and where the address says it.
STEPS = {
    "samples": (next_sample, "sample="),
    "missing": (switch_text, "off="),
}
if EVERY_STATE:
    STEPS |= {
        "redundancy": (second_tab, "tab="),
        "timeline": (next_sample, "sample="),
        "judgments": (choose("Unique to", "text"), "unique="),
        "compare": (second_tab, "tab="),
        "overview": (second_tab, "tab="),
        "study": (second_tab, "tab="),
        "data": (choose("Modality", "vision"), "modality="),
        "ratings": (second_tab, "tab="),
        "train": (choose("Search", "Standard"), "preset="),
        "findings": (choose("Run", "late"), "run="),
        "report": (choose("Run", "late"), "run="),
        "verify": (choose("Run", "late"), "run="),
    }


@pytest.fixture
def fresh(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(30_000)
    yield Watched(page)
    page.close()


def seen(watched):
    """What the page says once nothing changes any more."""
    main = watched.page.get_by_test_id("stMain")
    found = ["", "-", ""]
    while len(set(found[-3:])) > 1:
        watched.settle()
        watched.page.wait_for_timeout(400)
        found.append(main.inner_text())
    return found[-1]


def shows(watched, wanted):
    """Wait until the page says what it said before."""
    for _ in range(15):
        found = seen(watched)
        if found == wanted:
            return
    assert found == wanted


@pytest.mark.parametrize("name", STEPS)
def test_back_reload_and_a_copied_address_show_the_same(prepared, fresh, browser, name):
    do, said = STEPS[name]
    fresh.open(f"{prepared.url}/{name}?study={prepared.studies['simulated']}")
    first = seen(fresh)
    fresh.page.wait_for_timeout(2_100)  # A step that follows at once is none of the history's.
    do(fresh.page)
    fresh.page.wait_for_timeout(300)
    second = seen(fresh)
    assert second != first
    assert said in fresh.page.url
    fresh.page.wait_for_timeout(2_100)
    fresh.page.go_back()
    shows(fresh, first)
    fresh.page.go_forward()
    shows(fresh, second)
    fresh.page.reload()
    shows(fresh, second)
    copied = Watched(browser.new_page(viewport={"width": 1280, "height": 1000}))
    copied.open(fresh.page.url)
    shows(copied, second)
    copied.page.close()
    fresh.check(name)


def test_back_leads_to_the_page_before_as_it_was(prepared, fresh):
    page = fresh.page
    fresh.open(f"{prepared.url}/samples?study={prepared.studies['simulated']}")
    next_sample(page)
    expect(page.get_by_text(re.compile(r"^2 of \d+$"))).to_be_visible()
    before = seen(fresh)
    page.wait_for_timeout(2_100)
    page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile("Overview$")).click()
    expect(page).to_have_url(re.compile("/overview"))
    seen(fresh)
    page.wait_for_timeout(2_100)
    for _ in range(2):  # The page as the navigation opens it, then with its address.
        page.go_back()
        page.wait_for_timeout(300)
        seen(fresh)
        page.wait_for_timeout(2_100)
    expect(page).to_have_url(re.compile("/samples"))
    shows(fresh, before)
    fresh.check("back to samples")
