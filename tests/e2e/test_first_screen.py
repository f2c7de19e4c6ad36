"""The first screen at 1280 × 800 holds a page's answer: its sentence and its figure."""

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Watched

pytestmark = pytest.mark.e2e
HEIGHT = 800
# Page → what must be on its first screen below the title: a sentence, then a figure.
FIRST = {
    "findings": ('[data-testid="stMarkdown"] strong', ".js-plotly-plot"),
    "overview": ("h5", ".js-plotly-plot"),
    "redundancy": ("h5", ".js-plotly-plot"),
    "judgments": ("h5", ".js-plotly-plot"),
    "missing": ("h5", ".js-plotly-plot"),
    "compare": ("h5", '[data-testid="stDataFrame"]'),
}
# Figures that are taller than what is left of the screen must at least begin in its upper half.
TALL = {"judgments"}


@pytest.fixture
def small(browser):
    page = browser.new_page(viewport={"width": 1280, "height": HEIGHT})
    page.set_default_timeout(30_000)
    yield Watched(page)
    page.close()


def test_answers_are_on_the_first_screen(prepared, small):
    study = prepared.studies["simulated"]
    found = {}
    for name, (sentence, figure) in FIRST.items():
        small.open(f"{prepared.url}/{name}?study={study}")
        main = small.page.get_by_test_id("stMain")
        expect(main.locator(figure).first).to_be_visible()
        said, drawn = (main.locator(what).first.bounding_box() for what in (sentence, figure))
        found[name] = (said["y"] + said["height"], drawn["y"], drawn["y"] + drawn["height"])
    for name, (said, top, bottom) in found.items():
        assert said <= HEIGHT, (name, found)
        assert (top if name in TALL else bottom) <= (HEIGHT / 2 if name in TALL else HEIGHT), (
            name, found,
        )  # fmt: skip


def test_the_pickers_of_study_and_run_are_on_the_first_screen(prepared, small):
    small.open(f"{prepared.url}/overview?study={prepared.studies['simulated']}")
    for label in ("Study", "Run"):
        box = small.page.get_by_test_id("stSidebar").locator(f'[aria-label*="{label}"]').first
        place = box.bounding_box()
        assert place["y"] + place["height"] <= HEIGHT, label
