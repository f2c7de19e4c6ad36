"""A researcher's own files, from the disk to a sample that is seen, read and heard."""

import re
import wave
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, Route, expect

from app.state.navigation import HEADINGS
from smurf_core.runs import store, studies
from smurf_core.runs.slices import delete_slice, remember_selection
from smurf_core.runs.workspace import Workspace
from tests.e2e.test_first_light import no_errors
from tests.studio import FAST

pytestmark = pytest.mark.e2e

COUNT = 36
IDS = [f"u{i:02d}" for i in range(COUNT)]
RATE = 8000


@pytest.fixture
def files(tmp_path) -> Path:
    """As the tools write them: openSMILE's functionals a clip, OpenFace's frames of one session."""
    folder = tmp_path / "disk"
    folder.mkdir()
    random = np.random.default_rng(0)
    valence = random.normal(size=COUNT)
    functionals = pd.DataFrame(
        {
            "file": [f"clips/{name}.wav" for name in IDS],
            "start": "0 days 00:00:00",
            "end": "0 days 00:00:01",
            "F0semitoneFrom27.5Hz_sma3nz_amean": 30 + valence + random.normal(size=COUNT),
            "loudness_sma3_amean": random.normal(size=COUNT),
            "jitterLocal_sma3nz_amean": random.normal(size=COUNT),
        }
    )
    functionals.to_csv(folder / "egemaps.csv", index=False)
    frame = np.arange(10 * COUNT)
    smile = np.repeat(valence, 10) + random.normal(size=10 * COUNT)
    pd.DataFrame(
        {
            "frame": frame + 1, "face_id": 0, "timestamp": frame / 10, "confidence": 0.98,
            "success": 1, "AU06_r": smile.clip(0, 5), "AU12_r": (smile + 1).clip(0, 5),
            "AU04_r": random.uniform(0, 5, size=10 * COUNT), "AU12_c": (smile > 0).astype(int),
        }
    ).to_csv(folder / "session.csv", index=False)  # fmt: skip
    text = pd.DataFrame(random.normal(size=(COUNT, 4)), columns=[f"e{j}" for j in range(4)])
    text.insert(0, "utterance", IDS)
    text.to_csv(folder / "text_embeddings.csv", index=False)
    pd.DataFrame(
        {
            "utterance": IDS,
            "speaker": [f"p{i // 6}" for i in range(COUNT)],
            "fold": [i // 6 % 3 for i in range(COUNT)],
            "valence": valence.round(3),
            "start": np.arange(COUNT) * 1.0,
            "end": np.arange(COUNT) + 0.75,
            "transcript": [f"this was said in turn {i}" for i in range(COUNT)],
        }
    ).to_csv(folder / "labels.csv", index=False)
    (folder / "sound").mkdir()
    with wave.open(str(folder / "sound" / "session.wav"), "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        tone = np.sin(2 * np.pi * 220 * np.arange(RATE * COUNT) / RATE)
        sound.writeframes((8_000 * tone).astype("<i2").tobytes())
    return folder


def test_files_of_the_fields_tools_become_a_trained_study_that_is_read_and_heard(
    server, page: Page, files
):
    page.goto(server.url)
    page.get_by_role("tab", name="Upload").click()
    names = ("egemaps.csv", "session.csv", "text_embeddings.csv", "labels.csv")
    page.locator("input[type=file]").first.set_input_files([files / name for name in names])
    expect(page.get_by_text("How the files are joined")).to_be_visible()
    for format_ in ("openSMILE", "OpenFace"):
        expect(page.get_by_text(f"{format_} ·")).to_be_visible()
    page.get_by_text("Audio and video, other columns").click()
    for label, value in (
        ("Folder of recordings on this machine", str(files / "sound")),
        ("One recording for all samples", "session.wav"),
    ):
        # Both tabs have such a field.
        box = page.get_by_role("tabpanel", name="Upload").get_by_role("textbox", name=label)
        box.fill(value)
        box.press("Enter")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("36 of 36 samples have a recording")).to_be_visible()
    no_errors(page)

    workspace = Workspace(server.home)
    study = studies.list_studies(workspace)[0]
    data = studies.load_study(workspace, study.id)
    assert data.modalities == ("audio", "text", "video")
    assert len(data) == COUNT
    assert data.present.all()
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Train").click()
    page.get_by_role("button", name="Start training").click()
    page.get_by_role("button", name="Open run", exact=True).wait_for(timeout=120_000)
    page.get_by_test_id("stSidebarNavLink").filter(has_text=re.compile("Samples$")).click()
    expect(page.get_by_role("heading", name=HEADINGS["Samples"])).to_be_visible()
    sound = page.locator("audio")
    expect(sound).to_be_visible()
    # Three quarters of a second: the utterance alone, not all that was recorded.
    page.wait_for_function("document.querySelector('audio').readyState > 0")
    assert sound.evaluate("audio => audio.duration") == pytest.approx(0.75, abs=0.02)
    said = page.get_by_test_id("stMarkdownContainer").filter(has_text="this was said in turn")
    expect(said.first).to_be_visible()
    no_errors(page)


def test_a_file_arrives_although_something_appears_above_it_meanwhile(server, page: Page, files):
    # A browser knows elements by their order: what moved was made anew, without its upload.
    workspace = Workspace(server.home)
    study = studies.list_studies(workspace)[0].id
    samples = studies.load_study(workspace, study).sample_ids[:3]
    chosen = remember_selection(workspace, study, samples, origin="a test")
    held: list[Route] = []
    page.route("**/upload_file/**", lambda route: held.append(route))
    page.goto(f"{server.url}/?study={study}&slice={chosen}")
    names = ("egemaps.csv", "text_embeddings.csv", "labels.csv")
    with page.expect_request("**/upload_file/**"):
        page.locator("input[type=file]").first.set_input_files([files / name for name in names])
    delete_slice(workspace, chosen)
    run = store.create_run(workspace, study, FAST, jobs=1)
    assert store.claim(workspace, run)  # By this process, so nothing is trained.
    page.get_by_role("tab", name="Upload").click()
    expect(page.get_by_text("The selection that was shown here")).to_be_visible()
    expect(page.get_by_text("The first model of this study")).to_be_visible()
    for route in held:
        route.continue_()
    expect(page.get_by_text("How the files are joined")).to_be_visible()
    no_errors(page)
