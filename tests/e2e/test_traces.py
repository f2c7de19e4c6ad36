"""Traces in Chromium: real clips are rated with keys, a finger and a joystick, and are on Timeline.

The finger is Chromium's own touch input on a phone-sized page. No joystick is there: the state that
the Gamepad API would report is put in its place, and everything behind it is the page's own.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.data.media import MediaSettings
from smurf_core.processes import rater_server
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.design import Scale
from smurf_core.ratings.tables import rater_table
from smurf_core.ratings.traces.collected import trace_sets, trace_table
from smurf_core.runs.studies import set_media
from smurf_core.runs.workspace import Workspace
from tests.e2e.conftest import Server
from tests.e2e.prepared import DATA
from tests.e2e.test_rater_page import PHONE, opened, shot
from tests.studio import trained

GRID = DATA / "grid_clips"
# A joystick that the test moves: browsers without one have none.
JOYSTICK = """window.way = 0;
navigator.getGamepads = () => [{ connected: true, axes: [window.way, 0] }];"""

# The line over the figure goes on with the player, which is started until it is followed.
FOLLOWED = """() => {
  const video = document.querySelector(".st-key-timeline_player video");
  const line = document.querySelector(".smurf-moment");
  if (video && video.paused) { video.currentTime = 0; video.muted = true; video.play(); }
  if (line) (window.seen ??= new Set()).add(line.getBoundingClientRect().left);
  return window.seen?.size > 3;
}"""


def trace_study(home: Workspace) -> tuple[str, list[str]]:
    """A trained study whose first three samples are GRID clips; its id and theirs."""
    affect = simulated_affect(samples=60, persons=10)
    files: list[str | None] = [None] * 60
    files[:3] = ["bbaf2n.mp4", "lwbsza.mp4", "sbia1a.mp4"]
    table = affect.samples.assign(media=files, start=0.0, end=2.98)
    study = trained(home, replace(affect, samples=table), "smurf")
    set_media(home, study, MediaSettings(str(GRID), file="media", start="start", end="end"))
    return study, affect.sample_ids[:3].tolist()


def drag(page: Page, share: float) -> None:
    """Put a finger on the middle of the slider, move it to a share of its width, and lift it."""
    box = page.locator("#trace").bounding_box()
    touch = page.context.new_cdp_session(page)

    def send(kind: str, at: float) -> None:
        point = {"x": box["x"] + at * box["width"], "y": box["y"] + box["height"] / 2}
        points = [] if kind == "touchEnd" else [point]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", 0.5)
    for at in np.linspace(0.5, share, 10):
        send("touchMove", float(at))
        page.wait_for_timeout(50)
    send("touchEnd", share)


@pytest.mark.skipif(not GRID.is_dir(), reason="the GRID clips are not part of the repository")
def test_a_trace_is_recorded_stored_and_shown_on_the_timeline(browser: Browser, tmp_path: Path):
    home = Workspace(tmp_path)
    study, clips = trace_study(home)
    pleasant = Scale("pleasant", "continuous", "How pleasant is the person now?", low=-3.0,
                     high=3.0, labels=("unpleasant", "pleasant"))  # fmt: skip
    affect = simulated_affect(samples=60, persons=10)
    design = replace(
        default_design(affect, forms=("all",)), scales=(pleasant,), attention=0, repeats=0,
        raters_per_cell=1,
    )  # fmt: skip
    collection = create_collection(home, study, design, clips=clips)
    server = rater_server.start(home, port=0)
    try:
        token = collection.invite().token
        context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
        context.add_init_script(JOYSTICK)
        page = opened(context, server.link(token))
        page.locator("#agree").tap()
        expect(page.locator("#next")).to_be_disabled()
        shot(page, "trace_phone")
        page.keyboard.press(" ")
        expect(page.locator(".trace.recording")).to_be_visible()
        for _ in range(8):
            page.keyboard.press("ArrowRight")
            page.wait_for_timeout(60)
        shot(page, "trace_phone_playing")
        context.set_offline(True)
        expect(page.locator("#next")).to_be_enabled()
        assert not trace_table(collection)["counts"].any()
        expect(page.locator("#status")).to_contain_text("Not saved yet")
        context.set_offline(False)
        page.keyboard.press("Enter")

        expect(page.locator("#place")).to_contain_text("Clip 2 of 3")
        page.locator("#play").tap()
        expect(page.locator(".trace.recording")).to_be_visible()
        top = page.evaluate("window.scrollY")
        drag(page, 0.8)
        shot(page, "trace_phone_touch")
        assert page.evaluate("window.scrollY") == top  # The finger moved the slider alone.
        assert float(page.locator("#trace").input_value()) == pytest.approx(2.0, abs=0.3)
        expect(page.locator("#next")).to_be_enabled()
        page.locator("#next").tap()

        expect(page.locator("#place")).to_contain_text("Clip 3 of 3")
        page.set_viewport_size({"width": 1280, "height": 800})
        page.locator("#play").click()
        page.wait_for_timeout(800)
        page.evaluate("window.way = -0.5")
        page.wait_for_timeout(800)
        shot(page, "trace_desktop")
        expect(page.locator("#next")).to_be_enabled()
        page.evaluate("window.way = 0")
        page.keyboard.press("Enter")
        expect(page.locator("#thanks")).to_be_visible()
        page.complaints.clear()  # The browser says that it was offline.
        page.reload()
        expect(page.locator("#thanks")).to_be_visible()
        assert page.complaints == []
        context.close()
    finally:
        rater_server.stop(home)

    assert rater_table(collection)["status"].tolist() == ["finished"]
    table = trace_table(collection)
    assert table["counts"].all()
    rate = table.groupby("position")["time"].apply(lambda t: len(t) / t.max())
    assert rate.between(8, 11).all()  # ten per second of the clip
    (found,) = trace_sets(collection)
    by_clip = {clip.clip: clip for clip in found.clips}
    assert set(by_clip) == set(clips)
    first, touched, second = (
        table.loc[table["position"] == at, "value"].to_numpy() for at in range(3)
    )
    assert first[-1] == pytest.approx(1.2)  # 8 steps, of which 40 are the range of 6
    assert (np.diff(first) >= 0).all()
    assert np.ptp(first) > 0.5
    assert touched[0] == 0.0
    assert (np.diff(touched) >= 0).all()
    assert len(np.unique(touched)) >= 5  # recorded on its way, not only where it was lifted
    assert touched[-1] == pytest.approx(2.0, abs=0.3)
    assert (second[0], second[-1]) == (0.0, pytest.approx(-1.5))

    studio = Server(home.root)
    studio.start()
    try:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(30_000)
        page.goto(f"{studio.url}/timeline?study={study}&sample={clips[0]}")
        said = page.get_by_text("Agreement on pleasant over time cannot be said")
        expect(said).to_be_visible(timeout=90_000)
        page.wait_for_function(FOLLOWED, polling=100)
        shot(page, "timeline_traces")
        expect(page.get_by_test_id("stException")).to_have_count(0)
        page.close()
    finally:
        studio.stop()
