"""A click in a figure of several coloured traces selects that sample, on all pages, for good."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from smurf_core.data.generated.synthetic import synthetic_additive
from smurf_core.runs.slices import slice_samples
from smurf_core.runs.workspace import Workspace
from tests.e2e.conftest import click_point, lonely_point
from tests.studio import trained

pytestmark = pytest.mark.e2e


def test_a_click_selects_the_sample_that_is_there_and_a_refresh_keeps_it(server, page: Page):
    random = np.random.default_rng(0)
    data = synthetic_additive(samples=80)
    data = replace(
        data,
        samples=pd.DataFrame(
            {"scene": [f"scene {i % 4}" for i in range(80)]}, index=data.sample_ids
        ),
        judgments={frozenset("AB"): (data.target + random.normal(size=80)).astype(np.float32)},
    )
    workspace = Workspace(server.home)
    study = trained(workspace, data, "smurf")
    page.goto(f"{server.url}/judgments?study={study}")
    page.get_by_role("combobox", name="Colour by").click()
    page.get_by_role("option", name="scene").click()
    plot = page.locator(".js-plotly-plot").first
    expect(plot.get_by_text("scene 3")).to_be_visible()
    plot.scroll_into_view_if_needed()  # A click outside the window reaches nothing.
    page.wait_for_timeout(700)
    point = lonely_point(plot, after=1)
    assert 0 < point["py"] < page.viewport_size["height"]
    assert point["traces"] == 4
    scene = dict(zip(data.sample_ids, data.samples["scene"], strict=True))
    assert scene[point["sample"]] == point["name"]
    click_point(page, plot, point["px"], point["py"])
    expect(page.get_by_text("Selected samples (1)")).to_be_visible()
    (slice_id,) = (part[6:] for part in page.url.split("?")[1].split("&") if part[:6] == "slice=")
    assert slice_samples(workspace, slice_id).tolist() == [point["sample"]]
    page.reload()
    expect(page.get_by_text("Selected samples (1)")).to_be_visible()
    page.get_by_role("link", name=re.compile("Samples$")).click()
    expect(page.get_by_role("heading", name=f"Sample {point['sample']}")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
