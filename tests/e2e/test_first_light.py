"""What a new user does first, in a real browser."""

import re
import sys

import pytest
from playwright.sync_api import Page, expect

from app.state.navigation import HEADINGS
from smurf_core.runs import store
from smurf_core.runs.workspace import Workspace
from tests.broken_files import good_table

pytestmark = pytest.mark.e2e


def no_errors(page: Page) -> None:
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)


def is_short(page: Page) -> None:
    """No page is longer than three screens of 800 pixels before more is asked for."""
    no_errors(page)
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    assert height <= 2400, page.url


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def test_a_new_user_reads_findings_of_the_demo_and_looks_at_a_sample(new_server, page):
    page.goto(new_server.url)
    start = page.get_by_role("button", name="Explore the demo")
    expect(start).to_be_visible(timeout=60_000)
    expect(page.get_by_text("A program made it, so it says nothing about people")).to_be_visible()
    start.click()
    expect(page.get_by_role("heading", name="What did this run find?")).to_be_visible()
    # It opens by itself as soon as the first model is ready.
    figures = page.locator(".js-plotly-plot")
    figures.first.wait_for(timeout=240_000)
    expect(figures).to_have_count(5)
    expect(page.get_by_text("Held-out samples are predicted: r is")).to_be_visible()
    assert figures.first.bounding_box()["y"] < 500  # on the first screen
    no_errors(page)
    address = page.url
    assert "study=demo" in address
    sentence = page.locator(".st-key-finding_leader strong").inner_text()
    page.reload()
    expect(page.locator(".st-key-finding_leader strong")).to_have_text(sentence)
    is_short(page)
    page.get_by_role("link", name="Look at single samples").click()
    expect(page.get_by_role("heading", name=re.compile("^Sample ")).first).to_be_visible()
    is_short(page)
    player = page.locator("audio, video").first
    player.scroll_into_view_if_needed()
    box = player.bounding_box()
    page.mouse.click(box["x"] + 25, box["y"] + box["height"] - 25)
    page.wait_for_function("document.querySelector('audio, video').currentTime > 0.1")
    # In six clicks: the demo, a sample, its sound, the session around it, and what is lost without.
    for name in ("Timeline", "Missing modalities"):
        page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile(f"{name}$")).click()
        expect(page.get_by_role("heading", name=HEADINGS[name])).to_be_visible()
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        is_short(page)
    # Nothing is left to train in the background when the test ends.
    workspace = Workspace(new_server.home)
    for run in store.list_runs(workspace):
        if run.is_active:
            store.request_cancel(workspace, run.id)


def test_a_new_user_trains_on_synthetic_data_and_reads_a_breakdown(server, page):
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(server.url)
    expect(page.get_by_role("heading", name=HEADINGS["Study"])).to_be_visible()
    page.get_by_role("link", name="Train", exact=False).first.click()
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    page.get_by_role("button", name="Open run", exact=True).wait_for(timeout=240_000)
    no_errors(page)
    # What draws figures was loaded meanwhile.
    names = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    assert any("/PlotlyChart." in name for name in names)
    page.get_by_role("button", name="Open run", exact=True).click()
    expect(page.get_by_role("heading", name=HEADINGS["Overview"])).to_be_visible()
    expect(page.locator(".stMarkdownBadge", has_text="Synthetic").first).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile("Samples$")).click()
    expect(page.get_by_role("heading", name=HEADINGS["Samples"])).to_be_visible()
    expect(page.locator(".sample-card")).to_be_visible()
    page.get_by_role("tab", name="Details").click()
    table = page.get_by_test_id("stTable")
    expect(table.get_by_text("Prediction")).to_be_visible()
    rows = table.locator("tbody tr").all_inner_texts()
    cells = [re.split(r"\s*[\t\n]\s*", row.strip()) for row in rows]
    names, values = [row[0] for row in cells], [row[1] for row in cells]
    assert names[0] == "Baseline"
    assert names[-1] == "Prediction"
    assert "A, shared with C" in names
    parts = [number(value) for value in values]
    assert sum(parts[:-1]) == pytest.approx(parts[-1], abs=0.0005 * len(parts))
    no_errors(page)
    assert complaints == []
    assert "sample=" in page.url
    page.reload()
    expect(page.get_by_test_id("stTable")).to_be_visible()
    assert page.get_by_test_id("stTable").locator("tbody tr").all_inner_texts() == rows


@pytest.mark.skipif(sys.platform == "win32", reason="Stops a server by a signal.")
def test_a_run_outlives_page_refresh_and_server(server, page):
    page.goto(f"{server.url}/train")
    # One that takes a while.
    page.locator(".st-key-model").get_by_role("combobox").click()
    page.get_by_role("option", name="SMURF, normalised (extension)", exact=True).click()
    page.get_by_text("More settings").click()
    restarts = page.get_by_role("spinbutton", name="Restarts of the chosen configuration")
    restarts.fill("20")
    restarts.press("Enter")
    expect(page.get_by_text("then 20 starts")).to_be_visible()
    page.reload()  # Settings are part of the address.
    expect(page.get_by_text("then 20 starts")).to_be_visible()
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    workspace = Workspace(server.home)
    (run,) = store.list_runs(workspace)
    page.reload()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    server.stop()
    assert store.get_run(workspace, run.id).is_active
    server.start()
    page.goto(f"{server.url}/train")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".stMarkdownBadge", has_text="cancelled")).to_be_visible()
    assert store.get_run(workspace, run.id).status == "cancelled"
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


def test_a_broken_upload_is_reported_and_a_good_one_imported(server, page, tmp_path):
    table = good_table(60)
    broken = table.astype({"audio_pitch": object})
    broken.loc[6, "audio_pitch"] = "loud"
    broken.to_csv(tmp_path / "broken.csv", index=False)
    table.to_csv(tmp_path / "good.csv", index=False)
    page.goto(server.url)
    page.get_by_role("tab", name="Upload").click()
    expect(page.get_by_text("One table with all modalities")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(tmp_path / "broken.csv")
    page.get_by_role("button", name="Import").click()
    error = page.get_by_test_id("stAlertContentError")
    expect(error).to_contain_text("'loud'")
    expect(error).to_contain_text("row 7")
    page.get_by_role("button", name="Remove broken.csv").click()
    expect(error).to_have_count(0)
    expect(page.get_by_text("One table with all modalities")).to_be_visible()
    page.locator("input[type=file]").first.set_input_files(tmp_path / "good.csv")
    expect(page.get_by_label("Name of the study")).to_have_value("good")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("heading", name=HEADINGS["Data"])).to_be_visible()
    expect(page.get_by_text("No problems found.", exact=True)).to_be_visible()
    no_errors(page)
