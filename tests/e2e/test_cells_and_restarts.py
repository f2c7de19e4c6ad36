"""What only a browser can show of Redundancy and Verify: clicks on cells, and live restarts."""

import pytest
from playwright.sync_api import Page, expect

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs.workspace import Workspace
from tests.e2e.conftest import click_point
from tests.studio import trained

pytestmark = pytest.mark.e2e


def click_in(page: Page, key: str, x: object, y: object) -> None:
    """Click a figure where its axes have these values."""
    plot = page.locator(f".st-key-{key} .js-plotly-plot")
    plot.scroll_into_view_if_needed()
    page.wait_for_timeout(1_000)  # Figures are resized once more after they are drawn.
    at = plot.evaluate(
        """(plot, [x, y]) => {
            const {xaxis, yaxis} = plot._fullLayout, box = plot.getBoundingClientRect();
            const place = (axis, value) =>
                axis._offset + axis.r2p(axis.type === "category" ? axis.r2c(value) : value);
            return [box.left + place(xaxis, x), box.top + place(yaxis, y)];
        }""",
        [x, y],
    )
    click_point(page, plot, *at)


def test_a_cell_opens_its_pair_and_a_point_is_selected_everywhere(server, page):
    data = synthetic_additive(samples=80)
    study = trained(Workspace(server.home), data, "smurf")
    page.goto(f"{server.url}/redundancy?study={study}&tab=All+pairs")
    click_in(page, "pair_r_1", "C", "B")
    points = page.locator(".st-key-pair_scatter_1_B_C .js-plotly-plot")
    points.wait_for()
    x, y, sample = points.evaluate(
        """plot => {  // The point that is furthest to the right has no neighbour over it.
            const {x, y, customdata} = plot._fullData[0];
            const at = x.indexOf(Math.max(...x));
            return [x[at], y[at], customdata[at]];
        }"""
    )
    click_in(page, "pair_scatter_1_B_C", x, y)
    expect(page.get_by_text("Selected samples (1)")).to_be_visible()
    page.get_by_role("button", name="Open in Samples").click()
    expect(page.get_by_text(f"Sample {sample}").first).to_be_visible()


def test_restarts_come_in_live_and_stop(server, page):
    page.goto(f"{server.url}/verify")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("starts, training")).to_be_visible(timeout=90_000)
    expect(page.locator(".st-key-basin_scatter .js-plotly-plot")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("starts, stopped")).to_be_visible()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    expect(page.get_by_test_id("stException")).to_have_count(0)
