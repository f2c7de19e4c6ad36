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


def test_the_next_first_step_is_on_the_first_screen(prepared, small):
    seen = prepared.server.home / "seen" / "checklist"
    seen.unlink()
    try:
        small.open(f"{prepared.url}/findings?study={prepared.studies['simulated']}")
        step = small.page.locator(".st-key-checklist")
        expect(step).to_be_visible()
        place = step.bounding_box()
        assert place["y"] + place["height"] <= HEIGHT, place
    finally:
        seen.touch()


def test_the_mark_of_made_up_data_is_beside_every_title(prepared, small):
    study, wrong = prepared.studies["simulated"], {}
    for name in ("data", "ratings", "overview", "verify"):
        small.open(f"{prepared.url}/{name}?study={study}")
        title = small.page.locator("h1").first.bounding_box()
        mark = small.page.get_by_test_id("stMain").get_by_text("Simulated").first.bounding_box()
        if not title["y"] <= mark["y"] <= title["y"] + title["height"]:
            wrong[name] = (title, mark)
    assert wrong == {}


def test_the_title_below_the_timeline_is_not_on_its_labels(prepared, small):
    small.open(f"{prepared.url}/timeline?study={prepared.studies['simulated']}")
    plot = small.page.locator(".js-plotly-plot").first
    expect(plot.locator(".xtitle, .x2title").last).to_be_visible()
    small.page.wait_for_timeout(1_000)  # Figures are resized once more after they are drawn.
    labels, title = plot.evaluate(
        """plot => {
          const box = e => e.getBoundingClientRect();
          const lowest = [...plot.querySelectorAll('.x2tick, .xtick')].map(e => box(e).bottom);
          return [Math.max(...lowest), box(plot.querySelector('.x2title') ||
                                           plot.querySelector('.xtitle')).top];
        }"""
    )
    assert title >= labels - 2, (labels, title)


def test_the_pickers_of_study_and_run_are_on_the_first_screen(prepared, small):
    small.open(f"{prepared.url}/overview?study={prepared.studies['simulated']}")
    for label in ("Study", "Run"):
        box = small.page.get_by_test_id("stSidebar").locator(f'[aria-label*="{label}"]').first
        place = box.bounding_box()
        assert place["y"] + place["height"] <= HEIGHT, label
