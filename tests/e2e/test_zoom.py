"""At 200% zoom, a window of 1280 × 800 is one of 640 × 400: all is reachable, nothing overlaps."""

import pytest

from tests.e2e.conftest import Watched

pytestmark = pytest.mark.e2e
PAGES = (
    "findings",
    "overview",
    "redundancy",
    "samples",
    "timeline",
    "judgments",
    "missing",
    "compare",
)
# Controls and titles that are drawn, with their boxes in the page: what is wider than the window,
# or cannot be scrolled to, and pairs that overlap though neither contains the other.
FOUND = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  const wanted = 'h1, h2, h3, h5, button, input, [role=combobox], [role=tab], [role=radio], label';
  const drawn = {opacityProperty: true, visibilityProperty: true};
  const all = [...main.querySelectorAll(wanted)].filter(e => e.checkVisibility(drawn)
    && !e.closest('.js-plotly-plot, [data-testid=stDataFrame]'));
  const boxes = all.map(e => ({e, b: e.getBoundingClientRect()}))
    .filter(x => x.b.width > 1 && x.b.height > 1);
  const name = e => `${e.tagName} ` +
    (e.innerText || e.getAttribute('aria-label') || '').trim().slice(0, 30);
  // A list of tabs or of choices scrolls by itself.
  const scrolls = e => { for (let p = e.parentElement; p && p !== main; p = p.parentElement)
    if (/auto|scroll/.test(getComputedStyle(p).overflowX)) return true; return false; };
  const wide = boxes.filter(({e, b}) => (b.right > innerWidth + 1 || b.left < -1) && !scrolls(e));
  const over = [];
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
    const [p, q] = [boxes[i], boxes[j]];
    if (p.e.contains(q.e) || q.e.contains(p.e) || scrolls(p.e) || scrolls(q.e)) continue;
    const parent = p.e.closest('[data-baseweb], [data-testid]');
    if (parent && parent.contains(q.e)) continue;  // two parts of one widget
    const across = Math.min(p.b.right, q.b.right) - Math.max(p.b.left, q.b.left);
    const down = Math.min(p.b.bottom, q.b.bottom) - Math.max(p.b.top, q.b.top);
    if (across > 3 && down > 3) over.push(`${name(p.e)} / ${name(q.e)}`);
  }
  return {wide: wide.map(x => name(x.e)), over, scrolled: main.scrollWidth > main.clientWidth + 1,
          controls: boxes.length};
}"""


@pytest.fixture
def zoomed(browser):
    page = browser.new_page(viewport={"width": 640, "height": 400}, device_scale_factor=2)
    page.set_default_timeout(30_000)
    yield Watched(page)
    page.close()


def test_at_double_size_nothing_overlaps_or_is_out_of_reach(prepared, zoomed):
    wrong = {}
    for name in PAGES:
        zoomed.open(f"{prepared.url}/{name}?study={prepared.studies['simulated']}")
        zoomed.page.wait_for_timeout(500)
        found = zoomed.page.evaluate(FOUND)
        assert found["controls"] > 3, name
        if found["wide"] or found["over"] or found["scrolled"]:
            wrong[name] = found
    assert wrong == {}
    # What the test looks for is found where it is there.
    zoomed.page.evaluate(
        """() => {
          const main = document.querySelector('[data-testid=stMain]');
          const box = main.querySelector('[role=combobox]').getBoundingClientRect();
          for (const [name, left] of [['over', box.left], ['wide', innerWidth - 20]]) {
            const made = main.appendChild(document.createElement('button'));
            made.textContent = name;
            made.style.cssText = `position: fixed; width: 90px; height: 20px; left: ${left}px;
              top: ${box.top}px`;
          }
        }"""
    )
    spoilt = zoomed.page.evaluate(FOUND)
    assert spoilt["wide"] == ["BUTTON wide"]
    assert any("BUTTON over" in pair for pair in spoilt["over"])


def test_at_double_size_the_navigation_opens_over_the_page_and_closes(prepared, zoomed):
    zoomed.open(f"{prepared.url}/overview?study={prepared.studies['simulated']}")
    page = zoomed.page
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Samples", exact=True).click()
    page.locator(".sample-card").wait_for()
    zoomed.check("samples at double size")
