"""The rater's page in Chromium: three raters, by keyboard, touch and mouse; nothing is lost."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from smurf_core.data.generated.simulated import simulated_affect, write_clips
from smurf_core.data.media import MediaSettings
from smurf_core.processes import rater_server
from smurf_core.ratings.catalogue import create_collection
from smurf_core.ratings.defaults import default_design
from smurf_core.ratings.design import Scale
from smurf_core.ratings.store import Collection
from smurf_core.ratings.tables import answer_table, rater_table
from smurf_core.runs.studies import add_study, set_media
from smurf_core.runs.workspace import Workspace
from tests.e2e.conftest import Server

SHOTS = os.environ.get("SMURF_RATER_SHOTS")  # a folder for pictures, for looking at them
PHONE = {"width": 360, "height": 640}


@dataclass
class Collected:
    server: rater_server.RaterServer
    collection: Collection
    home: Workspace


@pytest.fixture(scope="module")
def collected(tmp_path_factory) -> Iterator[Collected]:
    """A collection of six short simulated sounds: three raters hear some and read the others."""
    home = Workspace(tmp_path_factory.mktemp("raters"))
    affect = simulated_affect(samples=60, persons=10)
    write_clips(affect, home.root / "clips")
    times = affect.samples.assign(start=0.0, end=0.4)
    affect = replace(affect, samples=times)
    study = add_study(home, affect)
    set_media(home, study, MediaSettings(str(home.root / "clips"), start="start", end="end"))
    design = default_design(affect, forms=("words", "voice"))
    pictures = Scale("arousal", "sam", "How excited?", steps=5, labels=("calm", "excited"),
                     dimension="arousal", conditions=("audio_and_text",))  # fmt: skip
    design = replace(
        design, scales=(*design.scales, pictures), raters_per_cell=2, clips_per_rater=6,
        practice=(affect.sample_ids[20],), attention=1, repeats=1,
    )  # fmt: skip
    collection = create_collection(home, study, design, clips=affect.sample_ids[:6].tolist())
    yield Collected(rater_server.start(home, port=0), collection, home)
    rater_server.stop(home)


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png")


def opened(context: BrowserContext, url: str) -> Page:
    """A page that fails the test if its console complains, or it asks another server."""
    page = context.new_page()
    page.set_default_timeout(30_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on(
        "request",
        lambda r: None if r.url.startswith((url.split("/r/")[0], "blob:", "data:"))
        else complaints.append(r.url),
    )  # fmt: skip
    page.complaints = complaints
    page.goto(url)
    return page


def place(page: Page) -> int:
    """The number of the clip that is shown, from 1."""
    text = page.locator("#place").inner_text()
    return int(re.search(r"Clip (\d+) of 9", text)[1])


def wait_for(page: Page, number: int) -> None:
    expect(page.locator("#place")).to_contain_text(f"Clip {number} of 9")


def play(page: Page, *, tap: bool = False) -> None:
    """Play the clip if there is one, and see that no answer is possible before."""
    if page.locator("#play").count() and page.locator("#next").is_disabled():
        expect(page.locator("fieldset input").first).to_be_disabled()
        page.locator("#play").tap() if tap else page.locator("#play").click()
    expect(page.locator("fieldset input").first).to_be_enabled()


def fill(page: Page, *, tap: bool = False) -> None:
    """Answer every question at its upper end."""
    for slider in page.locator("input[type=range]").all():
        box = slider.bounding_box()
        at = {"x": box["width"] - 4, "y": box["height"] / 2}
        slider.tap(position=at) if tap else slider.click(position=at)
    for steps in page.locator(".steps").all():
        last = steps.locator("label").last
        last.tap() if tap else last.click()


def rate(page: Page, until: int, *, tap: bool = False) -> None:
    """Answer the clips before number `until`."""
    while (now := place(page)) < until:
        play(page, tap=tap)
        fill(page, tap=tap)
        page.locator("#next").tap() if tap else page.locator("#next").click()
        wait_for(page, now + 1)


def test_three_raters_on_three_devices_lose_and_double_nothing(browser: Browser, collected):
    collection, server = collected.collection, collected.server
    tokens = [collection.invite().token for _ in range(3)]

    # A rater with a mouse, who reloads and changes an answer.
    mouse = opened(
        browser.new_context(viewport={"width": 1280, "height": 800}), server.link(tokens[0])
    )
    expect(mouse.locator("#agree")).to_be_visible()
    shot(mouse, "consent")
    mouse.locator("#agree").click()
    wait_for(mouse, 1)
    expect(mouse.get_by_text("This clip is for practice.")).to_be_visible()
    rate(mouse, 4)
    shot(mouse, "item")
    mouse.reload()
    wait_for(mouse, 4)
    mouse.locator("#back").click()
    wait_for(mouse, 3)
    expect(mouse.locator("#next")).to_be_enabled()
    before = collection.item(tokens[0], 2)
    first = mouse.locator("input[type=range]").first if before.fields[0].steps == () else None
    if first is not None:
        first.focus()
        mouse.keyboard.press("PageDown")
    mouse.locator("#next").click()
    wait_for(mouse, 4)
    expect(mouse.locator("#status")).to_have_text("Saved")
    after = collection.item(tokens[0], 2)
    if first is not None:
        assert after.revision == before.revision + 1
        assert after.answer[after.fields[0].key] < before.answer[after.fields[0].key]

    # A rater with a phone, who goes on at a desk.
    phone = opened(
        browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True), server.link(tokens[1])
    )
    phone.locator("#agree").tap()
    wait_for(phone, 1)
    shot(phone, "phone")
    rate(phone, 5, tap=True)
    wide = phone.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]
    phone.locator("#pause").tap()
    expect(phone.get_by_text("Your link brings you back")).to_be_visible()
    desk = opened(browser.new_context(), server.link(tokens[1]))
    wait_for(desk, 5)
    rate(desk, 9)

    # A rater with a keyboard alone, who loses the connection for a while.
    keys = opened(browser.new_context(), server.link(tokens[2]))
    keys.locator("#agree").focus()
    keys.keyboard.press("Enter")
    for number in range(1, 10):
        wait_for(keys, number)
        if keys.locator("#play").count():
            expect(keys.locator("#play")).to_be_focused()
            keys.keyboard.press(" ")
        expect(keys.locator("fieldset input").first).to_be_enabled()
        for field in keys.locator("fieldset input:not([type=radio]), fieldset .steps").all():
            if field.evaluate("e => e.tagName") == "INPUT":
                field.focus()
                keys.keyboard.press("ArrowRight")
            else:
                field.locator("input").first.focus()
                keys.keyboard.press("2")
        if number == 3:
            keys.context.set_offline(True)
        keys.keyboard.press("Enter")
        if number == 3:
            expect(keys.locator("#status")).to_contain_text("Not saved yet")
            assert collection.item(tokens[2], 2).answer is None
            keys.context.set_offline(False)
            expect(keys.locator("#status")).to_have_text("Saved")
            keys.complaints.clear()  # The browser says that it was offline.
    expect(keys.locator("#thanks")).to_be_visible()
    play(desk)
    fill(desk)
    desk.locator("#next").click()
    expect(desk.locator("#thanks")).to_be_visible()
    rate(mouse, 9)
    play(mouse)
    fill(mouse)
    mouse.locator("#next").click()
    expect(mouse.locator("#thanks")).to_be_visible()
    shot(mouse, "thanks")

    assert rater_table(collection)["status"].tolist() == ["finished"] * 3
    table = answer_table(collection)
    assert not table.duplicated(["rater", "position", "key"]).any()
    assert table.groupby("rater")["position"].nunique().tolist() == [9, 9, 9]
    is_heard = (table["condition"] == "audio_and_text") & (table["rater"] != 1)
    assert (table.loc[is_heard, "plays"] >= 1).all()
    assert (table["seconds"] >= 0).all()
    for page in (mouse, phone, desk, keys):
        assert page.complaints == []
        page.context.close()
    see_progress(browser, collected)


def see_progress(browser: Browser, collected: Collected) -> None:
    """The studio's page shows what came in, and no agreement of so few clips."""
    studio = Server(collected.home.root)
    studio.start()
    try:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        study = collected.collection.fact("study")
        page.goto(f"{studio.url}/ratings?study={study}&tab=Watch")
        expect(page.get_by_text("18 of 24 ratings by 3 raters.")).to_be_visible()
        expect(page.get_by_text("Agreement is shown when 10 clips")).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        shot(page, "watch")
        page.close()
    finally:
        studio.stop()


def test_a_rater_withdraws_and_the_link_is_gone(browser: Browser, collected):
    collection, server = collected.collection, collected.server
    invitation = collection.invite()
    page = opened(browser.new_context(), server.link(invitation.token))
    page.get_by_role("button", name="I do not want to take part").click()
    expect(page.get_by_text("You do not take part.")).to_be_visible()
    page.reload()
    page.locator("#agree").click()
    wait_for_any(page)
    play(page)
    fill(page)
    page.locator("#next").click()
    expect(page.locator("#status")).to_have_text("Saved")
    page.locator("#withdraw").click()
    page.locator("#withdraw_yes").click()
    expect(page.get_by_text("Your answers have been deleted.")).to_be_visible()
    assert invitation.rater not in set(answer_table(collection)["rater"])
    assert page.complaints == []
    page.reload()
    expect(page.get_by_text("This link is not valid.")).to_be_visible()
    page.context.close()


def wait_for_any(page: Page) -> None:
    expect(page.locator("#place")).to_be_visible()
