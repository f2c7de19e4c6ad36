"""From a design to a scatter with the GRID clips: one researcher, three raters, four browsers.

Features and target are simulated. What raters choose is read from their pages, and every number of
the studio and of the export is computed from it again.
"""

import io
import shutil
import socket
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from smurf_core.data.generated.simulated import simulated_affect
from smurf_core.data.media import MediaSettings
from smurf_core.processes import rater_server, worker
from smurf_core.reporting.numbers import plain
from smurf_core.runs import store
from smurf_core.runs.files import RunFiles
from smurf_core.runs.studies import add_study, set_media
from smurf_core.runs.workspace import Workspace
from tests.e2e.conftest import Server
from tests.e2e.prepared import DATA, FAST
from tests.e2e.test_rater_page import PHONE, opened, shot

GRID = DATA / "grid_clips"
CONDITION, LEARNED = "text_and_vision", "audio"  # what raters get, and what they cannot hear
pytestmark = pytest.mark.skipif(
    not GRID.is_dir(), reason="the GRID clips are not part of the repository"
)


@dataclass
class Study:
    home: Workspace
    id: str
    clips: dict[str, str]  # transcript → sample id
    target: pd.Series
    learned: pd.Series


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Study:
    """A trained study of which eleven samples, of eleven persons, are GRID clips."""
    home = Workspace(tmp_path_factory.mktemp("collection"))
    home.mark_seen("checklist")
    affect = simulated_affect(samples=300, persons=15)
    affect = replace(affect, judgments={}, ratings={}, informativeness={})
    clips = pd.read_csv(GRID / "clips.csv")
    rows = np.arange(11) * 20 + 5
    table = affect.samples.assign(media=None, start=0.0, end=0.6)
    table.loc[table.index[rows], "media"] = clips["video_mp4"].to_numpy()
    table.loc[table.index[rows], "transcript"] = clips["transcript"].to_numpy()
    study = add_study(home, replace(affect, samples=table))
    set_media(home, study, MediaSettings(str(GRID), file="media", start="start", end="end"))
    run = store.create_run(home, study, replace(FAST, max_epochs=60), jobs=1)
    worker.work(home)
    found = RunFiles(home.run_folder(run)).read_result().contributions()
    ids = affect.sample_ids[rows]
    learned = pd.Series(found.unique(LEARNED)[:, 0], found.sample_ids)[ids]
    target = pd.Series(affect.target.astype(float), affect.sample_ids)[ids]
    return Study(home, study, dict(zip(clips["transcript"], ids, strict=True)), target, learned)


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """Four browsers and two servers, on a machine that may be busy."""
    expect.set_options(timeout=120_000)
    yield
    expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def studio(study) -> Iterator[Server]:
    server = Server(study.home.root)
    server.start()
    yield server
    server.stop()
    rater_server.stop(study.home)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def settle(page: Page) -> None:
    """Wait until the page has run to its end, without an error."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(page.get_by_test_id("stException")).to_have_count(0)


def set_number(page: Page, label: str, value: int) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Enter")
    settle(page)


def downloaded(page: Page, act: Callable[[], None]) -> bytes:
    with page.expect_download() as caught:
        act()
    return Path(caught.value.path()).read_bytes()


def design(page: Page) -> None:
    """Muted videos with their words, rated once on a slider and once on pictures, by three."""
    for name in ("voice", "video, voice without intelligible words", "video with sound"):
        page.get_by_role("button", name=f"Remove {name}", exact=True).click()
        settle(page)
    set_number(page, "Raters per clip and condition", 3)
    set_number(page, "Checks per rater", 0)
    set_number(page, "Repeats per rater", 0)
    page.get_by_text("Questions", exact=True).click()
    page.get_by_role("button", name="Add a question").click()
    settle(page)
    page.get_by_role("tab", name="question_3").click()
    question = page.get_by_role("tabpanel", name="question_3")
    question.get_by_label("Kind").click()
    page.get_by_role("option", name="pictures (SAM)").click()
    settle(page)
    # The preview is the raters' page: as many pictures as steps, and a click chooses one.
    pictures = question.locator("main label")
    expect(pictures).to_have_count(9)
    expect(pictures.locator("svg")).to_have_count(9)
    pictures.nth(8).click()
    expect(pictures.nth(8).locator("input")).to_be_checked()
    shot(page, "collection_preview")
    mouths = pictures.locator("svg path").evaluate_all("paths => paths.map(p => p.outerHTML)")
    question.get_by_text("arousal", exact=True).click()
    settle(page)
    expect(question.locator("main .ends")).to_have_text("calmexcited")
    expect(pictures.locator("svg line")).to_have_count(9 * 9)  # rays
    changed = pictures.locator("svg path").evaluate_all("paths => paths.map(p => p.outerHTML)")
    assert changed != mouths


class Hand:
    """How a rater answers: moves the slider to a share of its way, and takes a picture."""

    def __init__(self, kind: str, noise: np.random.Generator) -> None:
        self.kind, self.noise = kind, noise
        self.given: dict[str, tuple[float, int]] = {}  # transcript → slider, picture from 0

    def rate(self, page: Page, clips: int, target: pd.Series, ids: dict[str, str]) -> None:
        """Rate so many clips; the answer follows the target, as a rater's might."""
        for _ in range(clips):
            place = page.locator("#place").inner_text()
            words = page.locator(".words").inner_text()
            expect(page.locator("fieldset input").first).to_be_disabled()
            self.act(page, page.locator("#play"), " ")
            expect(page.locator("fieldset input").first).to_be_enabled()
            share = 0.5 + target[ids[words]] / 6 + self.noise.normal(scale=0.08)
            share = float(np.clip(share, 0.05, 0.95))
            self.slide(page, share)
            step = round(8 * share)
            self.pick(page, step)
            self.given[words] = (float(page.locator("input[type=range]").input_value()), step)
            self.act(page, page.locator("#next"), "Enter")
            expect(page.locator("#place").or_(page.locator("#thanks"))).not_to_have_text(place)

    def act(self, page: Page, button: Locator, key: str) -> None:
        if self.kind == "keyboard":
            page.keyboard.press(key)
        elif self.kind == "touch":
            button.tap()
        else:
            button.click()

    def slide(self, page: Page, share: float) -> None:
        slider = page.locator("input[type=range]")
        if self.kind == "keyboard":
            slider.focus()
            for _ in range(round(abs(share - 0.5) * 50)):  # of the range, 1/50 each
                page.keyboard.press("ArrowRight" if share > 0.5 else "ArrowLeft")
            if round(abs(share - 0.5) * 50) == 0:
                page.keyboard.press("ArrowRight")
            return
        box = slider.bounding_box()
        at = {"x": 14 + share * (box["width"] - 28), "y": box["height"] / 2}
        slider.tap(position=at) if self.kind == "touch" else slider.click(position=at)

    def pick(self, page: Page, step: int) -> None:
        if self.kind == "keyboard":
            page.locator(".steps input").first.focus()
            page.keyboard.press(str(step + 1))
        else:
            self.act(page, page.locator(".steps label").nth(step), "")


def test_a_researcher_and_three_raters_go_from_a_design_to_a_scatter(
    browser: Browser, study: Study, studio: Server, tmp_path: Path
):
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(120_000)
    page.goto(f"{studio.url}/ratings?study={study.id}")
    expect(page.get_by_text("No ratings are collected in this study yet.")).to_be_visible()
    design(page)
    page.get_by_role("button", name="Begin a collection").click()
    expect(page.get_by_text("289 clips were left out")).to_be_visible()
    shot(page, "collection_begun")
    page.get_by_role("tab", name="Raters").click()
    set_number(page, "Port", free_port())
    page.get_by_role("button", name="Start the page").click()
    expect(page.get_by_text("and nothing of the studio")).to_be_visible()
    page.get_by_role("button", name="Make links").click()
    expect(page.get_by_text("Save these links now")).to_be_visible()
    page.get_by_role("button", name="Save table").click()
    table = downloaded(
        page, page.get_by_test_id("stPopoverBody").get_by_role("button", name="CSV").click
    )
    links = pd.read_csv(io.BytesIO(table))["Link"].tolist()
    assert len(links) == 3

    hands = [
        Hand(k, np.random.default_rng(i)) for i, k in enumerate(("mouse", "touch", "keyboard"))
    ]
    seen = (study.target, study.clips)
    mouse = opened(browser.new_context(), links[0])
    mouse.locator("#agree").click()
    hands[0].rate(mouse, 4, *seen)
    mouse.reload()
    expect(mouse.locator("#place")).to_contain_text("Clip 5 of 11")
    hands[0].rate(mouse, 7, *seen)
    phone = opened(browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True), links[1])
    phone.locator("#agree").tap()
    hands[1].rate(phone, 5, *seen)
    shot(phone, "collection_phone")
    desk = opened(browser.new_context(), links[1])
    expect(desk.locator("#place")).to_contain_text("Clip 6 of 11")
    hands[1].kind = "mouse"
    hands[1].rate(desk, 6, *seen)
    # Two raters are enough to begin with; the third comes while the judgments are looked at.
    page.get_by_role("tab", name="Use and export").click()
    page.get_by_role("button", name="Use as the study's judgments").click()
    expect(page.get_by_role("button", name="Stop using ratings")).to_be_visible()
    page.goto(f"{studio.url}/judgments?study={study.id}")
    expect(page.get_by_text("22 of 33 by 2 raters.")).to_be_visible()
    keys = opened(browser.new_context(), links[2])
    keys.locator("#agree").focus()
    keys.keyboard.press("Enter")
    hands[2].rate(keys, 11, *seen)
    for rater in (mouse, phone, desk, keys):
        assert rater.complaints == []
    for rater in (mouse, desk, keys):
        expect(rater.locator("#thanks")).to_be_visible()
        rater.context.close()
    phone.context.close()

    expect(page.get_by_text("33 of 33 by 3 raters.")).to_be_visible()
    settle(page)
    ratings = pd.DataFrame([{w: hand.given[w][0] for w in study.clips} for hand in hands])
    ratings.columns = [study.clips[w] for w in ratings.columns]
    human = study.target - ratings.mean()[study.target.index]
    r = np.corrcoef(study.learned, human)[0, 1]
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    points = page.locator(".js-plotly-plot").first.evaluate(
        "plot => Array.from(plot._fullData.find(trace => trace.mode === 'markers').y)"
    )
    shot(page, "collection_scatter")
    np.testing.assert_allclose(np.sort(points), np.sort(human), atol=1e-4)
    expect(page.get_by_text(plain(r)).first).to_be_visible()

    page.goto(f"{studio.url}/ratings?study={study.id}&tab=Watch")
    expect(page.get_by_text("33 of 33 ratings by 3 raters.")).to_be_visible()
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    settle(page)
    shot(page, "collection_watch")
    page.goto(f"{studio.url}/ratings?study={study.id}&tab=Use and export")
    archive = downloaded(page, page.get_by_role("button", name="Export (ZIP)").click)
    page.close()
    zipfile.ZipFile(io.BytesIO(archive)).extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    check_export(folder, ratings, hands, study)


def check_export(folder: Path, ratings: pd.DataFrame, hands: list[Hand], study: Study) -> None:
    """The export's numbers against what the raters' pages showed."""
    table = pd.read_csv(folder / "ratings.csv")
    assert len(table) == 66
    assert not table.duplicated(["rater", "key", "clip"]).any()
    found = table.set_index(["rater", "key", "clip"])["value"]
    for number, hand in enumerate(hands, 1):
        for words, (level, step) in hand.given.items():
            clip = study.clips[words]
            assert found[number, "rating", clip] == pytest.approx(level, abs=1e-9)
            assert found[number, "question_3", clip] == step / 8  # from 0 to 1
    assert (table["plays"] == 1).all()
    agreement = pd.read_csv(folder / "agreement.csv").set_index("key")
    expected = krippendorff.alpha(ratings.to_numpy(), level_of_measurement="interval")
    assert agreement.loc["rating", "alpha"] == pytest.approx(expected)
    steps = [[hand.given[w][1] for w in study.clips] for hand in hands]
    expected = krippendorff.alpha(np.array(steps), level_of_measurement="ordinal")
    assert agreement.loc["question_3", "alpha"] == pytest.approx(expected)
    # ICC(2,1) and ICC(2,k) from the mean squares (Shrout and Fleiss, 1979).
    y = ratings.to_numpy().T
    n, k = y.shape
    rows = k * ((y.mean(axis=1) - y.mean()) ** 2).sum() / (n - 1)
    columns = n * ((y.mean(axis=0) - y.mean()) ** 2).sum() / (k - 1)
    rest = y - y.mean(axis=1, keepdims=True) - y.mean(axis=0) + y.mean()
    error = (rest**2).sum() / ((n - 1) * (k - 1))
    single = (rows - error) / (rows + (k - 1) * error + k * (columns - error) / n)
    average = (rows - error) / (rows + (columns - error) / n)
    assert agreement.loc["rating", "icc_single"] == pytest.approx(single)
    assert agreement.loc["rating", "icc"] == pytest.approx(average)
    if shutil.which("Rscript"):
        subprocess.run(["Rscript", "analysis.R"], cwd=folder, check=True, capture_output=True)
        by_r = pd.read_csv(folder / "agreement_by_r.csv").set_index("key")
        assert by_r.loc["rating", "icc"] == pytest.approx(average)
        means = pd.read_csv(folder / "means.csv").query("key == 'rating'").set_index("clip")["mean"]
        assert means.to_dict() == pytest.approx(ratings.mean().to_dict())
