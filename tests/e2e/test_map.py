"""The map of samples in Chromium: a click on a point selects that sample everywhere."""

import re

import pytest
from playwright.sync_api import Page, expect

from smurf_core.data.generated.families import simulate
from smurf_core.processes import worker
from smurf_core.runs import store, studies
from smurf_core.runs.slices import slice_samples
from smurf_core.runs.workspace import Workspace
from tests.e2e.conftest import click_point, lonely_point
from tests.shared_sets import CONFIG, SIZES

pytestmark = pytest.mark.e2e


def test_a_click_on_the_map_selects_the_sample_on_every_page(server, page: Page):
    workspace, family = Workspace(server.home), "pair_and_triple"
    study = studies.add_study(workspace, simulate(family, samples=SIZES[family]))
    store.create_run(workspace, study, CONFIG, jobs=1)
    worker.work(workspace)
    page.set_default_timeout(90_000)  # Its first page computes what all later ones only read.
    page.goto(f"{server.url}/samples?study={study}&tab=Map")
    plot = page.locator(".js-plotly-plot").first
    plot.wait_for()
    page.wait_for_timeout(1_000)  # Figures are resized once more after they are drawn.
    point = lonely_point(plot)
    click_point(page, plot, point["px"], point["py"])
    # The bar above the tabs, the card beside the map, the ring on it, and the address.
    expect(page.get_by_role("button", name="Clear")).to_be_visible()
    expect(page.get_by_text(f"Sample {point['sample']}", exact=True)).to_be_visible()
    expect(page.locator(".sample-card")).to_be_visible()
    expect(page).to_have_url(re.compile(f"sample={point['sample']}(&|$)"))
    (slice_id,) = re.findall(r"slice=(\w+)", page.url)
    assert slice_samples(workspace, slice_id).tolist() == [point["sample"]]
    # The ring is on the point; the next nearest point is farther away.
    assert point["room"] > 12
    page.wait_for_function(
        """([x, y]) => {
          const plot = document.querySelector('.js-plotly-plot'), {xaxis, yaxis} = plot._fullLayout;
          const box = plot.getBoundingClientRect(), ring = plot._fullData.at(-1);
          return ring.marker.symbol === 'circle-open'
            && Math.abs(box.x + xaxis._offset + xaxis.d2p(ring.x[0]) - x) < 12
            && Math.abs(box.y + yaxis._offset + yaxis.d2p(ring.y[0]) - y) < 12;
        }""",
        arg=[point["px"], point["py"]],
    )
    for title in ("Findings", "Overview", "Missing modalities"):
        page.get_by_role("link", name=re.compile(f"{title}$")).click()
        expect(page).to_have_url(re.compile(f"slice={slice_id}"))
    page.get_by_role("link", name=re.compile("Samples$")).click()
    page.get_by_role("tab", name="Sample", exact=True).click()
    expect(page.get_by_role("heading", name=f"Sample {point['sample']}")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
