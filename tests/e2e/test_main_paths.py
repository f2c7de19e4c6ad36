"""What every page is for, done in a real browser, on simulated and on recorded data."""

import re
from collections.abc import Callable
from contextlib import suppress

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from app.state.navigation import HEADINGS

pytestmark = pytest.mark.e2e


@pytest.fixture(params=["simulated", "vreed"])
def kind(request, prepared) -> str:
    if request.param not in prepared.studies:
        pytest.skip(f"No data for {request.param!r} here.")
    return request.param


@pytest.fixture
def look_at(kind, prepared, watched) -> Callable[[str], Page]:
    """Open one of the app's pages on the study."""

    def open_(name: str) -> Page:
        watched.open(f"{prepared.url}/{name}?study={prepared.studies[kind]}")
        return watched.page

    return open_


def fact(page: Page, title: str) -> Locator:
    """A fact that a page states: its title and value."""
    return page.locator("dl > div").filter(has_text=re.compile(f"^{title}")).first


def saved_tables(page: Page) -> dict[str, pd.DataFrame]:
    """The table that *Save table* of a page offers, in each format."""
    menu = page.get_by_role("button", name="Save table").first
    # An open menu stays at its button, and leaves the window with it where figures above arrive.
    in_the_middle = "button => button.scrollIntoView({block: 'center'})"
    found = {}
    for title, read in (
        ("CSV", pd.read_csv), ("Excel", pd.read_excel), ("Parquet", pd.read_parquet)
    ):  # fmt: skip
        menu.evaluate(in_the_middle)
        offered = page.get_by_role("button", name=title, exact=True)
        for _ in range(3):  # A page that is drawn anew meanwhile closes it.
            if offered.is_visible():
                break
            menu.click()
            with suppress(PlaywrightTimeout):
                offered.wait_for(timeout=5_000)
        with page.expect_download() as caught:
            offered.click()
        found[title] = read(caught.value.path())
    page.keyboard.press("Escape")
    return found


def test_the_first_page_is_found_by_its_name_too(look_at, watched, kind, prepared):
    page = look_at("study")
    expect(page.get_by_role("heading", name=HEADINGS["Study"])).to_be_visible()
    expect(page.get_by_test_id("stSidebarNavLink").filter(has_text="Study")).to_have_count(1)
    watched.settle()
    assert prepared.studies[kind] in page.url
    watched.check("study by name")


def test_the_overview_leads_to_single_samples(look_at, watched):
    page = look_at("overview")
    expect(page.get_by_text("of its variance").first).to_be_visible()
    page.get_by_text("Numbers", exact=True).click()
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    watched.settle()
    tables = saved_tables(page)
    assert len(tables["CSV"]) > 2
    for table in tables.values():
        pd.testing.assert_frame_equal(table, tables["CSV"], check_dtype=False)
    page.get_by_role("link", name="Look at single samples").click()
    expect(page.get_by_role("heading", name=HEADINGS["Samples"])).to_be_visible()
    watched.settle()
    watched.check("overview")


def test_samples_are_walked_through_by_keyboard_and_explained(look_at, watched):
    page = look_at("samples")
    heading = page.get_by_role("heading", name=re.compile("^Sample "))
    first = heading.first.inner_text()
    expect(page.locator(".sample-card")).to_be_visible()
    page.wait_for_timeout(1_500)  # Keys before the buttons stand are heard by nobody.
    page.locator("h1").first.click()
    page.keyboard.press("ArrowRight")
    expect(heading.first).not_to_have_text(first)
    page.keyboard.press("ArrowLeft")
    expect(heading.first).to_have_text(first)
    page.get_by_role("tab", name="Details").click()
    expect(page.get_by_test_id("stTable").first).to_contain_text("Prediction")
    watched.settle()
    watched.check("samples")


def test_a_switch_changes_the_metric_and_the_way_back_restores_it(look_at, watched, kind):
    page = look_at("missing")
    title = "Pearson" if kind == "simulated" else "Balanced accuracy"
    before = fact(page, title).inner_text()
    # One that is on: the modality that is missed most is off when the page opens.
    boxes = page.get_by_test_id("stMain").get_by_test_id("stCheckbox")
    switch = boxes.filter(has=page.locator("input:checked")).locator("label").first
    switch.click()
    expect(fact(page, title)).not_to_have_text(before, use_inner_text=True)
    expect(page.get_by_text("Most changed samples")).to_be_visible()
    page.get_by_role("button", name="Open in Samples").click()
    expect(page.get_by_role("heading", name=re.compile("^Sample ")).first).to_be_visible()
    look_at("missing")
    assert fact(page, title).inner_text() == before
    watched.check("missing")


def test_another_samples_modality_moves_only_its_own_contributions(look_at, watched):
    page = look_at("what_if")
    page.get_by_role("radio", name="Take another sample's").click()
    # The sentence is also there before the change: wait for the new result.
    expect(page.get_by_role("textbox", name=re.compile("^Take .* from sample"))).to_be_visible()
    expect(
        page.get_by_test_id("stTable")
        .locator("tr")
        .filter(has_text="Prediction")
        .locator("td")
        .nth(2)  # before, after, change, verdict
    ).to_have_text(re.compile(r"\d"))
    watched.settle()
    expect(page.get_by_text("Only contributions that read")).to_be_visible()
    modality = (
        page.get_by_role("radiogroup", name="Change")
        .get_by_role("radio", checked=True)
        .inner_text()
    )
    rows = [
        [cell.strip() for cell in row.locator("th, td").all_inner_texts()]
        for row in page.get_by_test_id("stTable").locator("tbody tr").all()
    ]
    moved = [row[0] for row in rows if row[3]]
    parts = [name for name in moved if name not in ("Baseline", "Prediction")]
    assert parts, rows
    assert all(name.startswith(modality) for name in parts), rows
    watched.check("what if")


def test_models_are_compared_side_by_side_and_a_row_opens(look_at, watched, kind):
    page = look_at("compare")
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    expect(page.get_by_text(re.compile("Mean ± standard deviation over"))).to_be_visible()
    page.get_by_role("tab", name="Sample by sample").click()
    if kind == "simulated":
        page.get_by_role("radio", name="Errors").click()
        expect(page.locator(".st-key-compare_scatter_Errors .js-plotly-plot")).to_be_visible()
    page.get_by_role("button", name="Open in Samples").click()
    expect(page.get_by_role("heading", name=re.compile("^Sample ")).first).to_be_visible()
    watched.settle()
    watched.check("compare")


def test_redundancy_is_shown_by_group(look_at, watched):
    page = look_at("redundancy")
    page.get_by_role("tab", name="By group").click()
    page.wait_for_timeout(1_000)  # Figures are resized once more, and a click would miss.
    groups = page.get_by_role("combobox", name="Groups")
    groups.click()
    groups.press("ArrowDown")
    groups.press("Enter")
    expect(page.get_by_text("Each group on its own")).to_be_visible()
    expect(page.locator(".js-plotly-plot").nth(1)).to_be_attached()  # The sets, and the groups.
    watched.settle()
    watched.check("redundancy")


def test_the_papers_tables_are_built(look_at, watched):
    page = look_at("report")
    page.get_by_text("Also export figures as SVG, PNG and PDF").click()
    watched.settle()
    page.get_by_role("button", name="Build the report").click()
    expect(page.get_by_role("button", name="Report (HTML)")).to_be_visible(timeout=120_000)
    watched.settle()
    watched.check("report")
